"""Documents of both sides in the small form that is compared, and stored as JSON between two steps."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any, Self

from solvimon_rillet.mapping.payments import RILLET_OWNER
from solvimon_rillet.rillet.models import CreditMemo, Money, revenue_months
from solvimon_rillet.rillet.models import Invoice as RilletInvoice
from solvimon_rillet.solvimon.invoice_groups import Amount
from solvimon_rillet.solvimon.models import Invoice

Json = dict[str, Any]
INVOICE, CREDIT_MEMO = "invoice", "credit_memo"


class _Row:
    """A record that is stored as JSON between two steps."""

    __slots__ = ()

    def as_row(self) -> Json:
        """The document as JSON, without empty fields."""
        return {name: value for name, value in asdict(self).items() if value}  # type: ignore[call-overload]

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Self:
        """The document from its JSON, with lists as tuples again."""
        return cls(
            **{name: tuple(value) if isinstance(value, list) else value for name, value in row.items()}
        )


@dataclass(frozen=True, slots=True)
class SolvimonDocument(_Row):
    """A final document of Solvimon, with its ledger record.

    Amounts are in major units of the currency; those of a credit note are positive, as Rillet's memos are.

    Attributes:
        kind: ``invoice`` or ``credit_memo``.
        id: Solvimon's id.
        number: Solvimon's number.
        day: its date in its own time zone (YYYY-MM-DD).
        currency: of all its amounts.
        net: before tax, or empty if Solvimon's list does not state it.
        tax: the tax, likewise.
        gross: after tax.
        paid: paid amount in Solvimon.
        payment_status: UNPAID, PARTIALLY_PAID, PAID or OVERPAID.
        customer_id: Solvimon's customer.
        biller_id: Solvimon's billing entity.
        credits: ids of the invoices that a credit note credits; Rillet's where only the ledger has it.
        not_for_rillet: the eligibility rule by which it is not exported; else empty.
        state: state in the ledger, empty without a record; ``unreadable`` if it cannot be compared.
        rillet_id: Rillet's id in the ledger.
        rillet_number: Rillet's number when it was booked.
        code: why it was rejected or differs.
        message: the same in plain words.
        remedy: what to do about it.
        owner: who owns its payment state: ``solvimon`` or ``rillet``; empty if that was never decided.
        scope: the scope in which an invoice was booked.
        booked_on: the day on which it was booked in Rillet (YYYY-MM-DD), if the ledger knows it.
        months: the months of its lines when it was booked, likewise.
        customer: the customer's name; empty if neither Solvimon's list nor the ledger has it.
    """

    kind: str
    id: str
    number: str = ""
    day: str = ""
    currency: str = ""
    net: str = ""
    tax: str = ""
    gross: str = "0"
    paid: str = "0"
    payment_status: str = ""
    customer_id: str = ""
    biller_id: str = ""
    credits: tuple[str, ...] = ()
    not_for_rillet: str = ""
    state: str = ""
    rillet_id: str = ""
    rillet_number: str = ""
    code: str = ""
    message: str = ""
    remedy: str = ""
    owner: str = ""
    scope: str = ""
    booked_on: str = ""
    months: str = ""
    customer: str = ""


@dataclass(frozen=True, slots=True)
class RilletDocument(_Row):
    """A document of Rillet.

    Attributes:
        kind: ``invoice`` or ``credit_memo``.
        id: Rillet's id.
        number: Rillet's number.
        day: its date (YYYY-MM-DD).
        currency: of all its amounts.
        net: before tax.
        tax: the tax.
        gross: after tax.
        open: the amount due of an invoice, or the unapplied amount of a memo.
        status: Rillet's status.
        customer_id: Rillet's customer.
        subsidiary_id: Rillet's subsidiary.
        references: ids in other systems.
        applied: of a memo, the applied amount by Rillet invoice id.
        months: the months in which its lines are recognised.
        updated_at: time of its last change.
    """

    kind: str
    id: str
    number: str = ""
    day: str = ""
    currency: str = ""
    net: str = "0"
    tax: str = "0"
    gross: str = "0"
    open: str = "0"
    status: str = ""
    customer_id: str = ""
    subsidiary_id: str = ""
    references: tuple[str, ...] = ()
    applied: dict[str, str] = field(default_factory=dict)
    months: str = ""
    updated_at: str = ""


def solvimon_document(
    document: Invoice, day: date, record: Mapping[str, Any], payment: Mapping[str, Any], skip_rule: str
) -> SolvimonDocument:
    """The comparable form of a Solvimon document with its ledger records.

    Args:
        document: the invoice or credit note from Solvimon's list.
        day: its date in its own time zone.
        record: its ledger record; may be empty.
        payment: the ledger record of its payment; may be empty.
        skip_rule: the eligibility rule by which it is not exported, or empty.
    """
    summary = document.tax_summary
    totals: Mapping[str, str] = record.get("totals", {})
    amount_text = _unsigned_amount if document.is_credit_note else _signed_amount
    net, tax = (summary.base_amount, summary.tax_amount) if summary else (None, None)
    return SolvimonDocument(
        kind=CREDIT_MEMO if document.is_credit_note else INVOICE,
        id=document.id,
        number=document.invoice_number or "",
        day=day.isoformat(),
        currency=document.currency or "",
        net=amount_text(net) or totals.get("net", ""),
        tax=amount_text(tax) or totals.get("tax", ""),
        gross=amount_text(document.invoice_amount_including_tax) or totals.get("gross", "0"),
        paid=amount_text(document.paid_invoice_amount) or "0",
        payment_status=document.payment_status or "UNPAID",
        customer_id=document.payer_id or "",
        biller_id=document.biller_id or "",
        credits=tuple(invoice.id for invoice in document.credited_invoices())
        if document.is_credit_note
        else (),
        not_for_rillet=skip_rule,
        owner=_payment_owner(document, payment),
        customer=(document.customer.name if document.customer else "") or str(record.get("customer", "")),
        **{name: str(record.get(name, "")) for name in _RECORD_FIELDS},
    )


_RECORD_FIELDS = (
    *("state", "rillet_id", "rillet_number", "code", "message", "remedy", "scope", "booked_on", "months"),
)


def recorded_document(kind: str, identifier: str, record: Mapping[str, Any]) -> SolvimonDocument:
    """The comparable form of an exported document as its ledger record has it."""
    totals: Mapping[str, str] = record.get("totals", {})
    row = {
        "kind": kind,
        "id": identifier,
        "number": record.get("number", ""),
        "day": record.get("dated", ""),
        "customer": record.get("customer", ""),
        **{name: totals[name] for name in ("net", "tax", "gross", "currency") if name in totals},
        **{name: record.get(name, "") for name in _RECORD_FIELDS},
    }
    found = SolvimonDocument.from_row({name: str(value) for name, value in row.items()})
    # The ledger knows Rillet's ids of the invoices that a memo was applied to, not what the note credits.
    return replace(found, credits=tuple(map(str, record.get("applied_to", ()))))


def _payment_owner(document: Invoice, payment: Mapping[str, Any]) -> str:
    """The owner of the payment state; a record of before it was kept owns what it wrote last."""
    if owner := payment.get("owner"):
        return str(owner)
    ours = payment.get("payment_status") == (document.payment_status or "UNPAID")
    return RILLET_OWNER if ours else ""


def rillet_invoice(invoice: RilletInvoice) -> RilletDocument:
    """The comparable form of a Rillet invoice."""
    return RilletDocument(
        kind=INVOICE,
        id=invoice.id,
        number=invoice.invoice_number,
        day=str(invoice.invoice_date or ""),
        currency=invoice.total.currency,
        net=_amount_text(invoice.net_amount),
        tax=_amount_text(invoice.taxed_amount),
        gross=_amount_text(invoice.total),
        open=_amount_text(invoice.amount_due or invoice.total),
        status=invoice.status or "",
        customer_id=invoice.customer_id or "",
        subsidiary_id=invoice.subsidiary_id or "",
        references=tuple(reference.id for reference in invoice.external_references),
        months=revenue_months(invoice.items),
        updated_at=invoice.updated_at or "",
    )


def rillet_credit_memo(memo: CreditMemo) -> RilletDocument:
    """The comparable form of a Rillet credit memo."""
    remaining = memo.remaining_amount or memo.total
    applied: dict[str, Decimal] = {}
    for application in memo.applications:
        before = applied.get(application.invoice_id, Decimal())
        applied[application.invoice_id] = before + application.amount.amount
    return RilletDocument(
        kind=CREDIT_MEMO,
        id=memo.id,
        number=memo.credit_memo_number,
        day=str(memo.credit_memo_date or ""),
        currency=memo.total.currency,
        net=_amount_text(memo.net_amount),
        tax=_amount_text(memo.taxed_amount),
        gross=_amount_text(memo.total),
        open=_amount_text(remaining),
        status=memo.status or "",
        customer_id=memo.customer_id or "",
        subsidiary_id=memo.subsidiary_id or "",
        references=tuple(reference.id for reference in memo.external_references),
        applied={invoice: f"{amount:f}" for invoice, amount in applied.items()},
        months=revenue_months(memo.items),
        updated_at=memo.updated_at or "",
    )


def _amount_text(money: Money) -> str:
    return f"{money.amount:f}"


def _signed_amount(amount: Amount | None) -> str:
    return f"{amount.quantity:f}" if amount else ""


def _unsigned_amount(amount: Amount | None) -> str:
    """An amount without its sign: whether a credit note's amounts are negative is not documented."""
    return f"{abs(amount.quantity):f}" if amount else ""
