"""Invoices of the companies in Boston, Montréal and Yokohama."""

from local.sample_data.builder import build
from local.sample_data.drafts import Group, Invoice, Line, Period, Tax, Usage
from local.sample_data.identity import Json

TEXAS = Tax("Sales tax, Texas and Houston", "8.25")
SEATTLE = Tax("Sales tax, Washington and Seattle", "10.35")
GST = Tax("GST/TPS", "5")
QST = Tax("QST/TVQ", "9.975")
GST_AND_PST = Tax("GST and PST", "12", rates=(("GST", "5"), ("PST (BC)", "7")))
CONSUMPTION_TAX = Tax("消費税", "10")

# New York and Toronto leave summer time on 1 November 2026 at two in the morning: the month begins at 04:00Z.
OCTOBER = ("2026-10-01T04:00:00Z", "2026-11-01T04:00:00Z")
NOVEMBER = ("2026-11-01T04:00:00Z", "2026-12-01T05:00:00Z")
TOKYO_OCTOBER = ("2026-09-30T15:00:00Z", "2026-10-31T15:00:00Z")
TOKYO_NOVEMBER = ("2026-10-31T15:00:00Z", "2026-11-30T15:00:00Z")

LONG_NOTE = (
    "Your pilots may use Harbour Planner on every station they serve, on shore and on board. Seats are"
    " counted on the first day of the month at eight in the morning, Seattle time; a seat that is added"
    " later in the month is invoiced with the next one, a seat that is taken away is not refunded."
    " Questions about the count go to your account manager, together with the names of the pilots"
    " concerned; questions about this invoice go to billing@tideway.example with the invoice number in"
    " the subject. Invoices that are not disputed within fifteen days count as accepted. Please pay by"
    " ACH to the account below and not by cheque: cheques that reach our Boston office are sent back by"
    " ordinary mail, which takes two weeks. Thank you for sailing with us – see you at the Pilots’ Day"
    " on 4 December, where the new tide tables will be shown for the first time."
)


def invoices() -> list[Json]:
    """Return the invoices."""
    return [build(invoice) for invoice in (*_united_states(), *_canada(), _japan())]


def _united_states() -> tuple[Invoice, ...]:
    planner = Group((Line("Harbour Planner, terminal", "1299.00", (TEXAS,)),), "harbour-planner")
    calls = Group(
        (
            Line(
                "Positions, Gulf of Mexico",
                "308.40",
                (TEXAS,),
                model="USAGE_BASED",
                pricing="PER_UNIT",
                usage=Usage("calls", "15420", "0.02"),
            ),
        ),
        "vessel-tracking",
    )
    seats = Group(
        (
            Line(
                "Seats, in advance",
                "1800.00",
                (SEATTLE,),
                model="PER_SEAT",
                pricing="PER_SEAT",
                usage=Usage("seats", "40", "45.00"),
            ),
        ),
        "berth-seats",
    )
    return (
        Invoice(
            "us-sales-tax",
            "bayou-bend",
            "tideway-us",
            "USD",
            "2026-11-01T04:00:00Z",
            "2026-11-15T05:00:00Z",
            "America/New_York",
            (Period((calls,), *OCTOBER), Period((planner,), *NOVEMBER)),
            country="US",
            extra={"sales_tax_percentage": "8.25"},
        ),
        Invoice(
            "long-note",
            "salish-narrows",
            "tideway-us",
            "USD",
            "2026-11-01T04:00:00Z",
            "2026-12-01T05:00:00Z",
            "America/New_York",
            (Period((seats,), *NOVEMBER),),
            notes=(LONG_NOTE, "Station code: SEA-4", "Remit to: Tideway Software Inc., Boston"),
            country="US",
            extra={"sales_tax_percentage": "10.35"},
        ),
    )


def _canada() -> tuple[Invoice, ...]:
    planner = Group((Line("Harbour Planner, port fluvial", "1249.50", (GST, QST)),), "harbour-planner")
    tugs = Group((Line("Harbour Planner, tugs", "860.00", (GST_AND_PST,)),), "harbour-planner")
    return (
        Invoice(
            "gst-and-qst",
            "armement-du-fleuve",
            "tideway-ca",
            "CAD",
            "2026-11-01T04:00:00Z",
            "2026-12-01T05:00:00Z",
            "America/Toronto",
            (Period((planner,), *NOVEMBER),),
            notes=("TPS 123456789 RT0001, TVQ 1234567890 TQ0001",),
            country="CA",
        ),
        Invoice(
            "gst-with-pst",
            "georgia-strait",
            "tideway-ca",
            "CAD",
            "2026-11-01T04:00:00Z",
            "2026-12-01T05:00:00Z",
            "America/Toronto",
            (Period((tugs,), *NOVEMBER),),
            country="CA",
        ),
    )


def _japan() -> Invoice:
    planner = Group((Line("Harbour Planner, コンテナ埠頭", "80000", (CONSUMPTION_TAX,)),), "harbour-planner")
    calls = Group(
        (
            Line(
                "Positions, Osaka Bay",
                "18765",
                (CONSUMPTION_TAX,),
                model="USAGE_BASED",
                pricing="PER_UNIT",
                usage=Usage("calls", "12510", "1.5"),
            ),
        ),
        "vessel-tracking",
    )
    return Invoice(
        "yen",
        "osaka-bay",
        "tideway-jp",
        "JPY",
        "2026-10-31T15:00:00Z",
        "2026-11-29T15:00:00Z",
        "Asia/Tokyo",
        (Period((calls,), *TOKYO_OCTOBER), Period((planner,), *TOKYO_NOVEMBER)),
        country="JP",
    )
