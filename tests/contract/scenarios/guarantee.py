"""The sweep, the reconciliation, and documents that somebody booked by hand."""

from local.system import LocalSystem
from tests.contract.scenarios.setup import LOOSE, connect_with_demo_data, expect, finalised
from tests.integration.reconcile.support import everything_booked
from tests.integration.reconcile.support import reconcile as reconciled
from tests.integration.sweep.support import day, silent, swept
from tests.integration.sweep.support import finalised as finalised_today
from tests.integration.sync_status.support import resolve
from tests.support.arrange import booked_by_hand as book
from tests.support.arrange import edit, load
from tests.support.assertions import rillet_invoice
from tests.support.builders import ORIGINAL, credit_note, named, original


def sweep(system: LocalSystem) -> None:
    """Find invoices, credit notes, edits and payments that no webhook reported."""
    connection = silent(system, rillet=LOOSE)
    system.rillet.state.rate_limit = 100_000
    finalised_today(system, connection, "invo_paid", "invo_credited")
    expect(swept(system)["invoices"], 2, "invoices that a sweep found")
    connection.organisation.pay(rillet_invoice(connection, "invo_paid")["id"])
    load(connection, credit_note(of="invo_credited", invoice_date=day(system)))
    edit(connection, **named("Quay of Maasvlakte B.V."))
    system.advance(900)
    expect(set(swept(system)), {"credit_notes", "customers", "payments"}, "what a sweep found")


def reconcile(system: LocalSystem) -> None:
    """Compare both sides, with something missing, doubled, deleted, paid and not mapped."""
    connection = connect_with_demo_data(system)
    first, second, *_ = everything_booked(system, connection)
    expect(reconciled(system, connection)["tied_out"], True, "books that agree")
    load(connection, original(), original("invo_second"))
    in_rillet = {
        each["external_references"][0]["id"]: each for each in connection.organisation.invoices.documents()
    }
    connection.organisation.delete_invoice(in_rillet[first]["id"])
    connection.organisation.pay(in_rillet[second]["id"], "1.00")
    next(iter(connection.platform.records["products"].values()))["custom_fields"] = []
    expect(reconciled(system, connection, redrive=True)["tied_out"], False, "books that do not agree")
    system.settle()
    system.invoke("sweep", {"connection": connection.name})
    nightly = system.invoke("reconcile", {"connection": connection.name})
    expect("error" in nightly, False, "a nightly run, which also looks for what is dated far back")


def booked_by_hand(system: LocalSystem) -> None:
    """Say that a document was booked by hand; ask for the history, the states and a back-fill."""
    connection = connect_with_demo_data(system)
    load(connection, original())
    [planned] = system.invoke("export_invoice", {"invoice_ids": [ORIGINAL], "dry_run": True})["results"]
    made = book(system, connection, {**planned["payload"], "external_references": []}, "/invoices")
    expect(resolve(system, invoice_id=ORIGINAL, rillet_id=made["id"])["state"], "exported", "booked by hand")
    load(connection, credit_note())
    planned = system.invoke("export_credit_memo", {"credit_note_ids": ["invo_note"], "dry_run": True})
    [result] = planned["results"]
    made = book(system, connection, {**result["payload"], "external_references": []}, "/credit-memos")
    answer = resolve(system, credit_note_id="invo_note", rillet_id=made["id"])
    expect(answer["state"], "exported", "a memo booked by hand")
    finalised(connection)
    system.invoke("export_invoice", {"retry": {"from": "2026-01-01", "to": "2026-12-31"}})
    system.settle()
    system.invoke("sync_status", {"invoice_id": ORIGINAL})
