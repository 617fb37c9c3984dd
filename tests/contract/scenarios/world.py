"""The demo's world without waiting for turns, and documents that go through it."""

from typing import Any

from local import sample_data
from local.system import Connection, LocalSystem

Json = dict[str, Any]

LOOSE: Json = {"pacing": {"requests": 1000, "window_seconds": 1, "margin_seconds": 0}}
"""Settings with which nobody waits for a turn; what is sent does not depend on them."""


def connected(system: LocalSystem, *, rillet: Json | None = None, **settings: Any) -> Connection:
    """A connection in the demo's world; `rillet` are more settings of Rillet's part."""
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
    """Begin anew with other settings."""
    system.reset()
    return connected(system, **settings)


def finalised(connection: Connection) -> list[str]:
    """Finalise all drafts; the answer is their ids."""
    platform = connection.platform
    drafts = [i["id"] for i in platform.records["invoices"].values() if i["status"] == "DRAFT"]
    for invoice_id in drafts:
        platform.finalise(invoice_id)
    return drafts


def outcomes(system: LocalSystem, function: str, event: Json) -> list[str]:
    """Invoke a function for documents; the answer is what became of each."""
    return [result["outcome"] for result in system.invoke(function, event)["results"]]


def expect(found: object, wanted: object, what: str) -> None:
    """See that a scenario did what it is for: one that does nothing proves nothing.

    Raises:
        RuntimeError: it did not.
    """
    if found != wanted:
        raise RuntimeError(f"{what}: {found} instead of {wanted}")
