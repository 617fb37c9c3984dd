"""The status names everything that is missing, with what to do about it."""

from collections.abc import Callable

import pytest

from local.system import LocalSystem
from tests.integration.connect_rillet.captured_logs import Logs
from tests.integration.connect_rillet.support import (
    ACME,
    HOUR,
    STACK,
    Json,
    OAuthConnection,
    ask,
    check,
    missing,
    with_webhook_token,
)
from tests.support.arrange import configure


@pytest.fixture
def complete(acme: OAuthConnection) -> OAuthConnection:
    """A connection to which nothing is missing."""
    acme.connected()
    acme.add_to_secret("webhooks", webhook_token="from-rillet-0123")
    put_settings(acme, start_date="2026-01-01")
    return acme


def put_solvimon(connection: OAuthConnection, api_key: str) -> None:
    connection.put_secret("solvimon", {"api_key": api_key})


def put_rillet_key(connection: OAuthConnection, api_key: str) -> None:
    connection.put_secret("rillet", {"auth": "api_key", "api_key": api_key})


def put_text(connection: OAuthConnection) -> None:
    secret_id = f"{STACK}/{ACME}/rillet"
    connection.system.aws.secretsmanager.put_secret_value(SecretId=secret_id, SecretString="not-json-0123")


def delete_secret(connection: OAuthConnection, vendor: str) -> None:
    secret_id = f"{STACK}/{ACME}/{vendor}"
    connection.system.aws.secretsmanager.delete_secret(SecretId=secret_id, ForceDeleteWithoutRecovery=True)


def invalid_settings(connection: OAuthConnection) -> None:
    connection.system.put_settings(ACME, {**connection.settings, "invoice_scope": "HALF"})
    connection.advance(61)


def put_settings(connection: OAuthConnection, **changes: object) -> None:
    merged = {
        name: {**connection.settings.get(name, {}), **value} if isinstance(value, dict) else value
        for name, value in changes.items()
    }
    always = {"start_date": "2026-01-01"}
    connection.system.put_settings(ACME, {**connection.settings, **always, **merged})
    connection.advance(61)


CHECKS = [
    "settings",
    "reference types",
    "Solvimon API key",
    "Solvimon webhook",
    "Rillet",
    "Rillet webhook",
    "may write",
    "fallback products",
    "start_date",
    "records linked",
    "only connection",
    "alarm address",
]
FOLLOWS = {"Rillet": {"may write"}, "Solvimon API key": {"records linked", "may write"}}
"""Lines that are not known while another one fails."""
INVOKE = 'Invoke connect_rillet with {"connection": "acme"}'
Clients = Callable[[str, str | None], object]
Missing = tuple[Callable[[OAuthConnection], object], str, str]


def webhook_secret_in_its_old_place(connection: OAuthConnection) -> None:
    connection.add_to_secret("webhooks", webhook_secret="")
    connection.add_to_secret("solvimon", webhook_secret="x" * 64)


MISSING: dict[str, dict[str, Missing]] = {
    "settings": {"settings that cannot be used": (invalid_settings, "invoice_scope", "Correct the value")},
    "reference types": {
        "no link on one that needs it": (
            lambda c: put_settings(
                c, reference_types={"invoice": "CUSTOMER_CUSTOM"}, solvimon={"desk_invoice_url": None}
            ),
            "CUSTOMER_CUSTOM: Rillet requires a link on it",
            "solvimon.desk_invoice_url",
        ),
        "one twice that Rillet takes once": (
            lambda c: put_settings(
                c,
                invoice_scope="AR_ONLY",
                reference_types={"invoice": "CUSTOMER_CUSTOM", "invoice_line": "CUSTOMER_CUSTOM"},
            ),
            "once in header and lines together",
            "reference_types.invoice_line",
        ),
    },
    "Solvimon API key": {
        "no secret": (
            lambda c: delete_secret(c, "solvimon"),
            "acme/solvimon does not exist",
            "under api_key",
        ),
        "no key": (lambda c: put_solvimon(c, ""), "has no 'api_key'", "under api_key"),
        "a wrong key": (
            lambda c: put_solvimon(c, "not-a-key-of-it"),
            "Solvimon refuses the credential (401)",
            "under api_key",
        ),
        "down": (lambda c: c.system.solvimon.state.misbehave("down"), "Solvimon", "solvimon.base_url"),
    },
    "Solvimon webhook": {
        "no secret": (
            lambda c: c.add_to_secret("webhooks", webhook_secret=""),
            "has no 'webhook_secret'",
            "secret solvimon-rillet/acme/webhooks, under webhook_secret",
        ),
        "still in its old place": (
            webhook_secret_in_its_old_place,
            "has no 'webhook_secret'",
            "Move webhook_secret from there into solvimon-rillet/acme/webhooks",
        ),
    },
    "Rillet": {
        "no secret": (lambda c: delete_secret(c, "rillet"), "acme/rillet does not exist", INVOKE),
        "disconnected": (lambda c: c.disconnect(), "must be connected again", INVOKE),
        "access revoked": (lambda c: c.oauth.revoke_all("org-acme"), "must be connected again", INVOKE),
        "an empty API key": (lambda c: put_rillet_key(c, ""), "has no 'api_key'", "Or put an API key"),
        "a wrong API key": (
            lambda c: put_rillet_key(c, "not-a-key-of-it"),
            "Rillet refuses the credential (401)",
            "Or put an API key",
        ),
        "a secret that is no JSON": (put_text, "acme/rillet is not a JSON object", "Or put an API key"),
        "down": (lambda c: c.rillet.misbehave("down"), "Rillet", "rillet.base_url"),
        "busy": (
            lambda c: c.rillet.misbehave("status", "GET", "/organizations", status=429),
            "429",
            "again in a minute",
        ),
    },
    "Rillet webhook": {
        "no token": (
            lambda c: c.add_to_secret("webhooks", webhook_token=""),
            "has no 'webhook_token'",
            "secret solvimon-rillet/acme/webhooks, under webhook_token",
        )
    },
}


@pytest.fixture(autouse=True)
def _alarm_address(clients: Clients, monkeypatch: pytest.MonkeyPatch, system: LocalSystem) -> None:
    """An address has confirmed that it gets the alarms."""
    attributes = {"Attributes": {"SubscriptionsConfirmed": "1", "SubscriptionsPending": "0"}}
    sns = clients("sns", system.deployment.functions["connect_rillet"].name)
    monkeypatch.setattr(sns, "get_topic_attributes", lambda **_: attributes)


def test_nothing_is_missing(complete: OAuthConnection) -> None:
    answer = complete.status()

    assert answer["ready"] is True
    assert [line["check"] for line in answer["checklist"]] == CHECKS
    assert all(line["ok"] and "remedy" not in line for line in answer["checklist"])


@pytest.mark.parametrize(
    ("settings", "found"),
    [
        ({}, "scope FULL and marked as sent"),
        ({"mark_as_sent": False}, "scope FULL and stay unbilled"),
        ({"invoice_scope": "AR_ONLY"}, "scope AR_ONLY, in which Rillet sends none"),
    ],
)
def test_the_checklist_says_which_scope_is_set_and_what_it_means_for_sending(
    complete: OAuthConnection, settings: Json, found: str
) -> None:
    configure(complete.system, complete, **settings)

    assert found in check(complete.status(), "settings")["found"]


@pytest.mark.parametrize(("line", "name"), [(line, name) for line in MISSING for name in MISSING[line]])
def test_a_missing_part_is_named_with_its_remedy(complete: OAuthConnection, line: str, name: str) -> None:
    """By a process that saw the connection complete; what else depends on it may be missing with it."""
    remove, found, remedy = MISSING[line][name]
    assert complete.status()["ready"]

    remove(complete)
    answer = complete.status()

    assert answer["ready"] is False
    named = check(answer, line)
    assert named["ok"] is False
    assert found in named["found"]
    assert remedy in named["remedy"]
    others = {other["check"] for other in answer["checklist"] if not other["ok"]} - {line}
    assert others <= FOLLOWS.get(line, set())


def test_a_part_that_was_put_there_is_seen_at_once(acme: OAuthConnection) -> None:
    acme.put_secret("solvimon", {"api_key": ""})
    acme.put_secret("webhooks", {})
    first = acme.status()

    put_solvimon(acme, acme.solvimon_api_key)
    acme.connected()
    acme.put_secret("webhooks", {"webhook_secret": acme.webhook_secret, "webhook_token": "from-rillet-0123"})
    second = acme.status()

    assert missing(first) == CHECKS[2:7]
    assert second["ready"] is True


def test_a_connection_that_nobody_authorised_has_no_organisation_yet(acme: OAuthConnection) -> None:
    answer = acme.status()

    assert answer["organisation"] is None
    assert answer["auth"] is None
    assert answer["webhook_urls"]["rillet"].endswith("/webhooks/rillet/acme")


def test_a_broken_connection_says_reconnect_until_it_is(complete: OAuthConnection) -> None:
    complete.oauth.revoke_all(complete.organisation)

    broken = complete.status()
    later = complete.status()
    complete.connect()
    reconnected = complete.status()

    assert broken["action_needed"] == later["action_needed"] == "reconnect"
    assert "action_needed" not in reconnected
    assert reconnected["ready"] is True
    assert complete.oauth.counts.refreshes == 0


def test_without_a_refresh_token_the_end_of_a_token_asks_to_reconnect(complete: OAuthConnection) -> None:
    """Whether Rillet always gives a refresh token is not documented."""
    complete.add_to_secret("rillet", refresh_token="")

    good = complete.status()
    complete.advance(2 * HOUR)
    ended = complete.status()

    assert "action_needed" not in good
    assert ended["action_needed"] == "reconnect"


def test_a_disconnected_one_says_connect(complete: OAuthConnection) -> None:
    complete.disconnect()

    answer = complete.status()

    assert (answer["auth"], answer["action_needed"]) == ("oauth", "connect")
    assert (answer["scopes"], answer["token_expires_at"]) == ([], None)


def test_an_outage_is_no_reason_to_reconnect(complete: OAuthConnection) -> None:
    complete.rillet.misbehave("down")
    complete.advance(2 * HOUR)

    answer = complete.status()

    assert "action_needed" not in answer
    assert not check(answer, "Rillet")["ok"]


@pytest.mark.parametrize("after", [0, 2 * HOUR])
def test_the_status_holds_no_secret(complete: OAuthConnection, logs: Logs, after: int) -> None:
    complete.advance(after)

    text = str(complete.status())

    assert [value for value in logs.secrets if value in text] == []


def test_the_status_changes_nothing(complete: OAuthConnection) -> None:
    before = complete.stored

    complete.status()

    assert complete.stored == before


def test_a_connection_with_an_api_key_needs_no_authorisation(system: LocalSystem) -> None:
    acme = system.connect(ACME)
    with_webhook_token(system, ACME)

    answer = ask(system, action="status")

    assert missing(answer) == ["may write"], "which its first write shows"
    assert answer["auth"] == "api_key"
    assert answer["organisation"]["id"] == acme.organisation.id
    assert "scopes" not in answer
    assert (answer["connected_since"], answer["connected_by"]) == (None, None)


def test_workflows_that_are_off_are_shown_as_off(system: LocalSystem) -> None:
    system.connect(ACME, {"workflows": {"export_invoice": False}})

    assert ask(system, action="status")["workflows"]["export_invoice"] is False
