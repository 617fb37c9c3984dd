"""Links to customers that Rillet has no more, because a person has merged them into others or deleted them.

Such a link says only what the customer was. So the one that it was merged into is proposed for it, as for a
customer without link, instead of being created in Solvimon a second time.
"""

from solvimon_rillet.errors import NeedsAttention
from solvimon_rillet.rillet.client import RilletClient


class MergedCustomers:
    """Asks Rillet once for each customer.

    Args:
        rillet: the organisation.
    """

    def __init__(self, rillet: RilletClient) -> None:
        self._rillet = rillet
        self._known: dict[str, bool] = {}

    def is_gone(self, kind: str, rillet_id: str | None) -> bool:
        """Whether a link leads to a customer that Rillet does not have; of other records, never.

        Raises:
            RetryLater: Rillet does not answer.
        """
        if kind != "customer" or not rillet_id:
            return False
        if rillet_id not in self._known:
            try:
                self._known[rillet_id] = self._rillet.customer(rillet_id) is None
            except NeedsAttention:  # no id of Rillet's; its own use says so
                self._known[rillet_id] = False
        return self._known[rillet_id]
