"""A credential that cannot be used: documents wait, and both statuses say the same about it."""

import json

import pytest

from local.system import Connection, LocalSystem
from tests.support.arrange import connect_demo, finalise, put_secret, until_exported
from tests.support.assertions import dead_letters, rillet_invoices, waiting

PASTED = {
    "a character that no key has": ("rillet", '{"api_key": "rillet-key…"}', "U+2026 HORIZONTAL ELLIPSIS"),
    "an unknown auth": ("rillet", '{"auth": "key", "api_key": "rillet-key-default"}', "unknown 'auth'"),
    "no JSON": ("rillet", "rillet-key-default", "is not a JSON object of texts: Expecting value"),
    "a key that is a number": ("solvimon", '{"api_key": 7}', "'api_key' is no text in quotes"),
    "a key of Solvimon's": ("solvimon", '{"api_key": "solvimon-k€y"}', "U+20AC EURO SIGN, at position 11"),
    "a whole file": ("solvimon", json.dumps({"api_key": "x" * 5000}), "5000 characters"),
}


@pytest.fixture
def connection(system: LocalSystem) -> Connection:
    """A connection with the demo's records."""
    return connect_demo(system)


def _put(system: LocalSystem, vendor: str, text: str) -> None:
    system.aws.secretsmanager.put_secret_value(
        SecretId=f"solvimon-rillet/default/{vendor}", SecretString=text
    )
    system.runtime.reset()


def _checklist(system: LocalSystem) -> dict[str, str]:
    status = system.invoke("connect_rillet", {"action": "status"})
    return {check["check"]: check["found"] for check in status["checklist"]}


@pytest.mark.parametrize("name", PASTED)
def test_documents_wait_for_a_credential_and_the_status_says_the_same(
    system: LocalSystem, connection: Connection, name: str
) -> None:
    vendor, text, problem = PASTED[name]
    good = system.aws.secretsmanager.get_secret_value(SecretId=f"solvimon-rillet/default/{vendor}")
    finalise(system, connection)
    _put(system, vendor, text)
    system.settle()
    in_between = waiting(system).total, dead_letters(system)

    [said] = system.invoke("sync_status", {})["credentials"]
    checklist = _checklist(system)
    _put(system, vendor, good["SecretString"])
    until_exported(system)

    assert in_between == (1, [])
    assert problem in said
    assert f"solvimon-rillet/default/{vendor}" in said
    assert checklist["Rillet" if vendor == "rillet" else "Solvimon API key"] == said
    assert "credentials" not in system.invoke("sync_status", {})


def test_a_secret_scheduled_for_deletion_is_named_with_the_command_that_restores_it(
    system: LocalSystem, connection: Connection
) -> None:
    name = "solvimon-rillet/default/rillet"
    system.aws.secretsmanager.delete_secret(SecretId=name, RecoveryWindowInDays=7)
    system.runtime.reset()
    finalise(system, connection)
    system.settle()
    [said], checklist = system.invoke("sync_status", {})["credentials"], _checklist(system)

    system.aws.secretsmanager.restore_secret(SecretId=name)
    until_exported(system)

    assert f"aws secretsmanager restore-secret --secret-id {name}" in said
    assert checklist["Rillet"] == said


def test_a_trailing_newline_and_a_zero_width_space_do_no_harm(
    system: LocalSystem, connection: Connection
) -> None:
    _put(
        system,
        "rillet",
        json.dumps({"auth": "api_key\n", "api_key": f" {connection.rillet_api_key}\u200b\n"}),
    )

    finalise(system, connection)
    system.settle()

    assert len(rillet_invoices(connection)) == 1


def test_a_missing_webhook_token_does_not_make_documents_wait_and_no_status_says_so(
    system: LocalSystem, connection: Connection
) -> None:
    put_secret(system, connection, "rillet")

    finalise(system, connection)
    system.settle()
    status = system.invoke("connect_rillet", {"action": "status"})

    [check] = [each for each in status["checklist"] if each["check"] == "Rillet webhook"]
    assert len(rillet_invoices(connection)) == 1
    assert not check["ok"]
    assert "documents wait" not in check["found"]
    assert "no document waits for it" in check["remedy"]
    assert "credentials" not in system.invoke("sync_status", {})
