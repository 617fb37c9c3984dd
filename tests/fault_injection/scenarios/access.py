"""Access to Rillet by OAuth: authorising, refreshing, disconnecting."""

from local.system import LocalSystem
from tests.fault_injection.scenarios.exports import invoice_finalised
from tests.fault_injection.scenarios.scenario import Scenario, invoking, second_announced
from tests.fault_injection.setups import SECOND, Setup


def _unauthorised(system: LocalSystem) -> Setup:
    return invoice_finalised(system, "oauth")


def _authorised(system: LocalSystem) -> Setup:
    setup = _unauthorised(system)
    system.authorise()
    setup.work_off()
    return setup


def _token_expired(system: LocalSystem) -> Setup:
    """The access token has expired when the next invoice comes."""
    setup = _authorised(system)
    system.advance(2 * 3600)
    return second_announced(setup)


def _is_connected(setup: Setup) -> bool:
    checklist = setup.invoke("connect_rillet", action="status")["checklist"]
    return any(line["check"] == "Rillet" and line["ok"] for line in checklist)


def _authorise(setup: Setup) -> str:
    """A person authorises the connection in the browser; the answer is what they see in the end."""
    if not _is_connected(setup):
        setup.system.authorise()
    return str(_is_connected(setup))


def _authorise_again(setup: Setup) -> bool:
    if _is_connected(setup):
        return False
    setup.system.authorise()
    return True


ACCESS = (
    Scenario(
        "connect Rillet by OAuth",
        "connect_rillet",
        _unauthorised,
        _authorise,
        by_person=True,
        succeeded=lambda answer: answer == "True",
        compared=str,
    ),
    Scenario(
        "disconnect Rillet",
        "connect_rillet",
        _authorised,
        lambda setup: setup.invoke("connect_rillet", action="disconnect"),
        by_person=True,
        succeeded=lambda answer: bool(answer.get("disconnected")),
        compared=lambda answer: answer.get("disconnected"),
    ),
    # Where Rillet's answer with the only new refresh token gets lost, a person must connect again.
    Scenario(
        "refresh an expired token in an export",
        "export_invoice",
        _token_expired,
        again=invoking("export_invoice", invoice_ids=[SECOND]),
        acts=("reconnect",),
        fix=_authorise_again,
    ),
)
