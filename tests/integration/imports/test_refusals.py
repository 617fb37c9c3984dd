"""Solvimon does not take a row: each answer is handled as its kind, and the other rows go on."""

from typing import Any

import pytest

from local.system import Connection, LocalSystem
from solvimon_rillet.connections import connection
from solvimon_rillet.http.session import session
from solvimon_rillet.solvimon.client import SolvimonClient
from tests.integration.imports.support import (
    Json,
    before_create,
    body,
    connect,
    counts,
    customer,
    customers,
    definition,
    edit,
    existing,
    forget_calls,
    in_solvimon,
    linked,
    rillet_id,
    run,
    value,
    writes,
)
from tests.support.interposed import after_call, before_call

pytestmark = pytest.mark.slow

CREATE = {"method": "POST", "path": "/customers"}
ROW = rillet_id(2)
IN_USE = "IDEMPOTENCY_CHECK_FAILED"
STILL_RUNNING = "page 1: Solvimon is still processing the same request (422)."


@pytest.fixture(autouse=True)
def _no_pauses(system: LocalSystem, monkeypatch: pytest.MonkeyPatch) -> None:
    """A read that fails is not repeated within a call: that takes real time."""
    monkeypatch.setattr(connection, "session", lambda get_retries: session(0))
    system.runtime.reset()


def three(system: LocalSystem, **more: Any) -> Connection:
    """Three customers, with the custom field already there."""
    seed: dict[str, list[Json]] = {"custom_fields": [definition()]}
    return connect(system, solvimon=seed, customers=[customer(n, **more) for n in (1, 2, 3)])


def waits(system: LocalSystem) -> list[str]:
    """The waits of all executions, by name."""
    return [o.name or "" for e in system.runtime.executions for o in e.operations if o.wait_details]


def keys(system: LocalSystem, number: int) -> list[str | None]:
    """The idempotency keys under which a row was created."""
    posts = [call for call in writes(system) if call.path == "/v1/customers"]
    return [call.idempotency_key for call in posts if body(call)["reference"] == rillet_id(number)]


def failing_at(monkeypatch: pytest.MonkeyPatch, system: LocalSystem, times: int, **answer: Any) -> None:
    """Let Solvimon fail at the second row only, whatever else is going on."""
    left = iter(range(times))

    def fail(_collection: str, payload: Json) -> None:
        if payload["reference"] == ROW and next(left, None) is not None:
            system.solvimon.state.misbehave("status", path="/customers", method="POST", times=1, **answer)

    before_create(monkeypatch, fail)
    monkeypatch.setattr("solvimon_rillet.workflows.imports.page.CONCURRENT_ROWS", 1)


def test_a_429_makes_the_page_wait_as_long_as_solvimon_asks(system: LocalSystem) -> None:
    connection = three(system)
    system.solvimon.state.misbehave("status", **CREATE, times=1, status=429, headers={"Retry-After": "40"})
    begun = system.clock.now()

    answer = run(system)

    assert counts(answer) == {"created": 3}
    assert len(in_solvimon(connection)) == 3
    assert system.clock.now() - begun >= 40
    assert waits(system) == ["page 1: Solvimon asks to slow down (429)."]
    assert answer["rillet_calls"] == 2


def test_after_a_429_nothing_more_of_the_page_is_begun(
    system: LocalSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect(system, solvimon={"custom_fields": [definition()]}, customers=customers(20))
    monkeypatch.setattr("solvimon_rillet.workflows.imports.page.CONCURRENT_ROWS", 1)
    system.solvimon.state.misbehave("status", **CREATE, times=1, status=429)

    answer = run(system)

    assert counts(answer) == {"created": 20}
    assert len(writes(system)) == 21
    assert answer["solvimon_writes"] == 20


@pytest.mark.parametrize(
    ("times", "answered", "different_keys", "waits_for"),
    [
        pytest.param(
            1, {"headers": {"Idempotency-Retryable": "true"}}, 1, [], id="the key may be used again"
        ),
        pytest.param(2, {}, 3, [], id="the key is spent"),
        pytest.param(1, {"status": 409, "code": IN_USE}, 2, [], id="the key was used for something else"),
        pytest.param(1, {"status": 422, "code": IN_USE}, 1, [STILL_RUNNING], id="the request still runs"),
    ],
)
def test_a_failure_of_a_single_create_leaves_no_trace(
    system: LocalSystem,
    monkeypatch: pytest.MonkeyPatch,
    times: int,
    answered: Json,
    different_keys: int,
    waits_for: list[str],
) -> None:
    connection = three(system)
    failing_at(monkeypatch, system, times, **answered)

    answer = run(system)

    assert counts(answer) == {"created": 3}
    assert len(in_solvimon(connection)) == 3
    assert len(set(keys(system, 2))) == different_keys
    assert waits(system) == waits_for


@pytest.mark.parametrize(
    ("answered", "code", "what", "pauses"),
    [
        ({}, "solvimon_unavailable", "several times", 2),
        ({"status": 409, "code": "RESOURCE_ALREADY_EXISTS"}, "linked_elsewhere", "does not show it", 0),
        (
            {"status": 400, "code": "INVALID_FIELD", "message": "must be a country"},
            "refused_by_solvimon",
            "INVALID_FIELD, must be a country",
            0,
        ),
    ],
)
def test_a_row_that_solvimon_does_not_take_is_a_failure_and_the_others_go_on(
    system: LocalSystem, monkeypatch: pytest.MonkeyPatch, answered: Json, code: str, what: str, pauses: int
) -> None:
    connection = three(system)
    failing_at(monkeypatch, system, 1000, **answered)

    answer = run(system)

    assert counts(answer) == {"created": 2, "failed": 1}
    [failure] = answer["failures"]
    assert (failure["rillet_id"], failure["name"], failure["code"]) == (ROW, "Customer 2", code)
    assert what in failure["what"]
    assert failure["remedy"]
    assert len(in_solvimon(connection)) == 2
    assert len(waits(system)) == pauses
    assert answer["complete"] is True


def test_when_solvimon_is_down_the_run_waits_until_it_is_up_again(system: LocalSystem) -> None:
    connection = three(system)
    system.solvimon.state.misbehave("down", times=10)

    answer = run(system)

    assert counts(answer) == {"created": 3}
    assert len(in_solvimon(connection)) == 3
    assert waits(system)


def test_when_solvimon_stays_down_the_run_ends_after_hours_and_says_why(system: LocalSystem) -> None:
    three(system)
    system.solvimon.state.misbehave("down")
    begun = system.clock.now()

    answer = run(system)

    assert answer["complete"] is False
    assert "Solvimon answered 503" in answer["error"]
    assert answer["remedy"]
    assert 6 * 3600 <= system.clock.now() - begun < 8 * 3600


@pytest.mark.parametrize("kind", ["commit_then_drop", "status_after", "malformed"])
def test_a_lost_answer_to_a_create_does_not_create_a_second_one(system: LocalSystem, kind: str) -> None:
    connection = three(system)
    system.solvimon.state.misbehave(kind, **CREATE, times=3)  # type: ignore[arg-type]

    answer = run(system)

    assert counts(answer) == {"created": 3}
    assert len(in_solvimon(connection)) == 3


@pytest.mark.parametrize("kind", ["commit_then_drop", "status_after", "malformed", "drop"])
def test_a_lost_answer_to_a_change_is_found_out(system: LocalSystem, kind: str) -> None:
    connection = three(system)
    run(system)
    edit(connection, 2, name="Renamed")
    system.solvimon.state.misbehave(kind, method="PATCH", path="/customers", times=1)  # type: ignore[arg-type]

    answer = run(system)

    assert counts(answer) == {"updated": 1, "unchanged": 2}
    assert linked(connection, 2)["organization"]["legal_name"] == "Renamed"


@pytest.mark.parametrize("status", [400, 409])
def test_a_reference_that_somebody_took_a_moment_ago_is_linked(
    system: LocalSystem, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    connection = three(system)
    taken: list[Json] = []

    def be_faster(_collection: str, payload: Json) -> None:
        if payload["reference"] == ROW and not taken:
            taken.append({**payload, "id": "cust_faster"})
            connection.platform.load({"customers": taken})
            system.solvimon.state.misbehave(
                "status", **CREATE, times=1, status=status, code="RESOURCE_ALREADY_EXISTS"
            )

    before_create(monkeypatch, be_faster)
    monkeypatch.setattr("solvimon_rillet.workflows.imports.page.CONCURRENT_ROWS", 1)

    answer = run(system)

    assert linked(connection, 2)["id"] == "cust_faster"
    assert counts(answer) == {"created": 2, "unchanged": 1}


def test_a_custom_field_value_that_is_taken_is_linked(
    system: LocalSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = three(system)
    named = {"legal_name": "Mine B.V."}
    mine = [existing(2, id="cust_mine", reference="mine", organization=named, custom_fields=value(2))]

    def be_faster(*_: object, **filters: str) -> None:
        if filters.get("custom_field", "").endswith(ROW) and mine:
            connection.platform.load({"customers": [mine.pop()]})

    after_call(monkeypatch, SolvimonClient, "find_all", be_faster)

    answer = run(system)

    assert linked(connection, 2)["id"] == "cust_mine"
    assert linked(connection, 2)["reference"] == "mine"
    assert counts(answer) == {"created": 2, "updated": 1}


def test_a_country_that_solvimon_does_not_know_is_refused_by_its_own_rule(system: LocalSystem) -> None:
    three(system, address={**customer()["address"], "country": "XX"})

    answer = run(system)

    assert counts(answer) == {"failed": 3}
    assert "organization.registered_address.country" in answer["failures"][0]["what"]


def test_a_row_that_cannot_be_read_is_a_failure_and_the_others_go_on(system: LocalSystem) -> None:
    connection = three(system)
    connection.organisation.customers.get(ROW).document["name"] = {"first": "Ann"}
    connection.organisation.customers.get(rillet_id(3)).document["emails"] = [{"type": "MAIN_SENDER"}]

    answer = run(system)

    assert counts(answer) == {"created": 1, "failed": 2}
    failures = {failure["rillet_id"]: failure for failure in answer["failures"]}
    assert failures[ROW]["code"] == "row_unreadable"
    assert failures[ROW]["name"] is None
    assert "emails.0.email" in failures[rillet_id(3)]["what"]


def test_the_first_hundred_failures_are_listed_and_all_are_counted(system: LocalSystem) -> None:
    connect(system, customers=[customer(n, name="") for n in range(130)])

    answer = run(system)

    assert (answer["failed"], len(answer["failures"])) == (130, 100)
    assert "The first 100 of 130 failures are listed." in answer["notes"]


def test_a_record_that_was_deleted_while_it_is_changed_is_created_again(
    system: LocalSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = three(system)
    run(system)
    edit(connection, 2, name="Renamed")

    def delete(_: SolvimonClient, _collection: str, record_id: str, _payload: Json) -> None:
        connection.platform.records["customers"].pop(record_id, None)

    before_call(monkeypatch, SolvimonClient, "update", delete)

    answer = run(system)

    assert counts(answer)["unchanged"] == 2
    assert linked(connection, 2)["organization"]["legal_name"] == "Renamed"


def test_a_record_that_was_deleted_by_hand_comes_back_with_a_recheck(system: LocalSystem) -> None:
    connection = three(system)
    run(system)
    connection.platform.records["customers"].pop(linked(connection, 2)["id"])
    forget_calls(system)

    unnoticed, recheck = run(system), run(system, recheck=True)

    assert counts(unnoticed) == {"unchanged": 3}
    assert counts(recheck) == {"created": 1, "unchanged": 2}
    assert linked(connection, 2)["reference"] == ROW
