"""Rillet's API, version 4: what this product calls, and what its refusals mean."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from solvimon_rillet.errors import Code, Conflict, NeedsAttention, OutcomeUnknown, RetryLater
from solvimon_rillet.formatting import format_utc, validation_problems
from solvimon_rillet.http import Http, RequestRejected
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

API_VERSION = "4"
_UUID = re.compile(r"[0-9a-fA-F-]{36}")
PAGE = 100
M = TypeVar("M", bound=BaseModel)
P = TypeVar("P", bound=Page)
D = TypeVar("D", Invoice, CreditMemo)


@dataclass(frozen=True, slots=True)
class RowPage:
    """Rows of a list as they came, and where the next page begins; ``None`` on the last one."""

    rows: Sequence[Any]
    next_cursor: str | None = None


class RilletClient:
    """Calls to one Rillet organisation. Each call counts towards its 60 a minute.

    Every method may raise ``RetryLater``, ``ConnectionBroken`` or ``OutcomeUnknown``, and
    ``NeedsAttention`` when Rillet refuses the request for what it says.
    """

    def __init__(self, http: Http) -> None:
        self._http = http

    def create_invoice(self, payload: Mapping[str, object], idempotency_key: str) -> Invoice:
        """Create an invoice; the same key within 24 hours answers the first invoice again."""
        return self._post("/invoices", payload, idempotency_key, Invoice)

    def invoices_of_customer(self, customer_id: str, updated_after: datetime) -> Iterator[Invoice]:
        """A customer's invoices that changed after a moment, newest first.

        Rillet cannot look an invoice up by reference or number (dossier, trap 14).
        """
        filters = {"customer_id": customer_id}
        pages = self._changed_since("/invoices", updated_after, filters, InvoicePage)
        yield from _without_duplicates(page.invoices for page in pages)

    def invoice(self, invoice_id: str) -> Invoice | None:
        """An invoice, or ``None`` where Rillet has none with this id."""
        return self._get_or_none(f"/invoices/{invoice_id}", Invoice)

    def payments(self, invoice_id: str) -> list[InvoicePayment]:
        """All payments of an invoice, failed ones included."""
        return self._get(f"/invoices/{invoice_id}/payments", None, PaymentList).payments

    def create_credit_memo(self, payload: Mapping[str, object], idempotency_key: str) -> CreditMemo:
        """Create a credit memo; the same key within 24 hours answers the first memo again."""
        return self._post("/credit-memos", payload, idempotency_key, CreditMemo)

    def credit_memo(self, memo_id: str) -> CreditMemo | None:
        """A credit memo with its applications, or ``None`` where Rillet has none with this id."""
        return self._get_or_none(f"/credit-memos/{memo_id}", CreditMemo)

    def credit_memos(self, updated_after: datetime) -> Iterator[CreditMemo]:
        """All credit memos that changed after a moment, newest first."""
        pages = self._changed_since("/credit-memos", updated_after, {}, CreditMemoPage)
        yield from _without_duplicates(page.credit_memos for page in pages)

    def apply_credit_memo(self, memo_id: str, payload: Mapping[str, object], idempotency_key: str) -> None:
        """Make this the whole set of a memo's applications; what is not in it is taken back."""
        try:
            self._http.post(f"/credit-memos/{memo_id}/applications", payload, idempotency_key)
        except RequestRejected as rejected:
            if rejected.status == 409:
                raise OutcomeUnknown(
                    "Rillet answered 409: this request may be under way or done."
                ) from rejected
            raise _attention(rejected) from rejected

    def customer(self, customer_id: str) -> Customer | None:
        """A customer, or ``None`` where Rillet has none with this id, or it can be no id (a UUID)."""
        if not _UUID.fullmatch(customer_id):
            return None
        try:
            answer = self._http.get(f"/customers/{customer_id}")
        except RequestRejected as rejected:
            if rejected.status in {400, 404}:
                return None
            raise _attention(rejected) from rejected
        return _parse(answer, Customer)

    def customer_json(self, customer_id: str) -> dict[str, Any] | None:
        """A customer as Rillet's own JSON, so that a replacement loses nothing; ``None`` if there is none."""
        if not _UUID.fullmatch(customer_id):
            return None
        try:
            answer = self._http.get(f"/customers/{customer_id}")
        except RequestRejected as rejected:
            if rejected.status == 404:
                return None
            raise _attention(rejected) from rejected
        _parse(answer, Customer)
        return dict(answer)

    def replace_customer(self, customer_id: str, payload: Mapping[str, object]) -> None:
        """Replace a customer; what the payload leaves out is gone (Rillet API v4, Update a customer)."""
        try:
            self._http.put(f"/customers/{customer_id}", payload)
        except RequestRejected as rejected:
            raise _attention(rejected) from rejected

    def customer_by_reference(self, kind: str, identifier: str) -> Customer | None:
        """The customer with this external reference, or ``None``."""
        params: dict[str, str | int] = {"external_reference_type": kind, "external_reference_id": identifier}
        page = self._get("/customers", params, CustomerPage)
        return page.customers[0] if page.customers else None

    def create_customer(self, payload: Mapping[str, object], idempotency_key: str) -> Customer:
        """Create a customer; the same key within 24 hours answers the first customer again."""
        return self._post("/customers", payload, idempotency_key, Customer)

    def customer_rows(self, cursor: str | None, updated_after: str | None) -> RowPage:
        """One page of customers as they come, newest first.

        Args:
            cursor: where the page before ended. Rillet forgets a cursor after two hours and then answers
                page one without a word (dossier 2.3).
            updated_after: RFC 3339 in UTC; only what changed later.
        """
        filters = {"updated.gt": updated_after} if updated_after else {}
        return self._rows("customers", cursor, filters)

    def invoice_rows(self, cursor: str | None, updated_after: str | None) -> RowPage:
        """One page of invoices as they come, newest first; see ``customer_rows``."""
        return self._rows("invoices", cursor, {"updated.gt": updated_after} if updated_after else {})

    def credit_memo_rows(self, cursor: str | None, updated_after: str | None) -> RowPage:
        """One page of credit memos as they come, newest first; see ``customer_rows``."""
        return self._rows("credit-memos", cursor, {"updated.gt": updated_after} if updated_after else {})

    def product_rows(self, cursor: str | None) -> RowPage:
        """One page of products as they come, newest first; they cannot be filtered by change."""
        return self._rows("products", cursor, {})

    def subsidiary_rows(self) -> RowPage:
        """All subsidiaries as they come; this list has no pages."""
        return _row_page(self._get_json("/subsidiaries", None), "subsidiaries")

    def organization(self) -> Organization:
        """The organisation that the credential belongs to."""
        return self._get("/organizations/self", None, Organization)

    def closed_through(self) -> date | None:
        """The last day of the last closed period; ``None`` where no period was ever closed (a 404)."""
        try:
            answer = self._http.get("/books/periods/last-closed")
        except RequestRejected as rejected:
            if rejected.status == 404:
                return None
            raise _attention(rejected) from rejected
        return _parse(answer, AccountingPeriod).end

    def subsidiaries(self) -> list[Subsidiary]:
        """All subsidiaries of the organisation."""
        return self._get("/subsidiaries", None, SubsidiaryList).subsidiaries

    def _changed_since(
        self, path: str, changed_after: datetime, filters: Mapping[str, str], model: type[P]
    ) -> Iterator[P]:
        """The pages of a list, newest first.

        An expired cursor restarts a list without a word (dossier, trap 16), so a page may come again; it is
        for the caller to pass over what it has seen, and a page that ends where an earlier one did ends it.
        """
        params: dict[str, str | int] = {**filters, "updated.gt": format_utc(changed_after), "limit": PAGE}
        cursors: set[str] = set()
        while True:
            page = self._get(path, params, model)
            yield page
            cursor = page.pagination.next_cursor
            if not cursor or cursor in cursors:
                return
            cursors.add(cursor)
            params["cursor"] = cursor

    def _rows(self, name: str, cursor: str | None, filters: Mapping[str, str | int]) -> RowPage:
        # Whether a cursor remembers the filters is not documented, so they are repeated.
        params = {"limit": PAGE, **filters, **({"cursor": cursor} if cursor else {})}
        return _row_page(self._get_json(f"/{name}", params), name.replace("-", "_"))

    def _get_or_none(self, path: str, model: type[M]) -> M | None:
        try:
            return _parse(self._http.get(path), model)
        except RequestRejected as rejected:
            if rejected.status == 404:
                return None
            raise _attention(rejected) from rejected

    def _get(self, path: str, params: Mapping[str, str | int] | None, model: type[M]) -> M:
        return _parse(self._get_json(path, params), model)

    def _get_json(self, path: str, params: Mapping[str, str | int] | None) -> object:
        try:
            return self._http.get(path, params)
        except RequestRejected as rejected:
            raise _attention(rejected) from rejected

    def _post(self, path: str, payload: Mapping[str, object], key: str, model: type[M]) -> M:
        try:
            return _parse(self._http.post(path, payload, key), model)
        except RequestRejected as rejected:
            raise _write_error(rejected) from rejected


def _without_duplicates(pages: Iterable[Sequence[D]]) -> Iterator[D]:
    """Every document once; a page without a new one shows that the list began anew, and is the last."""
    seen: set[str] = set()
    for page in pages:
        new = [document for document in page if document.id not in seen]
        seen |= {document.id for document in new}
        yield from new
        if page and not new:
            return


def _row_page(answer: object, name: str) -> RowPage:
    """A page whose rows are not looked at yet: one that cannot be read must not hold up the others."""
    rows = answer.get(name) if isinstance(answer, dict) else None
    if not isinstance(answer, dict) or not isinstance(rows, list):
        raise RetryLater(f"Rillet's list of {name} cannot be read.")
    pagination = answer.get("pagination")
    cursor = pagination.get("next_cursor") if isinstance(pagination, dict) else None
    return RowPage(rows, cursor or None)


def _parse(answer: object, model: type[M]) -> M:
    try:
        return model.model_validate(answer)
    except ValidationError as error:
        raise OutcomeUnknown(
            f"Rillet's answer cannot be read: {validation_problems(error, limit=5)}."
        ) from None


def _write_error(rejected: RequestRejected) -> Exception:
    """What a refused write means: a 409 may stand for one that is under way or done."""
    if rejected.status == 409:
        return Conflict("Rillet answered 409: this request may be under way or done.")
    return _attention(rejected)


def _attention(rejected: RequestRejected) -> NeedsAttention:
    """What a refusal means in plain words, from the problem document (RFC 9457) that Rillet sends."""
    problem = rejected.problem
    said = " ".join(filter(None, (str(problem.get(key) or "") for key in ("title", "detail"))))
    violations = problem.get("violations")
    if isinstance(violations, list):
        named = (f"{v.get('field')}: {v.get('message')}" for v in violations if isinstance(v, dict))
        said = "; ".join(filter(None, (said, *named)))
    message = f"Rillet refused it ({rejected.status}): {said or 'without a reason'}."
    kind, lower = str(problem.get("type") or ""), said.lower()
    if (
        kind.endswith("external_reference_type_not_found")
        or "external reference type does not exist" in lower
    ):
        return NeedsAttention(
            Code.REFERENCE_TYPE_MISSING,
            message,
            "In Rillet, add the reference type under Settings → External References (the settings' "
            "reference_types name it), then retry.",
        )
    if "restricted type" in lower:
        return NeedsAttention(
            Code.REFERENCE_TYPE_RESTRICTED,
            message,
            "Set reference_types.invoice_line in the settings to another type, or to null, then retry.",
        )
    if "period" in lower and "closed" in lower:
        return NeedsAttention(
            Code.RILLET_PERIOD_CLOSED,
            message,
            "Open the period in Rillet, then retry; or book the document by hand.",
        )
    if rejected.status == 404 or "not found" in lower or "does not exist" in lower:
        return NeedsAttention(
            Code.RILLET_RECORD_MISSING,
            message,
            "A linked customer, product or subsidiary is not in Rillet any more. Correct its Rillet id in "
            "Solvimon's custom field, then retry.",
        )
    return NeedsAttention(
        Code.REFUSED_BY_RILLET,
        message,
        "Correct what Rillet names, in Solvimon or in the settings, then retry.",
    )
