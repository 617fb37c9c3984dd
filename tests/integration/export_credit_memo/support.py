"""What the tests of credit memos share: small invoices and credit notes of the demo's world."""

from typing import Any

import requests
import simplejson

from local.fake_rillet.calls import Call
from local.sample_data.identity import solvimon_id
from local.system import Connection, LocalSystem
from tests.integration.export_invoice.support import calls_to
from tests.support.builders import invoice as built
from tests.support.builders import taxed

Json = dict[str, Any]

CUSTOMER = solvimon_id("cust", "maasvlakte-quay")
ORIGINAL, SECOND, NOTE, OTHER_NOTE = "invo_original", "invo_second", "invo_note", "invo_othernote"
PLANNER = {"id": solvimon_id("prod", "harbour-planner"), "name": "Harbour Planner"}


def document(document_id: str, net: str, tax: str, **more: object) -> Json:
    """An invoice of one line at 21 %, still a draft and without a number, of 31 January 2026."""
    currency = more.pop("currency", "EUR")
    group = taxed(net, tax, currency=currency, products=[PLANNER], type=more.pop("kind", "PRICING"))
    return built(group) | {
        "id": document_id,
        "status": "DRAFT",
        "invoice_number": None,
        "customer_id": CUSTOMER,
        "billing_entity_id": solvimon_id("bile", "tideway-nl"),
        **more,
    }


def credit_note(
    note_id: str = NOTE, net: str = "-100.00", tax: str = "-21.00", of: str = ORIGINAL, **more: object
) -> Json:
    """A CREDIT note of an invoice, one day younger than it."""
    credit = {"credit": {"original_invoice_id": of}} if of else {}
    return document(
        note_id, net, tax, **{"type": "CREDIT", "invoice_date": "2026-02-01T09:00:00Z", **credit, **more}
    )


def one_off(*linked: Json, net: str = "-100.00", tax: str = "-21.00", **more: object) -> Json:
    """A ONE_OFF_CREDIT note, linked to some invoices or none."""
    return credit_note(NOTE, net, tax, "", type="ONE_OFF_CREDIT", linked_invoices=list(linked), **more)


def load(connection: Connection, *documents: Json) -> None:
    """Put documents into Solvimon and finalise them in this order."""
    connection.platform.load({"invoices": list(documents)})
    for each in documents:
        connection.platform.finalise(each["id"])


def original(document_id: str = ORIGINAL, net: str = "100.00", tax: str = "21.00", **more: object) -> Json:
    """An invoice that is to be credited."""
    return document(document_id, net, tax, **more)


def credit(system: LocalSystem, *note_ids: str, **more: object) -> list[Json]:
    """Invoke ``export_credit_memo`` directly and return its results."""
    asked = {"credit_note_ids": list(note_ids or (NOTE,)), **more}
    results: list[Json] = system.invoke("export_credit_memo", asked)["results"]
    return results


def record(system: LocalSystem, note_id: str = NOTE) -> Json:
    """The ledger's record of a credit note."""
    found = system.ledger_item(f"default#credit_memo#{note_id}", "RECORD")
    assert found is not None, f"the ledger has no record of {note_id}"
    return found


def memos(connection: Connection) -> list[Json]:
    """The credit memos in Rillet."""
    return connection.organisation.credit_memos.documents()


def rillet_invoice(connection: Connection, invoice_id: str = ORIGINAL) -> Json:
    """The invoice in Rillet that refers to a Solvimon invoice."""
    found = [
        i
        for i in connection.organisation.invoices.documents()
        if any(r["id"] == invoice_id for r in i["external_references"])
    ]
    assert len(found) == 1
    return found[0]


def applied(memo: Json) -> dict[str, str]:
    """How much of a memo is applied to which Rillet invoice."""
    assert len({a["invoice_id"] for a in memo["applications"]}) == len(memo["applications"])
    return {a["invoice_id"]: a["amount"]["amount"] for a in memo["applications"]}


def memo_calls(system: LocalSystem) -> list[Call]:
    """The requests to create a memo that reached Rillet."""
    return [call for call in calls_to(system, "POST", "/credit-memos") if call.path == "/credit-memos"]


def application_calls(system: LocalSystem) -> list[Call]:
    """The requests to apply a memo that reached Rillet."""
    return [c for c in calls_to(system, "POST", "/credit-memos/") if c.path.endswith("/applications")]


def settled(
    system: LocalSystem, connection: Connection, memo_amounts: tuple[str, str] = ("121.00", "0.00")
) -> Json:
    """One memo, one set of applications, nothing open that should not be; the ledger says the same.

    Args:
        system: the system.
        connection: the connection.
        memo_amounts: what is applied of the memo, and what remains.
    """
    [memo] = memos(connection)
    kept = record(system)
    assert kept["state"] == "exported"
    assert kept["rillet_id"] == memo["id"]
    assert "lease_until" not in kept
    assert (memo["applied_amount"]["amount"], memo["remaining_amount"]["amount"]) == memo_amounts
    assert (kept["applied"], kept["unapplied"]) == memo_amounts
    assert kept["applied_to"] == list(applied(memo))
    return memo


def booked_by_hand(system: LocalSystem, connection: Connection, body: object, path: str) -> Json:
    """Post something to Rillet as a person or another program would."""
    headers = {"Authorization": f"Bearer {connection.rillet_api_key}", "X-Rillet-API-Version": "4"}
    text = simplejson.dumps(body, use_decimal=True)
    headers["Content-Type"] = "application/json"
    answer = requests.post(f"{system.rillet.url}{path}", data=text, headers=headers, timeout=5)
    assert answer.status_code == 200, answer.text
    made: Json = answer.json()
    return made
