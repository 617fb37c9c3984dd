"""Solvimon's API, version 1: what this product reads and, for imports, writes."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar
from urllib.parse import quote

from pydantic import BaseModel, ValidationError

from solvimon_rillet.errors import Code, NeedsAttention, OutcomeUnknown, RetryLater
from solvimon_rillet.http import Http, RequestRejected
from solvimon_rillet.solvimon.models import BillingEntity, Customer, Invoice, Product

M = TypeVar("M", bound=BaseModel)
Json = dict[str, Any]
_SUPPORT = "Report it to Solvimon's support with the id; the document is retried on request."
PAGE = 100
_TAKEN = {"RESOURCE_ALREADY_EXISTS", "CUSTOM_FIELD_VALUE_ALREADY_EXISTS"}
_KINDS = {
    "/invoices": ("invoice", Code.INVOICE_NOT_FOUND, "invo_AbC123"),
    "/customers": ("customer", Code.SOLVIMON_RECORD_MISSING, "cust_AbC123"),
    "/products": ("product", Code.SOLVIMON_RECORD_MISSING, "prod_AbC123"),
    "/billing-entities": ("billing entity", Code.SOLVIMON_RECORD_MISSING, "bile_AbC123"),
}
_STILL_RUNNING = 2  # seconds after which the first request with the same key is asked for again


class AlreadyExists(Exception):
    """Solvimon has a record with this reference or unique custom field value already.

    Attributes:
        resource_id: its id, where Solvimon names it.
        message: what Solvimon says.
    """

    def __init__(self, resource_id: str | None, message: str) -> None:
        super().__init__(message)
        self.resource_id = resource_id
        self.message = message


class NotFound(Exception):
    """The record that was to be changed is not in Solvimon any more."""


class SolvimonClient:
    """Calls to one Solvimon platform.

    Every method may raise ``RetryLater`` and ``ConnectionBroken``, and ``NeedsAttention`` when Solvimon
    does not have the object, refuses the request, or sends what cannot be read. The writes may raise
    ``OutcomeUnknown``.
    """

    def __init__(self, http: Http) -> None:
        self._http = http

    def ping(self) -> None:
        """Read one row, to see that the API key works.

        Raises:
            Refused: Solvimon refuses the request.
        """
        self._http.get("/invoices", {"limit": 1})

    def invoice(self, invoice_id: str) -> Invoice:
        """An invoice or credit note with its periods and lines, as it is now."""
        return self._get("/invoices", invoice_id, Invoice)

    def customer(self, customer_id: str) -> Customer:
        """A customer by id or reference."""
        return self._get("/customers", customer_id, Customer)

    def product(self, product_id: str) -> Product:
        """A product by id or reference."""
        return self._get("/products", product_id, Product)

    def billing_entity(self, entity_id: str) -> BillingEntity:
        """A billing entity by id or reference."""
        return self._get("/billing-entities", entity_id, BillingEntity)

    def find(self, collection: str, key: str) -> Json | None:
        """A record of a collection such as ``customers`` by id or reference, whole, or ``None``."""
        try:
            return _record(self._http.get(f"/{collection}/{quote(key, safe='')}"))
        except RequestRejected as refused:
            if _is_missing(refused):
                return None
            raise _refusal(refused) from refused

    def find_all(self, collection: str, **filters: str) -> list[Json]:
        """The records of a list that the filters let through, those on its first page."""
        try:
            answer = self._http.get(f"/{collection}", filters)
        except RequestRejected as refused:
            raise _refusal(refused) from refused
        data = answer.get("data") if isinstance(answer, dict) else None
        if not isinstance(data, list):
            raise RetryLater(f"Solvimon's list of {collection} cannot be read.")
        return [_record(row) for row in data]

    def page(self, collection: str, number: int, **filters: str | list[str]) -> tuple[list[Json], bool]:
        """One page of a list, a hundred rows, as they come.

        Args:
            collection: such as ``invoices`` or ``customers``.
            number: of the page, from 1.
            filters: query parameters; a list is repeated.

        Returns:
            The rows, and whether there is another page.
        """
        params: dict[str, Any] = {**filters, "page": number, "limit": PAGE}
        return self._listed(lambda: self._http.get(f"/{collection}", params), collection)

    def final_invoices(self, since: datetime, until: datetime, number: int) -> tuple[list[Json], bool]:
        """One page of the final invoices and credit notes of some dates, in an order that new ones keep.

        Args:
            since: first moment of ``invoice_date``.
            until: last moment of it.
            number: of the page, from 1.
        """
        filters: dict[str, str | list[str]] = {
            "statuses[]": ["FINAL"],
            "invoice_date": f"[{_moment(since)},{_moment(until)}]",
            "include_periods": "false",  # whether it is the default is not documented (dossier 1.6)
            "order_by": "created_at",
            "order_direction": "asc",
        }
        return self.page("invoices", number, **filters)

    def search(self, collection: str, number: int) -> tuple[list[Json], bool]:
        """One page of all records, for lists that have no pages otherwise, such as ``products``."""
        path = f"/{collection}/search?page={number}&limit={PAGE}"
        return self._listed(lambda: self._http.post(path, {}, ""), collection)

    def _listed(self, call: Callable[[], object], collection: str) -> tuple[list[Json], bool]:
        try:
            answer = call()
        except RequestRejected as refused:
            raise _refusal(refused) from refused
        data = answer.get("data") if isinstance(answer, dict) else None
        if not isinstance(answer, dict) or not isinstance(data, list):
            raise RetryLater(f"Solvimon's list of {collection} cannot be read.")
        links = answer.get("links")
        more = bool(links.get("next")) if isinstance(links, dict) else len(data) >= PAGE
        return [_record(row) for row in data], more and bool(data)

    def create(self, collection: str, body: Mapping[str, object], idempotency_key: str) -> Json:
        """Create a record; the same key within 48 hours answers the first one again.

        Raises:
            AlreadyExists: the reference or a unique custom field value is taken.
        """
        return self._write(lambda: self._http.post(f"/{collection}", body, idempotency_key))

    def change(self, collection: str, record_id: str, body: Mapping[str, object]) -> Json:
        """Change a record; what the body leaves out stays.

        Raises:
            AlreadyExists: a unique custom field value is taken.
            NotThere: the record is gone.
        """
        return self._write(lambda: self._http.patch(f"/{collection}/{record_id}", body))

    def move(self, collection: str, record_id: str, transition: str) -> Json:
        """Change a record's status by ``activate`` or ``archive``.

        Without idempotency key: archiving, activating and archiving again within 48 hours must not be
        answered from the store.

        Raises:
            NotThere: the record is gone.
        """
        return self._write(lambda: self._http.post(f"/{collection}/{record_id}/{transition}", None, ""))

    def reverse_payment(self, payment_id: str) -> str:
        """Reverse a payment; its result becomes CANCELLED (Solvimon API, Reverse a payment).

        The API key needs the permission PAYMENT.REVERSE.

        Returns:
            ``SUCCESS``, ``ACTION_REQUIRED`` or ``FAILURE``.

        Raises:
            NotThere: the payment is gone.
        """
        answer = self._call(lambda: self._http.post(f"/payments/{payment_id}/reverse", None, ""))
        status = answer.get("status") if isinstance(answer, dict) else None
        if not isinstance(status, str):
            raise OutcomeUnknown("Solvimon's answer to the reversal cannot be read.")
        return status

    def _write(self, call: Callable[[], object]) -> Json:
        answer = self._call(call)
        try:
            return _record(answer)
        except RetryLater as unreadable:
            raise OutcomeUnknown(str(unreadable)) from None

    def _call(self, call: Callable[[], object]) -> object:
        """What a write is answered."""
        try:
            return call()
        except RequestRejected as refused:
            code = str(refused.problem.get("code") or "")
            if code in _TAKEN:
                raise AlreadyExists(refused.problem.get("resource_id"), _said(refused)) from refused
            if refused.status == 422:
                raise RetryLater(
                    "Solvimon still works on the same request (422).", after=_STILL_RUNNING
                ) from refused
            if code == "IDEMPOTENCY_CHECK_FAILED":
                raise OutcomeUnknown(
                    "Solvimon knows this idempotency key for another request.", key_spent=True
                ) from refused
            if _is_missing(refused):
                raise NotFound from refused
            raise _refusal(refused) from refused

    def _get(self, path: str, identifier: str, model: type[M]) -> M:
        kind, code, example = _KINDS[path]
        what = f"{kind} {identifier}"
        if not identifier.replace("_", "").replace("-", "").isalnum():
            raise NeedsAttention(
                code, f"{identifier!r} is not the id of a Solvimon {kind}.", f"Give an id such as {example}."
            )
        try:
            answer = self._http.get(f"{path}/{identifier}")
        except RequestRejected as refused:
            raise NeedsAttention(
                code,
                f"Solvimon does not have the {what} ({refused.status} {refused.problem.get('code') or ''}).",
                f"Check the {kind}'s id, and that the connection's API key belongs to its platform, "
                "then retry.",
            ) from refused
        try:
            return model.model_validate(answer)
        except ValidationError as error:
            wrong = "; ".join(f"{'.'.join(map(str, p['loc']))}: {p['msg']}" for p in error.errors()[:5])
            raise NeedsAttention(
                Code.INVOICE_UNREADABLE, f"Solvimon's {what} cannot be read: {wrong}.", _SUPPORT
            ) from None


def _moment(moment: datetime) -> str:
    """A moment as Solvimon's filters take it; it refuses milliseconds (dossier 1.6)."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _record(answer: object) -> Json:
    """A record with its id; anything else is an answer that nobody can use."""
    if isinstance(answer, dict) and isinstance(answer.get("id"), str) and answer["id"]:
        return answer
    raise RetryLater("Solvimon's answer cannot be read: it has no id.")


def _is_missing(refused: RequestRejected) -> bool:
    """Decided by code as well as by status: Solvimon's documents rarely list a 404 (dossier 1.5)."""
    if refused.problem.get("field"):  # something that the body names is missing, not the record
        return False
    return refused.status == 404 or str(refused.problem.get("code")).endswith("_NOT_FOUND")


def _said(refused: RequestRejected) -> str:
    problem = refused.problem
    parts = (problem.get(name) for name in ("code", "field", "message", "resource_id"))
    return ", ".join(str(part) for part in parts if part) or "without a reason"


def _refusal(refused: RequestRejected) -> NeedsAttention:
    return NeedsAttention(
        Code.REFUSED_BY_SOLVIMON,
        f"Solvimon refused it ({refused.status}): {_said(refused)}.",
        "Correct what Solvimon names, in Rillet or in Solvimon, then import again.",
    )
