"""The simulated company: Tideway with hundreds of customers, and invoices of every shape it writes.

The rows of the regions in which its customers are stand in `regions.yaml`.
"""

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random

import yaml

from local import sample_data
from local.demo.new_customers import TRADES, UNLINKED_PRODUCT, WORDS
from local.sample_data.builder import build
from local.sample_data.drafts import DraftLine, Group, Invoice, Period, Tax, Usage, read_tax
from local.sample_data.identity import Json, rillet_id, solvimon_id
from local.sample_data.world import Customer, Place, Product


@dataclass(frozen=True)
class Region:
    """One row of the file."""

    share: int
    like: str
    entity: str
    currency: str
    timezone: str
    country: str
    place: Place
    taxes: tuple[Tax, ...]
    low: Tax


def _region(row: Json) -> Region:
    taxes = tuple(map(read_tax, row["taxes"]))
    return Region(**row | {"place": Place(**row["place"]), "taxes": taxes, "low": read_tax(row["low"])})


_ROWS = yaml.safe_load(Path(__file__).with_name("regions.yaml").read_text(encoding="utf-8"))
REGIONS: Mapping[str, Region] = {name: _region(row) for name, row in _ROWS.items()}
_SHARES = [name for name, region in REGIONS.items() for _ in range(region.share)]


def region_of(customer: int) -> str:
    """Return the region of a customer of the first day."""
    return _SHARES[customer % len(_SHARES)]


def initial_name(customer: int) -> str:
    """Return the legal name that a customer has on the first day."""
    number, word = divmod(customer, len(WORDS))
    return f"{WORDS[word]} {TRADES[number % len(TRADES)]} {customer + 1}"


def customer(number: int, *, in_rillet: bool) -> Customer:
    """Return a customer as both sides know it, or as Solvimon alone does."""
    region = REGIONS[region_of(number)]
    mail = f"books-{number}@customer.example"
    return Customer(
        f"soak-{number}", initial_name(number), mail, region.timezone, region.place, in_rillet=in_rillet
    )


ROLES = ("erased", "archived", "never billed", "merged", "linked again")
"""What becomes of a customer: each week has one for each, beside those that the company bills every day."""


def customer_with_role(customers: int, role: str, week: int) -> int:
    """Return the number of the customer that has a role in a week."""
    return customers + week * len(ROLES) + ROLES.index(role)


def is_in_rillet(number: int, customers: int) -> bool:
    """Tell whether Rillet has a customer on the first day."""
    if number < customers:
        return number % 15 != 14
    return ROLES[(number - customers) % len(ROLES)] != "never billed"


def entered_customer(number: int) -> Json:
    """Return a customer that Rillet's people enter and an import brings to Solvimon."""
    made = Customer(
        f"soak-newcomer-{number}",
        f"Newcomer Lines {number + 1} B.V.",
        f"newcomer-{number}@customer.example",
        "Europe/Amsterdam",
        REGIONS["nl"].place,
    )
    return {name: value for name, value in made.rillet().items() if name != "updated_at"}


def entered_product(number: int) -> Json:
    """Return a product that Rillet's people enter and an import brings to Solvimon."""
    made = Product(
        f"soak-product-{number}",
        f"Tide Tables, volume {number + 1}",
        "Printed once a year",
        "print",
        "40400",
        {"type": "ONE_TIME", "amount": {"amount": "24.00", "currency": "EUR"}},
    )
    return made.rillet()


def solvimon_seed(customers: int, weeks: int) -> dict[str, list[Json]]:
    """Return Solvimon's side on the first day: no invoice, and a product that nobody has linked."""
    seed = sample_data.solvimon_seed()
    products = [relinked_product(0).solvimon(), UNLINKED_PRODUCT.solvimon(with_link=False)]
    return seed | {
        "invoices": [],
        "customers": [one.solvimon() for one in _customers(customers, weeks)],
        "products": [*seed["products"], *products],
    }


def rillet_seed(customers: int, weeks: int) -> Json:
    """Return Rillet's side on the first day."""
    seed = sample_data.rillet_seed()
    made = [one.rillet() for one in _customers(customers, weeks) if one.in_rillet]
    return seed | {"customers": made, "products": [*seed["products"], relinked_product(0).rillet()]}


def _customers(customers: int, weeks: int) -> list[Customer]:
    numbers = range(customers + weeks * len(ROLES))
    return [customer(number, in_rillet=is_in_rillet(number, customers)) for number in numbers]


def relinked_product(version: int) -> Product:
    """Return a product whose link is corrected now and then, as the Rillet product of one of its links."""
    return Product(
        f"soak-relinked-{version}",
        f"Night Watch {version + 1}",
        "Somebody is awake",
        "port-software",
        "40120",
        {"type": "FIXED_RECURRING", "amount": {"amount": "90.00", "currency": "EUR"}, "interval_months": 1},
    )


def draft_invoice(
    name: str, region: Region, shape: str, rng: Random, moment: float, who: Json, product: Json | None = None
) -> Json:
    """Return a draft.

    Args:
        name: makes its id.
        region: of the customer.
        shape: one of `SHAPES`.
        rng: chooses the amounts.
        moment: its date, in Unix seconds.
        who: the customer, as Solvimon has it now.
        product: stands in for the product of every group.
    """
    begin, end = timestamp(moment), timestamp(moment + timedelta(days=30).total_seconds())
    groups = SHAPES[shape](_Amounts(rng, region.currency), region)
    draft = build(
        Invoice(
            name=name,
            customer=region.like,
            entity=region.entity,
            currency=region.currency,
            date=begin,
            due=end,
            timezone=region.timezone,
            periods=(Period(groups, begin, end),),
            notes=("Thank you for sailing with us.",),
            country=region.country,
            extra={"used_exchange_rates": [_rate(begin)]} if region is REGIONS["sg"] else {},
        )
    )
    draft |= {"customer_id": who["id"], "customer": deepcopy(who)}
    for group in (group for period in draft["periods"] for group in period["groups"]):
        if product and group["products"]:
            group["products"] = [deepcopy(product)]
            for item in (item for line in group["lines"] for item in line.get("product_items", ())):
                item["product_id"] = product["id"]
    return draft


def _rate(begin: str) -> Json:
    rate = {"currency": "EUR", "base_currency": "USD", "rate": "0.9174"}
    return rate | {"rate_timestamp": begin, "source": "ECB"}


def timestamp(moment: float) -> str:
    """Return a time in Unix seconds as Solvimon writes it."""
    return datetime.fromtimestamp(int(moment), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class _Amounts:
    """Draws net amounts in a currency."""

    def __init__(self, rng: Random, currency: str) -> None:
        self._rng = rng
        self._decimals, self._size = (0, 100) if currency == "JPY" else (2, 1)

    def net(self, least: int = 40, most: int = 4000, *, finer: int = 0) -> str:
        """Return an amount; `finer` gives it so many more decimals than the currency has."""
        places = self._decimals + finer
        drawn = self._rng.randint(least * self._size * 10**places, most * self._size * 10**places)
        return str(Decimal(drawn).scaleb(-places))

    def share(self, of: str) -> str:
        """Return a tenth of an amount, as a reduction."""
        return str(-(Decimal(of) / 10).quantize(Decimal(1).scaleb(-self._decimals)))


def _plain(draw: _Amounts, region: Region) -> tuple[Group, ...]:
    return (Group((DraftLine("Harbour Planner", draw.net(), region.taxes),), "harbour-planner"),)


def _several(draw: _Amounts, region: Region) -> tuple[Group, ...]:
    seats = Usage("seats", "16", "40.00")
    line = DraftLine(
        "Seats, in advance", draw.net(), region.taxes, model="PER_SEAT", pricing="PER_SEAT", usage=seats
    )
    support = Group((DraftLine("Premium Support", draw.net(20, 400), region.taxes),), "premium-support")
    return (*_plain(draw, region), Group((line,), "berth-seats"), support)


def _usage(draw: _Amounts, region: Region) -> tuple[Group, ...]:
    lines = tuple(
        DraftLine(
            f"Positions, sector {number}",
            draw.net(1, 900, finer=2),
            region.taxes,
            model="USAGE_BASED",
            pricing="PER_UNIT",
            usage=Usage("calls", "29566", "0.004"),
        )
        for number in range(3)
    )
    return (Group(lines, "vessel-tracking"),)


def _discount(draw: _Amounts, region: Region) -> tuple[Group, ...]:
    net = draw.net()
    planner = Group((DraftLine("Harbour Planner", net, region.taxes),), "harbour-planner")
    less = DraftLine("Ten percent off", draw.share(net), region.taxes, pricing="PERCENTAGE", type="DISCOUNT")
    return (planner, Group((less,), description="Introductory discount"))


def _two_rates(draw: _Amounts, region: Region) -> tuple[Group, ...]:
    course = DraftLine("Handbook course, online", draw.net(), region.taxes, model="ONE_OFF", pricing="FLAT")
    low = region.taxes if region.low in region.taxes else (region.low,)
    book = DraftLine("Handbook course, the book", draw.net(10, 90), low, model="ONE_OFF", pricing="FLAT")
    return (Group((course, book), "pilot-handbook", description="Handbook course"),)


def _one_off(draw: _Amounts, region: Region) -> tuple[Group, ...]:
    days = DraftLine("Training, two days", draw.net(), region.taxes, model="ONE_OFF", pricing="FLAT")
    travel = DraftLine("Travel and lodging", draw.net(10, 300), region.taxes, type="ONE_OFF")
    return (Group((days,), "onboarding"), Group((travel,), description="Travel and lodging"))


SHAPES: Mapping[str, Callable[[_Amounts, Region], tuple[Group, ...]]] = {
    "plain": _plain,
    "several": _several,
    "usage": _usage,
    "discount": _discount,
    "two-rates": _two_rates,
    "one-off": _one_off,
}


def customer_id(number: int) -> str:
    """Return Solvimon's id of a customer of the first day."""
    return solvimon_id("cust", f"soak-{number}")


def entered_customer_id(number: int) -> str:
    """Return Rillet's id of a customer that was entered there."""
    return rillet_id("customer", f"soak-newcomer-{number}")
