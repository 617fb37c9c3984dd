"""Bank accounts, which Rillet shows in two shapes: on invoices, and in its treasury."""

from local.fake_rillet.books import Books
from local.fake_rillet.store import Json

_ON_INVOICES = (
    *("id", "ach_account", "ach_routing", "bank_name", "bank_address", "swift_code"),
    "payment_instructions",
)
_IN_TREASURY = (
    *("id", "name", "currency", "bank_name", "subsidiary_id", "account_code", "mask", "status"),
    "transactions_start_date",
)


def on_invoice(account: Json) -> Json:
    """Return the account as an invoice carries it (`InvoicingBankAccount`)."""
    return {name: account[name] for name in _ON_INVOICES if name in account}


def in_treasury(account: Json) -> Json:
    """Return the account as the list of bank accounts shows it (`BankAccount`)."""
    return {name: account[name] for name in _IN_TREASURY if name in account}


def linked_accounts(books: Books) -> list[Json]:
    """Return the bank accounts that are tied to an account of the chart, oldest first."""
    return [account for account in books.bank_accounts.documents() if "account_code" in account]


def is_cash_account(books: Books, account_code: str) -> bool:
    """Tell whether an account of the chart is tied to a bank account; being an asset is not enough."""
    return any(account["account_code"] == account_code for account in linked_accounts(books))
