"""Solvimon does not take a row: each answer is handled as its kind, and the other rows go on."""

from typing import Any

import pytest

from local.stack import Connection, LocalStack
from solvimon_rillet import http
from solvimon_rillet.http import session
from solvimon_rillet.solvimon.client import SolvimonClient
from tests.imports.support import (
    Json,
    body,
    connect,
    counts,
    customer,
    customers,
    definition,
    forget_calls,
    in_solvimon,
    linked,
    rillet_id,
    run,
    value,
    writes,
)

pytestmark = pytest.mark.slow

CREATE = {"method": "POST", "path": "/customers"}
ROW = rillet_id(2)


@pytest.fixture(autouse=True)
def _no_pauses(stack: LocalStack, monkeypatch: pytest.MonkeyPatch) -> None:
    """A read that fails is not repeated within a call: that takes real time."""
    monkeypatch.setattr(http, "session", lambda get_retries: session(0))
    stack.runtime.reset()


def three(stack: LocalStack, **more: Any) -> Connection:
    """Three customers, with the custom field already there."""
    seed: dict[str, list[Json]] = {"custom_fields": [definition()]}
    return connect(stack, solvimon=seed, customers=[customer(n, **more) for n in (1, 2, 3)])


def waits(stack: LocalStack) -> list[str]:
    """The waits of all executions, by name."""
    return [o.name or "" for e in stack.runtime.executions for o in e.operations if o.wait_details]


def keys(stack: LocalStack, number: int) -> list[str | None]:
    """The idempotency keys under which a row was created."""
    posts = [call for call in writes(stack) if call.path == "/v1/customers"]
    return [call.idempotency_key for call in posts if body(call)["reference"] == rillet_id(number)]


def failing_at(monkeypatch: pytest.MonkeyPatch, stack: LocalStack, times: int, **answer: Any) -> None:
    """Let Solvimon fail at the second row only, whatever else is going on."""
    original, left = SolvimonClient.create, [times]

    def create(self: SolvimonClient, collection: str, payload: Json, key: str) -> Json:
        if payload["reference"] == ROW and left[0]:
            left[0] -= 1
            stack.solvimon.state.misbehave("status", path="/customers", method="POST", times=1, **answer)
        return original(self, collection, payload, key)

    monkeypatch.setattr(SolvimonClient, "create", create)
    monkeypatch.setattr("solvimon_rillet.workflows.import_page.AT_ONCE", 1)


def test_a_429_makes_the_page_wait_as_long_as_solvimon_asks(stack: LocalStack) -> None:
    connection = three(stack)
    stack.solvimon.state.misbehave("status", **CREATE, times=1, status=429, headers={"Retry-After": "40"})
    begun = stack.clock.now()

    answer = run(stack)

    assert counts(answer) == {"created": 3}
    assert len(in_solvimon(connection)) == 3
    assert stack.clock.now() - begun >= 40
    assert waits(stack) == ["page 1: Solvimon asks to slow down (429)."]
    assert answer["rillet_calls"] == 2


def test_after_a_429_nothing_more_of_the_page_is_begun(
    stack: LocalStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect(stack, solvimon={"custom_fields": [definition()]}, customers=customers(20))
    monkeypatch.setattr("solvimon_rillet.workflows.import_page.AT_ONCE", 1)
    stack.solvimon.state.misbehave("status", **CREATE, times=1, status=429)

    answer = run(stack)

    assert counts(answer) == {"created": 20}
    assert len(writes(stack)) == 21
    assert answer["solvimon_writes"] == 20


def test_a_single_500_is_tried_again_at_once_and_leaves_no_trace(
    stack: LocalStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = three(stack)
    failing_at(monkeypatch, stack, 1, headers={"Idempotency-Retryable": "true"})

    answer = run(stack)

    assert counts(answer) == {"created": 3}
    assert len(in_solvimon(connection)) == 3
    assert len(set(keys(stack, 2))) == 1, "Solvimon says that the same key may be used again"
    assert waits(stack) == []


def test_a_500_under_a_spent_key_is_tried_again_under_another_one(
    stack: LocalStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = three(stack)
    failing_at(monkeypatch, stack, 2)

    answer = run(stack)

    assert counts(answer) == {"created": 3}
    assert len(in_solvimon(connection)) == 3
    assert len(set(keys(stack, 2))) == 3


def test_a_row_at_which_solvimon_fails_for_good_is_a_failure_and_the_others_go_on(
    stack: LocalStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = three(stack)
    failing_at(monkeypatch, stack, 1000)

    answer = run(stack)

    assert counts(answer) == {"created": 2, "failed": 1}
    [failure] = answer["failures"]
    assert (failure["rillet_id"], failure["name"], failure["code"]) == (
        ROW,
        "Customer 2",
        "solvimon_unavailable",
    )
    assert "again and again" in failure["what"]
    assert failure["remedy"]
    assert len(in_solvimon(connection)) == 2
    assert len(waits(stack)) == 2
    assert answer["complete"] is True


def test_when_solvimon_is_down_the_run_waits_until_it_is_up_again(stack: LocalStack) -> None:
    connection = three(stack)
    stack.solvimon.state.misbehave("down", times=10)

    answer = run(stack)

    assert counts(answer) == {"created": 3}
    assert len(in_solvimon(connection)) == 3
    assert waits(stack)


def test_when_solvimon_stays_down_the_run_ends_after_hours_and_says_why(stack: LocalStack) -> None:
    three(stack)
    stack.solvimon.state.misbehave("down")
    begun = stack.clock.now()

    answer = run(stack)

    assert answer["complete"] is False
    assert "Solvimon answered 503" in answer["error"]
    assert answer["remedy"]
    assert 6 * 3600 <= stack.clock.now() - begun < 8 * 3600


@pytest.mark.parametrize("kind", ["commit_then_drop", "status_after", "malformed"])
def test_a_lost_answer_to_a_create_does_not_create_a_second_one(stack: LocalStack, kind: str) -> None:
    connection = three(stack)
    stack.solvimon.state.misbehave(kind, **CREATE, times=3)  # type: ignore[arg-type]

    answer = run(stack)

    assert counts(answer) == {"created": 3}
    assert len(in_solvimon(connection)) == 3


@pytest.mark.parametrize("kind", ["commit_then_drop", "status_after", "malformed", "drop"])
def test_a_lost_answer_to_a_change_is_found_out(stack: LocalStack, kind: str) -> None:
    connection = three(stack)
    run(stack)
    record = connection.organisation.customers.get(ROW)
    connection.organisation.customers.replace(ROW, {**record.document, "name": "Renamed"})
    stack.solvimon.state.misbehave(kind, method="PATCH", path="/customers", times=1)  # type: ignore[arg-type]

    answer = run(stack)

    assert counts(answer) == {"updated": 1, "unchanged": 2}
    assert linked(connection, 2)["organization"]["legal_name"] == "Renamed"


def test_a_request_that_is_still_running_is_waited_for(
    stack: LocalStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = three(stack)
    failing_at(monkeypatch, stack, 1, status=422, code="IDEMPOTENCY_CHECK_FAILED")

    answer = run(stack)

    assert counts(answer) == {"created": 3}
    assert len(in_solvimon(connection)) == 3
    assert waits(stack) == ["page 1: Solvimon still works on the same request (422)."]


def test_a_key_that_was_used_for_something_else_gives_way_to_another_one(
    stack: LocalStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    three(stack)
    failing_at(monkeypatch, stack, 1, status=409, code="IDEMPOTENCY_CHECK_FAILED")

    answer = run(stack)

    assert counts(answer) == {"created": 3}
    assert len(set(keys(stack, 2))) == 2


@pytest.mark.parametrize("status", [400, 409])
def test_a_reference_that_somebody_took_a_moment_ago_is_linked(
    stack: LocalStack, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    connection = three(stack)
    original, faster = SolvimonClient.create, [True]

    def create(self: SolvimonClient, collection: str, payload: Json, key: str) -> Json:
        if payload["reference"] == ROW and faster.pop():
            faster.append(False)
            connection.platform.load({"customers": [{**payload, "id": "cust_faster"}]})
            stack.solvimon.state.misbehave(
                "status", **CREATE, times=1, status=status, code="RESOURCE_ALREADY_EXISTS"
            )
        elif not faster:
            faster.append(True)
        return original(self, collection, payload, key)

    monkeypatch.setattr(SolvimonClient, "create", create)
    monkeypatch.setattr("solvimon_rillet.workflows.import_page.AT_ONCE", 1)

    answer = run(stack)

    assert linked(connection, 2)["id"] == "cust_faster"
    assert counts(answer) == {"created": 2, "unchanged": 1}


def test_a_custom_field_value_that_is_taken_is_linked(
    stack: LocalStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = three(stack)
    original = SolvimonClient.find_all

    def find_all(self: SolvimonClient, collection: str, **filters: str) -> list[Json]:
        found = original(self, collection, **filters)
        if filters.get("custom_field", "").endswith(ROW) and not found:
            mine = {"id": "cust_mine", "type": "ORGANIZATION", "reference": "mine", "custom_fields": value(2)}
            connection.platform.load({"customers": [mine]})
        return found

    monkeypatch.setattr(SolvimonClient, "find_all", find_all)

    answer = run(stack)

    assert linked(connection, 2)["id"] == "cust_mine"
    assert linked(connection, 2)["reference"] == "mine"
    assert counts(answer) == {"created": 2, "updated": 1}


def test_a_record_that_exists_and_is_never_shown_is_a_failure(
    stack: LocalStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    three(stack)
    failing_at(monkeypatch, stack, 1000, status=409, code="RESOURCE_ALREADY_EXISTS")

    answer = run(stack)

    assert counts(answer) == {"created": 2, "failed": 1}
    [failure] = answer["failures"]
    assert failure["code"] == "linked_elsewhere"
    assert "does not show it" in failure["what"]


def test_a_validation_error_is_the_failure_of_that_row_with_solvimons_words(
    stack: LocalStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = three(stack)
    failing_at(monkeypatch, stack, 1, status=400, code="INVALID_FIELD", message="must be a country")

    answer = run(stack)

    assert counts(answer) == {"created": 2, "failed": 1}
    [failure] = answer["failures"]
    assert failure["code"] == "refused_by_solvimon"
    assert "INVALID_FIELD, must be a country" in failure["what"]
    assert len(in_solvimon(connection)) == 2


def test_a_country_that_solvimon_does_not_know_is_refused_by_its_own_rule(stack: LocalStack) -> None:
    three(stack, address={**customer()["address"], "country": "XX"})

    answer = run(stack)

    assert counts(answer) == {"failed": 3}
    assert "organization.registered_address.country" in answer["failures"][0]["what"]


def test_a_row_that_cannot_be_read_is_a_failure_and_the_others_go_on(stack: LocalStack) -> None:
    connection = three(stack)
    connection.organisation.customers.get(ROW).document["name"] = {"first": "Ann"}
    connection.organisation.customers.get(rillet_id(3)).document["emails"] = [{"type": "MAIN_SENDER"}]

    answer = run(stack)

    assert counts(answer) == {"created": 1, "failed": 2}
    failures = {failure["rillet_id"]: failure for failure in answer["failures"]}
    assert failures[ROW]["code"] == "row_unreadable"
    assert failures[ROW]["name"] is None
    assert "emails.0.email" in failures[rillet_id(3)]["what"]


def test_the_first_hundred_failures_are_listed_and_all_are_counted(stack: LocalStack) -> None:
    connect(stack, customers=[customer(n, name="") for n in range(130)])

    answer = run(stack)

    assert (answer["failed"], len(answer["failures"])) == (130, 100)
    assert "The first 100 of 130 failures are listed." in answer["notes"]


def test_a_record_that_was_deleted_while_it_is_changed_is_created_anew(
    stack: LocalStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = three(stack)
    run(stack)
    record = connection.organisation.customers.get(ROW)
    connection.organisation.customers.replace(ROW, {**record.document, "name": "Renamed"})
    original = SolvimonClient.change

    def change(self: SolvimonClient, collection: str, record_id: str, payload: Json) -> Json:
        connection.platform.records["customers"].pop(record_id, None)
        return original(self, collection, record_id, payload)

    monkeypatch.setattr(SolvimonClient, "change", change)

    answer = run(stack)

    assert counts(answer)["unchanged"] == 2
    assert linked(connection, 2)["organization"]["legal_name"] == "Renamed"


def test_a_record_that_was_deleted_by_hand_comes_back_with_a_recheck(stack: LocalStack) -> None:
    connection = three(stack)
    run(stack)
    connection.platform.records["customers"].pop(linked(connection, 2)["id"])
    forget_calls(stack)

    unnoticed, recheck = run(stack), run(stack, recheck=True)

    assert counts(unnoticed) == {"unchanged": 3}
    assert counts(recheck) == {"created": 1, "unchanged": 2}
    assert linked(connection, 2)["reference"] == ROW
