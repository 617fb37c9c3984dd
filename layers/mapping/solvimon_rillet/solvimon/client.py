"""Client of Solvimon's API, version 1."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import quote

from pydantic import BaseModel, ValidationError

from solvimon_rillet.errors import Code, NeedsAttention, OutcomeUnknown, RetryLater
from solvimon_rillet.formatting import clip, format_utc
from solvimon_rillet.http.client import Http
from solvimon_rillet.http.failures import RequestRejected
from solvimon_rillet.invalid_values import problems_in_words
from solvimon_rillet.solvimon.master_data import BillingEntity, Customer, Product
from solvimon_rillet.solvimon.models import Invoice
from solvimon_rillet.solvimon.rejections import is_missing, refused, write_error

M = TypeVar("M", bound=BaseModel)
Json = dict[str, Any]
_SUPPORT = "Report it to Solvimon's support with the id; the document is retried on request."
PAGE_SIZE = 100
_RECORD_TYPES = {
    "/invoices": ("invoice", Code.INVOICE_NOT_FOUND, "invo_AbC123"),
    "/customers": ("customer", Code.SOLVIMON_RECORD_MISSING, "cust_AbC123"),
    "/products": ("product", Code.SOLVIMON_RECORD_MISSING, "prod_AbC123"),
    "/billing-entities": ("billing entity", Code.SOLVIMON_RECORD_MISSING, "bile_AbC123"),
}
_MAX_CODE = 64  # bytes of an error code of Solvimon's


class SolvimonClient:
    """Calls to one Solvimon platform.

    Every method may raise ``RetryLater`` and ``ConnectionBroken``, and ``NeedsAttention`` when Solvimon
    does not have the object, rejects the request, or sends an unreadable answer. The writes may raise
    ``OutcomeUnknown``.

    Args:
        http: the requests.
        on_platform: is given the platform of each record that is read by its id and names one.
    """

    def __init__(self, http: Http, on_platform: Callable[[str], None] = lambda _platform: None) -> None:
        self._http = http
        self._on_platform = on_platform

    def platform_id(self) -> str:
        """The platform that the key belongs to, by its first invoice; empty if it has none.

        Solvimon has no operation that names it (Solvimon API v1); invoices carry it.
        """
        answer = self._http.get("/invoices", {"limit": 1})
        rows = answer.get("data") if isinstance(answer, dict) else None
        first = rows[0] if isinstance(rows, list) and rows else None
        return _platform_id(first)

    def see_platform(self) -> None:
        """Read the first invoice, so that its platform is known; nothing if there is none."""
        if platform := self.platform_id():
            self._on_platform(platform)

    def ping(self) -> None:
        """Read one row, to check the API key.

        Raises:
            RequestRejected: Solvimon rejects the request.
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
        """A record as JSON by id or reference, or ``None``; the collection is such as ``customers``."""
        try:
            return _record(self._http.get(f"/{collection}/{quote(key, safe='')}"))
        except RequestRejected as rejected:
            if is_missing(rejected):
                return None
            raise refused(rejected) from rejected

    def find_all(self, collection: str, **filters: str) -> list[Json]:
        """The records on the first page of a filtered list."""
        try:
            answer = self._http.get(f"/{collection}", filters)
        except RequestRejected as rejected:
            raise refused(rejected) from rejected
        data = answer.get("data") if isinstance(answer, dict) else None
        if not isinstance(data, list):
            raise RetryLater(f"Solvimon's list of {collection} cannot be read.")
        return [_record(row) for row in data]

    def page(self, collection: str, page_number: int, **filters: str | list[str]) -> tuple[list[Json], bool]:
        """One page of a list, up to a hundred rows as JSON.

        Args:
            collection: such as ``invoices`` or ``customers``.
            page_number: from 1.
            filters: query parameters; a list is repeated.

        Returns:
            The rows, and whether there is a next page.
        """
        params: dict[str, Any] = {**filters, "page": page_number, "limit": PAGE_SIZE}
        return self._list_page(lambda: self._http.get(f"/{collection}", params), collection)

    def final_invoices(self, since: datetime, until: datetime, page_number: int) -> tuple[list[Json], bool]:
        """One page of the final invoices and credit notes in a date range, in a stable order.

        Args:
            since: beginning of the range of ``invoice_date``.
            until: end of the range.
            page_number: from 1.
        """
        filters: dict[str, str | list[str]] = {
            "statuses[]": ["FINAL"],
            "invoice_date": f"[{format_utc(since)},{format_utc(until)}]",
            "include_periods": "false",  # whether it is the default is not documented (dossier 1.6)
            "order_by": "created_at",
            "order_direction": "asc",
        }
        return self.page("invoices", page_number, **filters)

    def newest_final_invoices(
        self, page_number: int, since: datetime | None = None, until: datetime | None = None
    ) -> tuple[list[Json], bool]:
        """One page of the final invoices and credit notes, the newest first.

        Args:
            page_number: from 1.
            since: beginning of the range of ``invoice_date``; without it every date.
            until: end of the range, if it has a beginning.
        """
        filters: dict[str, str | list[str]] = {
            "statuses[]": ["FINAL"],
            "include_periods": "false",
            "order_by": "created_at",
            "order_direction": "desc",
        }
        if since and until:
            filters["invoice_date"] = f"[{format_utc(since)},{format_utc(until)}]"
        return self.page("invoices", page_number, **filters)

    def search(self, collection: str, page_number: int) -> tuple[list[Json], bool]:
        """One page of all records, for collections whose list has no pages, such as ``products``."""
        path = f"/{collection}/search?page={page_number}&limit={PAGE_SIZE}"
        return self._list_page(lambda: self._http.post(path, {}, ""), collection)

    def _list_page(self, call: Callable[[], object], collection: str) -> tuple[list[Json], bool]:
        try:
            answer = call()
        except RequestRejected as rejected:
            raise refused(rejected) from rejected
        data = answer.get("data") if isinstance(answer, dict) else None
        if not isinstance(answer, dict) or not isinstance(data, list):
            raise RetryLater(f"Solvimon's list of {collection} cannot be read.")
        links = answer.get("links")
        has_more = bool(links.get("next")) if isinstance(links, dict) else len(data) >= PAGE_SIZE
        return [_record(row) for row in data], has_more and bool(data)

    def create(self, collection: str, body: Mapping[str, object], idempotency_key: str) -> Json:
        """Create a record; the same key within 48 hours returns the first one again.

        Raises:
            AlreadyExists: the reference or a unique custom field value is taken.
        """
        return self._write(lambda: self._http.post(f"/{collection}", body, idempotency_key))

    def update(self, collection: str, record_id: str, body: Mapping[str, object]) -> Json:
        """Change a record; fields that the body leaves out stay.

        Raises:
            AlreadyExists: a unique custom field value is taken.
            NotFound: the record no longer exists.
        """
        return self._write(lambda: self._http.patch(f"/{collection}/{record_id}", body))

    def transition(self, collection: str, record_id: str, action: str) -> Json:
        """Change a record's status by ``activate`` or ``archive``.

        Sent without idempotency key: after archiving and activating, a second archiving within 48 hours must
        not be answered from Solvimon's store.

        Raises:
            NotFound: the record no longer exists.
        """
        return self._write(lambda: self._http.post(f"/{collection}/{record_id}/{action}", None, ""))

    def reverse_payment(self, payment_id: str) -> str:
        """Reverse a payment; its result becomes CANCELLED (Solvimon API, Reverse a payment).

        The API key needs the permission PAYMENT.REVERSE.

        Returns:
            ``SUCCESS``, ``ACTION_REQUIRED`` or ``FAILURE``.

        Raises:
            NotFound: the payment no longer exists.
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
        """Send a write, and translate a rejection."""
        try:
            return call()
        except RequestRejected as rejected:
            raise write_error(rejected) from rejected

    def _get(self, path: str, identifier: str, model: type[M]) -> M:
        record_type, code, example = _RECORD_TYPES[path]
        label = f"{record_type} {identifier}"
        if not identifier.isascii() or not identifier.replace("_", "").replace("-", "").isalnum():
            raise NeedsAttention(
                code,
                f"This is not the id of a Solvimon {record_type}.",
                f"Give an id such as {example}.",
                quoted=repr(identifier[:64]),
            )
        try:
            answer = self._http.get(f"{path}/{identifier}")
        except RequestRejected as rejected:
            raise NeedsAttention(
                code,
                f"Solvimon does not have the {label} ({rejected.status}).",
                f"Check the {record_type}'s id, and that the connection's API key belongs to its platform, "
                "then retry.",
                quoted=clip(str(rejected.problem.get("code") or ""), _MAX_CODE),
            ) from rejected
        if platform := _platform_id(answer):
            self._on_platform(platform)
        try:
            return model.model_validate(answer)
        except ValidationError as error:
            problems = problems_in_words(error, limit=5)
            raise NeedsAttention(
                Code.INVOICE_UNREADABLE, f"Solvimon's {label} cannot be read.", _SUPPORT, quoted=problems
            ) from None


def _platform_id(record: object) -> str:
    found = record.get("platform_id") if isinstance(record, dict) else None
    return found if isinstance(found, str) else ""


def _record(answer: object) -> Json:
    """The record in an answer; one without an id cannot be used."""
    if isinstance(answer, dict) and isinstance(answer.get("id"), str) and answer["id"]:
        return answer
    raise RetryLater("Solvimon's answer cannot be read: it has no id.")
