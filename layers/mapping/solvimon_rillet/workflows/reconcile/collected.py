"""The records that the earlier steps of a reconciliation have kept, read again page by page."""

from collections.abc import Iterator, Mapping

from solvimon_rillet.reconciliation.customers import ComparedCustomer, EditedCustomer
from solvimon_rillet.reconciliation.documents import RilletDocument, SolvimonDocument
from solvimon_rillet.reconciliation.report.report import UnmappedRecord
from solvimon_rillet.workflows.reconcile.pages import (
    CHANGED_CUSTOMERS,
    CREDIT_MEMOS,
    CURRENT_LINKS,
    CUSTOMER_PAGES,
    EDITED_CUSTOMERS,
    INVOICES,
    SOLVIMON_DOCUMENTS,
    UNLISTED,
    UNMAPPED_RECORDS,
    PageStore,
)


class CollectedRecords:
    """The records of one connection and run.

    Args:
        pages: the stored pages.
        page_counts: number of pages by what was read.
    """

    def __init__(self, pages: PageStore, page_counts: Mapping[str, int]) -> None:
        self._pages = pages
        self._page_counts = page_counts

    def solvimon_documents(
        self,
    ) -> tuple[list[SolvimonDocument], dict[str, dict[str, str]]]:
        """Solvimon's documents, and the Rillet ids of their customers and subsidiaries."""
        documents: dict[str, SolvimonDocument] = {}
        links: dict[str, dict[str, str]] = {"customers": {}, "subsidiaries": {}}
        for page in self._pages.read(SOLVIMON_DOCUMENTS, self._page_counts):
            documents |= {row["id"]: SolvimonDocument.from_row(row) for row in page["billed"]}
            for name, rillet_ids in links.items():
                rillet_ids |= page[name]
        for what, name in ((CUSTOMER_PAGES, "customers"), ("billing-entities", "subsidiaries")):
            for current in self._pages.read(CURRENT_LINKS[what], self._page_counts):
                links[name] |= current
        return list(documents.values()), links

    def rillet_documents(
        self,
    ) -> tuple[list[RilletDocument], frozenset[str], frozenset[str]]:
        """Rillet's documents, the ids that it does not have, and those of documents that cannot be read."""
        documents: dict[str, RilletDocument] = {}
        gone, unreadable = set[str](), set[str]()
        for what in (INVOICES, CREDIT_MEMOS, UNLISTED):
            for page in self._pages.read(what, self._page_counts):
                documents |= {row["id"]: RilletDocument.from_row(row) for row in page["booked"]}
                gone |= {*page.get("gone", ())}
                unreadable |= {*page.get("unreadable", ())}
        return list(documents.values()), frozenset(gone), frozenset(unreadable)

    def customers(
        self,
    ) -> Iterator[tuple[EditedCustomer, ComparedCustomer | None]]:
        """The customers that were edited, each with the comparison if it has changed in Rillet."""
        compared = {
            row["id"]: ComparedCustomer(**row)
            for page in self._pages.read(CHANGED_CUSTOMERS, self._page_counts)
            for row in page
            if not row.get("other_id")
        }
        for page in self._pages.read(EDITED_CUSTOMERS, self._page_counts):
            for row in page:
                yield EditedCustomer(**row), compared.get(row["id"])

    def doubled_customers(self) -> list[tuple[EditedCustomer, str]]:
        """The customers that Rillet has twice, each with the id that is not linked."""
        edited = {customer.id: customer for customer, _ in self.customers()}
        pages = self._pages.read(CHANGED_CUSTOMERS, self._page_counts)
        others = {(row["id"], row["other_id"]) for page in pages for row in page if row.get("other_id")}
        return [(edited[each], other_id) for each, other_id in sorted(others)]

    def unmapped_records(self) -> list[UnmappedRecord]:
        """The records that are not linked to the other system."""
        return [
            UnmappedRecord(**row)
            for what in UNMAPPED_RECORDS
            for page in self._pages.read(what, self._page_counts)
            for row in page
        ]
