"""Tokens are stored in a secret or a parameter, and found there by the exact version that was written."""

import json
from collections.abc import Mapping
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError

from solvimon_rillet.connections.token_fields import MAX_VERSIONS_A_DAY, is_short_lived
from solvimon_rillet.connections.token_storage import StoredValue, TokenStorage
from solvimon_rillet.errors import ConnectionBroken, RetryLater

Json = dict[str, Any]

SECRET, PARAMETER = "stack/default/rillet", "/stack/default/rillet-token"
TOKENS = {"auth": "oauth", "access_token": "at", "refresh_token": "rt"}


class Absent(ClientError):
    """What AWS raises for a secret that is not there."""


def client_error(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code}}, "Put")


FAILURES = [client_error("ThrottlingException"), ConnectTimeoutError(endpoint_url="x")]


class Service:
    """Parameter Store or Secrets Manager: the versions of one value, and a failure of everything."""

    exceptions = SimpleNamespace(ResourceNotFoundException=Absent)

    def __init__(self) -> None:
        self.versions: dict[str, str] = {}
        self.failure: Exception | None = None

    @property
    def newest(self) -> Json:
        found: Json = json.loads(list(self.versions.values())[-1])
        return found

    def get_parameter(self, Name: str, **_: object) -> Json:
        version = Name.removeprefix(PARAMETER).lstrip(":") or max(self.versions, default="")
        return {"Parameter": {"Value": self._read(version, "ParameterVersionNotFound"), "Version": version}}

    def put_parameter(self, Value: str, **_: object) -> Json:
        return {"Version": self._write(Value)}

    def delete_parameter(self, **_: object) -> None:
        self._check()
        if not self.versions:
            raise client_error("ParameterNotFound")
        self.versions.clear()

    def get_secret_value(self, VersionId: str, **_: object) -> Json:
        return {"SecretString": self._read(VersionId, "ResourceNotFoundException")}

    def put_secret_value(self, SecretString: str, ClientRequestToken: str = "", **_: object) -> Json:
        self._check()
        if not self.versions:
            raise Absent({}, "PutSecretValue")
        if self.versions.get(ClientRequestToken) == SecretString:
            return {"VersionId": ClientRequestToken}
        return {"VersionId": self._write(SecretString)}

    def create_secret(self, SecretString: str, **_: object) -> Json:
        return {"VersionId": self._write(SecretString)}

    def _write(self, text: str) -> str:
        self._check()
        self.versions[str(len(self.versions) + 1)] = text
        return str(len(self.versions))

    def _read(self, version: str, absent: str) -> str:
        self._check()
        if version not in self.versions:
            raise client_error(absent)
        return self.versions[version]

    def _check(self) -> None:
        if self.failure:
            raise self.failure


class World:
    """A storage between a Secrets Manager and a Parameter Store of its own; the secret exists."""

    def __init__(self) -> None:
        self.secrets, self.ssm = Service(), Service()
        self.secrets.create_secret('{"auth": "oauth"}')
        self.storage = TokenStorage(SECRET, PARAMETER, self.secrets, self.ssm)  # type: ignore[arg-type]

    def service(self, place: str) -> Service:
        return self.ssm if place == "parameter" else self.secrets

    def write(
        self, fields: Mapping[str, str] = TOKENS, where: str = "secret", *, marked: bool = False
    ) -> str:
        return self.storage.write(fields, in_parameter=where == "parameter", marked=marked)


@pytest.fixture
def world() -> World:
    return World()


PLACES = pytest.mark.parametrize("where", ["secret", "parameter"])


def test_the_secret_is_made_if_need_be(world: World) -> None:
    world.secrets.versions.clear()

    place = world.write()

    assert (place, world.secrets.newest) == ("secret:1", TOKENS | {"token_in": "secret"})


def test_the_secret_says_once_that_the_tokens_are_in_the_parameter(world: World) -> None:
    world.write(where="parameter")
    marked = world.secrets.newest

    place = world.write(TOKENS | {"access_token": "newer"}, "parameter", marked=True)

    assert (marked["token_in"], world.secrets.newest) == ("parameter", marked)
    assert (place, world.ssm.newest["access_token"]) == ("parameter:2", "newer")


@PLACES
def test_a_version_is_found_after_another_one_was_written_over_it(world: World, where: str) -> None:
    place = world.write(TOKENS, where)
    world.write(TOKENS | {"access_token": "newer"}, where)

    found = world.storage.version(place)

    assert found
    assert found.fields["access_token"] == "at"


@pytest.mark.parametrize("place", ["secret:9", "parameter:9"])
def test_a_version_that_is_not_there_is_none(world: World, place: str) -> None:
    assert world.storage.version(place) is None


@pytest.mark.parametrize("failure", FAILURES)
@PLACES
def test_a_version_that_cannot_be_read_makes_documents_wait(
    world: World, where: str, failure: Exception
) -> None:
    place = world.write(TOKENS, where)
    world.service(where).failure = failure

    with pytest.raises(RetryLater) as raised:
        world.storage.version(place)

    assert not isinstance(raised.value, ConnectionBroken)


def test_a_parameter_that_is_no_json_object_of_texts_breaks_the_connection(world: World) -> None:
    world.ssm.put_parameter("no JSON")

    with pytest.raises(ConnectionBroken):
        world.storage.parameter()


@pytest.mark.parametrize("failure", FAILURES)
@PLACES
def test_tokens_that_one_place_does_not_take_are_written_to_the_other(
    world: World, where: str, failure: Exception
) -> None:
    other = "secret" if where == "parameter" else "parameter"
    world.service(where).failure = failure

    place = world.write(TOKENS, where)
    world.service(where).failure = None

    found = world.storage.version(place)
    assert place.startswith(other)
    assert found
    assert found.fields["access_token"] == "at"


@pytest.mark.parametrize("failure", FAILURES)
@PLACES
def test_tokens_that_neither_place_takes_are_not_taken_for_stored(
    world: World, where: str, failure: Exception
) -> None:
    world.secrets.failure = world.ssm.failure = failure

    with pytest.raises(RetryLater, match="cannot be stored"):
        world.write(TOKENS, where)


def test_a_secret_that_is_scheduled_for_deletion_is_named_with_the_way_back(world: World) -> None:
    world.secrets.failure = client_error("InvalidRequestException")

    with pytest.raises(ConnectionBroken, match=f"restore-secret --secret-id {SECRET}; the documents wait"):
        world.write()


@pytest.mark.parametrize(("length", "where"), [(100, "parameter"), (7000, "parameter"), (9000, "secret")])
def test_a_token_over_the_limit_of_a_parameter_is_stored_in_the_secret(
    world: World, length: int, where: str
) -> None:
    assert world.write(TOKENS | {"access_token": "t" * length}, "parameter").startswith(where)


@pytest.mark.parametrize("failure", [None, *FAILURES])
@PLACES
def test_writing_back_what_was_read_proves_that_writing_works(
    world: World, where: str, failure: Exception | None
) -> None:
    place = world.write(TOKENS, where)
    kept = world.service(where).newest
    world.service(where).failure = failure

    with pytest.raises(RetryLater, match="could not be stored") if failure else nullcontext():
        world.storage.write_back(StoredValue(kept, json.dumps(kept), place))

    assert world.service(where).newest == kept


def test_writing_back_makes_no_new_version_of_the_secret(world: World) -> None:
    place = world.write()
    before = dict(world.secrets.versions)

    world.storage.write_back(StoredValue({}, before[place.partition(":")[2]], place))

    assert world.secrets.versions == before


@PLACES
def test_deleted_tokens_are_in_neither_place(world: World, where: str) -> None:
    world.write(TOKENS, where)

    world.storage.delete({"auth": "oauth", "webhook_token": "w"})

    assert world.secrets.newest == {"auth": "oauth", "webhook_token": "w"}
    assert world.ssm.versions == {}


@pytest.mark.parametrize("failure", FAILURES)
@PLACES
def test_tokens_that_cannot_be_deleted_are_not_taken_for_deleted(
    world: World, where: str, failure: Exception
) -> None:
    world.service(where).failure = failure

    with pytest.raises(RetryLater, match="cannot be deleted"):
        world.storage.delete({"auth": "oauth"})


@pytest.mark.parametrize("lifetime", [60, 300, 600, 719, 900, 984, 1800, 1847, 1848, 3600, 86_400])
def test_no_lifetime_makes_more_versions_of_the_secret_than_secrets_manager_keeps(lifetime: int) -> None:
    """It takes 100 versions, and keeps all of the last 24 hours; tokens are refreshed 120 s ahead at most."""
    refreshes_a_day = 86_400 / (lifetime - min(120, lifetime / 5))

    in_secret = not is_short_lived(lifetime)

    assert in_secret == (refreshes_a_day <= MAX_VERSIONS_A_DAY)
    assert MAX_VERSIONS_A_DAY <= 100 / 2
