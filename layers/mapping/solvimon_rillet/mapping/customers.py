"""A Solvimon customer as Rillet takes it (Rillet API v4, Create a customer)."""

from dataclasses import dataclass

from solvimon_rillet.errors import Code, NeedsAttention
from solvimon_rillet.settings import Settings
from solvimon_rillet.solvimon.models import Customer


@dataclass(frozen=True, slots=True)
class MappedCustomer:
    """A customer's request body, and what a person should know about it."""

    payload: dict[str, object]
    warnings: tuple[str, ...]


def to_new_rillet_customer(customer: Customer, settings: Settings) -> MappedCustomer:
    """Map a customer that Rillet does not have yet.

    Rillet takes an address only whole (line1, city, state, zip_code, country); one that lacks a part is left
    out. Rillet must not mail invoices that Solvimon has sent, so ``send_invoices_automatically`` is off.

    Raises:
        NeedsAttention: the customer has no name.
    """
    name = " ".join((customer.name or "").split())
    if not name:
        raise NeedsAttention(
            Code.CUSTOMER_INCOMPLETE,
            f"The customer {customer.id} has no name, which Rillet demands.",
            "Give the customer a legal name in Solvimon, then retry.",
        )
    payload: dict[str, object] = {"name": name, "name_on_invoice": name}
    address, missing = _address(customer, settings)
    if address:
        payload["address"] = address
    if customer.email:
        payload["emails"] = [{"email": customer.email, "type": "MAIN_SENDER"}]
    payload["external_references"] = [{"type": settings.reference_types.customer, "id": customer.id}]
    payload |= {"send_invoices_automatically": False, "send_payment_reminders": False}
    warnings = (f"The address of {name} is without {missing}; Rillet's stays empty.",) if missing else ()
    return MappedCustomer(payload, warnings)


def _address(customer: Customer, settings: Settings) -> tuple[dict[str, str] | None, str]:
    """The address in Rillet's words, or what it lacks."""
    given = customer.address
    if given is None or not any(given.model_dump().values()):
        return None, ""
    parts = {
        "line1": given.line1,
        "line2": given.line2,
        "city": given.city,
        "state": given.state or settings.address_state,
        "zip_code": given.postal_code,
        "country": given.country,
    }
    missing = ", ".join(name for name, value in parts.items() if not value and name != "line2")
    return (None, missing) if missing else ({name: value for name, value in parts.items() if value}, "")
