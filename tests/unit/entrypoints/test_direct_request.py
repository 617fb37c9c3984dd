"""Every request may say who asks: one reading for all functions."""

import json
from types import SimpleNamespace
from typing import Any

import pytest

from solvimon_rillet.entrypoints.direct_request import answer_direct_request, with_actor
from solvimon_rillet.errors import RetryLater
from solvimon_rillet.events import BusEvent
from solvimon_rillet.ledger.actor import RequestedBy, acting_for, current_actor
from solvimon_rillet.ledger.audit_trail import append_entry, entry, waiting_entry

Json = dict[str, Any]
NO_CALLER = SimpleNamespace(identity=None, client_context=None)


def caller(*, custom: object = None, cognito: str | None = None) -> Any:  # noqa: ANN401 - Lambda's context
    return SimpleNamespace(
        client_context=SimpleNamespace(custom=custom),
        identity=SimpleNamespace(cognito_identity_id=cognito),
    )


def answered(event: Json, context: object = NO_CALLER) -> Json:
    return answer_direct_request(
        event, RequestedBy, lambda request: {"by": request.by, "seen": current_actor()}, {}, context=context
    )


@pytest.mark.parametrize(
    ("event", "context", "by"),
    [
        ({"by": "Ada"}, NO_CALLER, "Ada"),
        ({"by": "  Ada Lovelace "}, NO_CALLER, "Ada Lovelace"),
        ({"by": "Zoë de Boer, a@example.com"}, NO_CALLER, "Zoë de Boer, a@example.com"),
        ({"by": "x" * 100}, NO_CALLER, "x" * 100),
        ({"by": "Ada"}, caller(custom={"by": "another"}), "Ada"),
        ({}, caller(custom={"by": "Ada"}), "Ada"),
        ({}, caller(cognito="eu-central-1:0f1e"), "eu-central-1:0f1e"),
        ({}, caller(custom={"by": "a\x00b"}, cognito="eu-central-1:0f1e"), "eu-central-1:0f1e"),
        ({"by": None}, caller(custom={"by": "Ada"}), "Ada"),
        ({"by": ""}, NO_CALLER, "unknown"),
        ({"by": "  "}, NO_CALLER, "unknown"),
        ({}, NO_CALLER, "unknown"),
        ({}, None, "unknown"),
        ({}, caller(custom=["by"]), "unknown"),
    ],
)
def test_by_is_the_events_own_then_the_callers_identity_then_unknown(
    event: Json, context: object, by: str
) -> None:
    assert answered(event, context) == {"by": by, "seen": by}


@pytest.mark.parametrize(
    ("by", "problem"),
    [
        ("x" * 101, "by: should have at most 100 characters, not 101"),
        ("a\nb", "by: should have no control characters"),
        ("a\x1b[31m", "by: should have no control characters"),
        ("a\u202eb", "by: should have no control characters"),
        ("a\u2028b", "by: should have no control characters"),
        ("\ud800", "by: should have no control characters"),
        (7, "by: should be a text that names who asks"),
        (["Ada"], "by: should be a text that names who asks"),
    ],
)
def test_a_by_that_is_no_name_is_refused_in_words(by: object, problem: str) -> None:
    assert answered({"by": by}) == {"error": problem}


def test_an_event_that_is_no_object_stays_what_it_is() -> None:
    assert with_actor(["by"], NO_CALLER) == ["by"]


def test_after_the_request_nobody_asks() -> None:
    answered({"by": "Ada"})

    assert current_actor() == ""


def test_history_entries_say_who_asked_only_where_somebody_did() -> None:
    with acting_for("Ada"):
        asked, waits = entry("sent", 1, {"key": "k"}), waiting_entry(RetryLater("Busy."), 2)
    automatic = entry("sent", 3, {"key": "k"})

    assert (asked["by"], waits["by"]) == ("Ada", "Ada")
    assert "by" not in automatic


def test_a_wait_that_is_repeated_automatically_is_still_one_entry() -> None:
    with acting_for("Ada"):
        first = waiting_entry(RetryLater("Busy."), 1)

    history = append_entry([first], waiting_entry(RetryLater("Busy."), 2))

    assert [(each["what"], each["times"]) for each in history] == [("waits", 2)]


def test_the_queue_carries_who_asked_and_the_archived_bus_does_not() -> None:
    event = BusEvent("solvimon", "Invoice Finalised", "default", "invo_1", "", "", by="Ada")

    assert BusEvent.from_queue(event.to_queue_message()).by == "Ada"
    assert "by" not in event.detail()


@pytest.mark.parametrize("by", ["x" * 101, 7, None])
def test_a_message_whose_by_is_no_name_is_still_an_event(by: object) -> None:
    detail = {"connection": "default", "id": "invo_1", "by": by}

    assert BusEvent.from_queue(json.dumps({"detail": detail})).by == ""
