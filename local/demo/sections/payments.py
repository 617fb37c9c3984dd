"""Payments that Rillet learns of mark Solvimon's invoices: paid, partly paid, open again."""

from decimal import Decimal

from local import sample_data
from local.demo import tables
from local.demo.stage import Json, Numbers, Section, Stage

FULL, PART, UNDONE = "one-off-order", "first", "two-rates"
"""The invoices: paid in full, paid in part, and paid by a mistake that is undone."""

State = tuple[bool, str]
"""Solvimon's `paid` and `payment_status`."""
PAID, PARTLY, OPEN = (True, "PAID"), (False, "PARTIALLY_PAID"), (False, "UNPAID")


def _tell(stage: Stage) -> Numbers:
    organisation = stage.connection.organisation
    stage.screen.say(
        "Money arrives in Rillet's bank feed: for one invoice all of it, for another one half. A third "
        "payment was put down to the wrong invoice, and is deleted."
    )
    full, part, undone = (_rillet_id(stage, name) for name in (FULL, PART, UNDONE))
    before, calls = _states(stage), organisation.counts.calls
    payments = [organisation.pay(full), organisation.pay(part, _half(stage, part)), organisation.pay(undone)]
    told = len(stage.deliver_rillet_webhooks())
    paid = _states(stage)
    happened = ("paid in full", "paid in part", "paid by mistake")
    rows = [
        _row(stage, name, f"{what}: {_text(payment['amount'])}", before[name], paid[name])
        for name, what, payment in zip(before, happened, payments, strict=True)
    ]
    organisation.delete_payment(payments[-1]["id"])
    told += len(stage.deliver_rillet_webhooks())
    after = _states(stage)
    rows.append(_row(stage, UNDONE, "the payment is deleted", paid[UNDONE], after[UNDONE]))
    columns = ("Invoice", "What happened\nin Rillet", "Rillet then", "Solvimon\nbefore", "Solvimon\nafter")
    stage.screen.show(tables.listed(columns, rows))
    calls = organisation.counts.calls - calls
    charged = len(stage.system.solvimon.state.charged)
    stage.screen.say(
        f"{told} signed webhooks of Rillet's said it all: it took {calls} calls to Rillet. Solvimon charged "
        f"{f'{charged} CUSTOMERS' if charged else 'nobody'}."
    )
    stage.deliver_webhooks()
    stage.until(stage.settled, "The end of what Solvimon tells of its payments")
    return _checked(stage, paid, after)


def _rillet_id(stage: Stage, name: str) -> str:
    [invoice] = stage.booked(sample_data.invoice_id(name))
    return str(invoice["id"])


def _half(stage: Stage, invoice_id: str) -> Decimal:
    due = Decimal(stage.connection.organisation.invoices.get(invoice_id).document["amount_due"]["amount"])
    return (due / 2).quantize(due)


def _states(stage: Stage) -> dict[str, State]:
    """What Solvimon says of each invoice's payment."""
    found = {name: _in_solvimon(stage, name) for name in (FULL, PART, UNDONE)}
    return {name: (invoice["paid"], invoice["payment_status"]) for name, invoice in found.items()}


def _in_solvimon(stage: Stage, name: str) -> Json:
    return stage.connection.platform.invoice(sample_data.invoice_id(name))


def _row(stage: Stage, name: str, what: str, before: State, after: State) -> tuple[str, ...]:
    rillet = stage.connection.organisation.invoices.get(_rillet_id(stage, name)).document
    return (
        f"{_in_solvimon(stage, name)['invoice_number']}\n{rillet['invoice_number']}",
        what,
        f"{rillet['status']}\n{_text(rillet['amount_due'])} open",
        *(f"{status}\npaid: {'yes' if paid else 'no'}" for paid, status in (before, after)),
    )


def _text(amount: Json) -> str:
    return f"{Decimal(amount['amount']):,} {amount['currency']}"


def _checked(stage: Stage, paid: dict[str, State], after: dict[str, State]) -> Numbers:
    moments = ((FULL, after, PAID), (PART, after, PARTLY), (UNDONE, paid, PAID), (UNDONE, after, OPEN))
    for name, found, wanted in moments:
        number = _in_solvimon(stage, name)["invoice_number"]
        stage.expect(
            found[name] == wanted, f"{number} should be {wanted[1]} in Solvimon, and is {found[name][1]}."
        )
    stage.expect(not stage.system.solvimon.state.charged, "A customer was charged.")
    with stage.connection.platform.lock:
        invoices = list(stage.connection.platform.records["invoices"].values())
    return {
        "paid": sum(invoice["paid"] and invoice["payment_status"] == "PAID" for invoice in invoices),
        "partially_paid": sum(invoice["payment_status"] == "PARTIALLY_PAID" for invoice in invoices),
        "reopened": sum(paid[name] == PAID and after[name] == OPEN for name in after),
    }


SECTION = Section("Payments in Rillet mark Solvimon's invoices", _tell)
