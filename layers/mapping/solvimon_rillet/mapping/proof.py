"""The last look at a payload before it is sent: do the amounts in it sum to the document's totals?"""

from collections.abc import Iterator, Mapping
from decimal import Decimal

from solvimon_rillet.errors import Code, NeedsAttention
from solvimon_rillet.mapping.totals import Totals, does_not_tie_out


def verify_payload_totals(payload: Mapping[str, object], totals: Totals) -> None:
    """Sum the texts that would be sent and compare them with the document's net and tax.

    Raises:
        NeedsAttention: they differ, or there is nothing to book.
    """
    items = payload.get("items")
    if not isinstance(items, list) or not items:
        raise NeedsAttention(
            Code.DOES_NOT_TIE_OUT,
            f"The invoice has no groups to book, but a total of {totals.gross} {totals.currency}.",
            "Report the invoice to Solvimon's support, or book it by hand.",
        )
    net = sum((_amount(item, "price.amount_per_unit", "total_amount") for item in items), Decimal())
    tax = sum(_taxes(payload, items), Decimal())
    for what, sent, total in (("net", net, totals.net), ("tax", tax, totals.tax)):
        if sent != total:
            raise does_not_tie_out(
                f"The items to send have a {what} of", sent, "the invoice's is", total, totals.currency
            )


def _taxes(payload: Mapping[str, object], items: list[Mapping[str, object]]) -> Iterator[Decimal]:
    on_items = [_amount(item, "tax_rate.tax_amount", "tax_amount") for item in items]
    yield from on_items if any(on_items) or "tax_amount" not in payload else [_amount(payload, "tax_amount")]


def _amount(holder: Mapping[str, object], *paths: str) -> Decimal:
    for path in paths:
        value: object = holder
        for step in path.split("."):
            value = value.get(step) if isinstance(value, Mapping) else None
        if isinstance(value, Mapping):
            return Decimal(str(value["amount"]))
    return Decimal()
