"""Credits worth showing, with their figures worked out by hand and not by a program.

Each is what `fake_solvimon.Platform.credit` makes of the invoice and the net amount; without an amount it is
the whole invoice. Figures are what the customer gets, so positive whatever the sign of the credit note.
"""

_CREDITS = {
    "usage-tiers": (None, "1287.50", "270.38", "1557.88", "EUR", "a whole invoice, to the cent"),
    "reverse-charge": ("1200.00", "1200.00", "0.00", "1200.00", "EUR", "one month of a year, without VAT"),
    "long-note": ("450.00", "450.00", "46.58", "496.58", "USD", "ten of forty seats, with US sales tax"),
    "gst-with-pst": ("430.00", "430.00", "51.60", "481.60", "CAD", "half, with stacked taxes"),
    "yen": (None, "98765", "9877", "108642", "JPY", "a currency without decimals"),
}


def credits_to_expect() -> dict[str, dict[str, str | None]]:
    """Return amount, net, tax, gross, currency and feature of each credit, by the name of its invoice."""
    return {
        name: {
            "amount": amount,
            "net": net,
            "tax": tax,
            "gross": gross,
            "currency": currency,
            "feature": feature,
        }
        for name, (amount, net, tax, gross, currency, feature) in _CREDITS.items()
    }
