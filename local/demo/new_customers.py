"""What Rillet has beside the demo's world: the customers, products and the subsidiary that Solvimon lacks."""

from local.sample_data.identity import Json, rillet_id, solvimon_id
from local.sample_data.world import Product

_PLACES = (
    ("Rotterdam", "ZH", "NL"),
    ("Hamburg", "HH", "DE"),
    ("Antwerpen", "VAN", "BE"),
    ("Oslo", "03", "NO"),
)
WORDS = ("Anchor", "Beacon", "Capstan", "Davit", "Ensign", "Fathom", "Galley", "Halyard", "Jetty", "Keel")
TRADES = ("Shipping", "Towage", "Stevedores", "Pilots", "Bunkering", "Salvage", "Chandlers", "Ferries")
"""The words that make the names of many customers."""
UNLINKED_PRODUCT = Product(
    "mooring-sensors",
    "Mooring Sensors",
    "Tension on every bollard, live",
    "port-software",
    "40120",
    {"type": "FIXED_RECURRING", "amount": {"amount": "640.00", "currency": "EUR"}, "interval_months": 1},
)
"""New on the price list: both sides know it, and it is billed before anybody has linked it."""
NAMELESS = rillet_id("customer", "newcomer-nameless")
"""The one customer that cannot be imported."""
ODD = tuple(rillet_id("customer", f"newcomer-odd-{number}") for number in range(4))
"""Customers that Solvimon can only have with another name or another e-mail address."""


def customers() -> list[Json]:
    """Return 120 customers: most as they should be, a few as they come."""
    ordinary = [
        _new_customer(f"{word} {trade}", *_PLACES[(index + number) % len(_PLACES)])
        for index, word in enumerate(WORDS)
        for number, trade in enumerate(TRADES)
    ]
    more = [_new_customer(f"{word} & {other}", *_PLACES[0]) for word in WORDS[:6] for other in WORDS[6:]]
    odd = [_new_customer(f"Odd {number}", *_PLACES[1]) for number in range(16)]
    odd[0]["emails"] = []
    odd[1]["emails"].append({"email": "also@odd.example", "type": "MAIN_SENDER"})
    odd[2]["name"] = "Vereniging van Rivierloodsen en Sleepdiensten " * 7
    odd[3]["name"] = "Two\nlines 🚢"
    odd[4] = {**odd[4], "id": NAMELESS, "name": " "}
    return [*ordinary, *more, *odd]


def in_solvimon_already() -> dict[str, list[Json]]:
    """Return what a person made in Solvimon: Rillet has it too, in another spelling, without a link."""
    customers = [
        {
            "id": solvimon_id("cust", f"by-hand-{number}"),
            "reference": f"crm-{number}",
            "type": "ORGANIZATION",
            "status": "ACTIVE",
            "organization": {"legal_name": name},
        }
        for number, name in enumerate(("ANCHOR SHIPPING B.V.", "Beacon Towage GmbH", "Davit and Jetty, Inc."))
    ]
    product = {
        "id": solvimon_id("prod", "by-hand"),
        "reference": "tides",
        "name": "tide tables",
        "status": "ACTIVE",
    }
    return {"customers": customers, "products": [product]}


def products() -> list[Json]:
    """Return a product in use and one that is not."""
    return [
        {
            "id": rillet_id("product", f"newcomer-{name}"),
            "name": name,
            "description": "Only in Rillet so far",
            "price": {"type": "ONE_TIME", "amount": {"amount": "0.00", "currency": "EUR"}},
            "include_in_arr_mrr": False,
            "revenue_pattern": "DAILY",
            "account_code": "40000",
            "status": status,
        }
        for name, status in (("Tide Tables", "ACTIVE"), ("Fax Alerts", "INACTIVE"))
    ]


def subsidiary() -> Json:
    """Return a company of the group that has not billed yet."""
    return {
        "id": rillet_id("subsidiary", "newcomer-nordic"),
        "trade_name": "Tideway Nordic AB",
        "currency": "SEK",
        "timezone": "Europe/Stockholm",
        "type": "LEGAL_ENTITY",
    }


def bill_unlinked_product(draft: Json) -> None:
    """Let all lines of a draft be of `UNLINKED_PRODUCT`."""
    for group in (group for period in draft["periods"] for group in period["groups"]):
        group["products"] = [UNLINKED_PRODUCT.solvimon(with_link=False)]
        for line in group["lines"]:
            line |= {"description": UNLINKED_PRODUCT.title, "product_items": []}


def _new_customer(name: str, city: str, state: str, country: str) -> Json:
    mail = name.lower().replace(" & ", "-").replace(" ", "-")
    return {
        "id": rillet_id("customer", f"newcomer-{mail}"),
        "name": name,
        "emails": [{"email": f"books@{mail}.example", "type": "MAIN_SENDER"}],
        "address": {
            "line1": "Havenweg 1",
            "city": city,
            "state": state,
            "zip_code": "1000",
            "country": country,
        },
    }
