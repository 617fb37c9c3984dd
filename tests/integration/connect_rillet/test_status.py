"""The status names everything that is missing, with what to do about it."""

from collections.abc import Callable

import pytest

from local.system import Connection, LocalSystem
from tests.integration.connect_rillet.support import (
    ACME,
    HOUR,
    Heard,
    Json,
    add_to_secret,
    ask,
    check,
    connect,
    connected,
    everything,
    oauth,
)


def status(system: LocalSystem) -> Json:
    """How ``acme`` stands."""
    return ask(system, action="status")


@pytest.fixture
def complete(system: LocalSystem, acme: Connection) -> Connection:
    """A connection to which nothing is missing."""
    connected(system, acme)
    add_to_secret(system, "rillet", webhook_token="from-rillet-0123")
    return acme


def put_solvimon(system: LocalSystem, **secret: str) -> None:
    system.put_secret(ACME, "solvimon", secret)


def delete_secret(system: LocalSystem, vendor: str) -> None:
    name = f"solvimon-rillet/{ACME}/{vendor}"
    system.aws.secretsmanager.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)


def invalid_settings(system: LocalSystem) -> None:
    system.put_settings(ACME, {**system.connections[ACME].settings, "invoice_scope": "HALF"})
    system.advance(61)


MISSING: dict[str, tuple[Callable[[LocalSystem], object], str, str, str]] = {
    "settings that cannot be used": (invalid_settings, "settings", "invoice_scope", "Correct the value"),
    "no secret of Solvimon": (
        lambda s: delete_secret(s, "solvimon"),
        "Solvimon API key",
        "acme/solvimon does not exist",
        "under api_key",
    ),
    "no key of Solvimon": (
        lambda s: put_solvimon(s, api_key="", webhook_secret="x" * 64),
        "Solvimon API key",
        "has no 'api_key'",
        "under api_key",
    ),
    "a wrong key of Solvimon": (
        lambda s: put_solvimon(s, api_key="not-a-key-of-it", webhook_secret="x" * 64),
        "Solvimon API key",
        "Solvimon refuses the credential (401)",
        "under api_key",
    ),
    "Solvimon is down": (
        lambda s: s.solvimon.state.misbehave("down"),
        "Solvimon API key",
        "Solvimon",
        "solvimon.base_url",
    ),
    "no webhook secret of Solvimon": (
        lambda s: put_solvimon(s, api_key=s.connections[ACME].solvimon_api_key),
        "Solvimon webhook",
        "has no 'webhook_secret'",
        "acme/solvimon, under webhook_secret",
    ),
    "no secret of Rillet": (
        lambda s: delete_secret(s, "rillet"),
        "Rillet",
        "acme/rillet does not exist",
        'Invoke connect_rillet with {"connection": "acme"}',
    ),
    "disconnected": (
        lambda s: ask(s, action="disconnect"),
        "Rillet",
        "must be connected again",
        'Invoke connect_rillet with {"connection": "acme"}',
    ),
    "access taken back in Rillet": (
        lambda s: oauth(s).revoke_all("org-acme"),
        "Rillet",
        "must be connected again",
        'Invoke connect_rillet with {"connection": "acme"}',
    ),
    "an empty API key of Rillet": (
        lambda s: s.put_secret(ACME, "rillet", {"auth": "api_key", "api_key": "", "webhook_token": "x" * 9}),
        "Rillet",
        "has no 'api_key'",
        "Or put an API key",
    ),
    "a wrong API key of Rillet": (
        lambda s: s.put_secret(ACME, "rillet", {"api_key": "not-a-key-of-it", "webhook_token": "x" * 9}),
        "Rillet",
        "Rillet refuses the credential (401)",
        "Or put an API key",
    ),
    "a secret of Rillet that is no JSON": (
        lambda s: (
            s.aws.secretsmanager.put_secret_value(
                SecretId=f"solvimon-rillet/{ACME}/rillet", SecretString="not-json-0123"
            )
            and None
        ),
        "Rillet",
        "acme/rillet is not a JSON object",
        "Or put an API key",
    ),
    "Rillet is down": (lambda s: s.rillet.state.misbehave("down"), "Rillet", "Rillet", "rillet.base_url"),
    "Rillet is busy": (
        lambda s: s.rillet.state.misbehave("status", "GET", "/organizations", status=429),
        "Rillet",
        "429",
        "again in a minute",
    ),
    "no webhook token of Rillet": (
        lambda s: add_to_secret(s, "rillet", webhook_token=""),
        "Rillet webhook",
        "has no 'webhook_token'",
        "acme/rillet, under webhook_token",
    ),
}


def test_nothing_is_missing(system: LocalSystem, complete: Connection) -> None:
    answer = status(system)

    assert answer["ready"] is True
    assert [line["check"] for line in answer["checklist"]] == [
        "settings",
        "Solvimon API key",
        "Solvimon webhook",
        "Rillet",
        "Rillet webhook",
    ]
    assert all(line["ok"] and "remedy" not in line for line in answer["checklist"])


@pytest.mark.parametrize("name", MISSING)
def test_what_is_missing_is_named_with_its_remedy_a_moment_after(
    system: LocalSystem, complete: Connection, name: str
) -> None:
    """By a process that saw the connection complete; what else depends on it may be missing with it."""
    make, line, found, remedy = MISSING[name]
    assert status(system)["ready"]

    make(system)
    answer = status(system)

    assert answer["ready"] is False
    named = check(answer, line)
    assert named["ok"] is False
    assert found in named["found"]
    assert remedy in named["remedy"]
    others = {other["check"] for other in answer["checklist"] if not other["ok"]} - {line}
    same_secret = {"Solvimon API key": "Solvimon webhook", "Rillet": "Rillet webhook"}
    assert others <= {same_secret.get(line)}


def test_a_part_that_was_put_there_is_seen_at_once(system: LocalSystem, acme: Connection) -> None:
    system.put_secret(ACME, "solvimon", {"api_key": ""})
    first = status(system)

    put_solvimon(system, api_key=acme.solvimon_api_key, webhook_secret=acme.webhook_secret)
    connected(system, acme)
    add_to_secret(system, "rillet", webhook_token="from-rillet-0123")
    second = status(system)

    assert [line["check"] for line in first["checklist"] if not line["ok"]] == [
        "Solvimon API key",
        "Solvimon webhook",
        "Rillet",
        "Rillet webhook",
    ]
    assert second["ready"] is True


def test_a_connection_that_nobody_authorised_has_no_organisation_yet(
    system: LocalSystem, acme: Connection
) -> None:
    answer = status(system)

    assert answer["organisation"] is None
    assert answer["auth"] is None
    assert answer["webhook_urls"]["rillet"].endswith("/webhooks/rillet/acme")


def test_a_broken_connection_says_reconnect_until_it_is(system: LocalSystem, complete: Connection) -> None:
    oauth(system).revoke_all(complete.organisation)

    broken = status(system)
    later = status(system)
    connect(system, complete)
    mended = status(system)

    assert broken["action_needed"] == later["action_needed"] == "reconnect"
    assert "action_needed" not in mended
    assert mended["ready"] is True
    assert oauth(system).counts.refreshes == 0


def test_a_connection_without_a_refresh_token_says_reconnect_when_its_token_has_ended(
    system: LocalSystem, complete: Connection
) -> None:
    """Whether Rillet always gives a refresh token is not documented."""
    add_to_secret(system, "rillet", refresh_token="")

    good = status(system)
    system.advance(2 * HOUR)
    ended = status(system)

    assert "action_needed" not in good
    assert ended["action_needed"] == "reconnect"


def test_a_disconnected_one_says_connect(system: LocalSystem, complete: Connection) -> None:
    ask(system, action="disconnect")

    answer = status(system)

    assert (answer["auth"], answer["action_needed"]) == ("oauth", "connect")
    assert (answer["scopes"], answer["token_expires_at"]) == ([], None)


def test_an_outage_is_no_reason_to_reconnect(system: LocalSystem, complete: Connection) -> None:
    system.rillet.state.misbehave("down")
    system.advance(2 * HOUR)

    answer = status(system)

    assert "action_needed" not in answer
    assert not check(answer, "Rillet")["ok"]


@pytest.mark.parametrize("after", [0, 2 * HOUR])
def test_the_status_holds_no_secret(
    system: LocalSystem, complete: Connection, heard: Heard, after: int
) -> None:
    system.advance(after)

    text = str(status(system))

    assert [value for value in heard.secrets if value in text] == []


def test_the_status_changes_nothing(system: LocalSystem, complete: Connection) -> None:
    before = everything(system)

    status(system)

    assert everything(system) == before


def test_a_connection_with_an_api_key_needs_no_authorisation(system: LocalSystem) -> None:
    acme = system.connect(ACME)
    add_to_secret(system, "rillet", webhook_token="from-rillet-0123")

    answer = status(system)

    assert answer["ready"] is True
    assert answer["auth"] == "api_key"
    assert answer["organisation"]["id"] == acme.organisation.id
    assert "scopes" not in answer


def test_workflows_that_are_off_are_shown_as_off(system: LocalSystem) -> None:
    system.connect(ACME, {"workflows": {"export_invoice": False}})

    assert status(system)["workflows"]["export_invoice"] is False
