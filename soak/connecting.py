"""The first day: a connection is set up as a team would do it."""

import json
from datetime import timedelta

from local import demo_data
from local.demo_data.identity import Json
from local.stack import Connection, LocalStack
from soak import world
from soak.script import Plan

_SOLVIMON_EVENTS = ["INVOICE.STATUS_TO_FINAL", "CUSTOMER.UPDATED"]
_RILLET_EVENTS = [
    *("invoice-payment-updated", "invoice-updated", "invoice-deleted"),
    *("credit-memo-updated", "credit-memo-deleted"),
]
IMPORTS = ("customers", "products", "subsidiaries")
SETTINGS: Json = {
    "fallback_products": demo_data.fallback_products(),
    "closed_periods": "next_open_day",
    "sweep": {"lookback_days": 2, "customers_per_run": 100},
}
"""A sweep looks back two days here; what is dated earlier, the nightly reconciliation finds."""


def connected(plan: Plan, stack: LocalStack) -> Connection:
    """Set up the connection as a team would: OAuth, webhooks on both sides, the first import."""
    start_date = (plan.start - timedelta(days=31)).date().isoformat()
    made = stack.connect(
        settings=SETTINGS | {"start_date": start_date},
        auth="oauth",
        solvimon=world.solvimon_seed(plan.customers),
        rillet=world.rillet_seed(plan.customers),
    )
    stack.authorise()
    for webhook in made.platform.webhooks.webhooks.values():
        webhook.record["included_actions"] = _SOLVIMON_EVENTS
    url = made.webhook_url.replace("/solvimon/", "/rillet/")
    token = made.organisation.add_webhook(url, events=_RILLET_EVENTS).token
    _add_to_secret(stack, made.name, {"webhook_token": token})
    for kind in IMPORTS:
        stack.invoke(f"import_{kind}", {})
    return made


def _add_to_secret(stack: LocalStack, connection: str, more: dict[str, str]) -> None:
    name = f"{stack.deployment.stack}/{connection}/rillet"
    secret = stack.aws.secretsmanager.get_secret_value(SecretId=name)["SecretString"]
    stack.put_secret(connection, "rillet", {**json.loads(secret), **more})
