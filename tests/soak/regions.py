"""Where the company's customers are, and what their invoices look like."""

from collections.abc import Mapping
from dataclasses import dataclass

from local.sample_data.drafts import Tax
from local.sample_data.parties import Place

BTW, BTW_LOW = Tax("BTW", "21"), Tax("BTW laag", "9")
REVERSED = Tax("BTW verlegd", "0", category="NO_TAX")
EXPORT = Tax("Export of services", "0", category="NO_TAX")
TEXAS = Tax("Sales tax, Texas and Houston", "8.25")
GST, QST = Tax("GST/TPS", "5"), Tax("QST/TVQ", "9.975")
GST_AND_PST = Tax("GST and PST", "12", rates=(("GST", "5"), ("PST (BC)", "7")))
CONSUMPTION = Tax("消費税", "10")


@dataclass(frozen=True)
class Region:
    """Where a customer is, and what its invoices look like; `like` is a customer of the demo's world."""

    like: str
    entity: str
    currency: str
    timezone: str
    country: str | None
    place: Place
    taxes: tuple[Tax, ...]
    low: Tax


_ROTTERDAM = Place("Havenweg 1", "Rotterdam", "3011 XD", "NL", "Zuid-Holland")
_HAMBURG = Place("Am Sandtorkai 4", "Hamburg", "20457", "DE", "HH")
_SINGAPORE = Place("30 Pasir Panjang Road", "Singapore", "117440", "SG")
_HOUSTON = Place("1500 Clinton Drive", "Houston", "77020", "US", "TX")
_QUEBEC = Place("84, rue Dalhousie", "Québec", "G1K 8M5", "CA", "QC")
_OSAKA = Place("1-14-16 Nankokita", "Osaka", "559-0034", "JP", "Osaka")

REGIONS: Mapping[str, Region] = {
    "nl": Region("waddenveer", "tideway-nl", "EUR", "Europe/Amsterdam", "NL", _ROTTERDAM, (BTW,), BTW_LOW),
    "de": Region(
        "hansekontor", "tideway-nl", "EUR", "Europe/Amsterdam", "NL", _HAMBURG, (REVERSED,), REVERSED
    ),
    "sg": Region(
        "straits-bunker", "tideway-nl", "USD", "Europe/Amsterdam", "NL", _SINGAPORE, (EXPORT,), EXPORT
    ),
    "us": Region("bayou-bend", "tideway-us", "USD", "America/New_York", "US", _HOUSTON, (TEXAS,), TEXAS),
    "ca": Region(
        "armement-du-fleuve", "tideway-ca", "CAD", "America/Toronto", "CA", _QUEBEC, (GST, QST), GST_AND_PST
    ),
    "jp": Region("osaka-bay", "tideway-jp", "JPY", "Asia/Tokyo", "JP", _OSAKA, (CONSUMPTION,), CONSUMPTION),
}
_SHARES = ("nl",) * 10 + ("de",) * 2 + ("sg",) + ("us",) * 4 + ("ca",) * 2 + ("jp",)


def region_of(customer: int) -> str:
    """Return the region of a customer of the first day."""
    return _SHARES[customer % len(_SHARES)]
