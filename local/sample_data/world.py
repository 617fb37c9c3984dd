"""Tideway: four companies, six products, twelve customers."""

from local.sample_data.identity import Json, rillet_id, solvimon_id
from local.sample_data.parties import CREATED_AT, Customer, Entity, Place, Product

ORGANIZATION: Json = {
    "id": rillet_id("organization", "tideway"),
    "currency": "EUR",
    "timezone": "Europe/Amsterdam",
    "trade_name": "Tideway Group",
}

ENTITIES = {
    entity.name: entity
    for entity in (
        Entity(
            "tideway-nl",
            "Tideway Software B.V.",
            "EUR",
            "Europe/Amsterdam",
            "NL861234567B01",
            Place("Boompjes 210", "Rotterdam", "3011 XD", "NL", "Zuid-Holland"),
        ),
        Entity(
            "tideway-us",
            "Tideway Software Inc.",
            "USD",
            "America/New_York",
            "84-1234567",
            Place("88 Seaport Lane", "Boston", "02210", "US", "MA", "Floor 6"),
        ),
        Entity(
            "tideway-ca",
            "Logiciels Tideway inc.",
            "CAD",
            "America/Toronto",
            "123456789RT0001",
            Place("410, rue de la Commune Est", "Montréal", "H2Y 1J1", "CA", "QC"),
        ),
        Entity(
            "tideway-jp",
            "Tideway K.K.",
            "JPY",
            "Asia/Tokyo",
            "T1234567890123",
            Place("2-3-1 Kaigan-dori", "Yokohama", "231-0002", "JP", "Kanagawa"),
        ),
    )
}


def _field(reference: str, name: str, resource_type: str, *, on_invoice: bool) -> Json:
    return {
        "object_type": "CUSTOM_FIELD",
        "id": solvimon_id("cufi", reference),
        "reference": reference,
        "name": name,
        "resource_type": resource_type,
        "type": "STRING",
        "multiple_values": False,
        "unique_value": True,
        "copy_value_to_invoice": on_invoice,
    }


CUSTOM_FIELDS: dict[str, Json] = {
    "customer": _field("rillet_customer_id", "Rillet Customer ID", "CUSTOMER", on_invoice=True),
    "product": _field("rillet_product_id", "Rillet Product ID", "PRODUCT", on_invoice=False),
    "subsidiary": _field("rillet_subsidiary_id", "Rillet Subsidiary ID", "BILLING_ENTITY", on_invoice=True),
}

CATEGORIES: dict[str, Json] = {
    name: {
        "object_type": "PRODUCT_CATEGORY",
        "id": solvimon_id("proc", name),
        "name": title,
        "reference": name,
        "description": description,
    }
    for name, title, description in (
        ("port-software", "Port software", "Planning, tracking and the people behind it"),
        ("print", "Print", "Books and charts on paper"),
    )
}


def _monthly(amount: str) -> Json:
    return {
        "type": "FIXED_RECURRING",
        "amount": {"amount": amount, "currency": "EUR"},
        "interval_months": 1,
    }


def _once(amount: str) -> Json:
    return {"type": "ONE_TIME", "amount": {"amount": amount, "currency": "EUR"}}


_PER_CALL: Json = {
    "type": "USAGE",
    "interval_months": 1,
    "billing_scheme": {
        "type": "PER_UNIT",
        "amount": {"amount": "0.0004", "currency": "EUR"},
        "units": 1,
    },
}

PRODUCTS = {
    product.name: product
    for product in (
        Product(
            "harbour-planner",
            "Harbour Planner",
            "Berth and crane planning for a whole port",
            "port-software",
            "40100",
            _monthly("1200.00"),
        ),
        Product(
            "berth-seats",
            "Berth Seats",
            "Named users of Harbour Planner",
            "port-software",
            "40110",
            _monthly("40.00"),
            "EVEN_PERIOD",
        ),
        Product(
            "vessel-tracking",
            "Vessel Tracking API",
            "Positions and arrival times, paid by the call",
            "port-software",
            "40200",
            _PER_CALL,
        ),
        Product(
            "premium-support",
            "Premium Support",
            "An answer within the hour, day and night",
            "port-software",
            "40120",
            _monthly("300.00"),
        ),
        Product(
            "onboarding",
            "Onboarding",
            "Installation, data migration and training",
            "port-software",
            "40300",
            _once("5000.00"),
        ),
        Product(
            "pilot-handbook",
            "Pilot Handbook",
            "The yearly handbook for pilots, printed",
            "print",
            "40400",
            _once("59.50"),
        ),
    )
}


def _fallback(name: str, title: str, description: str) -> Json:
    product = Product(name, title, description, "", "49900", _once("0.00"), "EVEN_PERIOD")
    return product.rillet()


FALLBACK_PRODUCTS: dict[str, Json] = {
    "discount": _fallback("discounts", "Discounts", "Reductions that belong to no single product"),
    "commitment": _fallback("commitments", "Commitments", "What a minimum commitment adds"),
    "one_off": _fallback("one-off-charges", "One-off charges", "Costs passed on once"),
    "default": _fallback("other-revenue", "Other revenue", "Everything without a product of its own"),
}

_BANKS = {
    "tideway-nl": ("10100", "Operating account Rotterdam", "Maasbank"),
    "tideway-us": ("10200", "Operating account Boston", "Harbor National"),
    "tideway-ca": ("10300", "Operating account Montréal", "Banque du Fleuve"),
    "tideway-jp": ("10400", "Operating account Yokohama", "Minato Bank"),
}
"""Account code, name and bank of each company's money."""

BANK_ACCOUNTS: list[Json] = [
    {
        "id": rillet_id("bank-account", entity),
        "name": title,
        "currency": ENTITIES[entity].currency,
        "bank_name": bank,
        "subsidiary_id": rillet_id("subsidiary", entity),
        "account_code": code,
        "status": "ACTIVE",
    }
    for entity, (code, title, bank) in _BANKS.items()
]

ACCOUNTS: list[Json] = [
    {
        "id": rillet_id("account", code),
        "code": code,
        "name": name,
        "type": kind,
        "subtype": name if kind != "INCOME" else "Revenue",
        "status": "ACTIVE",
        "intercompany": False,
        "updated_at": CREATED_AT,
    }
    for code, name, kind in (
        *((code, title, "ASSET") for code, title, _ in _BANKS.values()),
        ("11000", "Accounts receivable", "ASSET"),
        ("25000", "Deferred revenue", "LIABILITY"),
        ("40100", "Planning subscriptions", "INCOME"),
        ("40110", "Seats", "INCOME"),
        ("40120", "Support", "INCOME"),
        ("40200", "Tracking usage", "INCOME"),
        ("40300", "Services", "INCOME"),
        ("40400", "Print", "INCOME"),
        ("49900", "Other revenue", "INCOME"),
    )
]

CUSTOMERS = {
    customer.name: customer
    for customer in (
        Customer(
            "maasvlakte-quay",
            "Maasvlakte Quay Services B.V.",
            "invoices@maasvlakte-quay.example",
            "Europe/Amsterdam",
            Place("Amaliahavenweg 12", "Rotterdam", "3199 KD", "NL", "Zuid-Holland"),
            "NL859876543B01",
            own={
                "emails": [
                    {"email": "invoices@maasvlakte-quay.example", "type": "MAIN_SENDER"},
                    {"email": "controller@maasvlakte-quay.example", "type": "CC"},
                ],
                "external_references": [{"type": "hubspot_company_id", "id": "7741002"}],
            },
        ),
        Customer(
            "hansekontor",
            "Hansekontor Nord GmbH",
            "rechnung@hansekontor.example",
            "Europe/Berlin",
            Place("Am Sandtorkai 41", "Hamburg", "20457", "DE", "HH"),
            "DE318765432",
        ),
        Customer(
            "waddenveer",
            "Waddenveer Rederij B.V.",
            "administratie@waddenveer.example",
            "Europe/Amsterdam",
            Place("Waddenpromenade 9", "Harlingen", "8861 NT", "NL", "Friesland"),
            "NL857654321B01",
        ),
        Customer(
            "scheldemond",
            "Havenschap Scheldemond",
            "crediteuren@scheldemond.example",
            "Europe/Amsterdam",
            Place("Westerhavenweg 2", "Vlissingen", "4382 NM", "NL", "Zeeland", "Postbus 118"),
            "NL808080808B01",
        ),
        Customer(
            "marina-de-boer",
            "Jelle de Boer",
            "jelle@marinadeboer.example",
            "Europe/Amsterdam",
            Place("Havenweg 3", "Enkhuizen", "1601 GA", "NL", "Noord-Holland"),
            person=("Jelle", "de", "Boer"),
        ),
        Customer(
            "zeeland-offshore",
            "Zeeland Offshore Crew B.V.",
            "finance@zeeland-offshore.example",
            "Europe/Amsterdam",
            Place("Kleverskerkseweg 70", "Middelburg", "4338 PH", "NL", "Zeeland"),
            "NL863332221B01",
            in_rillet=False,
        ),
        Customer(
            "bayou-bend",
            "Bayou Bend Terminals LLC",
            "ap@bayoubend.example",
            "America/Chicago",
            Place("1500 Clinton Drive", "Houston", "77020", "US", "TX"),
        ),
        Customer(
            "salish-narrows",
            "Salish Narrows Pilotage Inc.",
            "billing@salishnarrows.example",
            "America/Los_Angeles",
            Place("2200 Alaskan Way", "Seattle", "98121", "US", "WA", "Pier 66"),
            own={"payment_terms": 30},
        ),
        Customer(
            "armement-du-fleuve",
            "Armement du Fleuve inc.",
            "comptes@armementdufleuve.example",
            "America/Toronto",
            Place("84, rue Dalhousie", "Québec", "G1K 8M5", "CA", "QC"),
        ),
        Customer(
            "georgia-strait",
            "Georgia Strait Tug & Barge Ltd.",
            "accounts@georgiastrait.example",
            "America/Vancouver",
            Place("650 Railway Street", "Vancouver", "V6A 1B9", "CA", "BC"),
        ),
        Customer(
            "osaka-bay",
            "大阪湾物流株式会社",
            "keiri@osakabay.example",
            "Asia/Tokyo",
            Place("1-14-16 Nankokita", "大阪市", "559-0034", "JP", "Osaka"),
        ),
        Customer(
            "straits-bunker",
            "Straits Bunker Agency Pte. Ltd.",
            "finance@straitsbunker.example",
            "Asia/Singapore",
            Place("30 Pasir Panjang Road", "Singapore", "117440", "SG"),
        ),
    )
}
