"""Rules that an organisation's documents share: parties, products, numbers, periods, external references."""

from collections import Counter
from collections.abc import Iterable, Sequence

from local.fake_rillet.books import Books
from local.fake_rillet.invoice_lines import Line
from local.fake_rillet.problems import refused
from local.fake_rillet.store import Collection, Json


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


def check_references(books: Books, references: Iterable[Json]) -> None:
    """Check all references of one document, header and lines together.

    Raises:
        Problem: 400; a type is not registered in the organisation, lacks the URL it needs, or is restricted
            and used more than once.
    """
    counted: Counter[str] = Counter()
    for reference in references:
        slug = reference["type"]
        if slug not in books.reference_types:
            raise refused(
                "external_reference_type_not_found", f"External reference type does not exist: {slug}"
            )
        if slug == "CUSTOMER_CUSTOM" and "url" not in reference:
            raise refused(
                "external_reference_url_required",
                "The URL is required for external reference for Customer_Custom",
            )
        counted[slug] += 1
    for slug, count in counted.items():
        if count > 1 and books.reference_types[slug].restricted:
            raise refused(
                "external_reference_restricted", f"{slug}: multiple references of a restricted type"
            )


def check_rev_rec(books: Books, parts: Sequence[Sequence[Json]]) -> None:
    """Check that header and every item carry a reference that revenue recognition accepts.

    Args:
        books: checked only if its `rev_rec` switch is on.
        parts: the references of the header and of each item.

    Raises:
        Problem: 400; one of the parts has none.
    """
    if not books.switches.rev_rec:
        return
    types = books.reference_types
    for references in parts:
        if not any(types[reference["type"]].accepted_for_rev_rec for reference in references):
            raise refused(
                "external_reference_required",
                "Revenue recognition is enabled: the invoice and its items need an external reference of an "
                "accepted integration type",
            )
