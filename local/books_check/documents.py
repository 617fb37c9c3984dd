"""Final documents of Solvimon, and invoices and memos of Rillet, with the same names for both sides."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from local.books_check.records import Json, solvimon_ids

_CREDIT_NOTES = ("CREDIT", "ONE_OFF_CREDIT")


@dataclass(frozen=True)
class Amounts:
    """The amounts of a document, in major units of its currency; those of a credit are positive."""

    currency: str
    net: Decimal
    tax: Decimal
    gross: Decimal

    def __str__(self) -> str:
        return f"{self.net} + {self.tax} = {self.gross} {self.currency}"


@dataclass(frozen=True)
class SolvimonDocument:
    """A final document of Solvimon.

    Attributes:
        id: Solvimon's id.
        number: its number.
        is_credit_note: whether it is a credit note, one-off or not.
        customer_id: Solvimon's id of the customer.
        billing_entity_id: Solvimon's id of the company that bills.
        day: the day of the document in its own time zone, YYYY-MM-DD.
        amounts: positive for a credit note, whatever the sign in Solvimon.
        credits: of a credit note, the ids of the invoices that it credits.
        payment: `payment_status` and `paid`.
    """

    id: str
    number: str
    is_credit_note: bool
    customer_id: str
    billing_entity_id: str
    day: str
    amounts: Amounts
    credits: tuple[str, ...] = ()
    payment: tuple[str, bool] = ("UNPAID", False)

    @classmethod
    def of(cls, record: Json) -> "SolvimonDocument":
        """Read Solvimon's record."""
        is_note = record["type"] in _CREDIT_NOTES
        moment = datetime.fromisoformat(record["invoice_date"]).astimezone(ZoneInfo(record["timezone"]))
        summary, total = record["tax_summary"], record["invoice_amount_including_tax"]
        net, tax, gross = (
            Decimal(one["quantity"]) for one in (summary["base_amount"], summary["tax_amount"], total)
        )
        sign = -1 if is_note and gross < 0 else 1
        linked = [str(link["id"]) for link in record.get("linked_invoices") or ()]
        original = (record.get("credit") or {}).get("original_invoice_id")
        return cls(
            id=str(record["id"]),
            number=str(record["invoice_number"]),
            is_credit_note=is_note,
            customer_id=str(record["customer_id"]),
            billing_entity_id=str(record.get("billing_entity_id", "")),
            day=moment.date().isoformat(),
            amounts=Amounts(total["currency"], *(sign * amount + 0 for amount in (net, tax, gross))),
            credits=tuple(linked or filter(None, [original])) if is_note else (),
            payment=(str(record.get("payment_status", "UNPAID")), bool(record.get("paid"))),
        )


@dataclass(frozen=True)
class RilletDocument:
    """An invoice or credit memo of Rillet.

    Attributes:
        id: Rillet's id.
        number: Rillet's number.
        amounts: its totals.
        customer_id: Rillet's id of the customer.
        subsidiary_id: Rillet's id of the subsidiary.
        day: YYYY-MM-DD.
        refers_to: the Solvimon documents that its external references name.
        applied: of a credit memo, how much of it is applied, by Rillet's id of the invoice.
        due: of an invoice, how much Rillet says is open.
        status: of an invoice, Rillet's name of its state.
        products: ids of the products of its lines.
    """

    id: str
    number: str
    amounts: Amounts
    customer_id: str = ""
    subsidiary_id: str = ""
    day: str = ""
    refers_to: frozenset[str] = frozenset()
    applied: Mapping[str, Decimal] = field(default_factory=dict)
    due: Decimal = Decimal(0)
    status: str = ""
    products: frozenset[str] = frozenset()

    @classmethod
    def of(cls, document: Json) -> "RilletDocument":
        """Read Rillet's document."""
        net, tax, gross = (
            Decimal(document[name]["amount"]) for name in ("net_amount", "taxed_amount", "total")
        )
        applied = defaultdict[str, Decimal](Decimal)
        for application in document.get("applications") or ():
            applied[application["invoice_id"]] += Decimal(application["amount"]["amount"])
        return cls(
            id=str(document["id"]),
            number=str(document.get("credit_memo_number") or document.get("invoice_number")),
            amounts=Amounts(document["total"]["currency"], net, tax, gross),
            customer_id=str(document["customer_id"]),
            subsidiary_id=str(document.get("subsidiary_id", "")),
            day=str(document.get("credit_memo_date") or document.get("invoice_date")),
            refers_to=frozenset(solvimon_ids(document)),
            applied=dict(applied),
            due=Decimal((document.get("amount_due") or {}).get("amount", 0)),
            status=str(document.get("status", "")),
            products=frozenset(str(item["product_id"]) for item in document.get("items") or ()),
        )
