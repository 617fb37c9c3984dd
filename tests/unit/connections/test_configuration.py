"""Settings and secrets: read when needed, kept for a while, and never worse than the last good ones."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError

from solvimon_rillet.connections.configuration import SECRET_TTL_SECONDS, SETTINGS_TTL_SECONDS, Configuration
from solvimon_rillet.connections.names import UnknownConnection, connection_name
from solvimon_rillet.connections.oauth_client import oauth_client
from solvimon_rillet.errors import ConnectionBroken, RetryLater
from tests.support.logs import logged

Json = dict[str, Any]


class Store:
    """Parameter Store and Secrets Manager: values by name, calls, and a failure of everything."""

    def __init__(self) -> None:
        self.values: dict[str, object] = {}
        self.calls: list[str] = []
        self.failure: Exception | None = None

    def get_parameter(self, Name: str, **_: object) -> Json:
        return {"Parameter": {"Value": self._read(Name, "ParameterNotFound")}}

    def get_secret_value(self, SecretId: str) -> Json:
        value = self._read(SecretId, "ResourceNotFoundException")
        return {"SecretBinary": value} if isinstance(value, bytes) else {"SecretString": value}

    def _read(self, name: str, absent: str) -> object:
        self.calls.append(name)
        if self.failure:
            raise self.failure
        if name not in self.values:
            raise client_error(absent)
        return self.values[name]


def client_error(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code}}, "Get")


class World:
    """A configuration with everything around it."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.ssm, self.secrets = Store(), Store()
        self.counted: list[tuple[str, str]] = []
        self.configuration = Configuration(
            "stack",
            self.ssm,  # type: ignore[arg-type]
            self.secrets,  # type: ignore[arg-type]
            lambda: self.now,
            lambda name, connection: self.counted.append((name, connection)),
        )

    def put(self, settings: str, connection: str = "default") -> None:
        self.ssm.values[f"/stack/{connection}/settings"] = settings

    def put_secret(self, text: object, name: str = "default/rillet") -> None:
        self.secrets.values[f"stack/{name}"] = text

    def scope(self) -> str:
        return self.configuration.settings("default").invoice_scope.value


@pytest.fixture
def world() -> World:
    return World()


def scoped(scope: str) -> str:
    return json.dumps({"invoice_scope": scope})


def test_settings_are_read_once_a_minute_by_the_clock(world: World) -> None:
    world.put(scoped("FULL"))
    scopes = [world.scope()]
    world.put(scoped("AR_ONLY"))

    world.now += SETTINGS_TTL_SECONDS - 1
    scopes.append(world.scope())
    world.now += 2
    scopes.append(world.scope())

    assert scopes == ["FULL", "FULL", "AR_ONLY"]
    assert world.ssm.calls == ["/stack/default/settings"] * 2


@pytest.mark.parametrize("text", ["", "{}"])
def test_empty_settings_are_all_defaults(world: World, text: str) -> None:
    world.put(text)

    assert world.scope() == "FULL"


def test_each_connection_has_its_own_settings_and_secrets(world: World) -> None:
    world.put(scoped("FULL"))
    world.put(scoped("AR_ONLY"), "acme")
    world.put_secret('{"api_key": "ours"}')
    world.put_secret('{"api_key": "theirs"}', "acme/rillet")
    read = world.configuration

    assert [read.settings(name).invoice_scope.value for name in ("default", "acme")] == ["FULL", "AR_ONLY"]
    keys = [read.credential(name, "rillet", "api_key") for name in ("default", "acme")]
    assert keys == ["ours", "theirs"]


BROKEN = ["{", "[]", '{"invoice_scope": "HALF"}', '{"invoice_scop": "FULL"}', "null"]


@pytest.mark.parametrize("text", BROKEN)
def test_settings_that_cannot_be_used_leave_the_last_good_ones_in_force_and_are_counted(
    world: World, text: str
) -> None:
    world.put(scoped("AR_ONLY"))
    world.scope()
    world.put(text)
    world.now += SETTINGS_TTL_SECONDS + 1

    with logged() as log:
        scope = world.scope()

    assert scope == "AR_ONLY"
    assert world.counted == [("SettingsInvalid", "default")]
    assert log.messages == ["settings invalid"]
    assert vars(log.records[0])["last_good"] is True
    assert world.configuration.settings_error("default") != ""


def test_broken_settings_are_looked_at_again_a_minute_later(world: World) -> None:
    world.put(scoped("AR_ONLY"))
    world.scope()
    world.put("{")
    world.now += SETTINGS_TTL_SECONDS + 1
    world.scope()
    world.put(scoped("FULL"))

    at_once, world.now = world.scope(), world.now + SETTINGS_TTL_SECONDS + 1
    later = world.scope()

    assert (at_once, later) == ("AR_ONLY", "FULL")
    assert world.configuration.settings_error("default") == ""


@pytest.mark.parametrize(
    "failure", [client_error("ThrottlingException"), ConnectTimeoutError(endpoint_url="x")]
)
def test_a_parameter_store_that_does_not_answer_leaves_the_last_good_ones_in_force(
    world: World, failure: Exception
) -> None:
    world.put(scoped("AR_ONLY"))
    world.scope()
    world.ssm.failure = failure
    world.now += SETTINGS_TTL_SECONDS + 1

    assert world.scope() == "AR_ONLY"


@pytest.mark.parametrize(
    "failure", [client_error("AccessDeniedException"), ConnectTimeoutError(endpoint_url="x")]
)
def test_settings_that_were_never_read_make_documents_wait(world: World, failure: Exception) -> None:
    world.ssm.failure = failure

    with pytest.raises(RetryLater, match="default"):
        world.scope()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        *((text, "The settings of default cannot be used: ") for text in BROKEN),
        ('{"fallback_products": {"rebate": "x"}}', r"fallback_products\.rebate: there is no such setting"),
    ],
)
def test_settings_that_were_never_good_make_documents_wait_and_name_what_is_wrong(
    world: World, text: str, problem: str
) -> None:
    world.put(text)

    with pytest.raises(RetryLater, match=problem):
        world.scope()


def test_a_connection_without_settings_is_unknown_with_the_remedy(world: World) -> None:
    with pytest.raises(UnknownConnection) as raised:
        world.configuration.settings("nobody")

    assert raised.value.code == "connection_unknown"
    assert "'nobody'" in raised.value.message
    assert "settings and secrets" in raised.value.remedy


def test_a_connection_whose_settings_are_taken_away_is_unknown_from_then_on(world: World) -> None:
    world.put("{}")
    world.scope()
    world.ssm.values.clear()
    world.now += SETTINGS_TTL_SECONDS + 1

    with pytest.raises(UnknownConnection):
        world.scope()


@pytest.mark.parametrize("name", ["default", "a", "1", "acme-eu", "a" * 32])
def test_a_connection_name_is_letters_digits_and_hyphens(name: str) -> None:
    assert connection_name(name) == name


@pytest.mark.parametrize(
    "name",
    ["", "-", "-a", "a-", "A", "a b", "a/b", "../a", "a#b", "a\n", "é", "٣", "a" * 33, None, 7, ["a"], b"a"],
)
def test_any_other_connection_name_reaches_no_secret(world: World, name: Any) -> None:  # noqa: ANN401
    for read in (
        lambda: world.configuration.settings(name),
        lambda: world.configuration.secret(name, "rillet"),
    ):
        with pytest.raises(UnknownConnection):
            read()

    assert (world.ssm.calls, world.secrets.calls) == ([], [])


def test_a_secret_is_kept_for_five_minutes_by_the_clock(world: World) -> None:
    world.put_secret('{"api_key": "old"}')
    keys = [world.configuration.credential("default", "rillet", "api_key")]
    world.put_secret('{"api_key": "new"}')

    for later in (SECRET_TTL_SECONDS - 1, 2):
        world.now += later
        keys.append(world.configuration.credential("default", "rillet", "api_key"))

    assert keys == ["old", "old", "new"]
    assert len(world.secrets.calls) == 2


def test_a_secret_that_a_vendor_refused_is_read_anew(world: World) -> None:
    world.put_secret('{"api_key": "old"}')
    world.configuration.credential("default", "rillet", "api_key")
    world.put_secret('{"api_key": "new"}')

    world.configuration.forget_secret("default", "rillet")

    assert world.configuration.credential("default", "rillet", "api_key") == "new"


def test_a_secret_that_was_never_read_can_be_forgotten(world: World) -> None:
    world.configuration.forget_secret("default", "rillet")

    assert world.secrets.calls == []


@pytest.mark.parametrize(
    "text",
    ["", "sk_live_1", "{", "[]", "null", "7", '"text"', '{"api_key": 7}', '{"api_key": null}', b"\x00"],
)
def test_a_secret_that_is_no_json_object_of_texts_breaks_the_connection_without_being_told(
    world: World, text: object
) -> None:
    world.put_secret(text)

    with pytest.raises(ConnectionBroken) as raised:
        world.configuration.secret("default", "rillet")

    assert "stack/default/rillet" in str(raised.value)
    assert "sk_live_1" not in str(raised.value)


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        ("ResourceNotFoundException", "stack/default/rillet does not exist or has no value"),
        ("InvalidRequestException", "restore-secret --secret-id stack/default/rillet; the documents wait"),
        ("AccessDeniedException", "default/rillet does not exist, or"),
    ],
)
def test_a_secret_that_is_not_there_or_may_not_be_read_breaks_the_connection(
    world: World, code: str, problem: str
) -> None:
    world.secrets.failure = client_error(code)

    with pytest.raises(ConnectionBroken, match=problem):
        world.configuration.secret("default", "rillet")


@pytest.mark.parametrize(
    "failure", [client_error("InternalServiceError"), ConnectTimeoutError(endpoint_url="x")]
)
def test_a_secrets_manager_that_does_not_answer_makes_documents_wait(
    world: World, failure: Exception
) -> None:
    world.secrets.failure = failure

    with pytest.raises(RetryLater) as raised:
        world.configuration.secret("default", "rillet")

    assert not isinstance(raised.value, ConnectionBroken)


@pytest.mark.parametrize("text", ["{}", '{"api_key": ""}', '{"webhook_secret": "x"}'])
def test_a_credential_that_is_missing_names_the_secret_and_the_key(world: World, text: str) -> None:
    world.put_secret(text)

    with pytest.raises(ConnectionBroken, match="stack/default/rillet has no 'api_key'"):
        world.configuration.credential("default", "rillet", "api_key")


@pytest.mark.parametrize("broken", [True, False])
def test_a_failure_is_not_remembered(world: World, broken: bool) -> None:
    if broken:
        world.put_secret("{")
    with pytest.raises(ConnectionBroken):
        world.configuration.secret("default", "rillet")

    world.put_secret('{"api_key": "x"}')

    assert world.configuration.secret("default", "rillet") == {"api_key": "x"}


def test_no_secret_is_logged(world: World) -> None:
    world.put(scoped("FULL"))
    world.put_secret('{"api_key": "sk_live_1"}')

    with logged() as log:
        world.scope()
        read: Callable[..., str] = world.configuration.credential
        read("default", "rillet", "api_key")
        world.put_secret("sk_live_1", "default/solvimon")
        with pytest.raises(ConnectionBroken):
            read("default", "solvimon", "api_key")

    assert "sk_live_1" not in log.text


TOKENS = {"auth": "oauth", "access_token": "at", "refresh_token": "rt"}
OUT_OF_ORDER = [client_error("InternalError"), ConnectTimeoutError(endpoint_url="x")]


def test_the_address_of_the_api_is_what_the_deployment_wrote(world: World) -> None:
    world.ssm.values["/stack/api-url"] = "https://api.example/"

    assert world.configuration.api_url() == "https://api.example"


@pytest.mark.parametrize("failure", [client_error("ParameterNotFound"), *OUT_OF_ORDER])
def test_an_address_that_cannot_be_read_is_tried_again_later(world: World, failure: Exception) -> None:
    world.ssm.failure = failure

    with pytest.raises(RetryLater, match="api-url"):
        world.configuration.api_url()


def test_a_secret_of_the_deployment_belongs_to_no_connection(world: World) -> None:
    world.put_secret('{"client_id": "x"}', "rillet-oauth-client")

    assert world.configuration.deployment_secret("rillet-oauth-client") == {"client_id": "x"}
    assert world.secrets.calls == ["stack/rillet-oauth-client"]


PASTED = ["sk_live_1\n", "  sk_live_1\t", "\u200bsk_live_1", "sk_\u200blive_1\ufeff", "\u00a0sk_live_1"]


@pytest.mark.parametrize("pasted", PASTED)
@pytest.mark.parametrize("key", ["api_key", " api_key\n"])
def test_what_a_paste_brings_along_is_left_out_where_it_is_harmless(
    world: World, key: str, pasted: str
) -> None:
    world.put_secret(json.dumps({key: pasted}))

    assert world.configuration.credential("default", "rillet", "api_key") == "sk_live_1"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            '{"api_key": "sk_li\u2026"}',
            "has in 'api_key' a character.*U[+]2026 HORIZONTAL ELLIPSIS, at position 6",
        ),
        ('{"api_key": "sk_li ve"}', "has in 'api_key' a character.*U[+]0020 SPACE, at position 6"),
        ('{"api_key": "sk_li\\nve"}', "has in 'api_key' a character.*U[+]000A, at position 6"),
        ('{"api_key": "sk_li\\ud800"}', "has in 'api_key' a character.*U[+]D800, at position 6"),
        (json.dumps({"api_key": "sk_li" * 1000}), "has in 'api_key' 5000 characters"),
        ('{"api_key": 17}', "'api_key' is no text in quotes"),
        ('{"sk_li": 17}', "a value is no text in quotes"),
        ('{"api_key": "sk_li', r"Unterminated string starting at \(line 1, column 13\)"),
        ("{'api_key': 'sk_li'}", r"Expecting property name.*\(line 1, column 2\)"),
        ("", "it is empty"),
        ("[" * 100_000, "nested too deeply"),
        ("sk_li", "Expecting value"),
        ('"sk_li"', "is not a JSON object of texts such as"),
    ],
)
def test_a_credential_that_cannot_be_used_names_the_secret_the_key_and_what_is_wrong_with_it(
    world: World, text: str, problem: str
) -> None:
    world.put_secret(text)

    with pytest.raises(ConnectionBroken, match=problem) as raised:
        world.configuration.credential("default", "rillet", "api_key")

    assert str(raised.value).startswith("The secret stack/default/rillet ")
    assert str(raised.value).endswith("; the documents wait.")
    assert "sk_li" not in str(raised.value)


@pytest.mark.parametrize("auth", ["apikey", "API_KEY", "", "sk_live_1"])
def test_an_unknown_auth_is_named_and_not_quoted(world: World, auth: str) -> None:
    world.put_secret(json.dumps({"auth": auth, "api_key": "k"}))

    with pytest.raises(ConnectionBroken, match="unknown 'auth'; it must be 'api_key' or 'oauth'") as raised:
        world.configuration.rillet_secret("default")

    assert "sk_live_1" not in str(raised.value)


@pytest.mark.parametrize(
    ("rillet", "problems"),
    [
        ({"api_key": "k"}, []),
        (TOKENS, []),
        ({"auth": "oauth"}, ["Rillet is not connected; invoke connect_rillet. The documents wait."]),
        (
            {"auth": "apikey"},
            [
                "The secret stack/default/rillet has an unknown 'auth'; it must be 'api_key' or "
                "'oauth'. Correct it; the documents wait."
            ],
        ),
        ({}, ["The secret stack/default/rillet has no 'api_key'. Put it there; the documents wait."]),
    ],
)
def test_the_problems_of_credentials_are_listed_for_the_status(
    world: World, rillet: Json, problems: list[str]
) -> None:
    world.put_secret(json.dumps(rillet))
    world.put_secret('{"api_key": "k"}', "default/solvimon")

    assert world.configuration.credential_problems("default") == problems


@pytest.mark.parametrize("key", ["client_id", "client_secret"])
def test_an_oauth_client_that_cannot_be_sent_is_named(world: World, key: str) -> None:
    world.put_secret(
        json.dumps({"client_id": "id", "client_secret": "s", key: "ab\u2026"}), "rillet-oauth-client"
    )

    with pytest.raises(ConnectionBroken, match=f"rillet-oauth-client has in '{key}' a character"):
        oauth_client(world.configuration)
