"""The rate from a document's currency to its subsidiary's books, as Solvimon states it."""

from decimal import Decimal, localcontext

from solvimon_rillet.solvimon.models import Invoice


def exchange_rate(invoice: Invoice, base: str, target: str) -> Decimal | None:
    """Units of ``target`` for one unit of ``base``, from the invoice's own rates; never a made-up one.

    Solvimon's text does not say which way its rates point. The invoice's local amounts tell; without them
    ``base_currency`` is read as the one unit that is priced.
    """
    if base == target:
        return None
    for used in invoice.used_exchange_rates:
        if not used.rate or {used.currency, used.base_currency} != {base, target}:
            continue
        inverse = _significant(1 / used.rate)
        local = _local_ratio(invoice, target)
        if local is not None:
            return min((used.rate, inverse), key=lambda rate: abs(rate - local))
        return used.rate if used.base_currency == base else inverse
    return None


def _local_ratio(invoice: Invoice, target: str) -> Decimal | None:
    summary = invoice.tax_summary
    local = summary.local_amounts if summary else None
    for ours, theirs in (
        (summary and summary.total_amount, local and local.total_amount),
        (summary and summary.base_amount, local and local.base_amount),
    ):
        if ours and theirs and ours.quantity and theirs.currency == target:
            return theirs.quantity / ours.quantity
    return None


def _significant(rate: Decimal) -> Decimal:
    with localcontext() as context:
        context.prec = 10
        return +rate
