"""The demo's world without waiting for turns, and documents that go through it."""

from typing import Any

from local import demo_data
from local.stack import Connection, LocalStack

Json = dict[str, Any]

LOOSE: Json = {"pacing": {"requests": 1000, "window_seconds": 1, "margin_seconds": 0}}
"""Settings with which nobody waits for a turn; what is sent does not depend on them."""


def connected(stack: LocalStack, *, rillet: Json | None = None, **settings: Any) -> Connection:
    """A connection in the demo's world; `rillet` are more settings of Rillet's part."""
    stack.rillet.state.rate_limit = 100_000
    return stack.connect(
        settings={
            "fallback_products": demo_data.fallback_products(),
            "rillet": {**LOOSE, **(rillet or {})},
            **settings,
        },
        solvimon=demo_data.solvimon_seed(),
        rillet=demo_data.rillet_seed(),
    )


def renew(stack: LocalStack, **settings: Any) -> Connection:
    """Begin anew with other settings."""
    stack.reset()
    return connected(stack, **settings)


def finalised(connection: Connection) -> list[str]:
    """Finalise all drafts; the answer is their ids."""
    platform = connection.platform
    drafts = [i["id"] for i in platform.records["invoices"].values() if i["status"] == "DRAFT"]
    for invoice_id in drafts:
        platform.finalise(invoice_id)
    return drafts


def outcomes(stack: LocalStack, function: str, event: Json) -> list[str]:
    """Invoke a function for documents; the answer is what became of each."""
    return [result["outcome"] for result in stack.invoke(function, event)["results"]]


def expect(found: object, wanted: object, what: str) -> None:
    """See that a scenario did what it is for: one that does nothing proves nothing.

    Raises:
        RuntimeError: it did not.
    """
    if found != wanted:
        raise RuntimeError(f"{what}: {found} instead of {wanted}")
