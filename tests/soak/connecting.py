"""The first day: a connection is set up as a team would do it."""

from datetime import timedelta

from local import sample_data
from local.rillet_webhook import add_rillet_webhook
from local.sample_data.identity import Json
from local.system import Connection, LocalSystem
from tests.soak import company_data
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
    add_rillet_webhook(system, made, _RILLET_EVENTS)
    for kind in NIGHTLY_IMPORTS:
        system.invoke(f"import_{kind}", {})
    return made
