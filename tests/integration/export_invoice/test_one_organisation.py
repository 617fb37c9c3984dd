"""The budget of 60 requests a minute belongs to the Rillet organisation: its connections share it."""

from collections import Counter
from typing import Any

import pytest
from botocore.client import BaseClient

from local.system import Connection, LocalSystem
from solvimon_rillet.entrypoints.services import Services
from solvimon_rillet.rate_limit.limiter import RateLimited, SlidingWindowRateLimiter
from solvimon_rillet.rate_limit.send_times import Priority
from tests.support.assertions import calls_to

pytestmark = pytest.mark.slow

A, B = "acme", "globex"
LIMIT = 60
Auth = Any


@pytest.fixture(params=[("oauth", "oauth"), ("api_key", "api_key"), ("oauth", "api_key")], ids="-".join)
def auths(request: pytest.FixtureRequest) -> tuple[Auth, Auth]:
    found: tuple[Auth, Auth] = request.param
    return found


def connect(
    system: LocalSystem, name: str, auth: Auth = "api_key", organisation: str = "org-1"
) -> Connection:
    """A connection to an organisation, authorised if need be."""
    made = system.connect(name, auth=auth, rillet={"organization": {"id": organisation}})
    if auth == "oauth":
        system.authorise(name)
    return made


def process(system: LocalSystem) -> Services:
    return Services(system.deployment.functions["export_invoice"].environment, system.clock.now)


def limiter(services: Services, name: str) -> SlidingWindowRateLimiter:
    settings = services.configuration.settings(name)
    return services.connections.rate_limiter(name, settings, Priority.LIVE)


def used_up(services: Services, name: str, most: int = LIMIT) -> int:
    """How many calls of a connection may be sent now, until its window is full."""
    for count in range(most + 1):
        try:
            limiter(services, name).acquire()
        except RateLimited:
            return count
    return most + 1


def status(system: LocalSystem, name: str) -> None:
    system.invoke("connect_rillet", {"connection": name, "action": "status"})


def test_two_connections_of_one_organisation_share_60_calls_a_minute(
    system: LocalSystem, auths: tuple[Auth, Auth]
) -> None:
    for name, auth in zip((A, B), auths, strict=True):
        connect(system, name, auth)
        status(system, name)
    system.advance(61)
    services = process(system)

    for _ in range(40):
        limiter(services, A).acquire()

    assert used_up(services, B) == 20
    assert used_up(process(system), A) == 0
    system.advance(61)
    assert used_up(services, B) == LIMIT


def test_connections_of_different_organisations_share_nothing(
    system: LocalSystem, auths: tuple[Auth, Auth]
) -> None:
    for name, auth in zip((A, B), auths, strict=True):
        connect(system, name, auth, f"org-{name}")
        status(system, name)
    system.advance(61)
    services = process(system)

    assert used_up(services, A) == LIMIT
    assert used_up(services, B) == LIMIT


def test_before_the_organisation_of_a_key_is_known_its_connection_has_a_window_of_its_own(
    system: LocalSystem,
) -> None:
    for name in (A, B):
        connect(system, name)
    services = process(system)

    assert used_up(services, A) == LIMIT
    assert used_up(services, B) == LIMIT


@pytest.mark.parametrize("learned_by", ["status", "sweep"])
def test_processes_that_run_already_share_it_a_minute_after_it_was_learned(
    system: LocalSystem, learned_by: str
) -> None:
    for name in (A, B):
        connect(system, name)
    services = process(system)
    for name in (A, B):
        limiter(services, name).acquire()

    if learned_by == "sweep":
        system.invoke("sweep", {})
        system.settle()
    else:
        for name in (A, B):
            status(system, name)
    system.advance(61)

    assert used_up(services, A) == LIMIT
    assert used_up(services, B) == 0


def test_a_429_of_one_connection_holds_the_others_of_the_organisation_back(system: LocalSystem) -> None:
    for name in (A, B):
        connect(system, name)
        status(system, name)
    system.advance(61)
    services = process(system)

    limiter(services, A).on_throttled()

    assert used_up(services, B) == 0


def test_the_sweep_asks_rillet_once_for_each_connection(system: LocalSystem) -> None:
    for name in (A, B):
        connect(system, name)

    for _ in range(3):
        system.invoke("sweep", {})
        system.settle()
        system.advance(900)

    assert len(calls_to(system, "GET", "/organizations/self")) == 2


def test_the_status_learns_it_without_a_call_of_its_own(system: LocalSystem) -> None:
    connect(system, A)

    status(system, A)
    calls = len(system.rillet.state.calls)

    assert calls == 1
    assert system.ledger_item(f"{A}#pacer#organisation", "RECORD")["organisation_id"] == "org-1"  # type: ignore[index]


def test_another_api_key_is_not_counted_for_the_organisation_of_the_one_before(system: LocalSystem) -> None:
    """A person puts the key of another organisation there; what it may use is that organisation's."""
    for name in (A, B):
        connect(system, name)
        status(system, name)
    connect(system, "other", organisation="org-2")
    system.put_secret(B, "rillet", {"auth": "api_key", "api_key": "rillet-key-other"})
    system.advance(61)
    services = process(system)

    assert used_up(services, A) == LIMIT
    assert used_up(services, B) == LIMIT
    status(system, B)
    system.advance(61)
    assert used_up(process(system), "other") == LIMIT


def test_the_steady_state_reads_nothing_but_the_window(
    system: LocalSystem, auths: tuple[Auth, Auth], monkeypatch: pytest.MonkeyPatch
) -> None:
    connect(system, A, auths[1])
    status(system, A)
    services = process(system)
    limiter(services, A).acquire()
    counted, call = Counter[str](), vars(BaseClient)["_make_api_call"]

    def counting(client: BaseClient, operation: str, asked: Any) -> Any:  # noqa: ANN401 - whatever AWS says
        counted[operation] += 1
        return call(client, operation, asked)

    monkeypatch.setattr(BaseClient, "_make_api_call", counting)
    for _ in range(20):
        limiter(services, A).acquire()

    assert counted == {"GetItem": 20, "PutItem": 20}
    assert len(calls_to(system, "GET", "/organizations/self")) <= 2
