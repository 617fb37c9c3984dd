"""A dry run of many documents answers what it has before its time or its answer's room ends."""

import json
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import pytest

from solvimon_rillet.entrypoints.queue_function import (
    CreditNotesRequest,
    CustomersRequest,
    DocumentsRequest,
    InvoicesRequest,
    answer_request,
)
from solvimon_rillet.entrypoints.queue_processor import NEEDED_MILLISECONDS, QueueProcessor
from solvimon_rillet.entrypoints.telemetry import Telemetry
from solvimon_rillet.workflows.outcome import Result

Json = dict[str, Any]

MODELS: list[type[DocumentsRequest]] = [InvoicesRequest, CreditNotesRequest, CustomersRequest]
IDS = [f"invo_{number}" for number in range(500)]
LAMBDA_LIMIT = 6 * 1024 * 1024


NEVER = Mock(side_effect=AssertionError("a dry run does no work and has no queue"))


def would_export(_connection: str, document_id: str, size: int = 0) -> Result:
    return Result(document_id, "would_export", {"payload": "p" * size, "came_from": {"a": "b" * size}})


def dry_run(
    model: type[DocumentsRequest],
    ids: list[str],
    one: Callable[[str, str], Result] = would_export,
    left: Iterator[int] | None = None,
) -> Json:
    times = left or iter(lambda: NEEDED_MILLISECONDS, None)
    return answer_request(
        {f"{model.id_name}s": ids, "dry_run": True},
        SimpleNamespace(get_remaining_time_in_millis=lambda: next(times)),
        model=model,
        detail_type="Invoice Finalised",
        processor=QueueProcessor(NEVER, Telemetry({}, "test")),
        do_one=NEVER,
        dry_run_one=one,
    )


@pytest.mark.parametrize("model", MODELS)
def test_a_dry_run_of_500_ids_hands_back_in_time_what_it_has(model: type[DocumentsRequest]) -> None:
    left = iter(range(60_000, 0, -1_000))  # a second for each document

    answer = dry_run(model, IDS, left=left)

    done = (60_000 - NEEDED_MILLISECONDS) // 1_000 + 1
    assert [each[model.id_name] for each in answer["results"]] == IDS[:done]
    assert answer["summary"] == {"would_export": done}
    assert answer["ids_left"] == IDS[done:]
    assert answer["next_request"] == {
        "connection": "default",
        f"{model.id_name}s": IDS[done:],
        "dry_run": True,
    }
    assert str(500 - done) in answer["remedy"]
    assert model.model_validate(answer["next_request"]).ids == IDS[done:], "it can be sent as it is"


def test_a_dry_run_with_enough_time_names_nothing_as_left() -> None:
    answer = dry_run(InvoicesRequest, IDS)

    assert len(answer["results"]) == 500
    assert answer.keys() == {"connection", "dry_run", "summary", "results"}


def test_a_dry_run_answers_no_more_than_lambda_takes() -> None:
    answer = dry_run(InvoicesRequest, IDS, lambda name, each: would_export(name, each, 100_000))

    assert len(json.dumps(answer)) < LAMBDA_LIMIT
    assert 20 <= len(answer["results"]) < 500
    assert len(answer["results"]) + len(answer["ids_left"]) == 500


@pytest.mark.parametrize(
    ("size", "left_out"), [(3_000_000, ["came_from"]), (5_100_000, ["came_from", "payload"])]
)
def test_one_document_that_is_too_large_for_an_answer_is_shortened(size: int, left_out: list[str]) -> None:
    answer = dry_run(InvoicesRequest, ["invo_1"], lambda name, each: would_export(name, each, size))

    [result] = answer["results"]
    assert result["outcome"] == "would_export"
    assert [name for name in ("came_from", "payload") if name not in result] == left_out
    assert all(name in result["left_out"] for name in left_out)
    assert len(json.dumps(answer)) < LAMBDA_LIMIT
