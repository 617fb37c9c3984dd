"""Documents: each of the demo's invoices in each scope and setting, and credit memos of every kind."""

from typing import Any

from local.sample_data import invoice_id
from local.system import Connection, LocalSystem
from tests.contract.scenarios.setup import connect_with_demo_data, expect, finalised, outcomes, renew
from tests.support.arrange import load
from tests.support.builders import NOTE, ORIGINAL, SCOPES, SECOND, credit_note, one_off, original

Json = dict[str, Any]
INTEGRATION = "intg_rillet"

SETTINGS: tuple[Json, ...] = (
    {},
    {"tax_amount_on": "header", "reference_types": {"invoice_line": None}},
    {"tax_amount_on": "both", "solvimon": {"desk_invoice_url": None}, "tax_types": {"NL": "SALES_TAX"}},
    {
        "send_invoice_number_in_full_scope": False,
        "rillet": {"invoice_url": "https://app.rillet.example/invoices/{id}"},
        "solvimon": {
            "platform_id": "plat_1",
            "desk_invoice_url": "https://desk.example/{id}",
            "integration_id": INTEGRATION,
        },
        "tax_country": "DE",
        "address_state": "NA",
    },
)
_FIRST = invoice_id("first")
_DAY = 24 * 3600


def every_scope(system: LocalSystem) -> None:
    """Export all of the demo's invoices, customers that are missing in Rillet included.

    Each scope goes with other settings; `payloads` has all of their combinations.
    """
    for scope, settings in zip(SCOPES, SETTINGS[1:], strict=True):
        connection = renew(system, invoice_scope=scope, **settings)
        connection.platform.integrations.add(INTEGRATION)
        ids = finalised(connection)
        system.invoke("export_invoice", {"invoice_ids": ids[:2], "dry_run": True})
        found = outcomes(system, "export_invoice", {"invoice_ids": ids})
        expect(set(found), {"exported"}, f"exports in {scope} with {settings}")


def a_closed_period(system: LocalSystem) -> None:
    """Export on the next open day, with the true date in the memo or in a line."""
    for scope in SCOPES:
        connection = renew(system, invoice_scope=scope, closed_periods="next_open_day")
        connection.organisation.close_period("2026-10-01", "2026-11-30")
        found = outcomes(system, "export_invoice", {"invoice_ids": finalised(connection)[:3]})
        expect(set(found), {"exported"}, f"exports of a closed period in {scope}")


def a_second_look(system: LocalSystem) -> None:
    """Answers that get lost: the same request again, and a look-up when its key is too old for that."""
    connection = connect_with_demo_data(system)
    first, second, third = finalised(connection)[:3]
    later = _DAY + 3600
    lost = "commit_then_drop"
    # The last one never arrives, so that it is looked for in the whole organisation too.
    for document, fault, wait in ((first, lost, 1000), (second, lost, later), (third, "drop", later)):
        system.rillet.state.misbehave(fault, method="POST", path="/invoices", times=1)
        event = {"invoice_ids": [document]}
        expect(outcomes(system, "export_invoice", event), ["queued"], "a lost answer")
        system.advance(wait)
        expect(outcomes(system, "export_invoice", event), ["exported"], "after a lost answer")
    _not_embedded(system)
    _refused(system)


def _not_embedded(system: LocalSystem) -> None:
    """An invoice that names its billing entity by the id alone."""
    connection = renew(system)
    connection.platform.finalise(_FIRST)
    invoice = connection.platform.records["invoices"][_FIRST]
    del invoice["billing_entity"]
    invoice["other_custom_fields"] = []
    found = outcomes(system, "export_invoice", {"invoice_ids": [_FIRST]})
    expect(found, ["exported"], "an invoice without an embedded billing entity")


def _refused(system: LocalSystem) -> None:
    """Documents that Rillet, or Solvimon, does not have."""
    connection = renew(system, reference_types={"invoice": "unknown_type"})
    connection.platform.finalise(_FIRST)
    found = outcomes(system, "export_invoice", {"invoice_ids": [_FIRST, "invo_nobody"]})
    expect(found, ["rejected", "not_found"], "documents that are refused")


def credits_of_every_kind(system: LocalSystem) -> None:
    """Credit each of the demo's invoices, then what goes another way."""
    connection = renew(system, **SETTINGS[-1])
    notes = [connection.platform.credit(each)["id"] for each in finalised(connection)]
    finalised(connection)
    found = outcomes(system, "export_credit_memo", {"credit_note_ids": notes})
    expect(set(found), {"exported"}, "credit memos")
    _several_and_none(system)
    _more_than_is_open(system)
    _lost_answers(system)


def _several_and_none(system: LocalSystem) -> None:
    connection = renew(system, invoice_scope="REVENUE_RECOGNITION_ONLY", closed_periods="next_open_day")
    connection.organisation.close_period("2026-01-01", "2026-02-28")
    linked = [{"id": each, "amount": {"quantity": "60.50", "currency": "EUR"}} for each in (ORIGINAL, SECOND)]
    load(connection, original(), original(SECOND), one_off(*linked))
    load(connection, {**one_off(), "id": "invo_alone"})
    expect(_credit(system, NOTE, "invo_alone"), ["exported"] * 2, "one-off credits")


def _more_than_is_open(system: LocalSystem) -> None:
    connection = renew(system)
    load(connection, original(), credit_note())
    outcomes(system, "export_invoice", {"invoice_ids": [ORIGINAL]})
    connection.organisation.pay(_in_rillet(connection), "100.00")
    expect(_credit(system, NOTE), ["exported"], "a credit of more than is open")


def _lost_answers(system: LocalSystem) -> None:
    system.reset()
    connection = connect_with_demo_data(system)
    load(connection, original(), credit_note())
    system.rillet.state.misbehave("commit_then_drop", method="POST", path="/credit-memos", times=1)
    expect(_credit(system, NOTE), ["queued"], "a lost answer")
    system.advance(_DAY + 3600)
    expect(_credit(system, NOTE), ["exported"], "after a lost answer")


def _credit(system: LocalSystem, *note_ids: str) -> list[str]:
    return outcomes(system, "export_credit_memo", {"credit_note_ids": list(note_ids)})


def _in_rillet(connection: Connection) -> str:
    [invoice] = connection.organisation.invoices.documents()
    return str(invoice["id"])
