"""What Rillet has comes to Solvimon: page by page, nothing twice, and the second time for nothing."""

from concurrent.futures import ThreadPoolExecutor
from time import sleep

from local.demo import newcomers, tables
from local.demo.stage import Json, Numbers, Section, Stage

_KINDS = {
    "customers": ("customers", "rillet_customer_id"),
    "products": ("products", "rillet_product_id"),
    "subsidiaries": ("billing-entities", "rillet_subsidiary_id"),
}
"""What is imported, as what, and the custom field that holds the Rillet id."""


def _tell(stage: Stage) -> Numbers:
    _fill_rillet(stage)
    stage.screen.say(
        "Rillet has more customers and products than Solvimon, and another subsidiary. Three workflows that "
        "a person starts bring them over; each is a durable execution, one step for each hundred rows."
    )
    before = {kind: len(_records(stage, kind)) for kind in _KINDS}
    first = {kind: _imported(stage, kind) for kind in _KINDS}
    stage.let_a_minute_pass()
    second = {kind: stage.system.invoke(f"import_{kind}", {}) for kind in _KINDS}
    stage.screen.say("")
    stage.screen.show(tables.imports([*_rows(first, ""), *_rows(second, ", once more")]))
    for note in first["customers"]["notes"]:
        stage.screen.note(_shortened(note))
    for failure in (failure for answer in first.values() for failure in answer["failures"]):
        stage.screen.say(f"Left out: {failure['what']} {failure['remedy']}")
    _check(stage, before, first, second)
    _nothing_bounces(stage)
    return {f"{kind}_imported": answer["created"] + answer["updated"] for kind, answer in first.items()}


def _fill_rillet(stage: Stage) -> None:
    organisation = stage.connection.organisation
    for customer in newcomers.customers():
        organisation.customers.add(customer)
    for product in newcomers.products():
        organisation.products.add(product)
    organisation.subsidiaries.add(newcomers.subsidiary())


def _imported(stage: Stage, kind: str) -> Json:
    """Run an import, and show how far it is."""
    rows = len(getattr(stage.connection.organisation, kind))
    with ThreadPoolExecutor(1) as pool, stage.screen.progress(f"import_{kind}", rows) as show:
        running = pool.submit(stage.system.invoke, f"import_{kind}", {})
        while not running.done():
            show(len(_linked(stage, kind)))
            sleep(0.02)
        answer: Json = running.result()
        show(answer["seen"])
    return answer


def _records(stage: Stage, kind: str) -> list[Json]:
    return list(stage.connection.platform.records[_KINDS[kind][0]].values())


def _linked(stage: Stage, kind: str) -> list[str]:
    """The Rillet ids that Solvimon's records hold."""
    return [
        value["value"]
        for record in _records(stage, kind)
        for value in record.get("custom_fields", [])
        if value["reference"] == _KINDS[kind][1]
    ]


def _rows(answers: dict[str, Json], when: str) -> list[tuple[str, Json]]:
    return [(f"{kind}{when}", answer) for kind, answer in answers.items()]


def _shortened(note: str) -> str:
    """Return a note without the rows that it names."""
    return note.partition(" (")[0]


def _check(stage: Stage, before: dict[str, int], first: dict[str, Json], second: dict[str, Json]) -> None:
    for kind, answer in first.items():
        made = len(_records(stage, kind)) - before[kind]
        linked = _linked(stage, kind)
        stage.expect(answer["complete"], f"import_{kind} did not come to its end: {answer.get('error')}.")
        stage.expect(made == answer["created"], f"Solvimon has {made} new {kind}, not {answer['created']}.")
        stage.expect(len(linked) == len(set(linked)), f"Some {kind} are in Solvimon twice.")
    left_out = [failure["rillet_id"] for failure in first["customers"]["failures"]]
    stage.expect(left_out == [newcomers.NAMELESS], "Other customers were left out than the nameless one.")
    wrote = sum(answer["solvimon_writes"] for answer in second.values())
    stage.expect(not wrote, f"The second imports wrote {wrote} times, although nothing had changed.")


def _nothing_bounces(stage: Stage) -> None:
    """Solvimon tells of the new customers by webhook; that must change nothing in Rillet."""
    calls = len(stage.system.rillet.state.calls)
    webhooks = len(stage.deliver_webhooks())
    stage.system.settle()
    written = [call for call in stage.system.rillet.state.calls[calls:] if call.method != "GET"]
    stage.screen.say(f"Solvimon told of this by {webhooks} webhooks; nothing of it went back to Rillet.")
    stage.expect(not written, f"The imports bounced back: {len(written)} writes to Rillet.")


SECTION = Section("Import customers, products and subsidiaries", _tell)
