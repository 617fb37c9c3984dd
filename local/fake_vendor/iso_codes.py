"""ISO 3166-1 countries and ISO 4217 currencies, from the libraries that keep the lists."""

import pycountry
from iso4217 import Currency

ISO_COUNTRIES = frozenset(country.alpha_2 for country in pycountry.countries)

ISO_CURRENCIES = frozenset(currency.code for currency in Currency)

MINOR_UNITS: dict[str, int] = {
    currency.code: currency.exponent for currency in Currency if currency.exponent is not None
}
"""Decimals by currency; precious metals and units of account, such as XAU and XDR, have none."""
