"""Edits that users make to documents in Rillet's own screens, without the rules of its API."""

from copy import deepcopy
from decimal import Decimal

from local.fake_rillet.store import Json
from local.fake_rillet.wire import to_wire

_INVOICE_FIELDS = frozenset(
    {
        *("invoice_number", "customer_id", "subsidiary_id", "invoice_date", "due_date", "items", "memo"),
        *("purchase_order_number", "exchange_rate", "external_references", "payment_terms"),
        *("subtotal", "total_discount", "net_amount", "taxed_amount", "total"),
    }
)
_MEMO_FIELDS = frozenset(
    {
        *("credit_memo_number", "customer_id", "subsidiary_id", "credit_memo_date", "items", "address"),
        *("exchange_rate", "external_references", "net_amount", "taxed_amount", "total"),
    }
)


def edited_invoice(invoice: Json, amount_by: str | Decimal | None, changes: Json) -> Json:
    """Return an invoice with some fields replaced, and its first line dearer by a net amount.

    Raises:
        ValueError: a field does not exist, or follows from others.
    """
    edited = _edited(invoice, _INVOICE_FIELDS, changes)
    return _raised(edited, amount_by, ("total_amount",), ("subtotal", "net_amount", "total"))


def edited_memo(memo: Json, amount_by: str | Decimal | None, changes: Json) -> Json:
    """Return a credit memo with some fields replaced, and its first line raised by a net amount.

    Raises:
        ValueError: a field does not exist, or follows from others.
    """
    edited = _edited(memo, _MEMO_FIELDS, changes)
    return _raised(edited, amount_by, ("net_amount", "total_amount"), ("net_amount", "total"))


def _edited(document: Json, known: frozenset[str], changes: Json) -> Json:
    if unknown := changes.keys() - known:
        raise ValueError(f"cannot edit {', '.join(sorted(unknown))}; there are {', '.join(sorted(known))}")
    return deepcopy(document) | deepcopy(changes)


def _raised(
    document: Json, by: str | Decimal | None, of_item: tuple[str, ...], of_header: tuple[str, ...]
) -> Json:
    places = [(document["items"][0], of_item), (document, of_header)] if by is not None else []
    for place, names in places:
        for name in names:
            money = place[name]
            place[name] = to_wire(Decimal(money["amount"]) + Decimal(by or 0), money["currency"])
    return document
