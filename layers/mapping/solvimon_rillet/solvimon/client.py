"""Solvimon's API, version 1: what this product reads."""

from typing import TypeVar

from pydantic import BaseModel, ValidationError

from solvimon_rillet.errors import Code, NeedsAttention
from solvimon_rillet.http import Http, Refused
from solvimon_rillet.solvimon.models import BillingEntity, Customer, Invoice, Product

M = TypeVar("M", bound=BaseModel)
_SUPPORT = "Report it to Solvimon's support with the id; the document is retried on request."


class SolvimonClient:
    """Reads from one Solvimon platform.

    Every method may raise ``RetryLater`` and ``ConnectionBroken``, and ``NeedsAttention`` when Solvimon
    does not have the object or sends what cannot be read.
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

    def _get(self, path: str, identifier: str, model: type[M]) -> M:
        what = f"{model.__name__} {identifier}"
        if not identifier.replace("_", "").replace("-", "").isalnum():
            raise NeedsAttention(
                Code.INVOICE_NOT_FOUND,
                f"{identifier!r} is not a Solvimon id.",
                "Give an id such as invo_AbC123.",
            )
        try:
            answer = self._http.get(f"{path}/{identifier}")
        except Refused as refused:
            raise NeedsAttention(
                Code.INVOICE_NOT_FOUND,
                f"Solvimon does not have the {what} ({refused.status} {refused.problem.get('code') or ''}).",
                "Check the id and that the connection's API key belongs to its platform, then retry.",
            ) from refused
        try:
            return model.model_validate(answer)
        except ValidationError as error:
            wrong = "; ".join(f"{'.'.join(map(str, p['loc']))}: {p['msg']}" for p in error.errors()[:5])
            raise NeedsAttention(
                Code.INVOICE_UNREADABLE, f"Solvimon's {what} cannot be read: {wrong}.", _SUPPORT
            ) from None
