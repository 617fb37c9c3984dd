"""An invalid request is answered with the field and with examples; the examples work."""

import json
from pathlib import Path

import pytest

from local.system import ROOT
from tests.integration.sync_status.support import Default, Json

MINE = ("sync_status", "export_invoice", "export_credit_memo")
IDS = {"invoice_id": "invo_1", "rillet_id": None}
EXAMPLES = sorted(
    path for path in (ROOT / "events").glob("*.json") if path.stem.split("-")[0] in MINE and "-" in path.stem
)


@pytest.mark.parametrize(
    ("event", "words"),
    [
        ({"invoice_ids": ["invo_1"]}, "invoice_ids: "),
        ({"invoice_id": ""}, "invoice_id: should be an id such as invo_AbC123"),
        ({"invoice_id": 7}, "invoice_id: should be an id"),
        ({"invoice_id": "a#b"}, "invoice_id: should be an id"),
        ({"invoice_id": "invo_1", "customer_id": "cust_1"}, "name one of invoice_id, customer_id"),
        ({"connection": 7}, "connection: "),
        ({"resolve": IDS}, "resolve.note: "),
        ({"resolve": {**IDS, "note": ""}}, "resolve.note: "),
        ({"resolve": {**IDS, "note": " "}}, "resolve: note should say"),
        ({"resolve": {**IDS, "note": "x" * 501}}, "resolve.note: "),
        ({"resolve": {"invoice_id": "invo_1", "note": "x"}}, "resolve.rillet_id: "),
        ({"resolve": {"invoice_id": "invo_1", "rillet_id": "../x", "note": "x"}}, "resolve.rillet_id: "),
        ({"resolve": {"rillet_id": None, "note": "x"}}, "resolve: invoice_id or credit_note_id is missing"),
        ({"resolve": {"customer_id": "cust_1", "rillet_id": None, "note": "x"}}, "resolve.customer_id: "),
        ({"invoice_id": "invo_1", "resolve": {**IDS, "note": "x"}}, "resolve stands alone"),
    ],
)
def test_an_invalid_request_is_answered_with_the_field_and_examples(
    default: Default, event: Json, words: str
) -> None:
    answer = default.ask(**event)

    assert words in answer["error"]
    assert {"invoice_id": "invo_AbC123"} in answer["examples"]


@pytest.mark.parametrize("event", [{}, {"invoice_id": "invo_1"}])
def test_a_connection_that_is_not_there_is_an_error(default: Default, event: Json) -> None:
    answer = default.ask(connection="acme", **event)

    assert answer["error"] == "There is no connection with this name: 'acme'."
    assert answer["remedy"]


def test_an_outage_of_the_ledger_is_an_error_with_a_remedy(default: Default) -> None:
    default.ask()

    with default.system.aws.outage("dynamodb"):
        answer = default.ask()

    assert "ledger does not answer" in answer["error"]
    assert "again" in answer["remedy"]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_event_is_understood(default: Default, path: Path) -> None:
    event = json.loads(path.read_text(encoding="utf-8"))

    answer = default.system.invoke(path.stem.split("-")[0], event)

    assert "examples" not in answer, answer["error"]
    if "resolve" in event:
        assert "invo_AbC123" in answer["error"], "Solvimon does not have it here"
    else:
        assert "error" not in answer


def test_there_is_an_example_event_for_each_use() -> None:
    assert {path.stem for path in EXAMPLES} >= {
        "export_credit_memo-retry",
        "export_invoice-back-fill",
        "export_invoice-retry",
        "export_invoice-retry-all",
        "sync_status-document",
        "sync_status-resolve",
    }
