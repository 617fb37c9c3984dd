"""Invoices of Tideway Software B.V. in Rotterdam, in euros and once in dollars."""

from local.sample_data.builder import build
from local.sample_data.drafts import Group, Invoice, Line, Period, Tax, Usage
from local.sample_data.identity import Json

BTW = Tax("BTW", "21")
BTW_LOW = Tax("BTW laag", "9")
REVERSE_CHARGE = Tax(
    "BTW verlegd",
    "0",
    category="NO_TAX",
    notes=("VAT reverse-charged to the recipient, article 196 of Directive 2006/112/EC",),
)
OUTSIDE_EU = Tax("Export of services", "0", category="NO_TAX")

# Amsterdam leaves summer time on 25 October 2026: the month begins at 22:00Z and ends at 23:00Z.
OCTOBER = ("2026-09-30T22:00:00Z", "2026-10-31T23:00:00Z")
NOVEMBER = ("2026-10-31T23:00:00Z", "2026-11-30T23:00:00Z")
HALFWAY_OCTOBER = "2026-10-11T12:17:21Z"


def invoices() -> list[Json]:
    """Return the invoices, the one with the figures of the real sample first."""
    return [build(invoice) for invoice in (*_at_home(), *_within_the_eu(), *_overseas())]


def _dutch(name: str, customer: str, periods: tuple[Period, ...], **options: object) -> Invoice:
    values: Json = {
        "entity": "tideway-nl",
        "currency": "EUR",
        "date": "2026-10-31T23:00:00Z",
        "due": "2026-11-14T23:00:00Z",
        "timezone": "Europe/Amsterdam",
        "country": "NL",
    }
    return Invoice(name=name, customer=customer, periods=periods, **(values | options))


def _first() -> Invoice:
    """Return the figures and structure of the real sample: no taxes on groups, no links embedded."""
    recurring = Group(
        (
            Line("Harbour Planner, small port", "75.00", (BTW,)),
            Line("Berth desk, day and night", "500.00", (BTW,)),
        ),
        "harbour-planner",
        own_taxes=False,
    )
    installation = Group(
        (Line("Installation on site", "5000.00", (BTW,), model="ONE_OFF", pricing="FLAT"),),
        "onboarding",
        own_taxes=False,
    )
    return _dutch(
        "first",
        "maasvlakte-quay",
        (
            Period((recurring,), HALFWAY_OCTOBER, "2026-11-01T00:00:00Z"),
            Period((installation,), HALFWAY_OCTOBER, HALFWAY_OCTOBER),
        ),
        date="2026-11-01T00:00:00Z",
        due="2026-11-15T00:00:00Z",
        timezone="UTC",
        notes=("Welcome aboard.",),
        embedded_links=False,
    )


def _usage_tiers() -> Invoice:
    calls = Group(
        (
            Line(
                "Positions, first million",
                "400.00",
                (BTW,),
                model="USAGE_BASED",
                pricing="TIERED",
                usage=Usage("calls", "1000000", "0.0004", "0", "1000000"),
            ),
            Line(
                "Positions, beyond a million",
                "75.00",
                (BTW,),
                model="USAGE_BASED",
                pricing="TIERED",
                usage=Usage("calls", "250000", "0.0003", "1000000"),
            ),
        ),
        "vessel-tracking",
    )
    seats = Group(
        (
            Line(
                "Seats, in advance",
                "812.50",
                (BTW,),
                model="PER_SEAT",
                pricing="PER_SEAT",
                usage=Usage("seats", "25", "32.50"),
            ),
        ),
        "berth-seats",
    )
    return _dutch("usage-tiers", "maasvlakte-quay", (Period((calls,), *OCTOBER), Period((seats,), *NOVEMBER)))


def _at_home() -> tuple[Invoice, ...]:
    planner = Group((Line("Harbour Planner, medium port", "1200.00", (BTW,)),), "harbour-planner")
    support = Group((Line("Premium Support", "300.00", (BTW,)),), "premium-support", linked=False)
    discount = Group(
        (Line("Ten percent off for a year", "-150.00", (BTW,), pricing="PERCENTAGE", type="DISCOUNT"),),
        description="Introductory discount",
    )
    marina = Group((Line("Harbour Planner, marina edition", "240.00", (BTW,)),), "harbour-planner")
    handbook = Group(
        (Line("Pilot Handbook 2027", "59.50", (BTW_LOW,), model="ONE_OFF", pricing="FLAT"),), "pilot-handbook"
    )
    course = Group(
        (
            Line("Handbook course, online", "450.00", (BTW,), model="ONE_OFF", pricing="FLAT"),
            Line("Handbook course, the book", "49.95", (BTW_LOW,), model="ONE_OFF", pricing="FLAT"),
        ),
        "pilot-handbook",
        description="Handbook course",
    )
    seats = Group(
        (
            Line(
                "Seats, in advance",
                "640.00",
                (BTW,),
                model="PER_SEAT",
                pricing="PER_SEAT",
                usage=Usage("seats", "16", "40.00"),
            ),
        ),
        "berth-seats",
    )
    return (
        _first(),
        _usage_tiers(),
        _workshop(),
        _dutch("discount", "waddenveer", (Period((planner, support, discount), *NOVEMBER),)),
        _dutch("two-rates", "marina-de-boer", (Period((marina, handbook), *NOVEMBER),)),
        _dutch("split-group", "waddenveer", (Period((course,), HALFWAY_OCTOBER, HALFWAY_OCTOBER),)),
        _unrounded(),
        _dutch("new-customer", "zeeland-offshore", (Period((seats,), *NOVEMBER),)),
    )


def _workshop() -> Invoice:
    days = Group(
        (Line("Training in Vlissingen, two days", "3700.00", (BTW,), model="ONE_OFF", pricing="FLAT"),),
        "onboarding",
    )
    travel = Group(
        (Line("Travel and lodging", "184.60", (BTW,), type="ONE_OFF"),), description="Travel and lodging"
    )
    return _dutch(
        "one-off-order",
        "scheldemond",
        (Period((days, travel)),),
        type="ONE_OFF",
        date="2026-10-16T09:30:00Z",
        due="2026-11-15T09:30:00Z",
        extra={"purchase_order_number": "PO-2026-00417"},
    )


def _unrounded() -> Invoice:
    positions = Group(
        (
            Line(
                "Positions",
                "118.264",
                (BTW,),
                model="USAGE_BASED",
                pricing="PER_UNIT",
                usage=Usage("calls", "29566", "0.004"),
            ),
        ),
        "vessel-tracking",
    )
    arrivals = Group(
        (
            Line(
                "Arrival times",
                "41.909",
                (BTW,),
                model="USAGE_BASED",
                pricing="PER_UNIT",
                usage=Usage("calls", "5987", "0.007"),
            ),
        ),
        "vessel-tracking",
    )
    return _dutch("unrounded", "waddenveer", (Period((positions, arrivals), *OCTOBER),))


def _within_the_eu() -> tuple[Invoice, ...]:
    year = Group(
        (Line("Harbour Planner, large port, a year", "14400.00", (REVERSE_CHARGE,)),), "harbour-planner"
    )
    calls = Group(
        (
            Line(
                "Positions",
                "310.20",
                (REVERSE_CHARGE,),
                model="USAGE_BASED",
                pricing="PER_UNIT",
                usage=Usage("calls", "20680", "0.015"),
            ),
        ),
        "vessel-tracking",
    )
    commitment = Group(
        (
            Line(
                "Minimum of 500.00 a month, remainder",
                "189.80",
                (REVERSE_CHARGE,),
                pricing="MINIMUM",
                type="COMMITMENT",
            ),
        ),
        description="Monthly commitment",
    )
    return (
        _dutch(
            "reverse-charge",
            "hansekontor",
            (Period((year,), "2026-10-14T22:00:00Z", "2027-10-14T22:00:00Z"),),
            date="2026-10-14T22:00:00Z",
            due="2026-11-13T23:00:00Z",
        ),
        _dutch("commitment", "hansekontor", (Period((calls, commitment), *OCTOBER),)),
    )


def _overseas() -> tuple[Invoice, ...]:
    calls = Group(
        (
            Line(
                "Positions, Strait of Malacca",
                "1102.50",
                model="USAGE_BASED",
                pricing="PER_UNIT",
                usage=Usage("calls", "88200", "0.0125"),
            ),
        ),
        "vessel-tracking",
    )
    remote = Group(
        (Line("Remote installation", "2500.00", (OUTSIDE_EU,), model="ONE_OFF", pricing="FLAT"),),
        "onboarding",
    )
    rate: Json = {
        "currency": "EUR",
        "base_currency": "USD",
        "rate": "0.9174",
        "rate_timestamp": "2026-11-02T00:00:00Z",
        "source": "ECB",
    }
    return (
        _dutch(
            "untaxed",
            "straits-bunker",
            (Period((calls,), OCTOBER[0], "2026-10-31T22:59:59Z"),),
            country=None,
        ),
        _dutch(
            "exchange-rate",
            "straits-bunker",
            (Period((remote,), "2026-11-02T03:00:00Z", "2026-11-02T03:00:00Z"),),
            currency="USD",
            date="2026-11-02T03:00:00Z",
            due="2026-12-02T03:00:00Z",
            extra={"used_exchange_rates": [rate]},
        ),
    )
