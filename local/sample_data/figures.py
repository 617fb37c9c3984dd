"""The figures of the demo's invoices, worked out by hand and not by the builder.

Header figures, so with the currency's own decimals. Per name: net, tax, gross, currency, what it shows.
"""

from local.sample_data.identity import solvimon_id

_FIGURES = {
    "first": ("5575.00", "1170.75", "6745.75", "EUR", "the real sample's figures: two periods, a one-off"),
    "usage-tiers": (
        "1287.50",
        "270.38",
        "1557.88",
        "EUR",
        "usage in tiers, seats in advance, Dutch midnights",
    ),
    "one-off-order": (
        "3884.60",
        "815.77",
        "4700.37",
        "EUR",
        "ONE_OFF with a PO number, no dates, no product",
    ),
    "discount": (
        "1350.00",
        "283.50",
        "1633.50",
        "EUR",
        "a negative group without product; product to look up",
    ),
    "two-rates": ("299.50", "55.76", "355.26", "EUR", "two tax rates on one invoice, to a person"),
    "split-group": ("499.95", "99.00", "598.95", "EUR", "one group split over two tax categories"),
    "unrounded": ("160.17", "33.64", "193.81", "EUR", "usage with more decimals than the currency has"),
    "new-customer": ("640.00", "134.40", "774.40", "EUR", "a customer that Rillet does not know yet"),
    "reverse-charge": (
        "14400.00",
        "0.00",
        "14400.00",
        "EUR",
        "VAT reverse-charged, a year that crosses months",
    ),
    "commitment": ("500.00", "0.00", "500.00", "EUR", "a minimum commitment without product"),
    "untaxed": ("1102.50", "0.00", "1102.50", "EUR", "no tax categories at all, a period to 23:59:59"),
    "exchange-rate": ("2500.00", "0.00", "2500.00", "USD", "dollars from a euro company, with the rate"),
    "us-sales-tax": ("1607.40", "132.61", "1740.01", "USD", "US sales tax, usage and a month in advance"),
    "long-note": ("1800.00", "186.30", "1986.30", "USD", "a long note among several"),
    "gst-and-qst": ("1249.50", "187.12", "1436.62", "CAD", "two taxes on the same base, as two categories"),
    "gst-with-pst": ("860.00", "103.20", "963.20", "CAD", "two taxes stacked in one category's rates"),
    "yen": ("98765", "9877", "108642", "JPY", "a currency without decimals"),
}


def expected() -> dict[str, dict[str, str]]:
    """Return net, tax, gross, currency, name and feature of every demo invoice, by its Solvimon id."""
    return {
        solvimon_id("invo", name): {
            "net": net,
            "tax": tax,
            "gross": gross,
            "currency": currency,
            "name": name,
            "feature": feature,
        }
        for name, (net, tax, gross, currency, feature) in _FIGURES.items()
    }
