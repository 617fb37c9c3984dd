"""A credential that cannot be used: documents wait, and both statuses say the same about it."""

import json

import pytest

from local.system import LocalSystem
from tests.integration.sync_status.support import Default
from tests.support.arrange import finalise, put_secret, until_exported
from tests.support.assertions import dead_letters, rillet_invoices, waiting

PASTED = {
    "a character that no key has": ("rillet", '{"api_key": "rillet-key…"}', "U+2026 HORIZONTAL ELLIPSIS"),
    "an unknown auth": ("rillet", '{"auth": "key", "api_key": "rillet-key-default"}', "unknown 'auth'"),
    "no JSON": ("rillet", "rillet-key-default", "is not a JSON object of texts: Expecting value"),
    "a key that is a number": ("solvimon", '{"api_key": 7}', "'api_key' is no text in quotes"),
    "a key of Solvimon's": ("solvimon", '{"api_key": "solvimon-k€y"}', "U+20AC EURO SIGN, at position 11"),
    "a whole file": ("solvimon", json.dumps({"api_key": "x" * 5000}), "5000 characters"),
}


def _checklist(system: LocalSystem) -> dict[str, str]:
    status = system.invoke("connect_rillet", {"action": "status"})
    return {check["check"]: check["found"] for check in status["checklist"]}


@pytest.mark.parametrize("name", PASTED)
def test_documents_wait_for_a_credential_and_the_status_says_the_same(default: Default, name: str) -> None:
    vendor, text, problem = PASTED[name]
    good = default.system.aws.secretsmanager.get_secret_value(SecretId=f"solvimon-rillet/default/{vendor}")
    finalise(default.system, default)
    default.put_secret_text(vendor, text)
    default.system.settle()
    in_between = waiting(default.system).total, dead_letters(default.system)

    [said] = default.ask()["credentials"]
    checklist = _checklist(default.system)
    default.put_secret_text(vendor, good["SecretString"])
    until_exported(default.system)

    assert in_between == (1, [])
    assert problem in said
    assert f"solvimon-rillet/default/{vendor}" in said
    assert checklist["Rillet" if vendor == "rillet" else "Solvimon API key"] == said
    assert "credentials" not in default.ask()


def test_a_secret_scheduled_for_deletion_is_named_with_the_command_that_restores_it(default: Default) -> None:
    name = "solvimon-rillet/default/rillet"
    default.system.aws.secretsmanager.delete_secret(SecretId=name, RecoveryWindowInDays=7)
    default.system.runtime.reset()
    finalise(default.system, default)
    default.system.settle()
    [said], checklist = default.ask()["credentials"], _checklist(default.system)

    default.system.aws.secretsmanager.restore_secret(SecretId=name)
    until_exported(default.system)

    assert f"aws secretsmanager restore-secret --secret-id {name}" in said
    assert checklist["Rillet"] == said


def test_a_trailing_newline_and_a_zero_width_space_do_no_harm(default: Default) -> None:
    secret = {"auth": "api_key\n", "api_key": f" {default.rillet_api_key}\u200b\n"}
    default.put_secret_text("rillet", json.dumps(secret))

    finalise(default.system, default)
    default.system.settle()

    assert len(rillet_invoices(default)) == 1


def test_a_missing_webhook_token_does_not_make_documents_wait_and_no_status_says_so(default: Default) -> None:
    put_secret(default.system, default, "rillet")

    finalise(default.system, default)
    default.system.settle()
    status = default.system.invoke("connect_rillet", {"action": "status"})

    [check] = [each for each in status["checklist"] if each["check"] == "Rillet webhook"]
    assert len(rillet_invoices(default)) == 1
    assert not check["ok"]
    assert "documents wait" not in check["found"]
    assert "no document waits for it" in check["remedy"]
    assert "credentials" not in default.ask()
