"""Client of Rillet's API, version 4."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, TypeVar

from pydantic import BaseModel

from solvimon_rillet.errors import Code, NeedsAttention, OutcomeUnknown
from solvimon_rillet.formatting import format_utc
from solvimon_rillet.http.client import Http
from solvimon_rillet.http.failures import RequestRejected
from solvimon_rillet.rillet.answers import RowPage, parse_read, parse_write, row_page
from solvimon_rillet.rillet.listing import complete_pages
from solvimon_rillet.rillet.models import (
    AccountingPeriod,
    CreditMemo,
    CreditMemoPage,
    Customer,
    CustomerPage,
    Invoice,
    InvoicePage,
    InvoicePayment,
    Organization,
    Page,
    PaymentList,
    Subsidiary,
    SubsidiaryList,
)
from solvimon_rillet.rillet.rejections import needs_attention, write_error

API_VERSION = "4"
_UUID_FORM = re.compile(r"[0-9a-fA-F-]{36}")
PAGE_SIZE = 100
MAX_PAGES = 10
"""Pages that a look-up reads at most, so that it ends within one run."""
CHECK_BY_HAND = (
    "Search for it in Rillet by customer, date and amount. If it is there, invoke sync_status with resolve "
    "and its rillet_id. If it is not, resolve it without a rillet_id, then invoke the export with its id."
)
SENT_STATUS = {"sent": True}
"""The body that marks an invoice as sent."""
M = TypeVar("M", bound=BaseModel)
P = TypeVar("P", bound=Page)
D = TypeVar("D", Invoice, CreditMemo)


class RilletClient:
    """Calls to one Rillet organisation. Each call counts towards its 60 a minute.

    Every method may raise ``RetryLater``, ``ConnectionBroken`` or ``OutcomeUnknown``, and
    ``NeedsAttention`` when Rillet rejects the request for its content.
    """

    def __init__(self, http: Http) -> None:
        self._http = http

    def create_invoice(self, payload: Mapping[str, object], idempotency_key: str) -> Invoice:
        """Create an invoice; the same key within 24 hours returns the first invoice again."""
        return self._post("/invoices", payload, idempotency_key, Invoice)

    def invoices_of_customer(self, customer_id: str, updated_after: datetime) -> list[Invoice]:
        """All invoices of a customer that changed after a time, newest first.

        Rillet cannot look an invoice up by reference or number (dossier, trap 14).

        Raises:
            ListIncomplete: not all of them were read, so none can be said to be absent.
            NeedsAttention: there are more than a look-up can read.
        """
        filters = {"customer_id": customer_id}
        return self._changed_since("/invoices", updated_after, filters, InvoicePage, lambda p: p.invoices)

    def invoices(self, updated_after: datetime) -> list[Invoice]:
        """All invoices of the organisation that changed after a time; see ``invoices_of_customer``."""
        return self._changed_since("/invoices", updated_after, {}, InvoicePage, lambda p: p.invoices)

    def invoice(self, invoice_id: str) -> Invoice | None:
        """An invoice, or ``None`` if Rillet has none with this id."""
        return self._get_or_none(f"/invoices/{invoice_id}", Invoice)

    def mark_invoice_as_sent(self, invoice_id: str) -> bool:
        """Mark an invoice as sent; a repetition changes nothing (Rillet API v4, Updates invoice sent status).

        Returns:
            Whether Rillet has the invoice.
        """
        try:
            self._http.put(f"/invoices/{invoice_id}/sent-status", SENT_STATUS, may_be_empty=True)
        except RequestRejected as rejected:
            if rejected.status == 404:
                return False
            raise write_error(rejected) from rejected
        return True

    def payments(self, invoice_id: str) -> list[InvoicePayment]:
        """All payments of an invoice, failed ones included."""
        return self._get(f"/invoices/{invoice_id}/payments", None, PaymentList).payments

    def create_credit_memo(self, payload: Mapping[str, object], idempotency_key: str) -> CreditMemo:
        """Create a credit memo; the same key within 24 hours returns the first memo again."""
        return self._post("/credit-memos", payload, idempotency_key, CreditMemo)

    def credit_memo(self, memo_id: str) -> CreditMemo | None:
        """A credit memo with its applications, or ``None`` if Rillet has none with this id."""
        return self._get_or_none(f"/credit-memos/{memo_id}", CreditMemo)

    def credit_memos(self, updated_after: datetime) -> list[CreditMemo]:
        """All credit memos that changed after a time, newest first; see ``invoices_of_customer``.

        Rillet's list has no filter by customer (Rillet API v4, List credit memos).
        """
        return self._changed_since(
            "/credit-memos", updated_after, {}, CreditMemoPage, lambda p: p.credit_memos
        )

    def apply_credit_memo(self, memo_id: str, payload: Mapping[str, object], idempotency_key: str) -> None:
        """Replace all applications of a memo; those that are not in the payload are reversed."""
        try:
            self._http.post(f"/credit-memos/{memo_id}/applications", payload, idempotency_key)
        except RequestRejected as rejected:
            if rejected.status == 409:
                raise OutcomeUnknown(
                    "Rillet answered 409: this request may be in progress or done."
                ) from rejected
            raise needs_attention(rejected) from rejected

    def customer(self, customer_id: str) -> Customer | None:
        """A customer, or ``None`` if Rillet has none with this id, or if it is no UUID."""
        if not _UUID_FORM.fullmatch(customer_id):
            return None
        try:
            answer = self._http.get(f"/customers/{customer_id}")
        except RequestRejected as rejected:
            if rejected.status in {400, 404}:
                return None
            raise needs_attention(rejected) from rejected
        return parse_read(answer, Customer)

    def customer_json(self, customer_id: str) -> dict[str, Any] | None:
        """A customer as Rillet's JSON, so that a replacement loses no field; ``None`` if there is none."""
        if not _UUID_FORM.fullmatch(customer_id):
            return None
        try:
            answer = self._http.get(f"/customers/{customer_id}")
        except RequestRejected as rejected:
            if rejected.status == 404:
                return None
            raise needs_attention(rejected) from rejected
        parse_read(answer, Customer)
        return dict(answer)

    def replace_customer(self, customer_id: str, payload: Mapping[str, object]) -> str:
        """Replace a customer; omitted fields are deleted (Rillet API v4, Update a customer).

        Returns:
            The time of the change by Rillet's clock (RFC 3339); empty if Rillet does not say it.
        """
        try:
            answer = self._http.put(f"/customers/{customer_id}", payload)
        except RequestRejected as rejected:
            raise needs_attention(rejected) from rejected
        return str(answer.get("updated_at") or "") if isinstance(answer, Mapping) else ""

    def customer_by_reference(self, kind: str, identifier: str) -> Customer | None:
        """The customer with this external reference, or ``None``."""
        params: dict[str, str | int] = {"external_reference_type": kind, "external_reference_id": identifier}
        page = self._get("/customers", params, CustomerPage)
        return page.customers[0] if page.customers else None

    def customers_named(self, name: str) -> list[Customer]:
        """The first customers with this name; how Rillet's search compares is not documented."""
        found = self._get("/customers", {"search": name, "limit": PAGE_SIZE}, CustomerPage).customers
        return [customer for customer in found if customer.name.casefold() == name.casefold()][:5]

    def create_customer(self, payload: Mapping[str, object], idempotency_key: str) -> Customer:
        """Create a customer; the same key within 24 hours returns the first customer again."""
        return self._post("/customers", payload, idempotency_key, Customer)

    def customer_rows(self, cursor: str | None, updated_after: str | None) -> RowPage:
        """One page of customers as unparsed rows, newest first.

        Args:
            cursor: end of the previous page. It expires after two hours; then Rillet returns page one without
                an error (dossier 2.3).
            updated_after: RFC 3339 in UTC; only customers that changed later.
        """
        filters = {"updated.gt": updated_after} if updated_after else {}
        return self._rows("customers", cursor, filters)

    def invoice_rows(self, cursor: str | None, updated_after: str | None) -> RowPage:
        """One page of invoices as unparsed rows, newest first; see ``customer_rows``."""
        return self._rows("invoices", cursor, {"updated.gt": updated_after} if updated_after else {})

    def credit_memo_rows(self, cursor: str | None, updated_after: str | None) -> RowPage:
        """One page of credit memos as unparsed rows, newest first; see ``customer_rows``."""
        return self._rows("credit-memos", cursor, {"updated.gt": updated_after} if updated_after else {})

    def product_rows(self, cursor: str | None) -> RowPage:
        """One page of products as unparsed rows, newest first; there is no filter by change."""
        return self._rows("products", cursor, {})

    def subsidiary_rows(self) -> RowPage:
        """All subsidiaries as unparsed rows; this list has no pages."""
        return row_page(self._get_json("/subsidiaries", None), "subsidiaries")

    def organization(self) -> Organization:
        """The organisation that the credential belongs to."""
        return self._get("/organizations/self", None, Organization)

    def closed_through(self) -> date | None:
        """The last day of the last closed period; ``None`` if no period was ever closed (a 404)."""
        try:
            answer = self._http.get("/books/periods/last-closed")
        except RequestRejected as rejected:
            if rejected.status == 404:
                return None
            raise needs_attention(rejected) from rejected
        return parse_read(answer, AccountingPeriod).end

    def subsidiaries(self) -> list[Subsidiary]:
        """All subsidiaries of the organisation."""
        return self._get("/subsidiaries", None, SubsidiaryList).subsidiaries

    def _changed_since(
        self,
        path: str,
        changed_after: datetime,
        filters: Mapping[str, str],
        model: type[P],
        rows_of: Callable[[P], Sequence[D]],
    ) -> list[D]:
        """All rows of a list, newest first; complete, or an error."""
        since, what = format_utc(changed_after), path.removeprefix("/").replace("-", " ")
        params: dict[str, str | int] = {**filters, "updated.gt": since, "limit": PAGE_SIZE}

        def read(cursor: str | None) -> tuple[Sequence[D], str | None]:
            page = self._get(path, {**params, "cursor": cursor} if cursor else params, model)
            return rows_of(page), page.pagination.next_cursor or None

        found = dict[str, D]()
        for number, rows in enumerate(complete_pages(what, read, lambda row: row.id), start=1):
            if number > MAX_PAGES:
                raise NeedsAttention(
                    Code.POSSIBLY_IN_RILLET,
                    f"An earlier call may have booked it, and more than {MAX_PAGES * PAGE_SIZE:,} {what} "
                    f"changed in Rillet since {since}: too many to look it up.",
                    CHECK_BY_HAND,
                )
            found |= {row.id: row for row in rows}
        return list(found.values())

    def _rows(self, name: str, cursor: str | None, filters: Mapping[str, str | int]) -> RowPage:
        # Rillet does not document whether a cursor keeps the filters, so they are repeated.
        params = {"limit": PAGE_SIZE, **filters, **({"cursor": cursor} if cursor else {})}
        return row_page(self._get_json(f"/{name}", params), name.replace("-", "_"))

    def _get_or_none(self, path: str, model: type[M]) -> M | None:
        try:
            return parse_read(self._http.get(path), model)
        except RequestRejected as rejected:
            if rejected.status == 404:
                return None
            raise needs_attention(rejected) from rejected

    def _get(self, path: str, params: Mapping[str, str | int] | None, model: type[M]) -> M:
        return parse_read(self._get_json(path, params), model)

    def _get_json(self, path: str, params: Mapping[str, str | int] | None) -> object:
        try:
            return self._http.get(path, params)
        except RequestRejected as rejected:
            raise needs_attention(rejected) from rejected

    def _post(self, path: str, payload: Mapping[str, object], key: str, model: type[M]) -> M:
        try:
            return parse_write(self._http.post(path, payload, key), model)
        except RequestRejected as rejected:
            raise write_error(rejected) from rejected
