"""Access to Rillet: authorising, refreshing, the status with its checklist, disconnecting."""

from local.system import LocalSystem
from tests.contract.scenarios.setup import connect_with_demo_data, expect

_HOUR = 3600


def connect_and_disconnect(system: LocalSystem) -> None:
    """Do with OAuth what a person does, and let a token expire meanwhile; then ask with an API key."""
    system.connect(auth="oauth")
    system.authorise()
    expect(_ask(system, "status")["connection"], "default", "the status")
    system.advance(2 * _HOUR)
    system.runtime.reset()
    _ask(system, "status")
    expect(_ask(system, "disconnect")["revoked"], True, "disconnecting")
    system.reset()
    connect_with_demo_data(system)
    _ask(system, "status")


def _ask(system: LocalSystem, action: str) -> dict[str, object]:
    answer: dict[str, object] = system.invoke("connect_rillet", {"action": action})
    return answer
