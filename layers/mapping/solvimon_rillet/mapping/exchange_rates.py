"""The rate from a document's currency to its subsidiary's books, as Solvimon states it."""

from decimal import Decimal, localcontext

from solvimon_rillet.solvimon.models import Invoice


def exchange_rate(invoice: Invoice, base: str, target: str) -> Decimal | None:
    """Units of ``target`` for one unit of ``base``, from the invoice's own rates, or ``None``.

    Solvimon does not document the direction of its rates. The invoice's local amounts show it; without them
    ``base_currency`` is taken as the currency that is priced.
    """
    if base == target:
        return None
    for stated in invoice.used_exchange_rates:
        if not stated.rate or {stated.currency, stated.base_currency} != {base, target}:
            continue
        inverse = _significant(1 / stated.rate)
        local = _local_ratio(invoice, target)
        if local is not None:
            return min((stated.rate, inverse), key=lambda rate: abs(rate - local))
        return stated.rate if stated.base_currency == base else inverse
    return None


def _local_ratio(invoice: Invoice, target: str) -> Decimal | None:
    summary = invoice.tax_summary
    local = summary.local_amounts if summary else None
    for amount, local_amount in (
        (summary and summary.total_amount, local and local.total_amount),
        (summary and summary.base_amount, local and local.base_amount),
    ):
        if amount and local_amount and amount.quantity and local_amount.currency == target:
            return local_amount.quantity / amount.quantity
    return None


def _significant(rate: Decimal) -> Decimal:
    with localcontext() as context:
        context.prec = 10
        return +rate
