"""Which Rillet records an invoice needs is found out once, and then costs no call."""

import threading
from collections import Counter
from copy import deepcopy
from typing import Any

import pytest

from local import demo_data
from local.stack import Connection, LocalStack
from solvimon_rillet.linking import DAY
from solvimon_rillet.rillet.client import RilletClient
from tests.export.support import (
    FIRST,
    Json,
    calls_to,
    configure,
    export,
    invoice,
    record,
    rillet_invoices,
    sent,
)

USAGE, DISCOUNT = demo_data.invoice_id("usage-tiers"), demo_data.invoice_id("discount")
NEW_CUSTOMER, TWO_RATES = demo_data.invoice_id("new-customer"), demo_data.invoice_id("two-rates")
EXCHANGE_RATE = demo_data.invoice_id("exchange-rate")
MAASVLAKTE = demo_data.rillet_id("customer", "maasvlakte-quay")
HANSEKONTOR = demo_data.rillet_id("customer", "hansekontor")
DUTCH = demo_data.rillet_id("subsidiary", "tideway-nl")
AMERICAN = demo_data.rillet_id("subsidiary", "tideway-us")


def another(connection: Connection, invoice_id: str, name: str = "invo_another") -> str:
    """A second invoice with the same content."""
    copied = deepcopy(invoice(connection, invoice_id)) | {"id": name, "status": "DRAFT"}
    copied.pop("invoice_number", None)
    connection.platform.records["invoices"][name] = copied
    return name


def asked_of_solvimon(stack: LocalStack) -> Counter[str]:
    """What Solvimon was asked, by collection; nothing but reads."""
    return Counter(
        {name.removeprefix("GET /v1/"): n for name, n in stack.solvimon.state.calls.by_collection().items()}
    )


def asked_of_rillet(stack: LocalStack) -> list[str]:
    """What Rillet was asked, by method and collection."""
    return [f"{call.method} /{call.path.split('/')[1]}" for call in stack.rillet.state.calls]


def run(stack: LocalStack, connection: Connection, invoice_id: str) -> Json:
    """Finalise and export an invoice from an empty call log on, and return what was sent."""
    connection.platform.finalise(invoice_id)
    return run_final(stack, invoice_id)


def run_final(stack: LocalStack, invoice_id: str) -> Json:
    stack.rillet.state.calls.clear()
    stack.solvimon.state.calls.clear()
    [result] = export(stack, invoice_id)
    assert result["outcome"] == "exported", result
    body: Json = sent(stack)[-1].request_body
    return body


def owner(connection: Connection, collection: str, invoice_id: str = FIRST) -> Json:
    """The customer or billing entity of an invoice, in Solvimon itself."""
    name = {"customers": "customer_id", "billing-entities": "billing_entity_id"}[collection]
    return connection.platform.records[collection][invoice(connection, invoice_id)[name]]


def warnings(stack: LocalStack, invoice_id: str) -> str:
    found: list[str] = record(stack, invoice_id)["warnings"]
    return "\n".join(found)


def test_links_embedded_in_the_invoice_cost_no_read(stack: LocalStack, default: Connection) -> None:
    default.platform.finalise(USAGE)
    invoice(default, USAGE)["other_custom_fields"] = []

    body = run_final(stack, USAGE)

    assert (body["customer_id"], body["subsidiary_id"]) == (MAASVLAKTE, DUTCH)
    assert asked_of_solvimon(stack) == {"invoices": 1}


def test_links_that_solvimon_copied_onto_the_invoice_cost_no_read(
    stack: LocalStack, default: Connection
) -> None:
    assert "custom_fields" not in invoice(default, FIRST)["customer"]

    body = run(stack, default, FIRST)

    assert (body["customer_id"], body["subsidiary_id"]) == (MAASVLAKTE, DUTCH)
    assert asked_of_solvimon(stack) == {"invoices": 1}


def test_links_that_the_invoice_does_not_carry_are_read_from_the_objects(
    stack: LocalStack, default: Connection
) -> None:
    default.platform.finalise(FIRST)
    invoice(default)["other_custom_fields"] = []
    invoice(default)["periods"][0]["groups"][0]["products"][0].pop("custom_fields")

    body = run_final(stack, FIRST)

    assert (body["customer_id"], body["subsidiary_id"]) == (MAASVLAKTE, DUTCH)
    assert body["items"][0]["price"]["product_id"] == demo_data.rillet_id("product", "harbour-planner")
    assert asked_of_solvimon(stack) == {
        "invoices": 1,
        "customers": 1,
        "billing-entities": 1,
        "products": 1,
    }


def test_links_by_id_alone_are_read_from_the_objects(stack: LocalStack, default: Connection) -> None:
    """An invoice that embeds neither customer nor billing entity is enough."""
    default.platform.finalise(FIRST)
    invoice(default).update(other_custom_fields=[])
    for name in ("customer", "billing_entity"):
        invoice(default).pop(name)

    body = run_final(stack, FIRST)

    assert (body["customer_id"], body["subsidiary_id"]) == (MAASVLAKTE, DUTCH)


def test_an_embedded_object_without_its_id_field_on_the_invoice_is_enough(
    stack: LocalStack, default: Connection
) -> None:
    default.platform.finalise(USAGE)
    for name in ("customer_id", "billing_entity_id"):
        invoice(default, USAGE).pop(name)

    body = run_final(stack, USAGE)

    assert (body["customer_id"], body["subsidiary_id"]) == (MAASVLAKTE, DUTCH)


@pytest.mark.parametrize(
    ("missing", "code"), [("customer", "customer_not_linked"), ("billing_entity", "subsidiary_not_linked")]
)
def test_an_invoice_that_names_no_customer_or_billing_entity_is_rejected(
    stack: LocalStack, default: Connection, missing: str, code: str
) -> None:
    default.platform.finalise(USAGE)
    for name in (missing, f"{missing}_id"):
        invoice(default, USAGE).pop(name)

    [result] = export(stack, USAGE)

    assert (result["outcome"], result["code"]) == ("rejected", code)
    assert "names no" in result["message"]


def test_the_first_invoice_of_a_customer_checks_it_and_the_second_costs_one_call(
    stack: LocalStack, default: Connection
) -> None:
    default.platform.finalise(FIRST)
    second = another(default, FIRST)
    invoice(default)["other_custom_fields"] = []
    invoice(default)["periods"][0]["groups"][0]["products"][0].pop("custom_fields")
    run_final(stack, FIRST)
    first_asked = asked_of_rillet(stack)

    default.platform.finalise(second)
    invoice(default, second)["other_custom_fields"] = []
    invoice(default, second)["periods"][0]["groups"][0]["products"][0].pop("custom_fields")
    run_final(stack, second)

    assert first_asked == ["GET /books", "GET /customers", "POST /invoices"]
    assert asked_of_rillet(stack) == ["POST /invoices"]
    assert asked_of_solvimon(stack) == {"invoices": 1}


def test_in_the_steady_state_every_invoice_costs_one_rillet_call(
    stack: LocalStack, default: Connection
) -> None:
    known = (FIRST, DISCOUNT, NEW_CUSTOMER, TWO_RATES, EXCHANGE_RATE)
    names = [another(default, invoice_id, f"invo_{n}") for n, invoice_id in enumerate(known)]
    for invoice_id in (*known, *names):
        default.platform.finalise(invoice_id)
    first = export(stack, *known)
    stack.rillet.state.calls.clear()
    stack.solvimon.state.calls.clear()
    stack.advance(120)

    second = export(stack, *names)

    assert {result["outcome"] for result in (*first, *second)} == {"exported"}
    assert Counter(asked_of_rillet(stack)) == {"POST /invoices": len(names)}
    assert asked_of_solvimon(stack) == {"invoices": len(names)}


def test_a_corrected_customer_link_wins_over_the_remembered_one_at_once(
    stack: LocalStack, default: Connection
) -> None:
    second = another(default, FIRST)
    run(stack, default, FIRST)

    owner(default, "customers")["custom_fields"][0]["value"] = HANSEKONTOR
    body = run(stack, default, second)

    assert body["customer_id"] == HANSEKONTOR
    assert asked_of_rillet(stack) == ["GET /customers", "POST /invoices"], "the new one is checked once"


def test_a_corrected_subsidiary_link_wins_over_the_remembered_one_at_once(
    stack: LocalStack, default: Connection
) -> None:
    second = another(default, FIRST)
    run(stack, default, FIRST)

    owner(default, "billing-entities")["custom_fields"][0]["value"] = AMERICAN
    body = run(stack, default, second)

    assert body["subsidiary_id"] == AMERICAN


def test_a_corrected_product_link_wins_over_the_remembered_one_at_once(
    stack: LocalStack, default: Connection
) -> None:
    second = another(default, FIRST)
    run(stack, default, FIRST)

    seats = demo_data.rillet_id("product", "berth-seats")
    product = invoice(default, second)["periods"][0]["groups"][0]["products"][0]
    product["custom_fields"][0]["value"] = seats
    body = run(stack, default, second)

    assert body["items"][0]["price"]["product_id"] == seats


def test_a_link_that_is_taken_away_stays_remembered(stack: LocalStack, default: Connection) -> None:
    second = another(default, FIRST)
    run(stack, default, FIRST)

    owner(default, "customers")["custom_fields"] = []
    body = run(stack, default, second)

    assert body["customer_id"] == MAASVLAKTE


def test_a_product_that_the_invoice_does_not_carry_the_link_of_is_read_once_a_day(
    stack: LocalStack, default: Connection
) -> None:
    names = [another(default, DISCOUNT, f"invo_{n}") for n in range(3)]
    run(stack, default, DISCOUNT)
    reads = [asked_of_solvimon(stack)["products"]]

    for name, later in zip(names, (DAY - 60, 120, 60), strict=True):
        stack.advance(later)
        run(stack, default, name)
        reads.append(asked_of_solvimon(stack)["products"])

    assert reads == [1, 0, 1, 0]


def test_a_link_that_rillet_does_not_know_any_more_is_forgotten_and_read_again(
    stack: LocalStack, default: Connection
) -> None:
    support, seats = (
        demo_data.rillet_id("product", "premium-support"),
        demo_data.rillet_id("product", "berth-seats"),
    )
    second = another(default, DISCOUNT)
    run(stack, default, DISCOUNT)
    default.organisation.products.remove(support)
    product_id = invoice(default, DISCOUNT)["periods"][0]["groups"][1]["products"][0]["id"]
    default.platform.records["products"][product_id]["custom_fields"][0]["value"] = seats
    default.platform.finalise(second)

    [refused] = export(stack, second)
    body = run_final(stack, second)

    assert (refused["outcome"], refused["code"]) == ("rejected", "rillet_record_missing")
    assert body["items"][1]["price"]["product_id"] == seats


def customers(connection: Connection) -> list[Json]:
    """Rillet's customers beyond those that were there."""
    seed: Any = demo_data.rillet_seed()["customers"]
    known = {customer["id"] for customer in seed}
    return [c for c in connection.organisation.customers.documents() if c["id"] not in known]


def test_a_customer_that_rillet_lacks_is_created_with_the_guides_fields(
    stack: LocalStack, default: Connection
) -> None:
    body = run(stack, default, NEW_CUSTOMER)

    [made] = customers(default)
    assert body["customer_id"] == made["id"]
    customer_id = invoice(default, NEW_CUSTOMER)["customer_id"]
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
    assert asked_of_rillet(stack)[-3:] == ["GET /customers", "POST /customers", "POST /invoices"]
    assert calls_to(stack, "POST", "/customers")[0].idempotency_key


def test_a_missing_customer_is_created_once_when_two_of_its_invoices_run_at_the_same_time(
    stack: LocalStack, default: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    second = another(default, NEW_CUSTOMER)
    for invoice_id in (NEW_CUSTOMER, second):
        default.platform.finalise(invoice_id)
    both_looked = threading.Barrier(2, timeout=20)
    real = RilletClient.customer_by_reference

    def look(self: RilletClient, *arguments: str) -> object:
        found = real(self, *arguments)
        both_looked.wait()
        return found

    monkeypatch.setattr(RilletClient, "customer_by_reference", look)
    results: list[Json] = []
    threads = [
        threading.Thread(target=lambda i=i: results.extend(export(stack, i))) for i in (NEW_CUSTOMER, second)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [result["outcome"] for result in results] == ["exported", "exported"]
    [made] = customers(default)
    assert {i["customer_id"] for i in rillet_invoices(default)} == {made["id"]}
    assert len(calls_to(stack, "POST", "/customers")) == 2, "both tried, with the same key"


@pytest.mark.parametrize("hours", [0, 25])
def test_a_missing_customer_is_created_once_when_the_answer_is_lost(
    stack: LocalStack, default: Connection, hours: int
) -> None:
    stack.rillet.state.misbehave("commit_then_drop", path="/customers")
    default.platform.finalise(NEW_CUSTOMER)
    [queued] = export(stack, NEW_CUSTOMER)

    stack.advance(60 + hours * 3600)
    body = run_final(stack, NEW_CUSTOMER)

    assert queued["outcome"] == "queued"
    [made] = customers(default)
    assert body["customer_id"] == made["id"]
    assert calls_to(stack, "POST", "/customers") == [], "it was found by our reference"


@pytest.mark.parametrize("create", [True, False])
def test_a_customer_that_refers_to_solvimons_id_is_found_and_not_created(
    stack: LocalStack, default: Connection, create: bool
) -> None:
    configure(stack, default, create_missing_customers=create)
    reference = {"type": "solvimon_customer_id", "id": invoice(default, NEW_CUSTOMER)["customer_id"]}
    by_hand = default.organisation.customers.add(
        {"name": "Zeeland", "external_references": [reference], "send_invoices_automatically": True}
    )

    body = run(stack, default, NEW_CUSTOMER)

    assert body["customer_id"] == by_hand.id
    assert calls_to(stack, "POST", "/customers") == []
    assert "mails this customer's invoices by itself" in warnings(stack, NEW_CUSTOMER)


def test_an_individual_customer_is_created_under_the_whole_name(
    stack: LocalStack, default: Connection
) -> None:
    default.platform.finalise(TWO_RATES)
    for customer in (owner(default, "customers", TWO_RATES), invoice(default, TWO_RATES)["customer"]):
        customer["custom_fields"] = []
    invoice(default, TWO_RATES)["other_custom_fields"] = []

    run_final(stack, TWO_RATES)

    [made] = customers(default)
    assert (made["name"], made["address"]["line1"]) == ("Jelle de Boer", "Havenweg 3")


def test_a_customer_without_a_name_is_rejected(stack: LocalStack, default: Connection) -> None:
    owner(default, "customers", NEW_CUSTOMER)["organization"]["legal_name"] = ""
    default.platform.finalise(NEW_CUSTOMER)

    [result] = export(stack, NEW_CUSTOMER)

    assert (result["outcome"], result["code"]) == ("rejected", "customer_incomplete")
    assert calls_to(stack, "POST") == []


def _address(connection: Connection) -> Json:
    found: Json = owner(connection, "customers", NEW_CUSTOMER)["organization"]["registered_address"]
    return found


@pytest.mark.parametrize("missing", ["line1", "city", "postal_code", "country", "state"])
def test_an_address_that_lacks_a_part_is_left_out_with_a_warning(
    stack: LocalStack, default: Connection, missing: str
) -> None:
    del _address(default)[missing]

    run(stack, default, NEW_CUSTOMER)

    [made] = customers(default)
    assert "address" not in made
    spelt = {"postal_code": "zip_code"}.get(missing, missing)
    assert f"Zeeland Offshore Crew B.V. is without {spelt};" in warnings(stack, NEW_CUSTOMER)


@pytest.mark.parametrize(("own", "expected"), [("Zeeland", "Zeeland"), (None, "n/a"), ("", "n/a")])
def test_an_address_without_a_state_takes_the_settings(
    stack: LocalStack, default: Connection, own: str | None, expected: str
) -> None:
    configure(stack, default, address_state="n/a")
    _address(default)["state"] = own

    run(stack, default, NEW_CUSTOMER)

    [made] = customers(default)
    assert made["address"]["state"] == expected
    assert "address" not in warnings(stack, NEW_CUSTOMER)


def test_a_customer_without_an_address_needs_no_warning(stack: LocalStack, default: Connection) -> None:
    _address(default).clear()

    run(stack, default, NEW_CUSTOMER)

    [made] = customers(default)
    assert "address" not in made
    assert "address" not in warnings(stack, NEW_CUSTOMER)


def test_a_created_customer_is_never_mailed_by_rillet(stack: LocalStack, default: Connection) -> None:
    run(stack, default, NEW_CUSTOMER)

    assert default.organisation.sent_invoices == []
    assert "mails" not in warnings(stack, NEW_CUSTOMER)


def test_a_customer_whom_rillet_refused_is_created_once_the_cause_is_mended(
    stack: LocalStack, default: Connection
) -> None:
    del default.organisation.reference_types["solvimon_customer_id"]
    default.platform.finalise(NEW_CUSTOMER)
    [refused] = export(stack, NEW_CUSTOMER)
    [first] = calls_to(stack, "POST", "/customers")

    default.organisation.register_reference_type("solvimon_customer_id")
    run_final(stack, NEW_CUSTOMER)

    [second] = calls_to(stack, "POST", "/customers")
    assert (refused["outcome"], refused["code"]) == ("rejected", "reference_type_missing")
    assert first.idempotency_key != second.idempotency_key, "Rillet may have kept the refusal under the key"


def test_a_customer_that_was_created_and_then_deleted_in_rillet_is_created_again(
    stack: LocalStack, default: Connection
) -> None:
    second = another(default, NEW_CUSTOMER)
    body = run(stack, default, NEW_CUSTOMER)
    default.organisation.customers.remove(body["customer_id"])
    default.platform.finalise(second)

    [refused] = export(stack, second)
    again = run_final(stack, second)

    assert (refused["outcome"], refused["code"]) == ("rejected", "rillet_record_missing")
    [made] = customers(default)
    assert again["customer_id"] == made["id"]


@pytest.mark.parametrize(
    ("scope", "warned"), [("FULL", True), ("REVENUE_RECOGNITION_ONLY", False), ("AR_ONLY", False)]
)
def test_a_customer_whom_rillet_mails_by_itself_is_a_warning_on_every_invoice(
    stack: LocalStack, default: Connection, scope: str, warned: bool
) -> None:
    configure(stack, default, invoice_scope=scope)
    default.organisation.customers.get(MAASVLAKTE).document["send_invoices_automatically"] = True
    second = another(default, FIRST)

    run(stack, default, FIRST)
    run(stack, default, second)

    assert asked_of_rillet(stack) == ["POST /invoices"], "it is remembered"
    for invoice_id in (FIRST, second):
        assert ("mails this customer's invoices" in warnings(stack, invoice_id)) is warned
    assert bool(default.organisation.sent_invoices) is warned, "the twin says whether the warning is true"


def test_a_customer_of_whom_rillet_does_not_say_whether_it_is_mailed_needs_no_warning(
    stack: LocalStack, default: Connection
) -> None:
    del default.organisation.customers.get(MAASVLAKTE).document["send_invoices_automatically"]
    second = another(default, FIRST)

    run(stack, default, FIRST)
    run(stack, default, second)

    assert asked_of_rillet(stack) == ["POST /invoices"], "it is remembered all the same"
    assert "mails" not in warnings(stack, FIRST) + warnings(stack, second)


def test_the_currency_of_a_subsidiary_is_read_once_where_a_rate_is_stated(
    stack: LocalStack, default: Connection
) -> None:
    second = another(default, EXCHANGE_RATE)
    first_body = run(stack, default, EXCHANGE_RATE)
    first_asked = asked_of_rillet(stack)

    second_body = run(stack, default, second)

    assert first_asked.count("GET /subsidiaries") == 1
    assert asked_of_rillet(stack) == ["POST /invoices"]
    for body in (first_body, second_body):
        rate = {"base": "USD", "target": "EUR", "rate": "0.9174", "date": "2026-11-02"}
        assert body["exchange_rate"] == rate


def test_an_invoice_without_a_rate_asks_for_no_currency_and_keeps_what_is_known(
    stack: LocalStack, default: Connection
) -> None:
    second = another(default, EXCHANGE_RATE)
    run(stack, default, EXCHANGE_RATE)

    run(stack, default, FIRST)
    without_rate = asked_of_rillet(stack)
    run(stack, default, second)

    assert "GET /subsidiaries" not in without_rate
    assert asked_of_rillet(stack) == ["POST /invoices"]


def test_a_foreign_currency_without_a_rate_is_a_warning_where_the_books_are_known(
    stack: LocalStack, default: Connection
) -> None:
    second = another(default, EXCHANGE_RATE)
    run(stack, default, EXCHANGE_RATE)
    invoice(default, second)["used_exchange_rates"] = []

    body = run(stack, default, second)

    assert "exchange_rate" not in body
    assert "books are in EUR" in warnings(stack, second)


def test_a_subsidiary_linked_by_hand_wins_over_every_other_link(
    stack: LocalStack, default: Connection
) -> None:
    second = another(default, FIRST)
    run(stack, default, FIRST)
    configure(stack, default, subsidiaries={AMERICAN: invoice(default)["billing_entity_id"]})

    body = run(stack, default, second)

    assert body["subsidiary_id"] == AMERICAN
    assert asked_of_solvimon(stack) == {"invoices": 1}


def test_other_names_of_the_custom_fields_can_be_set(stack: LocalStack, default: Connection) -> None:
    names = {"customer": "erp_customer", "product": "erp_product", "subsidiary": "erp_subsidiary"}
    configure(stack, default, custom_fields=names)
    default.platform.finalise(USAGE)
    document = invoice(default, USAGE)
    document["other_custom_fields"] = []
    products = [g["products"][0] for period in document["periods"] for g in period["groups"]]
    for field, objects in (
        ("erp_customer", [document["customer"]]),
        ("erp_subsidiary", [document["billing_entity"]]),
        ("erp_product", products),
    ):
        for one in objects:
            one["custom_fields"][0]["reference"] = field

    body = run_final(stack, USAGE)

    assert (body["customer_id"], body["subsidiary_id"]) == (MAASVLAKTE, DUTCH)
