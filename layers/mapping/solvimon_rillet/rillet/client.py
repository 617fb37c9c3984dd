"""Rillet's API, version 4: what this product calls, and what its refusals mean."""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from solvimon_rillet.errors import Code, NeedsAttention, OutcomeUnknown
from solvimon_rillet.http import Http, Refused
from solvimon_rillet.rillet.models import (
    Book,
    Customer,
    CustomerPage,
    Invoice,
    InvoicePage,
    Organization,
    Subsidiary,
    SubsidiaryList,
)

API_VERSION = "4"
PAGE = 100
M = TypeVar("M", bound=BaseModel)


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

        Rillet cannot look an invoice up by reference or number (dossier, trap 14). An expired cursor
        restarts the list without a word, so the first repeated invoice ends it (trap 16).
        """
        seen: set[str] = set()
        params: dict[str, str | int] = {
            "customer_id": customer_id,
            "updated.gt": updated_after.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "limit": PAGE,
        }
        while True:
            page = self._get("/invoices", params, InvoicePage)
            for invoice in page.invoices:
                if invoice.id in seen:
                    return
                seen.add(invoice.id)
                yield invoice
            if not page.pagination.next_cursor:
                return
            params["cursor"] = page.pagination.next_cursor

    def customer(self, customer_id: str) -> Customer | None:
        """A customer, or ``None`` where Rillet has none with this id."""
        try:
            answer = self._http.get(f"/customers/{customer_id}")
        except Refused as refused:
            if refused.status in {400, 404}:
                return None
            raise _attention(refused) from refused
        return _read(answer, Customer)

    def customer_by_reference(self, kind: str, identifier: str) -> Customer | None:
        """The customer with this external reference, or ``None``."""
        params: dict[str, str | int] = {"external_reference_type": kind, "external_reference_id": identifier}
        page = self._get("/customers", params, CustomerPage)
        return page.customers[0] if page.customers else None

    def create_customer(self, payload: Mapping[str, object], idempotency_key: str) -> Customer:
        """Create a customer; the same key within 24 hours answers the first customer again."""
        return self._post("/customers", payload, idempotency_key, Customer)

    def organization(self) -> Organization:
        """The organisation that the credential belongs to."""
        return self._get("/organizations/self", None, Organization)

    def closed_up_to(self) -> date | None:
        """The last day of the last closed period; ``None`` where no period was ever closed (a 404)."""
        try:
            answer = self._http.get("/books/periods/last-closed")
        except Refused as refused:
            if refused.status == 404:
                return None
            raise _attention(refused) from refused
        return _read(answer, Book).end

    def subsidiaries(self) -> list[Subsidiary]:
        """All subsidiaries of the organisation."""
        return self._get("/subsidiaries", None, SubsidiaryList).subsidiaries

    def _get(self, path: str, params: Mapping[str, str | int] | None, model: type[M]) -> M:
        try:
            return _read(self._http.get(path, params), model)
        except Refused as refused:
            raise _attention(refused) from refused

    def _post(self, path: str, payload: Mapping[str, object], key: str, model: type[M]) -> M:
        try:
            return _read(self._http.post(path, payload, key), model)
        except Refused as refused:
            if refused.status == 409:
                raise OutcomeUnknown(
                    "Rillet answered 409: this request may be under way or done."
                ) from refused
            raise _attention(refused) from refused


def _read(answer: object, model: type[M]) -> M:
    try:
        return model.model_validate(answer)
    except ValidationError as error:
        fields = ", ".join(".".join(map(str, part["loc"])) or "(all)" for part in error.errors()[:5])
        raise OutcomeUnknown(f"Rillet's answer cannot be read; wrong or missing: {fields}.") from None


def _attention(refused: Refused) -> NeedsAttention:
    """What a refusal means in plain words, from the problem document (RFC 9457) that Rillet sends."""
    problem = refused.problem
    said = " ".join(filter(None, (str(problem.get(key) or "") for key in ("title", "detail"))))
    violations = problem.get("violations")
    if isinstance(violations, list):
        named = (f"{v.get('field')}: {v.get('message')}" for v in violations if isinstance(v, dict))
        said = "; ".join(filter(None, (said, *named)))
    message = f"Rillet refused it ({refused.status}): {said or 'without a reason'}."
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
    if refused.status == 404 or "not found" in lower or "does not exist" in lower:
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
