"""The lease of a customer, for work on it that is not its synchronisation: an import, a creation."""

import contextlib
from collections.abc import Iterator

from solvimon_rillet.connections.connection import Connection
from solvimon_rillet.errors import Recoverable, RetryLater, SolvimonRilletError
from solvimon_rillet.http.deadline import sending_until
from solvimon_rillet.ledger.ledger import SEND_SECONDS, Claim, Document, Ledger
from solvimon_rillet.workflows.late_writes import may_arrive_late

_ASK_AGAIN_SECONDS = 15  # most holders need a few seconds of their lease


@contextlib.contextmanager
def customer_lease(
    connection: Connection, customer_id: str, owner: str, *, writes_to_rillet: bool = True
) -> Iterator[None]:
    """Hold the lease of a Solvimon customer, so that no other worker reads, merges and writes it meanwhile.

    Nothing of the customer's record changes. After a write to Rillet that may still arrive, the lease is kept
    for the rest of its time. After one to Solvimon it is not: a person's edit must reach Rillet before that
    write arrives, since Rillet is where the edit is taken back from (``late_imports``).

    Args:
        connection: of the customer.
        customer_id: Solvimon's id.
        owner: names the holder.
        writes_to_rillet: whether the holder writes the customer to Rillet.

    Raises:
        RetryLater: another worker holds it.
    """
    ledger = connection.ledger
    with sending_until(SEND_SECONDS, ledger.clock):
        claim = _claim(ledger, Document(connection.name, "customer", customer_id), owner)
        try:
            yield
        except SolvimonRilletError as error:
            with contextlib.suppress(Recoverable):
                if not (writes_to_rillet and may_arrive_late(error)):
                    ledger.return_lease(claim)
            raise
        ledger.return_lease(claim)


def _claim(ledger: Ledger, customer: Document, owner: str) -> Claim:
    try:
        return ledger.claim(customer, owner)
    except RetryLater as held:
        raise RetryLater(str(held), after=min(_ASK_AGAIN_SECONDS, held.after or _ASK_AGAIN_SECONDS)) from None
