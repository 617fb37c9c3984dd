"""Credit notes become credit memos in Rillet, each applied to the invoices that it credits."""

from collections import defaultdict
from collections.abc import Mapping
from decimal import Decimal

from local import sample_data
from local.demo import tables
from local.demo.audit import audit
from local.demo.books import Pair, refers_to
from local.demo.stage import Json, Numbers, Section, Stage

GOODWILL: Json = {
    "description": "Goodwill for two days without positions",
    "amount": "650.00",
    "tax": {"percentage": "21", "name": "BTW"},
}
"""A credit that copies no invoice (ONE_OFF_CREDIT): more than is open on the first one it names."""
GOODWILL_FOR = ("split-group", "discount")

Open = Mapping[str, Decimal]
"""What is open on invoices, by Rillet's id."""


def _tell(stage: Stage) -> Numbers:
    notes = [_credit(stage, name, credit) for name, credit in sample_data.credits_to_expect().items()]
    notes.append(_goodwill(stage))
    stage.screen.say(
        f"{len(notes)} credit notes are set FINAL in Solvimon, for invoices that are in Rillet. Each becomes "
        "a credit memo, which a second call applies to what it credits."
    )
    originals = {note["id"]: [link["id"] for link in note["linked_invoices"]] for note in notes}
    before, paid = _open(stage), _paid(stage, originals)
    stage.deliver_webhooks()
    stage.until(stage.settled, "The export of the credit notes")
    after = _open(stage)
    pairs = [pair for pair in audit(stage.system).notes if pair.id in originals]
    stage.shown |= originals.keys()
    stage.screen.show(tables.invoices(pairs, stage.features, narrow=stage.screen.narrow))
    stage.screen.note(
        "Solvimon's credit notes have negative amounts, Rillet's memos positive ones; both are shown as what "
        "the customer gets."
    )
    stage.screen.say("")
    columns = ("Credit memo", "Applied to", "Amount", "Open before", "Open after")
    rows = [row for pair in pairs for row in _applications(stage, pair, before, after)]
    stage.screen.show(tables.listed(columns, rows, numbers=3))
    told = len(stage.deliver_rillet_webhooks())
    stage.screen.say(
        f"Rillet told of this by {told} webhooks. A credit is no payment: Solvimon's invoices stay as unpaid "
        "as they were."
    )
    stage.expect(paid == _paid(stage, originals), "A credit made Solvimon think that an invoice is paid.")
    return {"credit_memos": _checked(stage, pairs, originals, before, after)}


def _credit(stage: Stage, name: str, credit: Mapping[str, str | None]) -> Json:
    """Credit one of the demo's invoices, whole or in part."""
    note = stage.connection.platform.credit(sample_data.invoice_id(name), credit["amount"])
    number = note["credit"]["original_invoice_info"]["invoice_number"]
    stage.features[note["id"]] = f"credits {number}: {credit['feature']}"
    return note


def _goodwill(stage: Stage) -> Json:
    """Give a customer a credit that is for two invoices together."""
    platform = stage.connection.platform
    first, *others = (sample_data.invoice_id(name) for name in GOODWILL_FOR)
    customer = platform.invoice(first)["customer_id"]
    note = platform.one_off_credit(customer, [GOODWILL], [first, *others])
    stage.features[note["id"]] = f"a one-off for {len(GOODWILL_FOR)} invoices, without product"
    return note


def _open(stage: Stage) -> Open:
    invoices = stage.connection.organisation.invoices.documents()
    return {invoice["id"]: Decimal(invoice["amount_due"]["amount"]) for invoice in invoices}


def _paid(stage: Stage, originals: Mapping[str, list[str]]) -> dict[str, tuple[bool, str]]:
    """What Solvimon says of the payment of the credited invoices."""
    found = [stage.connection.platform.invoice(id_) for ids in originals.values() for id_ in ids]
    return {invoice["id"]: (invoice["paid"], invoice["payment_status"]) for invoice in found}


def _applications(stage: Stage, pair: Pair, before: Open, after: Open) -> list[tuple[str, ...]]:
    return [
        (
            memo.number,
            _numbers(stage, invoice),
            f"{amount:,} {memo.amounts.currency}",
            f"{before[invoice]:,}" if invoice in before else "–",
            f"{after[invoice]:,}",
        )
        for memo in pair.booked
        for invoice, amount in memo.applied_to.items()
    ]


def _numbers(stage: Stage, rillet_id: str) -> str:
    """Rillet's number of an invoice, and Solvimon's."""
    invoice = stage.connection.organisation.invoices.get(rillet_id).document
    known = stage.connection.platform.records["invoices"]
    ours = [known[id_]["invoice_number"] for id_ in sorted(refers_to(invoice)) if id_ in known]
    return ("\n" if stage.screen.narrow else ", ").join((invoice["invoice_number"], *ours))


def _checked(
    stage: Stage, pairs: list[Pair], originals: Mapping[str, list[str]], before: Open, after: Open
) -> int:
    """Check each credit note, and count those that are as they should be."""
    good, taken = 0, defaultdict[str, Decimal](Decimal)
    for pair in pairs:
        meant = set[str]().union(*(_ids(stage, original) for original in originals[pair.id]))
        for memo in pair.booked:
            for invoice, amount in memo.applied_to.items():
                taken[invoice] += amount
                stage.expect(invoice in meant, f"{pair.number} is applied to what it does not credit.")
        whole = pair.applied == pair.billed.gross
        stage.expect(pair.once_and_equal, f"{pair.number} is not in Rillet exactly once with its totals.")
        stage.expect(whole, f"Of {pair.number}, {pair.applied} of {pair.billed.gross} is applied.")
        good += pair.once_and_equal and whole and meant.issuperset(*(memo.applied_to for memo in pair.booked))
    for invoice, was_open in before.items():
        due = was_open - taken[invoice]
        stage.expect(after[invoice] == due, f"On {invoice} {after[invoice]} is open instead of {due}.")
    return good


def _ids(stage: Stage, invoice_id: str) -> set[str]:
    """Rillet's ids of an invoice."""
    return {invoice["id"] for invoice in stage.booked(invoice_id)}


SECTION = Section("Credit notes become credit memos", _tell)
