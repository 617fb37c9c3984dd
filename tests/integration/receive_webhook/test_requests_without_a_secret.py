"""What somebody without a secret can make this account do: nothing is read, or only a little."""

from collections.abc import Callable

import pytest

from local.system import LocalSystem
from solvimon_rillet.connections.names import UnknownConnection
from solvimon_rillet.connections.webhook_settings import WebhookSettings
from solvimon_rillet.errors import ConnectionBroken
from solvimon_rillet.rillet import webhooks as rillet
from solvimon_rillet.solvimon import webhooks as solvimon
from solvimon_rillet.workflows.receive_webhook import ReceiveWebhook
from tests.integration.receive_webhook.rillet import TOKEN
from tests.support.arrange import put_secret
from tests.support.builders import Json
from tests.support.webhooks import RILLET_ROUTE, SOLVIMON_ROUTE, event, signed_by_rillet, signed_by_solvimon

KEY = "a-secret-of-the-webhook"
NOW = 1_800_000_000.0
HEADERS = {"solvimon": solvimon.HEADERS, "rillet": rillet.HEADERS}


class Account:
    """Settings and secrets of the connections ``known`` and ``half``, which has no secrets; what is read."""

    def __init__(self) -> None:
        self.now = NOW
        self.read: list[str] = []
        self.published = 0
        self.known = {"known"}
        self.receiver = ReceiveWebhook(self, self, lambda: self.now)  # type: ignore[arg-type]

    def webhook_settings(self, connection: str) -> WebhookSettings:
        self.read.append(connection)
        if connection not in {*self.known, "half"}:
            raise UnknownConnection(connection)
        return WebhookSettings()

    def secret(self, connection: str, _vendor: str) -> dict[str, str]:
        if connection == "half":
            raise ConnectionBroken("no secret")
        return {"webhook_secret": KEY, "webhook_token": KEY}

    def publish(self, *events: object) -> None:
        self.published += len(events)

    def ask(self, connection: str, vendor: str = "solvimon", key: str = "guessed") -> int:
        """The status of a request that carries a signature."""
        if vendor == "solvimon":
            signed = signed_by_solvimon(self.now, b"{}", key)
        else:
            signed = signed_by_rillet(self.now, b"{}", key.encode())
        headers = {name.lower(): value for name, value in signed.items()}
        return self.receiver.receive(vendor, connection, headers, b"{}").status


@pytest.fixture
def account() -> Account:
    return Account()


@pytest.mark.parametrize(("vendor", "missing"), [(v, name) for v in HEADERS for name in HEADERS[v]])
@pytest.mark.parametrize("instead", [None, ""])
def test_a_request_without_signature_headers_is_refused_before_anything_is_read(
    account: Account, vendor: str, missing: str, instead: str | None
) -> None:
    headers = dict.fromkeys(HEADERS[vendor], "x")
    headers |= {missing: instead} if instead is not None else {}
    if instead is None:
        del headers[missing]

    answer = account.receiver.receive(vendor, "known", headers, b"{}")

    assert answer.status == 401
    assert account.read == []


@pytest.mark.parametrize("name", ["nobody", "half"])
def test_an_unusable_connection_is_remembered_for_a_minute(account: Account, name: str) -> None:
    statuses = [account.ask(name) for _ in range(50)]
    at_once = list(account.read)
    account.now += 61
    statuses.append(account.ask(name))

    assert set(statuses) == {401}
    assert (at_once, account.read) == ([name], [name] * 2)


@pytest.mark.parametrize("vendor", HEADERS)
def test_a_connection_that_was_made_meanwhile_is_seen_a_minute_later(account: Account, vendor: str) -> None:
    account.ask("new", vendor)
    account.known.add("new")
    account.now += 61

    assert account.ask("new", vendor, KEY) == 200


def test_made_up_names_are_looked_up_a_hundred_times_a_minute_at_most(account: Account) -> None:
    account.ask("known", key=KEY)
    account.read.clear()

    statuses = [account.ask(f"guess-{number}") for number in range(500)]
    looked_up, verified_before = len(account.read), account.ask("known", key=KEY)
    account.now += 61
    after_a_minute = account.ask("guess-500")

    assert (statuses.count(401), statuses.count(503)) == (100, 400), "a 503 makes a genuine vendor send again"
    assert looked_up == 100
    assert verified_before == 200
    assert after_a_minute == 401
    assert len(account.receiver._unusable._until) <= 100


def test_a_wrong_signature_costs_a_known_connection_nothing(account: Account) -> None:
    statuses = [account.ask("known") for _ in range(3)] + [account.ask("known", key=KEY)]

    assert statuses == [401, 401, 401, 200]


@pytest.mark.parametrize("base_path", ["", "/billing", "/webhooks/solvimon"])
@pytest.mark.parametrize("vendor", HEADERS)
def test_a_custom_domain_with_a_base_path_turns_no_webhook_into_a_401(
    system: LocalSystem, vendor: str, base_path: str
) -> None:
    connection = system.connect()
    put_secret(system, connection, "rillet", webhook_token=TOKEN)
    now = system.clock.now()
    sign: dict[str, Callable[[], Json]] = {
        "solvimon": lambda: signed_by_solvimon(now, b"{}", connection.webhook_secret),
        "rillet": lambda: signed_by_rillet(now, b"{}", TOKEN.encode()),
    }
    route = {"solvimon": SOLVIMON_ROUTE, "rillet": RILLET_ROUTE}[vendor]
    path = f"{base_path}/webhooks/{vendor}/default"

    answer = system.invoke("receive_webhook", event("{}", sign[vendor](), routeKey=route, rawPath=path))

    assert answer["statusCode"] == 200


def test_the_routes_are_those_of_the_template(system: LocalSystem) -> None:
    deployed = system.deployment.routes.items()

    assert {route.key for route, function in deployed if function == "receive_webhook"} == {
        SOLVIMON_ROUTE,
        RILLET_ROUTE,
    }
