"""The demo's data on a local system that does not wait for the rate limit, and documents exported from it."""

from typing import Any

from local import sample_data
from local.system import Connection, LocalSystem

Json = dict[str, Any]

LOOSE: Json = {"pacing": {"requests": 1000, "window_seconds": 1, "margin_seconds": 0}}
"""Settings without waiting for the rate limit; they do not change what is sent."""


def connect_with_demo_data(system: LocalSystem, *, rillet: Json | None = None, **settings: Any) -> Connection:
    """A connection with the demo's data; `rillet` are more settings of Rillet's part."""
    system.rillet.state.rate_limit = 100_000
    return system.connect(
        settings={
            "fallback_products": sample_data.fallback_products(),
            "rillet": {**LOOSE, **(rillet or {})},
            **settings,
        },
        solvimon=sample_data.solvimon_seed(),
        rillet=sample_data.rillet_seed(),
    )


def renew(system: LocalSystem, **settings: Any) -> Connection:
    """Start again with other settings."""
    system.reset()
    return connect_with_demo_data(system, **settings)


def finalised(connection: Connection) -> list[str]:
    """Finalise all drafts; return their ids."""
    platform = connection.platform
    drafts = [i["id"] for i in platform.records["invoices"].values() if i["status"] == "DRAFT"]
    for invoice_id in drafts:
        platform.finalise(invoice_id)
    return drafts


def outcomes(system: LocalSystem, function: str, event: Json) -> list[str]:
    """Invoke a function for documents; return the outcome of each."""
    return [result["outcome"] for result in system.invoke(function, event)["results"]]


def expect(found: object, expected: object, what: str) -> None:
    """Check that a scenario did its work: one that does nothing proves nothing.

    Raises:
        RuntimeError: it did not.
    """
    if found != expected:
        raise RuntimeError(f"{what}: {found} instead of {expected}")
