"""The creation of a customer in Rillet: once, whatever is refused, lags or comes late.

Rillet's list lags, so the idempotency key is what keeps a customer from being created twice. It changes only
when the customer of the used one is proven gone, or was refused.
"""

import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace

from solvimon_rillet.connections.connection import Connection
from solvimon_rillet.errors import NeedsAttention, RetryLater, SolvimonRilletError
from solvimon_rillet.rillet.models import Customer
from solvimon_rillet.workflows.customers.customer_lease import customer_lease
from solvimon_rillet.workflows.late_writes import SETTLE_SECONDS, may_arrive_late

CREATION_KEY = "customer-key"
"""Kind of the link that has the state of a customer's key."""
_KEY_TTL = 23 * 3600
"""Rillet answers a key again for 24 hours; an hour less leaves room for clocks that differ."""
_KEEP_SECONDS = 48 * 3600


@dataclass(frozen=True, slots=True)
class CreationKey:
    """The idempotency key with which a customer is created next.

    Attributes:
        used: number of keys used up: by refusals, or by a customer that was deleted in Rillet.
        first_sent_at: unix seconds of the first creation with it whose outcome is unknown; 0 if none is open.
        last_sent_at: unix seconds of the latest one.
    """

    used: int = 0
    first_sent_at: int = 0
    last_sent_at: int = 0


class CustomerCreation:
    """Creates the customers of one connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._ledger = connection.ledger

    @contextmanager
    def lease(self, customer_id: str) -> Iterator[None]:
        """The customer's lease: of several invoices at once, only one creates their customer."""
        with customer_lease(self._connection, customer_id, f"creation {uuid.uuid4()}"):
            yield

    def key(self, customer_id: str) -> CreationKey:
        """The key of the next creation. It must be read before the look-up that finds no customer."""
        link = self._ledger.find_link(self._connection.name, CREATION_KEY, customer_id) or {}
        names = ("used", "first_sent_at", "last_sent_at")
        key = CreationKey(*(int(link.get(name, 0)) for name in names))
        if key.first_sent_at and self._connection.clock() - key.first_sent_at > _KEY_TTL:
            return CreationKey(key.used + 1)
        return key

    def use_up_key(self, customer_id: str) -> None:
        """Take another key for the next creation, because Rillet repeats its answer to a used one."""
        self._store(customer_id, CreationKey(self.key(customer_id).used + 1))

    def create(
        self, customer_id: str, payload: Mapping[str, object], key: CreationKey, idempotency_key: str
    ) -> Customer:
        """Create a customer that Rillet's list does not have.

        Args:
            customer_id: Solvimon's id.
            payload: the request.
            key: read before the look-up.
            idempotency_key: made of it.

        Raises:
            RetryLater: an earlier creation may still arrive.
            NeedsAttention: Rillet refuses the customer.
        """
        now = int(self._connection.clock())
        if (wait := key.last_sent_at + SETTLE_SECONDS - now) > 0:
            raise RetryLater(
                "An earlier creation of the customer, whose answer was lost, may still arrive.", after=wait
            )
        self._store(customer_id, replace(key, first_sent_at=key.first_sent_at or now, last_sent_at=now))
        try:
            return self._connection.rillet.create_customer(payload, idempotency_key)
        except NeedsAttention:
            self._store(customer_id, CreationKey(key.used + 1))
            raise
        except SolvimonRilletError as error:
            if not may_arrive_late(error):
                self._store(customer_id, key)
            raise

    def _store(self, customer_id: str, key: CreationKey) -> None:
        self._ledger.store_link(self._connection.name, CREATION_KEY, customer_id, asdict(key), _KEEP_SECONDS)
