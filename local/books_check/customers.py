"""A customer of either side: what both keep, under the same names, and what only Rillet keeps."""

from local.books_check.records import CUSTOMER_REFERENCE, Json

_ADDRESS_FIELDS = {
    "line1": "street",
    "city": "city",
    "state": "state",
    "postal_code": "zip_code",
    "country": "country",
}
"""Solvimon's names for the parts of an address, and ours."""
_SYNCHRONISED = ("name", "name_on_invoice", "address")


def customer_name(customer: Json) -> str:
    """Return the name of a Solvimon customer, whether it is an organisation or an individual."""
    if "organization" in customer:
        return str(customer["organization"]["legal_name"])
    name = customer["individual"]["name"]
    return " ".join(filter(None, (name.get("first_name"), name.get("infix"), name.get("last_name"))))


def in_solvimon(customer: Json) -> Json:
    """Return what both sides keep, as Solvimon has it."""
    home = customer.get("organization", {}).get("registered_address")
    home = home or customer.get("individual", {}).get("residential_address") or {}
    name = customer_name(customer)
    address = {ours: home.get(theirs) for theirs, ours in _ADDRESS_FIELDS.items()}
    return {"name": name, "name_on_invoice": name, **address, "email": customer.get("email")}


def in_rillet(customer: Json) -> Json:
    """Return the same as Rillet has it."""
    address = {"street": "line1"} | {name: name for name in ("city", "state", "zip_code", "country")}
    home = customer.get("address") or {}
    senders = [one["email"] for one in customer.get("emails", ()) if one["type"] == "MAIN_SENDER"]
    return {
        "name": customer["name"],
        "name_on_invoice": customer.get("name_on_invoice"),
        **{ours: home.get(theirs) for ours, theirs in address.items()},
        "email": ", ".join(senders),
    }


def only_in_rillet(customer: Json) -> Json:
    """Return what a synchronisation must leave alone, as Rillet's API names it."""
    own: Json = {name: value for name, value in customer.items() if name not in _SYNCHRONISED}
    own = {name: value for name, value in own.items() if name not in ("id", "updated_at")}
    own["emails"] = [one for one in own.get("emails", ()) if one["type"] != "MAIN_SENDER"]
    references = own.get("external_references") or ()
    own["external_references"] = [one for one in references if one["type"] != CUSTOMER_REFERENCE]
    return own
