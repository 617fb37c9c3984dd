"""What a person must mend is recorded with its remedy, and is exported once it is mended."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from local import sample_data
from local.system import Connection, LocalSystem
from tests.integration.export_invoice.support import (
    FIRST,
    Json,
    calls_to,
    configure,
    dead,
    export,
    finalise,
    invoice,
    listening,
    record,
    rillet_invoices,
    sent,
    waiting,
)

DISCOUNT = sample_data.invoice_id("discount")
USAGE = sample_data.invoice_id("usage-tiers")
NOBODY = "00000000-0000-4000-8000-000000000000"


def rejected(system: LocalSystem, invoice_id: str, code: str, *words: str) -> Json:
    """The ledger says why and what to do, and the message is off the queue."""
    kept = record(system, invoice_id)
    assert (kept["state"], kept["code"]) == ("rejected", code)
    for word in words:
        assert word in kept["message"]
    assert len(kept["remedy"]) > 20, "a remedy is a sentence"
    assert "lease_until" not in kept
    assert waiting(system).total == 0
    assert dead(system) == []
    return kept


def exported(system: LocalSystem, connection: Connection, invoice_id: str) -> None:
    """The invoice is in Rillet once, and the ledger holds nothing of the rejection any more."""
    [in_rillet] = rillet_invoices(connection, invoice_id)
    kept = record(system, invoice_id)
    assert (kept["state"], kept["rillet_id"]) == ("exported", in_rillet["id"])
    assert kept.keys().isdisjoint({"code", "message", "remedy", "reason", "lease_until"})


@dataclass(frozen=True)
class Refusal:
    """Something in Rillet that makes it refuse an invoice."""

    code: str
    remedy: str
    break_it: Callable[[LocalSystem, Connection], object]
    mend_it: Callable[[LocalSystem, Connection], object]
    said: str = ""
    invoice_id: str = FIRST
    settings: Json = field(default_factory=dict)


def _restrict(connection: Connection, restricted: bool) -> None:
    connection.organisation.register_reference_type("solvimon_invoice_id", restricted=restricted)


def _product(connection: Connection, invoice_id: str = FIRST) -> str:
    """The Rillet product that the invoice's first group is linked to."""
    product_id = invoice(connection, invoice_id)["periods"][0]["groups"][0]["products"][0]["id"]
    fields = connection.platform.records["products"][product_id]["custom_fields"]
    return str(fields[0]["value"])


def _close_after_somebody_looked(system: LocalSystem, connection: Connection) -> None:
    connection.platform.finalise(USAGE)
    export(system, USAGE)  # that November is open is remembered from here on
    connection.organisation.close_period("2026-11-01", "2026-11-30")


def _put_product_back(connection: Connection) -> None:
    seed: Any = sample_data.rillet_seed()["products"]
    connection.organisation.products.add(next(p for p in seed if p["id"] == _product(connection)))


REFUSALS = {
    "reference type not registered": Refusal(
        "reference_type_missing",
        "External References",
        lambda _, c: c.organisation.reference_types.pop("solvimon_invoice_id"),
        lambda _, c: c.organisation.register_reference_type("solvimon_invoice_id"),
        said="solvimon_invoice_id",
    ),
    "reference type restricted": Refusal(
        "reference_type_restricted",
        "reference_types.invoice_line",
        lambda _, c: _restrict(c, True),
        lambda s, c: configure(s, c, invoice_scope="AR_ONLY", reference_types={"invoice_line": None}),
        settings={"invoice_scope": "AR_ONLY"},
    ),
    "period closed a moment ago": Refusal(
        "rillet_period_closed",
        "Open the period",
        lambda s, c: _close_after_somebody_looked(s, c),
        lambda _, c: c.organisation.closed_periods.clear(),
        said="2026-11-01",
    ),
    "product deleted in Rillet": Refusal(
        "rillet_record_missing",
        "custom field",
        lambda _, c: c.organisation.products.remove(_product(c)),
        lambda _, c: _put_product_back(c),
        said="Product does not exist",
    ),
    "invoice number refused": Refusal(
        "refused_by_rillet",
        "settings",
        lambda _, c: c.organisation.switches.set(full_scope_number="refused"),
        lambda s, c: configure(s, c, send_invoice_number_in_full_scope=False),
        said="invoice_number",
    ),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_what_rillet_refuses_is_recorded_in_plain_words_and_exported_once_it_is_mended(
    system: LocalSystem, default: Connection, name: str
) -> None:
    refusal = REFUSALS[name]
    configure(system, default, **refusal.settings)
    refusal.break_it(system, default)
    finalise(system, default, refusal.invoice_id)
    system.settle()
    kept = rejected(system, refusal.invoice_id, refusal.code, "Rillet refused it (400)", refusal.said)

    refusal.mend_it(system, default)
    [result] = export(system, refusal.invoice_id)

    assert refusal.remedy in kept["remedy"]
    assert result["outcome"] == "exported"
    exported(system, default, refusal.invoice_id)


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
def test_whatever_a_refusal_says_is_quoted_to_the_person(
    system: LocalSystem, default: Connection, name: str, status: int
) -> None:
    body, quoted = PROBLEMS[name]
    system.rillet.state.misbehave("status", status=status, body=body)

    finalise(system, default)
    system.settle()

    code = "rillet_record_missing" if status == 404 else "refused_by_rillet"
    rejected(system, FIRST, code, f"({status})", quoted)


def test_a_period_that_was_closed_and_is_open_again_holds_up_no_retry(
    system: LocalSystem, default: Connection
) -> None:
    """The remedy says to open the period and retry; whoever does so sees it work at once."""
    default.organisation.close_period("2026-11-01", "2026-11-30")
    finalise(system, default)
    system.settle()
    rejected(system, FIRST, "rillet_period_closed", "2026-11-01", "2026-11-30")

    default.organisation.closed_periods.clear()
    [result] = export(system, FIRST)

    assert result["outcome"] == "exported"


def test_a_refused_attempt_gets_a_new_idempotency_key(system: LocalSystem, default: Connection) -> None:
    system.rillet.state.misbehave("status", status=400)
    finalise(system, default)
    system.settle()

    export(system, FIRST)

    refused, accepted = sent(system)
    assert refused.request_body == accepted.request_body, "else the payload alone would change the key"
    assert None not in {refused.idempotency_key, accepted.idempotency_key}
    assert refused.idempotency_key != accepted.idempotency_key
    assert calls_to(system, "GET", "/invoices") == [], "a refusal left nothing to look for"
    exported(system, default, FIRST)


def test_a_document_refused_twice_is_exported_at_the_third_attempt(
    system: LocalSystem, default: Connection
) -> None:
    system.rillet.state.misbehave("status", status=400, times=2)
    default.platform.finalise(FIRST)

    outcomes = [export(system, FIRST)[0]["outcome"] for _ in range(3)]

    assert outcomes == ["rejected", "rejected", "exported"]
    assert len({call.idempotency_key for call in sent(system)}) == 3
    exported(system, default, FIRST)


@dataclass(frozen=True)
class Fault:
    """Something that keeps an invoice from being sent at all."""

    code: str
    words: tuple[str, ...]
    remedy: str
    break_it: Callable[[LocalSystem, Connection], object]
    mend_it: Callable[[LocalSystem, Connection], object]
    invoice_id: str = FIRST
    settings: Json = field(default_factory=dict)


_COLLECTIONS = {"customer": "customers", "product": "products", "billing_entity": "billing-entities"}


def _linked(connection: Connection, kind: str) -> Json:
    """The first invoice's customer, first product or billing entity in Solvimon."""
    document = invoice(connection)
    product = document["periods"][0]["groups"][0]["products"][0]
    identifier = product["id"] if kind == "product" else document[f"{kind}_id"]
    return connection.platform.records[_COLLECTIONS[kind]][identifier]


def _unlink(connection: Connection, kind: str) -> None:
    """Take the link away, also from what the invoice carries of it."""
    document = invoice(connection)
    _linked(connection, kind)["custom_fields"] = []
    document["periods"][0]["groups"][0]["products"][0].pop("custom_fields", None)
    document["other_custom_fields"] = []


def _link(connection: Connection, kind: str) -> None:
    record_ = _linked(connection, kind)
    seed = sample_data.solvimon_seed()[_COLLECTIONS[kind].replace("-", "_")]
    record_["custom_fields"] = next(r["custom_fields"] for r in seed if r["id"] == record_["id"])


def _link_customer_to(connection: Connection, value: str) -> None:
    invoice(connection)["other_custom_fields"] = []
    _linked(connection, "customer")["custom_fields"][0]["value"] = value


def _set_gross(connection: Connection, quantity: str) -> None:
    invoice(connection)["invoice_amount_including_tax"]["quantity"] = quantity


FAULTS = {
    "product not linked": Fault(
        "product_not_linked",
        ("periods[0].groups[0]", "Harbour Planner"),
        "rillet_product_id",
        lambda _, c: _unlink(c, "product"),
        lambda _, c: _link(c, "product"),
    ),
    "subsidiary not linked": Fault(
        "subsidiary_not_linked",
        ("Tideway Software B.V.",),
        "rillet_subsidiary_id",
        lambda _, c: _unlink(c, "billing_entity"),
        lambda _, c: _link(c, "billing_entity"),
    ),
    "subsidiary linked by a setting": Fault(
        "subsidiary_not_linked",
        ("Tideway Software B.V.",),
        "setting subsidiaries",
        lambda _, c: _unlink(c, "billing_entity"),
        lambda s, c: configure(
            s,
            c,
            subsidiaries={
                sample_data.rillet_id("subsidiary", "tideway-nl"): invoice(c)["billing_entity_id"],
            },
        ),
    ),
    "fallback product missing": Fault(
        "fallback_product_missing",
        ("periods[0].groups[2]", "Introductory discount"),
        "fallback_products.discount",
        lambda s, c: configure(s, c, fallback_products={}),
        lambda s, c: configure(s, c, fallback_products=sample_data.fallback_products()),
        invoice_id=DISCOUNT,
    ),
    "customer not linked": Fault(
        "customer_not_linked",
        ("has no Rillet customer",),
        "create_missing_customers",
        lambda _, c: _unlink(c, "customer"),
        lambda _, c: _link(c, "customer"),
        settings={"create_missing_customers": False},
    ),
    "customer to be created after all": Fault(
        "customer_not_linked",
        ("has no Rillet customer",),
        "rillet_customer_id",
        lambda _, c: _unlink(c, "customer"),
        lambda s, c: configure(s, c, create_missing_customers=True),
        settings={"create_missing_customers": False},
    ),
    "customer linked to nobody": Fault(
        "rillet_record_missing",
        (NOBODY, "which is not a customer in Rillet"),
        "rillet_customer_id",
        lambda _, c: _link_customer_to(c, NOBODY),
        lambda _, c: _link_customer_to(c, sample_data.rillet_id("customer", "maasvlakte-quay")),
    ),
    "customer linked to no UUID": Fault(
        "rillet_record_missing",
        ("Maasvlakte", "which is not a customer in Rillet"),
        "rillet_customer_id",
        lambda _, c: _link_customer_to(c, "Maasvlakte"),
        lambda _, c: _link_customer_to(c, sample_data.rillet_id("customer", "maasvlakte-quay")),
    ),
    "customer linked to a path": Fault(
        "rillet_record_missing",
        ("../invoices",),
        "rillet_customer_id",
        lambda _, c: _link_customer_to(c, "../invoices"),
        lambda _, c: _link_customer_to(c, sample_data.rillet_id("customer", "maasvlakte-quay")),
    ),
    "gross does not tie out": Fault(
        "does_not_tie_out",
        ("6745.75 EUR", "6745.76 EUR"),
        "PDF",
        lambda _, c: _set_gross(c, "6745.76"),
        lambda _, c: _set_gross(c, "6745.75"),
    ),
    "no such time zone": Fault(
        "time_zone_unknown",
        ("'PST'",),
        "time_zones",
        lambda _, c: invoice(c).update(timezone="PST"),
        lambda s, c: configure(s, c, time_zones={"PST": "America/Los_Angeles"}),
    ),
    "document that cannot be read": Fault(
        "invoice_unreadable",
        ("due_date",),
        "Solvimon's support",
        lambda _, c: invoice(c).update(due_date="soon"),
        lambda _, c: invoice(c).update(due_date="2026-11-15T00:00:00Z"),
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_what_cannot_be_sent_is_recorded_with_its_remedy_and_exported_once_it_is_mended(
    system: LocalSystem, default: Connection, name: str
) -> None:
    fault = FAULTS[name]
    configure(system, default, **fault.settings)
    default = Connection(**{**vars(default), "settings": {**default.settings, **fault.settings}})
    default.platform.finalise(fault.invoice_id)
    fault.break_it(system, default)
    system.settle()
    kept = rejected(system, fault.invoice_id, fault.code, *fault.words)
    nothing_sent = [call for call in system.rillet.state.calls if call.method != "GET"]

    fault.mend_it(system, default)
    [result] = export(system, fault.invoice_id)

    assert nothing_sent == []
    assert fault.remedy in kept["remedy"]
    assert result["outcome"] == "exported"
    exported(system, default, fault.invoice_id)


def test_a_look_up_that_rillet_refuses_is_recorded_and_the_earlier_attempt_is_not_forgotten(
    system: LocalSystem, default: Connection
) -> None:
    default.platform.finalise(FIRST)
    system.rillet.state.misbehave("commit_then_drop")
    export(system, FIRST)
    configure(system, default, send_invoice_number_in_full_scope=False)
    system.advance(61)
    system.rillet.state.misbehave("status", method="GET", path="/invoices", status=400)

    [refused] = export(system, FIRST)
    kept = record(system, FIRST)
    [adopted] = export(system, FIRST)

    assert (refused["outcome"], refused["code"]) == ("rejected", "refused_by_rillet")
    assert kept["attempt"]["open"] is True
    assert adopted["outcome"] == "exported"
    exported(system, default, FIRST)


def test_a_refused_look_up_does_not_blame_the_connection(system: LocalSystem, default: Connection) -> None:
    finalise(system, default)
    system.rillet.state.misbehave("commit_then_drop")
    system.settle()
    configure(system, default, send_invoice_number_in_full_scope=False)
    system.rillet.state.misbehave("status", method="GET", path="/invoices", status=400, times=0)

    with listening(system) as heard:
        system.advance(61)
        system.settle()

    assert "no such connection" not in heard.text
    rejected(system, FIRST, "refused_by_rillet")


def test_an_id_that_solvimon_does_not_have_is_recorded(system: LocalSystem, default: Connection) -> None:
    [result] = export(system, "invo_nowhere")

    assert (result["outcome"], result["code"]) == ("rejected", "invoice_not_found")
    rejected(system, "invo_nowhere", "invoice_not_found", "invo_nowhere", "404")


def test_a_second_rejection_replaces_the_first_in_the_ledger(
    system: LocalSystem, default: Connection
) -> None:
    default.platform.finalise(FIRST)
    _set_gross(default, "1.00")
    export(system, FIRST)

    _set_gross(default, "6745.75")
    system.rillet.state.misbehave("status", status=400)
    export(system, FIRST)

    rejected(system, FIRST, "refused_by_rillet")


def test_a_rejection_names_the_same_in_answer_and_ledger(system: LocalSystem, default: Connection) -> None:
    default.platform.finalise(FIRST)
    _set_gross(default, "1.00")

    [result] = export(system, FIRST)

    kept = record(system, FIRST)
    told = {name: result[name] for name in ("code", "message", "remedy")}
    assert told.items() <= kept.items()
    assert result["invoice_id"] == FIRST


def test_every_outcome_is_counted(system: LocalSystem, default: Connection) -> None:
    yen, untaxed = sample_data.invoice_id("yen"), sample_data.invoice_id("untaxed")
    finalise(system, default, FIRST, yen, untaxed)
    _set_gross(default, "1.00")
    invoice(default, yen)["billing_type"] = "SELF_BILLING"

    with listening(system) as heard:
        system.settle()

    outcomes = {name: n for name, n in heard.counted.items() if name.startswith("default.Documents")}
    assert outcomes == {
        "default.DocumentsExported": 1,
        "default.DocumentsRejected": 1,
        "default.DocumentsSkipped": 1,
    }
    assert heard.counted["default.RilletCalls"] == len(system.rillet.state.calls)
    assert "default.BookedAfterSeconds" in heard.counted, "from finalised to booked"
    [line] = [line for line in heard.lines if line.get("outcome") == "rejected"]
    assert (line["document"], line["code"], line["connection"]) == (FIRST, "does_not_tie_out", "default")


def test_a_rejection_in_a_direct_invocation_is_counted_too(system: LocalSystem, default: Connection) -> None:
    with listening(system) as heard:
        export(system, "invo_nowhere", "invo_elsewhere")

    assert heard.counted == {"default.DocumentsRejected": 2}
