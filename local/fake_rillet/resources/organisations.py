"""The organisation itself and its master data: subsidiaries, books, tax rates, accounts, fields."""

from flask import Blueprint

from local.fake_rillet import listing
from local.fake_rillet.context import caller, organisation
from local.fake_rillet.problems import Problem
from local.fake_rillet.store import Collection, Json

_TREASURY_BANK_ACCOUNT = (
    *("id", "name", "currency", "bank_name", "subsidiary_id", "account_code", "mask", "status"),
    "transactions_start_date",
)
"""What the treasury shows of a bank account (`BankAccount`)."""

blueprint = Blueprint("organisations", __name__)


@blueprint.get("/health")
def health() -> Json:
    """Answer that the process is running."""
    return {"status": "UP"}


@blueprint.get("/api-key")
def api_key() -> Json:
    """Confirm the key or token; Rillet gives this answer no schema."""
    return {
        "organization_id": organisation().id,
        "organization_name": organisation().document["trade_name"],
        "read_only": "write" not in caller().rights,
    }


@blueprint.get("/organizations/self")
def retrieve_organisation() -> Json:
    """Return the organisation of the key."""
    return organisation().document


@blueprint.get("/subsidiaries")
def list_subsidiaries() -> Json:
    """List all subsidiaries, unpaginated."""
    return {"subsidiaries": organisation().subsidiaries.documents()}


@blueprint.get("/subsidiaries/<subsidiary_id>")
def retrieve_subsidiary(subsidiary_id: str) -> Json:
    """Return one subsidiary."""
    return organisation().subsidiaries.get(subsidiary_id).document


@blueprint.get("/books/periods/last-closed")
def last_closed_period() -> Json:
    """Return the closed period that ends last; 404 is the normal answer while none was ever closed."""
    periods: list[Json] = organisation().closed_periods
    if not periods:
        raise Problem(404, "No period has ever been closed")
    return max(periods, key=lambda period: str(period["end"]))


@blueprint.get("/tax-rates")
def list_tax_rates() -> Json:
    """List the tax rates, of one country if given, unpaginated."""
    country = listing.text("country")
    rates = organisation().tax_rates.documents()
    return {"tax_rates": [rate for rate in rates if country in (None, rate["country"])]}


@blueprint.get("/accounts")
def list_accounts() -> Json:
    """List the chart of accounts, unpaginated."""
    return {"accounts": _updated(organisation().accounts)}


@blueprint.get("/bank-accounts")
def list_bank_accounts() -> Json:
    """List the bank accounts that are tied to the chart, of one subsidiary if given, unpaginated."""
    subsidiary_id = listing.uuid("subsidiary_id")
    linked = organisation().linked_accounts
    chosen = [account for account in linked if subsidiary_id in (None, account.get("subsidiary_id"))]
    return {
        "accounts": [{name: one[name] for name in _TREASURY_BANK_ACCOUNT if name in one} for one in chosen]
    }


@blueprint.get("/fields")
def list_fields() -> Json:
    """List the custom fields, unpaginated."""
    return {"fields": _updated(organisation().custom_fields)}


def _updated(collection: Collection) -> list[Json]:
    since = listing.timestamp("updated.gt")
    return [record.document for record in collection if since is None or record.updated > since]
