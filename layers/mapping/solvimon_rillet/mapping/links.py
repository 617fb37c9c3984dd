"""Which Rillet record belongs to which Solvimon record, as known before mapping starts."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Links:
    """The Rillet ids that one document needs. Answers without I/O.

    Attributes:
        customer_id: Rillet id of the document's customer.
        subsidiary_id: Rillet id of the document's billing entity.
        subsidiary_currency: ISO 4217 code of the subsidiary's books, where it is known.
        products: Rillet product ids by Solvimon product id.
        customer_is_mailed: Rillet mails this customer's invoices by itself; ``None`` when unknown.
    """

    customer_id: str
    subsidiary_id: str
    subsidiary_currency: str | None = None
    products: Mapping[str, str] = field(default_factory=dict)
    customer_is_mailed: bool | None = None
