"""What people do in both vendors and to the connection, and what lists do, while a workflow is under way.

Each returns whether it could be done; what it is about may not be there yet.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal

from local.books_check.records import document_records, rillet_documents
from local.fake_rillet.documents import update_memo_balance
from local.fake_rillet.wire import encode
from local.fake_vendor.faults import Fault
from tests.fault_injection.setups import FIRST, LINKED, MEMO_BY_HAND, SECOND, Setup
from tests.support.builders import Json

Act = Callable[[Setup], bool]

_LAG_SECONDS = 5
_OTHER_CUSTOMER = "0c000000-0000-4000-8000-00000000000c"


def rename_customer(setup: Setup) -> bool:
    """Rename the customer in Solvimon."""
    setup.connection.platform.edit_customer(LINKED, organization={"legal_name": "Renamed Quay N.V."})
    return True


def edit_terms(setup: Setup) -> bool:
    """Change the terms of the customer in Rillet, which only Rillet knows."""
    organisation = setup.connection.organisation
    for customer in organisation.customers.documents():
        organisation.edit_customer(customer["id"], payment_terms=45)
    return bool(len(organisation.customers))


def pay(setup: Setup) -> bool:
    """Pay a part of the newest invoice in Rillet."""
    invoice = _newest(setup)
    if invoice is None or Decimal(invoice["amount_due"]["amount"]) < 10:
        return False
    setup.connection.organisation.pay(invoice["id"], "10.00", date="2040-02-01")
    return True


def delete(setup: Setup) -> bool:
    """Delete the newest document in Rillet: a credit memo that is applied to nothing, else the invoice."""
    organisation = setup.connection.organisation
    memos = [one for one in organisation.credit_memos.documents() if not one.get("applications")]
    invoice = _newest(setup)
    if memos:
        organisation.delete_credit_memo(memos[0]["id"])
    elif invoice and invoice["amount_due"] == invoice["total"]:
        organisation.delete_invoice(invoice["id"])
    else:
        return False
    return True


def move(setup: Setup) -> bool:
    """Move the newest invoice to another customer in Rillet."""
    organisation, invoice = setup.connection.organisation, _newest(setup)
    if invoice is None:
        return False
    if _OTHER_CUSTOMER not in organisation.customers:
        organisation.customers.add({"id": _OTHER_CUSTOMER, "name": "Another Quay B.V."})
    organisation.edit_invoice(invoice["id"], customer_id=_OTHER_CUSTOMER)
    return True


def drop_reference(setup: Setup) -> bool:
    """Remove all references from the newest invoice in Rillet."""
    invoice = _newest(setup)
    if invoice is None:
        return False
    setup.connection.organisation.edit_invoice(invoice["id"], external_references=[])
    setup.booked_by_hand = invoice["id"]
    return True


def apply(setup: Setup) -> bool:
    """Apply a part of the memo to another invoice in Rillet."""
    organisation = setup.connection.organisation
    memos = [one for one in organisation.credit_memos.documents() if not one.get("applications")]
    if not memos:
        return False
    other = _copy_of_newest(setup, 1)
    setup.applied_by_hand = other
    setup.call_rillet(
        f"/credit-memos/{memos[0]['id']}/applications",
        {
            "applications": [
                {
                    "invoice_id": other,
                    "amount": {"amount": "5.00", "currency": "EUR"},
                    "application_date": "2040-02-02",
                }
            ]
        },
    )
    return True


def refuse_next(setup: Setup) -> bool:
    """Let Rillet refuse the next invoice, whatever it is; a person retries it afterwards."""
    problem = {"type": "about:blank", "title": "Bad Request", "status": 400, "detail": "Not today"}
    setup.system.rillet.state.misbehave("status", "POST", "/invoices", times=1, status=400, body=problem)
    return True


def pay_before_applications(setup: Setup) -> bool:
    """Pay a part of the invoice just before each of the next two applications: no plan of them holds."""
    amounts = ["80.00", "10.00"]

    def pay_more() -> None:
        invoice = _newest(setup)
        if invoice and amounts and Decimal(invoice["amount_due"]["amount"]) > Decimal(amounts[0]):
            setup.connection.organisation.pay(invoice["id"], amounts.pop(0), date="2040-02-01")

    faults = setup.system.rillet.state.faults
    faults.add(Fault("act", "POST", "/credit-memos/*/applications", 2, {"do": pay_more}))
    return True


def pay_twice_at_once(setup: Setup) -> bool:
    """Pay the rest of the newest invoice in two parts of the same moment, which Rillet reports in reverse."""
    invoice, organisation = _newest(setup), setup.connection.organisation
    if invoice is None or Decimal(invoice["amount_due"]["amount"]) < 10:
        return False
    webhooks = organisation.webhooks
    for webhook in webhooks.webhooks.values():
        webhook.enabled = False
    before = len(webhooks.events)
    for amount in ("10.00", None):
        organisation.pay(invoice["id"], amount, date="2040-02-01")
    moment = _newest(setup)["updated_at"]  # type: ignore[index]
    for webhook in webhooks.webhooks.values():
        webhook.enabled = True
    for event in webhooks.events[: before - 1 : -1]:
        shown = json.loads(event.body, parse_float=Decimal)
        if event.name == "invoice-payment-updated":
            webhooks.send(replace(event, body=encode(shown | {"updated_at": moment})))
    return True


def reconnect(setup: Setup) -> bool:
    """Disconnect Rillet, and connect it again."""
    setup.invoke("connect_rillet", action="disconnect")
    setup.system.authorise()
    return True


def change_settings(setup: Setup) -> bool:
    """Change a setting that payloads depend on."""
    settings = dict(setup.connection.settings)
    settings["solvimon"] = {**settings["solvimon"], "desk_invoice_url": "https://other.example/{id}"}
    setup.system.put_settings(setup.connection.name, settings)
    setup.system.runtime.reset()
    return True


def restart_lists(setup: Setup) -> bool:
    """Book two more invoices by hand; then a cursor leads to page one again."""
    return _cut_lists(setup, "restart")


def shift_lists(setup: Setup) -> bool:
    """Book two more invoices by hand; then a row moves across the edge of a page."""
    return _cut_lists(setup, "shift")


def let_lists_lag(setup: Setup) -> bool:
    """Let Rillet's lists show what is new some seconds later."""
    setup.system.rillet.state.misbehave("lag", "GET", "/", times=0, seconds=_LAG_SECONDS)
    return True


def decide(setup: Setup) -> None:
    """Do what the ledger asks a person for.

    What Rillet refused is retried. Where the integration is not sure which invoice is its own, it is told,
    and the invoice is marked as sent in Rillet.
    """
    for item in document_records(setup.system.ledger()):
        if item.get("code") == "refused_by_rillet" and item["state"] == "rejected":
            setup.invoke("export_invoice", retry={"code": "refused_by_rillet"})
        if item.get("code") == "possibly_in_rillet" and setup.booked_by_hand:
            invoice_id = str(item["pk"]).rpartition("#")[2]
            resolution = {"invoice_id": invoice_id, "rillet_id": setup.booked_by_hand, "note": "the same"}
            setup.invoke("sync_status", resolve=resolution)
            setup.call_rillet(f"/invoices/{setup.booked_by_hand}/sent-status", {"sent": True}, "PUT")


ACTS: Mapping[str, Act] = {
    "rename the customer": rename_customer,
    "edit the terms": edit_terms,
    "pay": pay,
    "delete": delete,
    "move": move,
    "drop the reference": drop_reference,
    "apply": apply,
    "refuse": refuse_next,
    "pay twice at once": pay_twice_at_once,
    "reconnect": reconnect,
    "change the settings": change_settings,
    "lists restart": restart_lists,
    "lists shift": shift_lists,
    "lists lag": let_lists_lag,
}
WHILE_OUT = ("change the settings", "refuse", "lists restart", "lists shift")
"""Acts that matter only while an answer is out: at another moment they change what is sent, or nothing."""
AT_ONCE = ("delete", "edit the terms")
"""Acts that are tried only at an effect. While an answer is out, nobody can tell a deleted document from one
that was never made, nor keep an edit from a replacement that is under way.
"""
IN_DOUBT = ("apply",)
"""Acts that are tried only while our application is in doubt: one on its way replaces all others."""


def undone(setup: Setup) -> list[str]:
    """What a person did in Rillet and is not there any more."""
    memos = setup.connection.organisation.credit_memos.documents()
    applied = [one["invoice_id"] for memo in memos for one in memo.get("applications") or ()]
    gone = []
    if setup.applied_by_hand and setup.applied_by_hand not in applied:
        gone.append("What a person applied by hand is gone.")
    if sum(memo["credit_memo_number"] == MEMO_BY_HAND for memo in memos) != setup.memos_by_hand:
        gone.append("A credit memo that a person booked by hand is gone.")
    return gone


def _newest(setup: Setup) -> Json | None:
    invoices = setup.connection.platform.records["invoices"]
    found = rillet_documents(setup.connection, SECOND if SECOND in invoices else FIRST)
    return found[0] if found else None


def _cut_lists(setup: Setup, kind: str) -> bool:
    """Cut the next two lists of documents; two newer documents of each type push ours off page one."""
    for number in (1, 2):
        _copy_of_newest(setup, number)
    memos = setup.connection.organisation.credit_memos
    for memo in memos.documents()[:1]:
        copy = {name: value for name, value in memo.items() if name not in ("id", "updated_at")}
        copy |= {"credit_memo_number": MEMO_BY_HAND, "external_references": [], "applications": []}
        update_memo_balance(copy)
        for _ in range(2):
            memos.add(dict(copy))
            setup.memos_by_hand += 1
    state = setup.system.rillet.state
    state.most_rows = 2
    for path in ("/invoices", "/credit-memos"):
        state.misbehave(kind, "GET", path, times=2)
    return True


def _copy_of_newest(setup: Setup, number: int) -> str:
    """Book an invoice by hand; return its id."""
    invoices = setup.connection.organisation.invoices
    [model] = rillet_documents(setup.connection, FIRST)[:1] or invoices.documents()[:1]
    copy = {name: value for name, value in model.items() if name not in ("id", "updated_at")}
    unsettled = {"amount_due": model["total"], "status": "UNPAID"}
    made = invoices.add(
        copy | {"invoice_number": f"BY-HAND-{number}", "external_references": [], **unsettled},
        private={"scope": "FULL", "is_sent": True},
    )
    return made.id
