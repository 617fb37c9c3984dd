"""Filling an organisation from plain dicts, with harmless defaults for what the dict leaves out."""

from copy import deepcopy

from local.fake_rillet.organisation import Organisation
from local.fake_rillet.store import Json

REVENUE_ACCOUNT = "40000"

CASH_ACCOUNT = "10000"

_CHART = (
    ("11000", "Accounts receivable", "ASSET", "Accounts receivable"),
    ("25000", "Deferred revenue", "LIABILITY", "Deferred revenue"),
    (REVENUE_ACCOUNT, "Revenue", "INCOME", "Revenue"),
)
_TAX_RATES = (
    ("NL_STANDARD", "NL", "Standard Rate", "21.0000"),
    ("DE_STANDARD", "DE", "Standard Rate", "19.0000"),
    ("IE_STANDARD", "IE", "Standard Rate", "23.0000"),
)


def add_seed(organisation: Organisation, seed: Json) -> None:
    """Add the objects of a seed to an organisation.

    Args:
        organisation: where they go.
        seed: lists under "subsidiaries", "products", "customers", "external_reference_types", "accounts",
            "tax_rates", "fields", "bank_accounts" and "closed_periods"; all optional.
    """
    defaults: dict[str, Json] = {
        "subsidiaries": _own_terms(organisation) | {"type": "LEGAL_ENTITY"},
        "products": _product_defaults(organisation),
        "customers": {"send_invoices_automatically": False, "send_payment_reminders": False},
        "bank_accounts": {},
        "custom_fields": {"values": []},
        "accounts": {},
        "tax_rates": {},
    }
    for collection, default in defaults.items():
        for row in seed.get("fields" if collection == "custom_fields" else collection, ()):
            getattr(organisation, collection).add(deepcopy(default) | row)
    for reference_type in seed.get("external_reference_types", ()):
        _register(organisation, reference_type)
    for period in seed.get("closed_periods", ()):
        organisation.close_period(**period)


def add_defaults(organisation: Organisation) -> None:
    """Give an organisation what none is without: a subsidiary, accounts, a bank account and tax rates."""
    if not len(organisation.subsidiaries):
        organisation.subsidiaries.add(_own_terms(organisation) | {"type": "LEGAL_ENTITY"})
    if not len(organisation.accounts):
        for row in _CHART:
            organisation.accounts.add(_account(*row))
    if not organisation.linked_accounts:
        organisation.accounts.add(_account(CASH_ACCOUNT, "Operating account", "ASSET", "Bank"))
        organisation.bank_accounts.add(
            {
                "name": "Operating account",
                "currency": organisation.currency,
                "bank_name": "Bank",
                "account_code": CASH_ACCOUNT,
                "status": "ACTIVE",
            }
        )
    if not len(organisation.tax_rates):
        for code, country, description, percentage in _TAX_RATES:
            organisation.tax_rates.add(
                {"code": code, "country": country, "description": description, "percentage": percentage}
            )


def _own_terms(organisation: Organisation) -> Json:
    return {name: organisation.document[name] for name in ("currency", "timezone", "trade_name")}


def _product_defaults(organisation: Organisation) -> Json:
    return {
        "description": "",
        "price": {"type": "ONE_TIME", "amount": {"amount": "0.00", "currency": organisation.currency}},
        "include_in_arr_mrr": False,
        "revenue_pattern": "DAILY",
        "status": "ACTIVE",
        "account_code": REVENUE_ACCOUNT,
    }


def _register(organisation: Organisation, reference_type: str | Json) -> None:
    if isinstance(reference_type, str):
        organisation.register_reference_type(reference_type)
        return
    options = {name: value for name, value in reference_type.items() if name != "type"}
    organisation.register_reference_type(reference_type["type"], **options)


def _account(code: str, name: str, kind: str, subtype: str) -> Json:
    return {
        "code": code,
        "name": name,
        "type": kind,
        "subtype": subtype,
        "status": "ACTIVE",
        "intercompany": False,
    }
