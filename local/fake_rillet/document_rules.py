"""Rules that invoices, credit memos and payments of an organisation share."""

from collections.abc import Iterable

from local.fake_rillet.books import Books
from local.fake_rillet.invoice_lines import Line
from local.fake_rillet.problems import refused
from local.fake_rillet.store import Collection


def check_parties(books: Books, customer_id: str, subsidiary_id: str | None) -> None:
    """Check that customer and subsidiary exist.

    Raises:
        Problem: 400; one of them does not.
    """
    if customer_id not in books.customers:
        raise refused("customer_not_found", f"Customer does not exist: {customer_id}")
    if subsidiary_id is not None and subsidiary_id not in books.subsidiaries:
        raise refused("subsidiary_not_found", f"Subsidiary does not exist: {subsidiary_id}")


def check_products(books: Books, lines: Iterable[Line]) -> None:
    """Check that the products of all lines exist.

    Raises:
        Problem: 400; one does not.
    """
    for line in lines:
        if line.product_id not in books.products:
            raise refused("product_not_found", f"Product does not exist: {line.product_id}")


def check_bank_account(books: Books, bank_account_id: str | None) -> None:
    """Check that the bank account to print on an invoice exists.

    Raises:
        Problem: 400; it does not.
    """
    if bank_account_id is not None and bank_account_id not in books.bank_accounts:
        raise refused("bank_account_not_found", f"Bank account does not exist: {bank_account_id}")


def check_number(books: Books, documents: Collection, field: str, number: str | None) -> None:
    """Check that no other document has a number, if the organisation's switch says so.

    Raises:
        Problem: 400; one has.
    """
    if number is None or books.switches.duplicate_numbers == "accept":
        return
    if any(record.document[field] == number for record in documents):
        words = field.replace("_", " ").capitalize()
        raise refused(f"{field}_already_exists", f'{words} "{number}" already exists')


def check_period(books: Books, *days: str) -> None:
    """Check that no day (YYYY-MM-DD) lies in a closed period, if the organisation's switch says so.

    Raises:
        Problem: 400; one does.
    """
    for day in days:
        if books.switches.closed_period_policy == "refuse" and books.is_closed(day):
            raise refused("period_closed", f"The accounting period of {day} is closed")
