"""The lease of a customer, for work on it that is not its synchronisation: an import, a creation."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

from solvimon_rillet.connections.connection import Connection
from solvimon_rillet.errors import Recoverable, RetryLater, SolvimonRilletError
from solvimon_rillet.http.deadline import sending_until
from solvimon_rillet.ledger.ledger import SEND_SECONDS, Claim, Document, Ledger
from solvimon_rillet.workflows.late_writes import may_arrive_late

_ASK_AGAIN_SECONDS = 15  # most holders need a few seconds of their lease


@dataclass(slots=True)
class HeldLease:
    """A lease; ``is_kept`` leaves it to its end, because a write of its holder may still arrive."""

    is_kept: bool = False


@contextlib.contextmanager
def customer_lease(connection: Connection, customer_id: str, owner: str) -> Iterator[HeldLease]:
    """Hold the lease of a Solvimon customer, so that nobody else reads, merges and writes it meanwhile.

    Nothing of the customer's record changes. After a write that may still arrive, the lease is kept for the
    rest of its time.

    Args:
        connection: of the customer.
        customer_id: Solvimon's id.
        owner: names the holder.

    Raises:
        RetryLater: somebody else holds it.
    """
    ledger = connection.ledger
    with sending_until(SEND_SECONDS, ledger.clock):
        claim = _claim(ledger, Document(connection.name, "customer", customer_id), owner)
        held = HeldLease()
        try:
            yield held
        except SolvimonRilletError as error:
            with contextlib.suppress(Recoverable):
                if not (held.is_kept or may_arrive_late(error)):
                    ledger.return_lease(claim)
            raise
        if not held.is_kept:
            ledger.return_lease(claim)


def _claim(ledger: Ledger, customer: Document, owner: str) -> Claim:
    try:
        return ledger.claim(customer, owner)
    except RetryLater as held:
        raise RetryLater(str(held), after=min(_ASK_AGAIN_SECONDS, held.after or _ASK_AGAIN_SECONDS)) from None
