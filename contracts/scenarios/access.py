"""Access to Rillet: authorising, refreshing, the status with its checklist, disconnecting."""

from contracts.scenarios.world import connected, expect
from local.stack import LocalStack

_HOUR = 3600


def connect_and_disconnect(stack: LocalStack) -> None:
    """Do with OAuth what a person does, and let a token expire meanwhile; then ask with an API key."""
    stack.connect(auth="oauth")
    stack.authorise()
    expect(_ask(stack, "status")["connection"], "default", "the status")
    stack.advance(2 * _HOUR)
    stack.runtime.reset()
    _ask(stack, "status")
    expect(_ask(stack, "disconnect")["revoked"], True, "disconnecting")
    stack.reset()
    connected(stack)
    _ask(stack, "status")


def _ask(stack: LocalStack, action: str) -> dict[str, object]:
    answer: dict[str, object] = stack.invoke("connect_rillet", {"action": action})
    return answer
