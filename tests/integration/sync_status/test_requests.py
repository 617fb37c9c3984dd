"""What cannot be understood is answered with the field and with examples; the examples work."""

import json
from pathlib import Path

import pytest

from local.system import ROOT, Connection, LocalSystem
from tests.integration.sync_status.support import Json, ask

MINE = ("sync_status", "export_invoice", "export_credit_memo")
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
        ({"resolve": {"invoice_id": "invo_1", "rillet_id": None}}, "resolve.note: "),
        ({"resolve": {"invoice_id": "invo_1", "rillet_id": None, "note": ""}}, "resolve.note: "),
        ({"resolve": {"invoice_id": "invo_1", "rillet_id": None, "note": " "}}, "resolve: note should say"),
        ({"resolve": {"invoice_id": "invo_1", "rillet_id": None, "note": "x" * 501}}, "resolve.note: "),
        ({"resolve": {"invoice_id": "invo_1", "note": "x"}}, "resolve.rillet_id: "),
        ({"resolve": {"invoice_id": "invo_1", "rillet_id": "../x", "note": "x"}}, "resolve.rillet_id: "),
        ({"resolve": {"rillet_id": None, "note": "x"}}, "resolve: invoice_id or credit_note_id is missing"),
        ({"resolve": {"customer_id": "cust_1", "rillet_id": None, "note": "x"}}, "resolve.customer_id: "),
        (
            {"invoice_id": "invo_1", "resolve": {"invoice_id": "invo_1", "rillet_id": None, "note": "x"}},
            "resolve stands alone",
        ),
    ],
)
def test_a_question_that_cannot_be_understood_names_the_field_and_gives_examples(
    system: LocalSystem, default: Connection, event: Json, words: str
) -> None:
    answer = ask(system, **event)

    assert words in answer["error"]
    assert {"invoice_id": "invo_AbC123"} in answer["examples"]


@pytest.mark.parametrize("event", [{}, {"invoice_id": "invo_1"}])
def test_a_connection_that_is_not_there_is_an_error(
    system: LocalSystem, default: Connection, event: Json
) -> None:
    answer = ask(system, connection="acme", **event)

    assert answer["error"] == "There is no connection 'acme'."
    assert answer["remedy"]


def test_a_ledger_that_does_not_answer_is_said(system: LocalSystem, default: Connection) -> None:
    ask(system)

    with system.aws.outage("dynamodb"):
        answer = ask(system)

    assert "ledger does not answer" in answer["error"]
    assert "again" in answer["remedy"]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_event_is_understood(system: LocalSystem, default: Connection, path: Path) -> None:
    event = json.loads(path.read_text(encoding="utf-8"))

    answer = system.invoke(path.stem.split("-")[0], event)

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
