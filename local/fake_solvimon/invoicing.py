"""What Solvimon does to an invoice automatically: its number, FINAL, the payment status."""

from collections.abc import Iterable
from decimal import Decimal

from local.fake_solvimon import money, timestamps
from local.fake_solvimon.errors import Json, impossible

FINAL = "FINAL"

WRITABLE_WHEN_FINAL = frozenset({"paid", "payment_status", "custom_fields", "linked_integrations"})
"""Solvimon calls FINAL unchangeable and yet lets it be marked paid; which other fields stay open it does not
say. A platform's `writable_when_final` can be narrowed to see what happens without them."""


def next_number(invoice: Json, used: Iterable[str]) -> str:
    """Return the next number of the invoice's series, such as `INV-2026-11-000001`.

    Credit notes have a series of their own, and so have self-billed documents (OpenAPI `InvoiceSettings`).
    The month is that of the invoice date in the invoice's own time zone.
    """
    prefix = "CRE" if invoice.get("type") in ("CREDIT", "ONE_OFF_CREDIT") else "INV"
    if invoice.get("billing_type") == "SELF_BILLING":
        prefix = "S" + prefix
    day = timestamps.from_text(invoice["invoice_date"]).astimezone(timestamps.zone(invoice.get("timezone")))
    series = f"{prefix}-{day:%Y-%m}-"
    last = max((int(number.removeprefix(series)) for number in used if _counts(number, series)), default=0)
    return f"{series}{last + 1:06d}"


def _counts(number: str, series: str) -> bool:
    return number.startswith(series) and number.removeprefix(series).isdigit()


def to_final(invoice: Json, now: float, used_numbers: Iterable[str]) -> None:
    """Set the invoice FINAL, in place.

    Raises:
        ApiProblem: It is FINAL already, or archived.
    """
    if invoice.get("status") not in ("OPEN", "DRAFT"):
        raise impossible(
            invoice, f"an invoice with status {invoice.get('status')} cannot become FINAL", "status"
        )
    if not invoice.get("invoice_number"):
        invoice["invoice_number"] = next_number(invoice, used_numbers)
    invoice["status"] = FINAL
    invoice["on_hold"] = False
    invoice["updated_to_final_at"] = invoice["updated_at"] = timestamps.to_text(now)


def apply_payment_status(invoice: Json, changes: Json) -> bool:
    """Derive `paid` and `payment_status` from each other, in place; tell whether it became paid.

    Whether Solvimon derives one from the other is not documented; here a lone `paid` moves the status and a
    lone status moves `paid`, and `paid_invoice_amount` follows a full payment or its undoing.
    """
    was_paid = bool(invoice.get("paid"))
    paid, status = changes.get("paid"), changes.get("payment_status")
    if paid is None and status is None:
        return False
    if paid is None:
        paid = status in ("PAID", "OVERPAID")
    if status is None:
        status = "PAID" if paid else "UNPAID"
    total = invoice.get("invoice_amount_including_tax")
    if total and status in ("PAID", "UNPAID"):
        nothing = str(Decimal(total["quantity"]) * 0)
        quantity = total["quantity"] if status == "PAID" else nothing
        invoice["paid_invoice_amount"] = {**total, "quantity": quantity}
    invoice["paid"], invoice["payment_status"] = paid, status
    return paid and not was_paid


def apply_paid_amount(invoice: Json, paid: Decimal) -> bool:
    """Derive the payment status from the paid amount, in place; tell whether it became paid."""
    was_paid, total = bool(invoice.get("paid")), invoice["invoice_amount_including_tax"]
    due = Decimal(total["quantity"])
    status = "UNPAID" if not paid else "PARTIALLY_PAID" if paid < due else "PAID"
    invoice["payment_status"] = "OVERPAID" if paid > due else status
    invoice["paid"] = paid >= due > 0
    invoice["paid_invoice_amount"] = money.amount(paid, total["currency"])
    return bool(invoice["paid"]) and not was_paid


def summary(invoice: Json, *, periods: bool, lines: bool) -> Json:
    """Return the invoice as lists show it; lines hang under periods, so they need both flags."""
    shown = {name: value for name, value in invoice.items() if name not in ("periods", "closed_periods")}
    if not periods:
        return shown
    for name in ("periods", "closed_periods"):
        if name in invoice:
            shown[name] = [_invoice_period(period, lines) for period in invoice[name]]
    return shown


def _invoice_period(period: Json, lines: bool) -> Json:
    if lines:
        return period
    groups = [
        {name: value for name, value in group.items() if name != "lines"}
        for group in period.get("groups") or []
    ]
    return period | {"groups": groups}
