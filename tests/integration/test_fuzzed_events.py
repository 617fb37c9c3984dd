"""Random requests to every public route and function: no 5xx, no error of Python's own, no leak into logs.

``FUZZED_EVENTS=30000`` draws more of them from the same seed (``make fuzz``).
"""

import json
import os
import random
from collections.abc import Callable
from typing import Any

import pytest

from local.system import LocalSystem
from solvimon_rillet.entrypoints.telemetry import UnexpectedError
from tests.integration.mark_invoice_paid.support import connected
from tests.support.builders import FIRST, Json
from tests.support.logs import function_logs

SEED = 20_301_101
EVENTS = int(os.environ.get("FUZZED_EVENTS", "150"))
PERSON = "Ada Lovelace"
QUICK = (
    *("receive_webhook", "connect_rillet", "sync_status", "export_invoice", "export_credit_memo"),
    *("sync_customer", "mark_invoice_paid", "sweep", "panel"),
)
"""Functions that answer at once; a durable one validates its event by the same models."""
FIELDS = (
    *("connection", "invoice_ids", "credit_note_ids", "customer_ids", "dry_run", "retry", "resolve", "runs"),
    *(
        "action",
        "invoice_id",
        "credit_note_id",
        "customer_id",
        "from",
        "to",
        "code",
        "note",
        "rillet_id",
        "?",
    ),
)
_PYTHON = ("Traceback", "object at 0x", "NoneType", "KeyError", "ValueError", "TypeError", "AttributeError")


def _value(draw: random.Random, depth: int = 0) -> Any:  # noqa: ANN401 - JSON of any shape
    simple: list[Callable[[], Any]] = [
        lambda: None,
        lambda: draw.choice([True, False]),
        lambda: draw.choice([0, -1, 10**30, 1.5]),
        lambda: draw.choice(
            ["", "default", "nobody", "../default", "default#x", "\ud800", "x" * 5000, PERSON]
        ),
        lambda: draw.choice([FIRST, "invo_1", "2026-01-01", "status", "disconnect ", "{}", "\x00"]),
    ]
    nested: list[Callable[[], Any]] = [
        lambda: [_value(draw, depth + 1) for _ in range(draw.randrange(3))],
        lambda: {draw.choice(FIELDS): _value(draw, depth + 1) for _ in range(draw.randrange(3))},
    ]
    return draw.choice(simple if depth > 2 else [*simple, *nested])()


def _direct(draw: random.Random) -> Json:
    return {draw.choice(FIELDS): _value(draw) for _ in range(draw.randrange(4))}


def _http(draw: random.Random, routes: tuple[str, ...]) -> Json:
    names = ("x-payload-signature", "x-payload-signature-timestamp", "x-rillet-signature", "x-rillet-id")
    parts: Json = {
        "routeKey": draw.choice(routes),
        "requestContext": {},
        "pathParameters": _value(draw, 3) if draw.random() < 0.2 else {"connection": _value(draw, 3)},
        "headers": {name: str(_value(draw, 3)) for name in names if draw.random() < 0.7},
        "body": _value(draw, 3) if draw.random() < 0.3 else json.dumps(_value(draw)),
        "isBase64Encoded": draw.random() < 0.2,
        "queryStringParameters": {
            name: str(_value(draw, 3)) for name in ("state", "code", "error", "iss") if draw.random() < 0.5
        },
    }
    return {name: value for name, value in parts.items() if draw.random() < 0.95 or name == "requestContext"}


def _event(draw: random.Random, function: str) -> Json:
    if function == "receive_webhook":
        return _http(
            draw,
            ("POST /webhooks/solvimon/{connection}", "POST /webhooks/rillet/{connection}", "GET /x"),
        )
    if function == "connect_rillet" and draw.random() < 0.5:
        return _http(draw, ("GET /oauth/rillet/callback",))
    return _direct(draw)


def test_random_events_are_answered_without_an_error_of_our_own(system: LocalSystem) -> None:
    connected(system)
    draw = random.Random(SEED)  # noqa: S311 - the same events in every run
    broken = list[str]()

    with function_logs(system, QUICK) as logs:
        for number in range(EVENTS):
            function = QUICK[number % len(QUICK)]
            event = _event(draw, function)
            try:
                answer = system.invoke(function, event)
            except UnexpectedError as error:
                broken.append(f"{function} {event!r}: {error}")
                continue
            text = json.dumps(answer, default=str)
            if answer.get("statusCode", 200) >= 500 or any(word in text for word in _PYTHON):
                broken.append(f"{function} {event!r}: {text[:300]}")

    assert broken[:5] == []
    assert [line for line in logs.text.splitlines() if PERSON in line][:3] == []


def test_the_fuzz_notices_an_error_of_pythons_own(
    system: LocalSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: object) -> Json:
        raise KeyError("x")

    monkeypatch.setattr("solvimon_rillet.workflows.status.overview.Overview.report", broken)
    connected(system)

    with pytest.raises(UnexpectedError):
        system.invoke("sync_status", {})
