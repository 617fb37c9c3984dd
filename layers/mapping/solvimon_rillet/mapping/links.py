"""The Rillet ids of the records behind a document, resolved before mapping starts."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Links:
    """The Rillet ids that one document needs.

    Attributes:
        customer_id: Rillet id of the document's customer.
        subsidiary_id: Rillet id of the document's billing entity.
        subsidiary_currency: ISO 4217 code of the subsidiary's books, if known.
        products: Rillet product ids by Solvimon product id.
        customer_is_mailed: whether Rillet mails this customer's invoices automatically; ``None`` if unknown.
    """

    customer_id: str
    subsidiary_id: str
    subsidiary_currency: str | None = None
    products: Mapping[str, str] = field(default_factory=dict)
    customer_is_mailed: bool | None = None
