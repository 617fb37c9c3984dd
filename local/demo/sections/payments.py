"""Payments that Rillet learns of mark Solvimon's invoices: paid, partly paid, open again."""

from decimal import Decimal

from local import sample_data
from local.books_check.records import half_open
from local.demo import tables
from local.demo.context import Context, Json, Numbers, Section

FULL, PART, UNDONE = "one-off-order", "first", "two-rates"
"""The invoices: paid in full, paid in part, and paid by a mistake that is undone."""

PaidState = tuple[bool, str]
"""Solvimon's `paid` and `payment_status`."""
PAID, PARTLY, OPEN = (True, "PAID"), (False, "PARTIALLY_PAID"), (False, "UNPAID")


def _run(context: Context) -> Numbers:
    organisation = context.connection.organisation
    context.console.say(
        "Money arrives in Rillet's bank feed: for one invoice all of it, for another one half. A third "
        "payment was put down to the wrong invoice, and is deleted."
    )
    full, part, undone = (_rillet_id(context, name) for name in (FULL, PART, UNDONE))
    before, calls = _states(context), organisation.counts.calls
    payments = [
        organisation.pay(full),
        organisation.pay(part, half_open(context.connection, part)),
        organisation.pay(undone),
    ]
    webhooks = len(context.deliver_rillet_webhooks())
    paid = _states(context)
    happened = ("paid in full", "paid in part", "paid by mistake")
    rows = [
        _payment_row(context, name, f"{what}: {_amount_text(payment['amount'])}", before[name], paid[name])
        for name, what, payment in zip(before, happened, payments, strict=True)
    ]
    organisation.delete_payment(payments[-1]["id"])
    webhooks += len(context.deliver_rillet_webhooks())
    after = _states(context)
    rows.append(_payment_row(context, UNDONE, "the payment is deleted", paid[UNDONE], after[UNDONE]))
    columns = ("Invoice", "What happened\nin Rillet", "Rillet then", "Solvimon\nbefore", "Solvimon\nafter")
    context.console.show(tables.listed(columns, rows))
    calls = organisation.counts.calls - calls
    charged = len(context.system.solvimon.state.charged)
    context.console.say(
        f"{webhooks} signed webhooks of Rillet's said it all: it took {calls} calls to Rillet. Solvimon "
        f"charged {f'{charged} CUSTOMERS' if charged else 'nobody'}."
    )
    context.deliver_webhooks()
    context.until(context.settled, "The end of what Solvimon tells of its payments")
    return _checked(context, paid, after)


def _rillet_id(context: Context, name: str) -> str:
    [invoice] = context.booked(sample_data.invoice_id(name))
    return str(invoice["id"])


def _states(context: Context) -> dict[str, PaidState]:
    """What Solvimon says of each invoice's payment."""
    found = {name: _invoice_in_solvimon(context, name) for name in (FULL, PART, UNDONE)}
    return {name: (invoice["paid"], invoice["payment_status"]) for name, invoice in found.items()}


def _invoice_in_solvimon(context: Context, name: str) -> Json:
    return context.connection.platform.invoice(sample_data.invoice_id(name))


def _payment_row(
    context: Context, name: str, what: str, before: PaidState, after: PaidState
) -> tuple[str, ...]:
    rillet = context.connection.organisation.invoices.get(_rillet_id(context, name)).document
    return (
        f"{_invoice_in_solvimon(context, name)['invoice_number']}\n{rillet['invoice_number']}",
        what,
        f"{rillet['status']}\n{_amount_text(rillet['amount_due'])} open",
        *(f"{status}\npaid: {'yes' if paid else 'no'}" for paid, status in (before, after)),
    )


def _amount_text(amount: Json) -> str:
    return f"{Decimal(amount['amount']):,} {amount['currency']}"


def _checked(context: Context, paid: dict[str, PaidState], after: dict[str, PaidState]) -> Numbers:
    moments = ((FULL, after, PAID), (PART, after, PARTLY), (UNDONE, paid, PAID), (UNDONE, after, OPEN))
    for name, found, expected in moments:
        number = _invoice_in_solvimon(context, name)["invoice_number"]
        context.expect(
            found[name] == expected, f"{number} should be {expected[1]} in Solvimon, and is {found[name][1]}."
        )
    with context.connection.platform.lock:
        invoices = list(context.connection.platform.records["invoices"].values())
    return {
        "paid": sum(invoice["paid"] and invoice["payment_status"] == "PAID" for invoice in invoices),
        "partially_paid": sum(invoice["payment_status"] == "PARTIALLY_PAID" for invoice in invoices),
        "reopened": sum(paid[name] == PAID and after[name] == OPEN for name in after),
    }


SECTION = Section("Payments in Rillet mark Solvimon's invoices", _run)
