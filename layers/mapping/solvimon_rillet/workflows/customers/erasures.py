"""Customers that were erased in Solvimon (its call ``forget``): remembered by fingerprint, never by data.

::

    {connection}#link-erased#{hash of an id}    the id of the customer in Solvimon, or in Rillet, was erased
"""

from solvimon_rillet.connections.connection import Connection
from solvimon_rillet.fingerprint import fingerprint_of
from solvimon_rillet.solvimon.master_data import Customer

_ERASED_LINK = "erased"
_ROWS_A_PAGE = 100


class Erasures:
    """The erased customers of one connection."""

    def __init__(self, connection: Connection) -> None:
        self._name = connection.name
        self._ledger = connection.ledger

    def remember(self, *ids: str) -> None:
        """Remember that the customer with these ids, of either side, is erased; raises ``RetryLater``."""
        for identifier in filter(None, ids):
            self._ledger.store_link(self._name, _ERASED_LINK, fingerprint_of(identifier), {})

    def forget_name(self, customer_id: str) -> None:
        """Forget the customer's name in the records of its documents; raises ``RetryLater``."""
        index, before = self._ledger.index, ""
        while True:
            documents, before = index.of_customer(self._name, customer_id, _ROWS_A_PAGE, before)
            for document in documents:
                if record := self._ledger.read(document):
                    index.remove_name(document, record)
                    self._ledger.forget_name(document)
            if not before:
                return

    def includes(self, identifier: str) -> bool:
        """Whether the customer with this id, of either side, is erased; raises ``RetryLater``."""
        return self._ledger.find_link(self._name, _ERASED_LINK, fingerprint_of(identifier)) is not None


def is_erased(customer: Customer) -> bool:
    """Whether nothing is left of a customer's personal data: neither name, e-mail nor address.

    What Solvimon leaves of an erased customer is not documented (dossier 2.3, ``/forget``).
    """
    address = customer.address
    parts = address.model_dump().values() if address else ()
    return not any((customer.name, customer.email, *parts))
