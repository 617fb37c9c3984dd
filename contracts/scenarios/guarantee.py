"""The sweep, the reconciliation, and documents that somebody booked by hand."""

from contracts.scenarios.world import LOOSE, connected, expect, finalised
from local.stack import LocalStack
from tests.credit_memos.support import ORIGINAL, credit_note, load, original, rillet_invoice
from tests.credit_memos.support import booked_by_hand as book
from tests.customers.support import edit, named
from tests.reconcile.support import everything_booked
from tests.reconcile.support import reconcile as reconciled
from tests.status.support import resolve
from tests.sweep.support import day, silent, swept
from tests.sweep.support import finalised as finalised_today


def sweep(stack: LocalStack) -> None:
    """Find invoices, credit notes, edits and payments that no webhook told of."""
    connection = silent(stack, rillet=LOOSE)
    stack.rillet.state.rate_limit = 100_000
    finalised_today(stack, connection, "invo_paid", "invo_credited")
    expect(swept(stack)["invoices"], 2, "invoices that a sweep found")
    connection.organisation.pay(rillet_invoice(connection, "invo_paid")["id"])
    load(connection, credit_note(of="invo_credited", invoice_date=day(stack)))
    edit(connection, **named("Quay of Maasvlakte B.V."))
    stack.advance(900)
    expect(set(swept(stack)), {"credit_notes", "customers", "payments"}, "what a sweep found")


def reconcile(stack: LocalStack) -> None:
    """Compare both sides, with something missing, doubled, deleted, paid and not mapped."""
    connection = connected(stack)
    first, second, *_ = everything_booked(stack, connection)
    expect(reconciled(stack, connection)["tied_out"], True, "books that agree")
    load(connection, original(), original("invo_second"))
    in_rillet = {
        each["external_references"][0]["id"]: each for each in connection.organisation.invoices.documents()
    }
    connection.organisation.delete_invoice(in_rillet[first]["id"])
    connection.organisation.pay(in_rillet[second]["id"], "1.00")
    next(iter(connection.platform.records["products"].values()))["custom_fields"] = []
    expect(reconciled(stack, connection, redrive=True)["tied_out"], False, "books that do not agree")
    stack.settle()


def booked_by_hand(stack: LocalStack) -> None:
    """Say that a document was booked by hand; ask for the story, the states and a back-fill."""
    connection = connected(stack)
    load(connection, original())
    [planned] = stack.invoke("export_invoice", {"invoice_ids": [ORIGINAL], "dry_run": True})["results"]
    made = book(stack, connection, {**planned["payload"], "external_references": []}, "/invoices")
    expect(resolve(stack, invoice_id=ORIGINAL, rillet_id=made["id"])["state"], "exported", "booked by hand")
    load(connection, credit_note())
    planned = stack.invoke("export_credit_memo", {"credit_note_ids": ["invo_note"], "dry_run": True})
    [result] = planned["results"]
    made = book(stack, connection, {**result["payload"], "external_references": []}, "/credit-memos")
    answer = resolve(stack, credit_note_id="invo_note", rillet_id=made["id"])
    expect(answer["state"], "exported", "a memo booked by hand")
    finalised(connection)
    stack.invoke("export_invoice", {"retry": {"from": "2026-01-01", "to": "2026-12-31"}})
    stack.settle()
    stack.invoke("sync_status", {"invoice_id": ORIGINAL})
