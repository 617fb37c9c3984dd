"""The people who run the product: they set up the connection, restore the ledger and connect Rillet again."""

import logging
from datetime import UTC, datetime, timedelta

from local import sample_data
from local.sample_data.identity import Json
from local.system import Connection, LocalSystem
from tests.soak import company_data
from tests.soak.company_simulation import asked
from tests.soak.schedule import Plan

_SOLVIMON_EVENTS = ["INVOICE.STATUS_TO_FINAL", "CUSTOMER.UPDATED"]
_RILLET_EVENTS = [
    *("invoice-payment-updated", "invoice-updated", "invoice-deleted"),
    *("credit-memo-updated", "credit-memo-deleted"),
]
NIGHTLY_IMPORTS = ("customers", "products", "subsidiaries")
SETTINGS: Json = {
    "fallback_products": sample_data.fallback_products(),
    "closed_periods": "next_open_day",
    "sweep": {"lookback_days": 2, "customers_per_run": 100},
}
"""A sweep looks back two days here; what is dated earlier, the nightly reconciliation finds."""
logger = logging.getLogger(__name__)

_SETTINGS_SECONDS = 120
"""After so long all functions know the settings."""


def set_up_connection(plan: Plan, system: LocalSystem) -> Connection:
    """Set up the connection as a team would: OAuth, webhooks on both sides, the first import."""
    start_date = (plan.start - timedelta(days=31)).date().isoformat()
    made = system.connect(
        settings=SETTINGS | {"start_date": start_date},
        auth="oauth",
        solvimon=company_data.solvimon_seed(plan.customers, plan.weeks),
        rillet=company_data.rillet_seed(plan.customers, plan.weeks),
    )
    system.authorise()
    for webhook in made.platform.webhooks.webhooks.values():
        webhook.record["included_actions"] = _SOLVIMON_EVENTS
    system.add_rillet_webhook(made, _RILLET_EVENTS)
    for kind in NIGHTLY_IMPORTS:
        system.invoke(f"import_{kind}", {})
    return made


class Operations:
    """Acts on the deployment.

    Attributes:
        adopted: how many documents the reconciliation after the restore has taken over.
        reconnected: how often Rillet was connected again, because its grant was lost.
    """

    def __init__(self, plan: Plan, system: LocalSystem, connection: Connection) -> None:
        self._plan, self._system, self._connection = plan, system, connection
        self._kept: tuple[float, bytes] | None = None
        self._restored = False
        self.adopted = 0
        self.reconnected = 0

    def keep_ledger(self) -> bool:
        """Note the moment to which the ledger will be restored; DynamoDB keeps every moment."""
        self._kept = self._system.clock.now(), self._system.ledger_table.snapshot()
        return True

    def restore_ledger(self) -> bool:
        """Restore the ledger to that moment, and let the reconciliation adopt what Rillet has."""
        if self._kept is None:
            return False
        if not self._restored:
            moment = datetime.fromtimestamp(int(self._kept[0]), UTC).isoformat()
            restored = {"ledger_restored_to": moment}
            self._system.put_settings(self._connection.name, {**self._connection.settings, **restored})
            self._system.advance(_SETTINGS_SECONDS)
            self._system.ledger_table.restore(self._kept[1])
            self._restored = True
        since = self._plan.start - timedelta(days=31)
        answer = self._asked("reconcile", {"adopt": True, "from": f"{since:%Y-%m-%d}"})
        self.adopted += answer.get("adopted", 0)
        return "adopted" in answer

    def reconnect_if_needed(self) -> None:
        """Connect Rillet again where its refresh token got lost with an answer, as the alarm asks for."""
        if self._asked("connect_rillet", {"action": "status"}).get("action_needed") == "reconnect":
            self.reconnected += 1
            try:
                self._system.authorise(self._connection.name)
            except Exception:
                logger.exception("nobody could connect Rillet; the next hour brings another try")

    def _asked(self, function: str, event: Json) -> Json:
        return asked(self._system, function, {"connection": self._connection.name, **event})
