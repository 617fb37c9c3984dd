"""Which Rillet records an invoice needs is read once, and then costs no call."""

from collections import Counter
from copy import deepcopy
from typing import Any

import pytest

from local import sample_data
from local.system import Connection, LocalSystem
from solvimon_rillet.ledger.ledger import LEASE_SECONDS
from solvimon_rillet.rillet.client import RilletClient
from solvimon_rillet.workflows.export.link_resolver import PRODUCT_LINK_SECONDS
from tests.support.arrange import edit, export, patched, solvimon_invoice
from tests.support.assertions import calls_to, invoice_posts, record, rillet_invoices
from tests.support.builders import DEMO_CUSTOMER_IN_RILLET, FIRST, Json
from tests.support.connected import Connected

USAGE, DISCOUNT = sample_data.invoice_id("usage-tiers"), sample_data.invoice_id("discount")
NEW_CUSTOMER, TWO_RATES = sample_data.invoice_id("new-customer"), sample_data.invoice_id("two-rates")
EXCHANGE_RATE = sample_data.invoice_id("exchange-rate")
HANSEKONTOR = sample_data.rillet_id("customer", "hansekontor")
DUTCH = sample_data.rillet_id("subsidiary", "tideway-nl")
AMERICAN = sample_data.rillet_id("subsidiary", "tideway-us")
EXPORTED = ["POST /invoices", "PUT /invoices"]
"""The calls of an export in the scope `FULL`: create, mark as sent."""


def another(connection: Connection, invoice_id: str, name: str = "invo_another") -> str:
    """A second invoice with the same content."""
    copied = deepcopy(solvimon_invoice(connection, invoice_id)) | {"id": name, "status": "DRAFT"}
    copied.pop("invoice_number", None)
    connection.platform.records["invoices"][name] = copied
    return name


def read_of_solvimon(system: LocalSystem) -> Counter[str]:
    """The reads of Solvimon for an export, by collection; those of custom fields are for the write-back."""
    calls = system.solvimon.state.calls.by_collection()
    reads = {name.removeprefix("GET /v1/"): count for name, count in calls.items() if name.startswith("GET")}
    return Counter({name: count for name, count in reads.items() if name != "custom-fields"})


def rillet_requests(system: LocalSystem) -> list[str]:
    """The requests to Rillet, by method and collection."""
    return [f"{call.method} /{call.path.split('/')[1]}" for call in system.rillet.state.calls]


def assert_linked(body: Json, customer: str = DEMO_CUSTOMER_IN_RILLET, subsidiary: str = DUTCH) -> None:
    assert (body["customer_id"], body["subsidiary_id"]) == (customer, subsidiary)


def run(connection: Connected, invoice_id: str) -> Json:
    """Finalise and export an invoice from an empty call log on, and return what was sent."""
    connection.platform.finalise(invoice_id)
    return run_final(connection.system, invoice_id)


def run_final(system: LocalSystem, invoice_id: str) -> Json:
    """Export a final invoice from an empty call log on, and return what was sent."""
    system.rillet.state.calls.clear()
    system.solvimon.state.calls.clear()
    [result] = export(system, invoice_id)
    assert result["outcome"] == "exported", result
    body: Json = invoice_posts(system)[-1].request_body
    return body


def embed_no_link(document: Json) -> Json:
    """Take every link off what an invoice embeds."""
    document["other_custom_fields"] = []
    document["periods"][0]["groups"][0]["products"][0].pop("custom_fields", None)
    return document


@pytest.fixture
def second(default: Connected) -> str:
    """A second invoice like the first, which is exported."""
    copied = another(default, FIRST)
    run(default, FIRST)
    return copied


def owner(connection: Connection, collection: str, invoice_id: str = FIRST) -> Json:
    """The customer or billing entity of an invoice, in Solvimon itself."""
    name = {"customers": "customer_id", "billing-entities": "billing_entity_id"}[collection]
    return connection.platform.records[collection][solvimon_invoice(connection, invoice_id)[name]]


def warnings(system: LocalSystem, invoice_id: str) -> str:
    return "\n".join(record(system, invoice_id)["warnings"])


@pytest.mark.parametrize(
    ("invoice_id", "embedded"), [(USAGE, True), (FIRST, False)], ids=["embedded", "copied"]
)
def test_links_in_the_embedded_objects_or_copied_onto_the_invoice_cost_no_read(
    default: Connected, invoice_id: str, embedded: bool
) -> None:
    default.platform.finalise(invoice_id)
    document = solvimon_invoice(default, invoice_id)
    if embedded:
        document["other_custom_fields"] = []
    assert ("custom_fields" in document["customer"]) is embedded

    body = run_final(default.system, invoice_id)

    assert_linked(body)
    assert read_of_solvimon(default.system) == {"invoices": 1}


def test_links_that_the_invoice_does_not_carry_are_read_from_the_objects(default: Connected) -> None:
    default.platform.finalise(FIRST)
    embed_no_link(solvimon_invoice(default))

    body = run_final(default.system, FIRST)

    assert_linked(body)
    assert body["items"][0]["price"]["product_id"] == sample_data.rillet_id("product", "harbour-planner")
    expected = dict.fromkeys(("invoices", "customers", "billing-entities", "products"), 1)
    assert read_of_solvimon(default.system) == expected


@pytest.mark.parametrize(
    ("invoice_id", "gone"),
    [
        (FIRST, ("customer", "billing_entity", "other_custom_fields")),
        (USAGE, ("customer_id", "billing_entity_id")),
    ],
    ids=["ids without embedded objects", "embedded objects without ids"],
)
def test_one_way_to_name_customer_and_billing_entity_is_enough(
    default: Connected, invoice_id: str, gone: tuple[str, ...]
) -> None:
    default.platform.finalise(invoice_id)
    for name in gone:
        solvimon_invoice(default, invoice_id).pop(name)

    body = run_final(default.system, invoice_id)

    assert_linked(body)


@pytest.mark.parametrize(
    ("missing", "code"), [("customer", "customer_not_linked"), ("billing_entity", "subsidiary_not_linked")]
)
def test_an_invoice_that_names_no_customer_or_billing_entity_is_rejected(
    default: Connected, missing: str, code: str
) -> None:
    default.platform.finalise(USAGE)
    for name in (missing, f"{missing}_id"):
        solvimon_invoice(default, USAGE).pop(name)

    [result] = default.export(USAGE)

    assert (result["outcome"], result["code"]) == ("rejected", code)
    assert "names no" in result["message"]


def test_the_first_invoice_of_a_customer_checks_it_and_the_second_is_only_created_and_marked(
    default: Connected,
) -> None:
    requests = []
    for invoice_id in (FIRST, another(default, FIRST)):
        default.platform.finalise(invoice_id)
        embed_no_link(solvimon_invoice(default, invoice_id))
        run_final(default.system, invoice_id)
        requests.append(rillet_requests(default.system))

    of_the_key = "GET /organizations"  # whose it is, before the first write with it
    assert requests == [["GET /books", "GET /customers", of_the_key, *EXPORTED], EXPORTED]
    assert read_of_solvimon(default.system) == {"invoices": 1}


@pytest.mark.parametrize(
    ("settings", "calls"),
    [
        ({}, EXPORTED),
        ({"mark_as_sent": False}, EXPORTED[:1]),
        ({"invoice_scope": "REVENUE_RECOGNITION_ONLY"}, EXPORTED[:1]),
        ({"invoice_scope": "AR_ONLY"}, EXPORTED[:1]),
    ],
    ids=["FULL", "FULL, not marked", "REVENUE_RECOGNITION_ONLY", "AR_ONLY"],
)
def test_in_the_steady_state_an_invoice_costs_one_call_and_one_more_where_it_is_marked_as_sent(
    default: Connected, settings: Json, calls: list[str]
) -> None:
    default.configure(**settings)
    earlier = (FIRST, DISCOUNT, NEW_CUSTOMER, TWO_RATES, EXCHANGE_RATE)
    names = [another(default, invoice_id, f"invo_{n}") for n, invoice_id in enumerate(earlier)]
    for invoice_id in (*earlier, *names):
        default.platform.finalise(invoice_id)
    first = default.export(*earlier)
    default.system.rillet.state.calls.clear()
    default.system.solvimon.state.calls.clear()
    default.system.advance(120)

    second = default.export(*names)

    assert {result["outcome"] for result in (*first, *second)} == {"exported"}
    assert Counter(rillet_requests(default.system)) == dict.fromkeys(calls, len(names))
    # One product is read, whose link its invoice does not carry.
    assert read_of_solvimon(default.system) == {"invoices": len(names), "products": 1}
    assert len(default.system.solvimon.state.calls) == len(names) + 1 + len(names), (
        "one more shows Rillet's number"
    )


def test_a_corrected_customer_link_wins_over_the_remembered_one_immediately(
    default: Connected, second: str
) -> None:
    owner(default, "customers")["custom_fields"][0]["value"] = HANSEKONTOR

    body = run(default, second)

    assert body["customer_id"] == HANSEKONTOR
    assert rillet_requests(default.system) == ["GET /customers", *EXPORTED], "the new one is checked once"


def test_corrected_subsidiary_and_product_links_win_over_the_remembered_ones_immediately(
    default: Connected, second: str
) -> None:
    seats = sample_data.rillet_id("product", "berth-seats")
    product = solvimon_invoice(default, second)["periods"][0]["groups"][0]["products"][0]
    product["custom_fields"][0]["value"] = seats
    owner(default, "billing-entities")["custom_fields"][0]["value"] = AMERICAN

    body = run(default, second)

    assert body["subsidiary_id"] == AMERICAN
    assert body["items"][0]["price"]["product_id"] == seats


def test_a_link_that_is_taken_away_stays_remembered(default: Connected, second: str) -> None:
    owner(default, "customers")["custom_fields"] = []

    body = run(default, second)

    assert body["customer_id"] == DEMO_CUSTOMER_IN_RILLET


def test_a_product_that_the_invoice_does_not_carry_the_link_of_is_read_once_a_minute(
    default: Connected,
) -> None:
    names = [another(default, DISCOUNT, f"invo_{n}") for n in range(3)]
    run(default, DISCOUNT)
    reads = [read_of_solvimon(default.system)["products"]]

    for name, later in zip(names, (PRODUCT_LINK_SECONDS - 10, 20, 20), strict=True):
        default.system.advance(later)
        run(default, name)
        reads.append(read_of_solvimon(default.system)["products"])

    assert reads == [1, 0, 1, 0]


def test_a_corrected_product_link_takes_effect_with_the_next_document(default: Connected) -> None:
    """The invoice does not carry the link, and no event says that it was corrected."""
    copied = another(default, DISCOUNT)
    seats = sample_data.rillet_id("product", "berth-seats")
    before = run(default, DISCOUNT)
    product_id = solvimon_invoice(default, DISCOUNT)["periods"][0]["groups"][1]["products"][0]["id"]
    default.platform.records["products"][product_id]["custom_fields"][0]["value"] = seats
    default.system.advance(PRODUCT_LINK_SECONDS)

    after = run(default, copied)

    assert before["items"][1]["price"]["product_id"] != seats
    assert after["items"][1]["price"]["product_id"] == seats


def test_a_link_that_rillet_does_not_know_any_more_is_forgotten_and_read_again(default: Connected) -> None:
    support, seats = (sample_data.rillet_id("product", name) for name in ("premium-support", "berth-seats"))
    copied = another(default, DISCOUNT)
    run(default, DISCOUNT)
    default.organisation.products.remove(support)
    product_id = solvimon_invoice(default, DISCOUNT)["periods"][0]["groups"][1]["products"][0]["id"]
    default.platform.records["products"][product_id]["custom_fields"][0]["value"] = seats
    default.platform.finalise(copied)

    [refused] = default.export(copied)
    body = run_final(default.system, copied)

    assert (refused["outcome"], refused["code"]) == ("rejected", "rillet_record_missing")
    assert body["items"][1]["price"]["product_id"] == seats


def created(connection: Connection) -> Json:
    """The only customer in Rillet beyond those that were there."""
    seed: Any = sample_data.rillet_seed()["customers"]
    there = {customer["id"] for customer in seed}
    [made] = [c for c in connection.organisation.customers.documents() if c["id"] not in there]
    return made


def test_a_customer_that_rillet_lacks_is_created_with_the_guides_fields(default: Connected) -> None:
    body = run(default, NEW_CUSTOMER)

    made = created(default)
    assert body["customer_id"] == made["id"]
    customer_id = solvimon_invoice(default, NEW_CUSTOMER)["customer_id"]
    assert {name: made[name] for name in made.keys() - {"id", "updated_at"}} == {
        "name": "Zeeland Offshore Crew B.V.",
        "name_on_invoice": "Zeeland Offshore Crew B.V.",
        "address": {
            "line1": "Kleverskerkseweg 70",
            "city": "Middelburg",
            "state": "Zeeland",
            "zip_code": "4338 PH",
            "country": "NL",
        },
        "emails": [{"email": "finance@zeeland-offshore.example", "type": "MAIN_SENDER"}],
        "external_references": [{"type": "solvimon_customer_id", "id": customer_id}],
        "send_invoices_automatically": False,
        "send_payment_reminders": False,
    }
    created_with = ["GET /customers", "GET /organizations", "POST /customers", *EXPORTED]
    assert rillet_requests(default.system)[-5:] == created_with
    assert calls_to(default.system, "POST", "/customers")[0].idempotency_key


def test_a_missing_customer_is_created_once_when_two_of_its_invoices_run_at_the_same_time(
    default: Connected,
) -> None:
    first, second = NEW_CUSTOMER, another(default, NEW_CUSTOMER)
    for invoice_id in (first, second):
        default.platform.finalise(invoice_id)
    real, others = RilletClient.customer_by_reference, list[Json]()

    def look(self: RilletClient, *arguments: str) -> object:
        found = real(self, *arguments)
        others.extend(default.export(second))
        return found

    with patched(RilletClient, "customer_by_reference", look):
        [result] = default.export(first)
    default.until_exported(first, second)

    assert (result["outcome"], [other["outcome"] for other in others]) == ("exported", ["queued"])
    assert {i["customer_id"] for i in rillet_invoices(default)} == {created(default)["id"]}
    assert len(calls_to(default.system, "POST", "/customers")) == 1


@pytest.mark.parametrize("hours", [0, 25])
def test_a_missing_customer_is_created_once_when_the_answer_is_lost(default: Connected, hours: int) -> None:
    default.system.rillet.state.misbehave("commit_then_drop", path="/customers")
    default.platform.finalise(NEW_CUSTOMER)
    [queued] = default.export(NEW_CUSTOMER)

    default.system.advance(LEASE_SECONDS + 1 + hours * 3600)
    body = run_final(default.system, NEW_CUSTOMER)

    assert queued["outcome"] == "queued"
    made = created(default)
    assert body["customer_id"] == made["id"]
    assert calls_to(default.system, "POST", "/customers") == [], "it was found by our reference"


@pytest.mark.parametrize("create", [True, False])
def test_a_customer_that_refers_to_solvimons_id_is_found_and_not_created(
    default: Connected, create: bool
) -> None:
    default.configure(create_missing_customers=create)
    reference = {"type": "solvimon_customer_id", "id": solvimon_invoice(default, NEW_CUSTOMER)["customer_id"]}
    by_hand = default.organisation.customers.add(
        {"name": "Zeeland", "external_references": [reference], "send_invoices_automatically": True}
    )

    body = run(default, NEW_CUSTOMER)

    assert body["customer_id"] == by_hand.id
    assert calls_to(default.system, "POST", "/customers") == []
    assert "mails this customer's invoices automatically" in warnings(default.system, NEW_CUSTOMER)


def test_an_individual_customer_is_created_under_the_whole_name(default: Connected) -> None:
    default.configure(matching="create")  # Rillet has the customer already
    default.platform.finalise(TWO_RATES)
    for customer in (
        owner(default, "customers", TWO_RATES),
        solvimon_invoice(default, TWO_RATES)["customer"],
    ):
        customer["custom_fields"] = []
    solvimon_invoice(default, TWO_RATES)["other_custom_fields"] = []

    run_final(default.system, TWO_RATES)

    made = created(default)
    assert (made["name"], made["address"]["line1"]) == ("Jelle de Boer", "Havenweg 3")


def test_a_customer_without_a_name_is_rejected(default: Connected) -> None:
    owner(default, "customers", NEW_CUSTOMER)["organization"]["legal_name"] = ""
    default.platform.finalise(NEW_CUSTOMER)

    [result] = default.export(NEW_CUSTOMER)

    assert (result["outcome"], result["code"]) == ("rejected", "customer_incomplete")
    assert calls_to(default.system, "POST") == []


@pytest.fixture
def address(default: Connection) -> Json:
    """The new customer's registered address in Solvimon."""
    found: Json = owner(default, "customers", NEW_CUSTOMER)["organization"]["registered_address"]
    return found


@pytest.mark.parametrize("missing", ["line1", "city", "postal_code", "country", "state"])
def test_an_address_that_lacks_a_part_is_left_out_with_a_warning(
    default: Connected, address: Json, missing: str
) -> None:
    del address[missing]

    run(default, NEW_CUSTOMER)

    assert "address" not in created(default)
    field = {"postal_code": "zip_code"}.get(missing, missing)
    assert f"Zeeland Offshore Crew B.V. is without {field};" in warnings(default.system, NEW_CUSTOMER)


@pytest.mark.parametrize(("own", "expected"), [("Zeeland", "Zeeland"), (None, "n/a"), ("", "n/a")])
def test_an_address_without_a_state_takes_the_settings(
    default: Connected, address: Json, own: str | None, expected: str
) -> None:
    default.configure(address_state="n/a")
    address["state"] = own

    run(default, NEW_CUSTOMER)

    assert created(default)["address"]["state"] == expected
    assert "address" not in warnings(default.system, NEW_CUSTOMER)


def test_a_customer_without_an_address_needs_no_warning(default: Connected, address: Json) -> None:
    address.clear()

    run(default, NEW_CUSTOMER)

    assert "address" not in created(default)
    assert "address" not in warnings(default.system, NEW_CUSTOMER)


def test_a_created_customer_is_never_mailed_by_rillet(default: Connected) -> None:
    run(default, NEW_CUSTOMER)

    assert default.organisation.sent_invoices == []
    assert "mails" not in warnings(default.system, NEW_CUSTOMER)


def test_a_customer_whom_rillet_refused_is_created_once_the_cause_is_fixed(default: Connected) -> None:
    del default.organisation.reference_types["solvimon_customer_id"]
    default.platform.finalise(NEW_CUSTOMER)
    [refused] = default.export(NEW_CUSTOMER)
    [first] = calls_to(default.system, "POST", "/customers")

    default.organisation.register_reference_type("solvimon_customer_id")
    run_final(default.system, NEW_CUSTOMER)

    [second] = calls_to(default.system, "POST", "/customers")
    assert (refused["outcome"], refused["code"]) == ("rejected", "reference_type_missing")
    assert first.idempotency_key != second.idempotency_key, "Rillet may have kept the refusal under the key"


def merged_away(connection: Connected) -> tuple[str, str]:
    """Merge a customer that we created into another one; its second invoice, and that one's id."""
    second = another(connection, NEW_CUSTOMER)
    body = run(connection, NEW_CUSTOMER)
    name = connection.organisation.customers.get(body["customer_id"]).document["name"]
    target = connection.organisation.customers.add({"name": name.upper(), "external_references": []})
    connection.organisation.merge_customer(body["customer_id"], target.id)
    connection.platform.finalise(second)
    return second, target.id


def test_a_merged_customer_is_proposed_and_never_created_again(default: Connected) -> None:
    second, target = merged_away(default)

    refused = [default.export(second)[0] for _ in range(3)]

    assert [one["code"] for one in refused] == ["customer_merged"] * 3
    assert f"Rillet's customers of the same name: {target}." in refused[-1]["message"]
    assert "merged into" in refused[-1]["remedy"]
    assert len(calls_to(default.system, "POST", "/customers")) == 1, "that of the first invoice"
    assert len(default.organisation.customers.documents()) == len(sample_data.rillet_seed()["customers"]) + 1


def test_a_merged_customer_whose_custom_field_names_the_one_that_is_gone_is_proposed_too(
    default: Connected,
) -> None:
    second, target = merged_away(default)
    gone = default.record(NEW_CUSTOMER)["customer_id"]
    link = {"reference": "rillet_customer_id", "value": gone}
    edit(default, solvimon_invoice(default, second)["customer_id"], custom_fields=[link])

    refused = [default.export(second)[0] for _ in range(2)]

    assert [one["code"] for one in refused] == ["customer_merged"] * 2
    assert all(f"Rillet's customers of the same name: {target}." in one["message"] for one in refused)


def test_a_merged_customer_is_linked_by_the_corrected_custom_field(default: Connected) -> None:
    second, target = merged_away(default)
    default.export(second)
    customer = default.platform.records["customers"][solvimon_invoice(default, second)["customer_id"]]
    customer["custom_fields"] = [{"reference": "rillet_customer_id", "value": target}]

    body = run_final(default.system, second)

    assert body["customer_id"] == target


def test_a_corrected_link_is_followed_although_the_document_shows_the_one_of_before(
    default: Connected,
) -> None:
    """Solvimon does not say whether a final invoice shows its customer as it is, or as it was."""
    second, target = merged_away(default)
    gone = default.record(NEW_CUSTOMER)["customer_id"]
    shown = solvimon_invoice(default, second)
    old, new = ([{"reference": "rillet_customer_id", "value": each}] for each in (gone, target))
    shown["customer"]["custom_fields"] = old
    edit(default, shown["customer_id"], custom_fields=old)
    [refused] = default.export(second)
    edit(default, shown["customer_id"], custom_fields=new)

    body = run_final(default.system, second)

    assert refused["code"] == "customer_merged"
    assert body["customer_id"] == target


def test_a_merged_customer_that_kept_our_reference_is_linked_without_a_question(default: Connected) -> None:
    second, target = merged_away(default)
    reference = {"type": "solvimon_customer_id", "id": solvimon_invoice(default, second)["customer_id"]}
    default.organisation.edit_customer(target, external_references=[reference])
    default.export(second)

    body = run_final(default.system, second)

    assert body["customer_id"] == target


def test_an_edit_of_a_merged_customer_creates_none(default: Connected) -> None:
    second, target = merged_away(default)
    default.export(second)
    customer_id = solvimon_invoice(default, second)["customer_id"]

    default.edit_and_settle(customer_id, email="new@zeeland-offshore.example")

    assert default.record(customer_id, kind="customer")["code"] == "customer_merged"
    assert target in default.record(customer_id, kind="customer")["message"]


@pytest.mark.parametrize(
    ("scope", "warned"), [("FULL", True), ("REVENUE_RECOGNITION_ONLY", False), ("AR_ONLY", False)]
)
def test_a_customer_whom_rillet_mails_automatically_is_a_warning_on_every_invoice(
    default: Connected, scope: str, warned: bool
) -> None:
    default.configure(invoice_scope=scope)
    default.organisation.customers.get(DEMO_CUSTOMER_IN_RILLET).document["send_invoices_automatically"] = True
    ids = (FIRST, another(default, FIRST))

    for invoice_id in ids:
        run(default, invoice_id)

    assert rillet_requests(default.system) == EXPORTED[: 2 if warned else 1], "it is remembered"
    for invoice_id in ids:
        assert ("mails this customer's invoices" in warnings(default.system, invoice_id)) is warned
    assert bool(default.organisation.sent_invoices) is warned, "the fake confirms the warning"


def test_a_customer_for_whom_rillet_does_not_state_whether_it_is_mailed_needs_no_warning(
    default: Connected,
) -> None:
    del default.organisation.customers.get(DEMO_CUSTOMER_IN_RILLET).document["send_invoices_automatically"]
    ids = (FIRST, another(default, FIRST))

    for invoice_id in ids:
        run(default, invoice_id)

    assert rillet_requests(default.system) == EXPORTED, "it is remembered all the same"
    assert "mails" not in "".join(warnings(default.system, invoice_id) for invoice_id in ids)


def test_the_currency_of_a_subsidiary_is_read_once_where_a_rate_is_stated(default: Connected) -> None:
    rate = {"base": "USD", "target": "EUR", "rate": "0.9174", "date": "2026-11-02"}
    copied = another(default, EXCHANGE_RATE)
    requests = []
    for invoice_id in (EXCHANGE_RATE, FIRST, copied):
        body = run(default, invoice_id)
        requests.append(rillet_requests(default.system))
        assert body.get("exchange_rate") == (None if invoice_id == FIRST else rate)

    with_rate, without_rate, again = requests
    assert with_rate.count("GET /subsidiaries") == 1
    assert "GET /subsidiaries" not in without_rate
    assert again == EXPORTED


def test_a_foreign_currency_without_a_rate_is_a_warning_where_the_books_are_known(default: Connected) -> None:
    second = another(default, EXCHANGE_RATE)
    run(default, EXCHANGE_RATE)
    solvimon_invoice(default, second)["used_exchange_rates"] = []

    body = run(default, second)

    assert "exchange_rate" not in body
    assert "books are in EUR" in warnings(default.system, second)


def test_a_subsidiary_linked_by_hand_wins_over_every_other_link(default: Connected, second: str) -> None:
    default.configure(subsidiaries={AMERICAN: solvimon_invoice(default)["billing_entity_id"]})

    body = run(default, second)

    assert body["subsidiary_id"] == AMERICAN
    assert read_of_solvimon(default.system) == {"invoices": 1}


def test_other_names_of_the_custom_fields_can_be_set(default: Connected) -> None:
    names = {"customer": "erp_customer", "product": "erp_product", "subsidiary": "erp_subsidiary"}
    default.configure(custom_fields=names)
    default.platform.finalise(USAGE)
    document = solvimon_invoice(default, USAGE)
    document["other_custom_fields"] = []
    products = [g["products"][0] for period in document["periods"] for g in period["groups"]]
    for field, objects in (
        ("erp_customer", [document["customer"]]),
        ("erp_subsidiary", [document["billing_entity"]]),
        ("erp_product", products),
    ):
        for one in objects:
            one["custom_fields"][0]["reference"] = field

    body = run_final(default.system, USAGE)

    assert_linked(body)
