"""What a person must fix is recorded with its remedy, and is exported once it is fixed."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from local import sample_data
from local.system import Connection, LocalSystem
from solvimon_rillet.workflows.late_writes import SETTLE_SECONDS
from tests.support.arrange import put_on_queue, solvimon_invoice
from tests.support.assertions import calls_to, dead_letters, invoice_posts, record, waiting
from tests.support.builders import DEMO_CUSTOMER_IN_RILLET, FIRST, Json, bus_event
from tests.support.connected import Connected
from tests.support.logs import function_logs

DISCOUNT = sample_data.invoice_id("discount")
USAGE = sample_data.invoice_id("usage-tiers")
MISSING_ID = "00000000-0000-4000-8000-000000000000"
DUTCH = sample_data.rillet_id("subsidiary", "tideway-nl")


Act = Callable[[Connected], object]


def assert_rejected(system: LocalSystem, invoice_id: str, code: str, *words: str) -> Json:
    """The ledger has the reason and the remedy, and the message is off the queue."""
    kept = record(system, invoice_id)
    assert (kept["state"], kept["code"]) == ("rejected", code)
    for word in words:
        assert word in kept["message"]
    assert len(kept["remedy"]) > 20, "a remedy is a sentence"
    assert "lease_until" not in kept
    assert (waiting(system).total, dead_letters(system)) == (0, [])
    return kept


@dataclass(frozen=True)
class Cause:
    """What makes an invoice be rejected, and what a person does about it.

    Attributes:
        code: of the rejection.
        words: in its message.
        remedy: a part of its remedy.
        break_it: brings it about.
        fix_it: ends it.
        invoice_id: the invoice.
        settings: the connection's.
    """

    code: str
    words: tuple[str, ...]
    remedy: str
    break_it: Act
    fix_it: Act
    invoice_id: str = FIRST
    settings: Json = field(default_factory=dict)


def _restrict(connection: Connection, restricted: bool) -> None:
    connection.organisation.register_reference_type("solvimon_invoice_id", restricted=restricted)


def _product(connection: Connection, invoice_id: str = FIRST) -> str:
    """The Rillet product that the invoice's first group is linked to."""
    product_id = solvimon_invoice(connection, invoice_id)["periods"][0]["groups"][0]["products"][0]["id"]
    fields = connection.platform.records["products"][product_id]["custom_fields"]
    return str(fields[0]["value"])


def _close_after_the_period_was_read(connection: Connected) -> None:
    connection.platform.finalise(USAGE)
    connection.export(USAGE)  # it is remembered that November is open
    connection.organisation.close_period("2026-11-01", "2026-11-30")


def _put_product_back(connection: Connection) -> None:
    seed: Any = sample_data.rillet_seed()["products"]
    connection.organisation.products.add(next(p for p in seed if p["id"] == _product(connection)))


REFUSALS = {
    "reference type not registered": Cause(
        "reference_type_missing",
        ("solvimon_invoice_id",),
        "External References",
        lambda c: c.organisation.reference_types.pop("solvimon_invoice_id"),
        lambda c: c.organisation.register_reference_type("solvimon_invoice_id"),
    ),
    "reference type restricted": Cause(
        "reference_type_restricted",
        (),
        "reference_types.invoice_line",
        lambda c: _restrict(c, True),
        lambda c: c.configure(invoice_scope="AR_ONLY", reference_types={"invoice_line": None}),
        settings={"invoice_scope": "AR_ONLY"},
    ),
    "period closed a moment ago": Cause(
        "rillet_period_closed",
        ("2026-11-01",),
        "Open the period",
        _close_after_the_period_was_read,
        lambda c: c.organisation.closed_periods.clear(),
    ),
    "product deleted in Rillet": Cause(
        "rillet_record_missing",
        ("Product does not exist",),
        "custom field",
        lambda c: c.organisation.products.remove(_product(c)),
        lambda c: _put_product_back(c),
    ),
    "invoice number refused": Cause(
        "refused_by_rillet",
        ("invoice_number",),
        "settings",
        lambda c: c.organisation.switches.set(full_scope_number="refused"),
        lambda c: c.configure(send_invoice_number_in_full_scope=False),
    ),
}


PROBLEMS: dict[str, tuple[object, str]] = {
    "a problem document": (
        {"type": "https://rillet.io/bad_request", "title": "Bad Request", "detail": "Due date is a Sunday"},
        "Bad Request Due date is a Sunday",
    ),
    "violations": (
        {"title": "Bad Request", "violations": [{"field": "items[0].price", "message": "must be odd"}]},
        "items[0].price: must be odd",
    ),
    "a page of HTML": ("<html>no</html>", "without a reason"),
    "nothing": ("", "without a reason"),
    "a list": ([1], "without a reason"),
    "violations that are none": ({"title": "Bad Request", "violations": [7, None]}, "Bad Request"),
}


@pytest.mark.parametrize("name", PROBLEMS)
@pytest.mark.parametrize("status", [400, 404, 422])
def test_the_reason_of_a_refusal_is_quoted_to_the_person(default: Connected, name: str, status: int) -> None:
    body, quoted = PROBLEMS[name]
    default.system.rillet.state.misbehave("status", status=status, body=body)

    default.finalise_and_settle()

    code = "rillet_record_missing" if status == 404 else "refused_by_rillet"
    assert_rejected(default.system, FIRST, code, f"({status})", quoted)


def test_a_period_that_was_closed_and_is_open_again_holds_up_no_retry(default: Connected) -> None:
    """The remedy is to open the period and retry; that must work immediately."""
    default.organisation.close_period("2026-11-01", "2026-11-30")
    default.finalise_and_settle()
    assert_rejected(default.system, FIRST, "rillet_period_closed", "2026-11-01", "2026-11-30")

    default.organisation.closed_periods.clear()
    [result] = default.export()

    assert result["outcome"] == "exported"


def test_a_refused_attempt_gets_a_new_idempotency_key(default: Connected) -> None:
    default.system.rillet.state.misbehave("status", status=400)
    default.finalise_and_settle()

    default.export(FIRST)

    refused, accepted = invoice_posts(default.system)
    assert refused.request_body == accepted.request_body, "else the payload alone would change the key"
    assert None not in {refused.idempotency_key, accepted.idempotency_key}
    assert refused.idempotency_key != accepted.idempotency_key
    assert calls_to(default.system, "GET", "/invoices") == [], "a refusal left nothing to look for"
    default.assert_exported()


def test_a_document_refused_twice_is_exported_at_the_third_attempt(default: Connected) -> None:
    default.system.rillet.state.misbehave("status", status=400, times=2)
    default.platform.finalise(FIRST)

    outcomes = [default.export(FIRST)[0]["outcome"] for _ in range(3)]

    assert outcomes == ["rejected", "rejected", "exported"]
    assert len({call.idempotency_key for call in invoice_posts(default.system)}) == 3
    default.assert_exported()


_COLLECTIONS = {"customer": "customers", "product": "products", "billing_entity": "billing-entities"}


def _linked(connection: Connection, kind: str) -> Json:
    """The first invoice's customer, first product or billing entity in Solvimon."""
    document = solvimon_invoice(connection)
    product = document["periods"][0]["groups"][0]["products"][0]
    identifier = product["id"] if kind == "product" else document[f"{kind}_id"]
    return connection.platform.records[_COLLECTIONS[kind]][identifier]


def _unlink(connection: Connection, kind: str) -> None:
    """Take the link away, also from what the invoice carries of it."""
    document = solvimon_invoice(connection)
    _linked(connection, kind)["custom_fields"] = []
    document["periods"][0]["groups"][0]["products"][0].pop("custom_fields", None)
    document["other_custom_fields"] = []


def _link(connection: Connection, kind: str) -> None:
    record_ = _linked(connection, kind)
    seed = sample_data.solvimon_seed()[_COLLECTIONS[kind].replace("-", "_")]
    record_["custom_fields"] = next(r["custom_fields"] for r in seed if r["id"] == record_["id"])


def _link_customer_to(connection: Connection, value: str) -> None:
    solvimon_invoice(connection)["other_custom_fields"] = []
    _linked(connection, "customer")["custom_fields"][0]["value"] = value


def _set_gross(connection: Connection, quantity: str) -> None:
    solvimon_invoice(connection)["invoice_amount_including_tax"]["quantity"] = quantity


def _customer_linked_to(value: str) -> Cause:
    return Cause(
        "rillet_record_missing",
        (value, "is linked to an id that no customer in Rillet has"),
        "rillet_customer_id",
        lambda c: _link_customer_to(c, value),
        lambda c: _link_customer_to(c, DEMO_CUSTOMER_IN_RILLET),
    )


def _not_linked(record_type: str, code: str, remedy: str, *words: str, fix: Act | None = None) -> Cause:
    return Cause(
        code,
        words,
        remedy,
        lambda c: _unlink(c, record_type),
        fix or (lambda c: _link(c, record_type)),
        settings={"create_missing_customers": False} if record_type == "customer" else {},
    )


SUBSIDIARY = "subsidiary_not_linked"
NO_CUSTOMER = "has no Rillet customer"
FAULTS = {
    "product not linked": _not_linked(
        "product", "product_not_linked", "rillet_product_id", "periods[0].groups[0]", "Harbour Planner"
    ),
    "subsidiary not linked": _not_linked(
        "billing_entity", SUBSIDIARY, "rillet_subsidiary_id", "Tideway Software B.V."
    ),
    "subsidiary linked by a setting": _not_linked(
        "billing_entity",
        SUBSIDIARY,
        "setting subsidiaries",
        "Tideway Software B.V.",
        fix=lambda c: c.configure(subsidiaries={DUTCH: solvimon_invoice(c)["billing_entity_id"]}),
    ),
    "fallback product missing": Cause(
        "fallback_product_missing",
        ("periods[0].groups[2]", "Introductory discount"),
        "fallback_products.discount",
        lambda c: c.configure(fallback_products={}),
        lambda c: c.configure(fallback_products=sample_data.fallback_products()),
        invoice_id=DISCOUNT,
    ),
    "customer not linked": _not_linked(
        "customer", "customer_not_linked", "create_missing_customers", NO_CUSTOMER
    ),
    "customer to be created after all": _not_linked(
        "customer",
        "customer_not_linked",
        "rillet_customer_id",
        NO_CUSTOMER,
        fix=lambda c: c.configure(create_missing_customers=True),
    ),
    "customer linked to no record": _customer_linked_to(MISSING_ID),
    "customer linked to no UUID": _customer_linked_to("Maasvlakte"),
    "customer linked to a path": _customer_linked_to("../invoices"),
    "gross does not tie out": Cause(
        "does_not_tie_out",
        ("6745.75 EUR", "6745.76 EUR"),
        "PDF",
        lambda c: _set_gross(c, "6745.76"),
        lambda c: _set_gross(c, "6745.75"),
    ),
    "no such time zone": Cause(
        "time_zone_unknown",
        ("'PST'",),
        "time_zones",
        lambda c: solvimon_invoice(c).update(timezone="PST"),
        lambda c: c.configure(time_zones={"PST": "America/Los_Angeles"}),
    ),
    "document that cannot be read": Cause(
        "invoice_unreadable",
        ("due_date",),
        "Solvimon's support",
        lambda c: solvimon_invoice(c).update(due_date="soon"),
        lambda c: solvimon_invoice(c).update(due_date="2026-11-15T00:00:00Z"),
    ),
}


@pytest.mark.parametrize("name", REFUSALS | FAULTS)
def test_a_rejection_is_recorded_with_its_remedy_and_exported_once_its_cause_is_fixed(
    default: Connected, name: str
) -> None:
    cause = (REFUSALS | FAULTS)[name]
    settings = {"matching": "create", **cause.settings}  # Rillet has records of the same names
    default.configure(**settings)
    default = replace(default, settings={**default.settings, **settings})
    if name in REFUSALS:
        cause.break_it(default)
    default.platform.finalise(cause.invoice_id)
    if name in FAULTS:
        cause.break_it(default)
    default.settle()
    kept = assert_rejected(default.system, cause.invoice_id, cause.code, *cause.words)
    sent = [call for call in default.system.rillet.state.calls if call.method != "GET"]

    cause.fix_it(default)
    [result] = default.export(cause.invoice_id)

    if name in REFUSALS:
        assert "Rillet refused it (400)" in kept["message"]
    else:
        assert sent == []
    assert cause.remedy in kept["remedy"]
    assert result["outcome"] == "exported"
    default.assert_exported(cause.invoice_id)


def test_a_look_up_that_rillet_refuses_is_recorded_and_the_earlier_attempt_is_not_forgotten(
    default: Connected,
) -> None:
    default.lost_answer()
    default.configure(send_invoice_number_in_full_scope=False)
    default.system.advance(SETTLE_SECONDS)
    default.system.rillet.state.misbehave("status", method="GET", path="/invoices", status=400)

    with function_logs(default.system) as logs:
        default.settle()
    kept = assert_rejected(default.system, FIRST, "refused_by_rillet")
    [adopted] = default.export()

    assert "no such connection" not in logs.text
    assert kept["attempt"]["open"] is True
    assert adopted["outcome"] == "exported"
    default.assert_exported()


def test_a_webhook_of_what_solvimon_does_not_have_is_recorded(default: Connected) -> None:
    put_on_queue(default.system, bus_event("invo_nowhere"))

    default.settle()

    assert_rejected(default.system, "invo_nowhere", "invoice_not_found", "invo_nowhere", "404")


def test_a_rejection_is_the_same_in_answer_and_ledger_and_a_second_one_replaces_it(
    default: Connected,
) -> None:
    default.platform.finalise(FIRST)
    _set_gross(default, "1.00")
    [result] = default.export()
    first = default.record()

    _set_gross(default, "6745.75")
    default.system.rillet.state.misbehave("status", status=400)
    default.export()

    assert {name: result[name] for name in ("code", "message", "remedy")}.items() <= first.items()
    assert result["invoice_id"] == FIRST
    assert_rejected(default.system, FIRST, "refused_by_rillet")


def test_every_outcome_is_counted(default: Connected) -> None:
    yen, untaxed = sample_data.invoice_id("yen"), sample_data.invoice_id("untaxed")
    default.finalise(FIRST, yen, untaxed)
    _set_gross(default, "1.00")
    solvimon_invoice(default, yen)["billing_type"] = "SELF_BILLING"

    with function_logs(default.system) as logs:
        default.settle()

    outcomes = {name: n for name, n in logs.metrics.items() if name.startswith("default.Documents")}
    assert outcomes == {
        "default.DocumentsExported": 1,
        "default.DocumentsRejected": 1,
        "default.DocumentsSkipped": 1,
    }
    assert logs.metrics["default.RilletCalls"] == len(default.system.rillet.state.calls)
    assert "default.BookedAfterSeconds" in logs.metrics, "from finalised to booked"
    [line] = [line for line in logs.lines if line.get("outcome") == "rejected"]
    assert (line["document"], line["code"], line["connection"]) == (FIRST, "does_not_tie_out", "default")


def test_a_rejection_in_a_direct_invocation_is_counted_too(default: Connected) -> None:
    default.platform.finalise(FIRST)
    _set_gross(default, "1.00")
    with function_logs(default.system) as logs:
        default.export()

    assert logs.metrics["default.DocumentsRejected"] == 1
