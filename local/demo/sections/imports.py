"""What Rillet has comes to Solvimon: page by page, nothing twice, and the last time for nothing."""

from concurrent.futures import ThreadPoolExecutor
from time import sleep

from local.demo import new_customers, tables
from local.demo.context import Context, Json, Numbers, Section

_IMPORT_KINDS = {
    "customers": ("customers", "rillet_customer_id"),
    "products": ("products", "rillet_product_id"),
    "subsidiaries": ("billing-entities", "rillet_subsidiary_id"),
}
"""What is imported, as what, and the custom field that holds the Rillet id."""


def _run(context: Context) -> Numbers:
    _fill_rillet(context)
    context.connection.platform.load(new_customers.in_solvimon_already())
    context.console.say(
        "Rillet has more customers and products than Solvimon, and another subsidiary. Three workflows that "
        "a person starts bring them over; each is a durable execution, one step for each hundred rows."
    )
    before = {kind: len(_records_of_kind(context, kind)) for kind in _IMPORT_KINDS}
    first = {kind: _imported(context, kind) for kind in _IMPORT_KINDS}
    linked = _link_what_is_alike(context, first)
    context.let_a_minute_pass()
    updated = {kind: context.system.invoke(f"import_{kind}", {}) for kind in linked}
    second = {kind: context.system.invoke(f"import_{kind}", {}) for kind in _IMPORT_KINDS}
    context.console.say("")
    imports = [
        *_answer_rows(first, ""),
        *_answer_rows(updated, ", linked"),
        *_answer_rows(second, ", once more"),
    ]
    context.console.show(tables.imports(imports))
    for note in first["customers"]["notes"]:
        context.console.note(note.partition(" (")[0])  # without the rows that it names
    for failure in (failure for answer in first.values() for failure in answer["failures"]):
        context.console.say(f"Left out: {failure['what']} {failure['remedy']}")
    _check_imports(context, before, first, second)
    _nothing_bounces(context)
    return {
        **{f"{kind}_imported": answer["created"] + answer["updated"] for kind, answer in first.items()},
        "proposed": sum(answer["proposed"] for answer in first.values()),
        "linked": sum(linked.values()),
        "doubled": _doubled(context),
    }


def _fill_rillet(context: Context) -> None:
    organisation = context.connection.organisation
    for customer in new_customers.customers():
        organisation.customers.add(customer)
    for product in new_customers.products():
        organisation.products.add(product)
    organisation.subsidiaries.add(new_customers.subsidiary())
    context.expected.not_imported.add(new_customers.NAMELESS)
    context.expected.changed_by_import.update(new_customers.ODD)


def _link_what_is_alike(context: Context, imports: dict[str, Json]) -> dict[str, int]:
    """Show the rows that Solvimon probably has, accept them all, and return how many were linked."""
    name, linked = context.connection.name, dict[str, int]()
    for kind, singular in (("customers", "customer"), ("products", "product")):
        for row in imports[kind]["proposals"]:
            alike = row["looks_like"][0]
            context.console.say(
                f"{row['name']} looks like {alike['name']} in Solvimon (same {' and '.join(alike['same'])})."
            )
        answer = context.system.invoke(
            "link_records", {"connection": name, "accept": "all", "kind": singular}
        )
        linked[kind] = sum(each["outcome"] == "linked" for each in answer["results"])
    proposed = sum(answer["proposed"] for answer in imports.values())
    context.expect(sum(linked.values()) == proposed, f"{proposed} were proposed, and {linked} linked.")
    return linked


def _doubled(context: Context) -> int:
    """How many of the records that a person had made are in Solvimon twice."""
    made = new_customers.in_solvimon_already()
    unlinked = [
        record["id"]
        for kind, records in made.items()
        for record in (context.connection.platform.records[kind][each["id"]] for each in records)
        if all(value["reference"] != _IMPORT_KINDS[kind][1] for value in record.get("custom_fields", []))
    ]
    linked = [rillet_id for kind in made for rillet_id in _linked(context, kind)]
    return len(unlinked) + len(linked) - len(set(linked))


def _imported(context: Context, kind: str) -> Json:
    """Run an import, and show how far it is."""
    rows = len(getattr(context.connection.organisation, kind))
    with ThreadPoolExecutor(1) as pool, context.console.progress(f"import_{kind}", rows) as show:
        running = pool.submit(context.system.invoke, f"import_{kind}", {})
        while not running.done():
            show(len(_linked(context, kind)))
            sleep(0.02)
        answer: Json = running.result()
        show(answer["seen"])
    return answer


def _records_of_kind(context: Context, kind: str) -> list[Json]:
    return list(context.connection.platform.records[_IMPORT_KINDS[kind][0]].values())


def _linked(context: Context, kind: str) -> list[str]:
    """The Rillet ids that Solvimon's records hold."""
    return [
        value["value"]
        for record in _records_of_kind(context, kind)
        for value in record.get("custom_fields", [])
        if value["reference"] == _IMPORT_KINDS[kind][1]
    ]


def _answer_rows(answers: dict[str, Json], when: str) -> list[tuple[str, Json]]:
    return [(f"{kind}{when}", answer) for kind, answer in answers.items()]


def _check_imports(
    context: Context, before: dict[str, int], first: dict[str, Json], second: dict[str, Json]
) -> None:
    for kind, answer in first.items():
        made = len(_records_of_kind(context, kind)) - before[kind]
        context.expect(answer["complete"], f"import_{kind} did not come to its end: {answer.get('error')}.")
        context.expect(made == answer["created"], f"Solvimon has {made} new {kind}, not {answer['created']}.")
    left_out = [failure["rillet_id"] for failure in first["customers"]["failures"]]
    context.expect(
        left_out == [new_customers.NAMELESS], "Other customers were left out than the nameless one."
    )
    wrote = sum(answer["solvimon_writes"] for answer in second.values())
    context.expect(not wrote, f"The second imports wrote {wrote} times, although nothing had changed.")


def _nothing_bounces(context: Context) -> None:
    """Solvimon tells of the new customers by webhook; that must change nothing in Rillet."""
    calls = len(context.system.rillet.state.calls)
    webhooks = len(context.deliver_webhooks())
    context.system.settle()
    written = [call for call in context.system.rillet.state.calls[calls:] if call.method != "GET"]
    context.console.say(f"Solvimon sent {webhooks} webhooks about it; nothing of it went back to Rillet.")
    context.expect(not written, f"The imports bounced back: {len(written)} writes to Rillet.")


SECTION = Section("Import customers, products and subsidiaries", _run)
