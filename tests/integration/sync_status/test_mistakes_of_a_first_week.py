"""The mistakes of a first week: each answer names the thing and the act, and none quotes a library."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from local.system import ROOT, LocalSystem
from solvimon_rillet.ledger.import_state import ImportState
from tests.integration.connect_rillet.support import add_connection
from tests.integration.sync_status.support import Default
from tests.support.arrange import ledger_table
from tests.support.builders import NOTE, ORIGINAL, Json, credit_note, original

LIBRARY = re.compile(
    r"Extra inputs|Input should|Field required|valid (string|integer|boolean|list|dictionary|date)|"
    r"validation error|pydantic|Value error|type=|Traceback",
    re.IGNORECASE,
)


def wrong_secret(default: Default) -> Json:
    default.finalised_silently(original())
    default.put_secret_text("solvimon", '{"api_key": "of-another-platform"}')
    default.export(ORIGINAL)
    return default.ask()


def read_only_key(default: Default) -> Json:
    default.system.rillet.state.misbehave("status", "POST", "/invoices", status=403)
    default.finalised(original())
    return default.ask()


def wrong_auth(default: Default) -> Json:
    default.put_secret_text("rillet", '{"auth": "key", "api_key": "k"}')
    return default.ask()


def typo_in_a_setting(default: Default) -> Json:
    default.system.put_settings("default", {"invoce_scope": "FULL"})
    default.system.runtime.reset()
    return default.ask()


def without_oauth_client(default: Default) -> Json:
    add_connection(default.system)
    default.system.aws.secretsmanager.put_secret_value(
        SecretId="solvimon-rillet/rillet-oauth-client", SecretString="{}"
    )
    default.system.runtime.reset()
    answer: Json = default.system.invoke("connect_rillet", {"connection": "acme"})
    return answer


def revoked_grant(default: Default) -> Json:
    acme = add_connection(default.system, records=True).connected()
    acme.oauth.revoke_all(acme.organisation)
    default.system.advance(2 * 3600)
    default.system.invoke("connect_rillet", {"connection": "acme", "action": "status"})
    return default.ask(connection="acme")


def import_under_way(default: Default) -> Json:
    ImportState("default", "customer", ledger_table(default.system), default.system.clock.now).acquire_lease(
        "another", 3600
    )
    answer: Json = default.system.invoke("import_customers", {})
    return answer


def not_exported_yet(default: Default) -> Json:
    default.unlink()
    default.finalised(original())
    answer: Json = default.system.invoke("mark_invoice_paid", {"invoice_ids": [ORIGINAL]})
    return answer


def note_of_what_is_not_exported(default: Default) -> Json:
    default.unlink()
    default.finalised(original(), credit_note())
    return default.ask(credit_note_id=NOTE)


def call(function: str, event: Json) -> Callable[[Default], Json]:
    """An invocation."""
    return lambda default: default.system.invoke(function, event)


@dataclass(frozen=True)
class Mistake:
    """What somebody does, the thing that the answer names, and the act."""

    act: Callable[[Default], Json]
    names: str
    to_do: str


MISTAKES = {
    "a wrong id": Mistake(
        call("export_invoice", {"invoice_ids": ["invo_mistyped"]}), "invo_mistyped", "Check the invoice's id"
    ),
    "a number instead of an id": Mistake(
        call("export_invoice", {"invoice_ids": ["INV-2026-11-000016"]}), "INV-2026-11-000016", "Give its id"
    ),
    "an unknown connection": Mistake(
        call("sync_status", {"connection": "acmee"}), "acmee", "Name a connection"
    ),
    "a typo in a field": Mistake(
        call("sync_status", {"invoiceid": "invo_AbC123"}), "invoiceid", "did you mean invoice_id?"
    ),
    "a typo in a field within": Mistake(
        call("export_invoice", {"retry": {"cod": "all"}}), "retry.cod", "did you mean retry.code?"
    ),
    "a typo in a setting": Mistake(typo_in_a_setting, "invoce_scope", "did you mean invoice_scope?"),
    "a wrong secret": Mistake(
        wrong_secret, "Solvimon refuses the credential (401)", "the secret solvimon-rillet/default/solvimon"
    ),
    "a key that may only read": Mistake(
        read_only_key, "may not do this (403)", "Put a valid one with write access into the secret"
    ),
    "a wrong auth": Mistake(wrong_auth, "unknown 'auth'", "it must be 'api_key' or 'oauth'"),
    "no OAuth client": Mistake(without_oauth_client, "OAuth client", "Register a client at Rillet"),
    "a revoked grant": Mistake(revoked_grant, "must be connected again", "invoke connect_rillet"),
    "from after to": Mistake(
        call("export_invoice", {"retry": {"from": "2026-11-02", "to": "2026-11-01"}}), "from", "not be later"
    ),
    "from after to in a reconciliation": Mistake(
        call("reconcile", {"from": "2026-11-02", "to": "2026-11-01"}), "to should be", "at or after from"
    ),
    "an import under way": Mistake(import_under_way, "Another import of customers", "Wait until it ends"),
    "a document that is not exported yet": Mistake(
        not_exported_yet, "not exported: its state is rejected", "Invoke sync_status"
    ),
    "a credit note of what is not exported": Mistake(
        note_of_what_is_not_exported, "which is rejected itself", "Retry the invoice"
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_each_mistake_of_a_first_week_is_answered_with_the_thing_and_the_act(
    default: Default, name: str
) -> None:
    mistake = MISTAKES[name]

    answer = mistake.act(default)

    text = json.dumps(answer, ensure_ascii=False, default=str).replace('\\"', '"')
    assert mistake.names in text
    assert mistake.to_do in text
    assert not LIBRARY.search(text)
    if "headline" in answer:
        assert answer["headline"]["state"] == "stopped"


WRONG_FORMS: list[tuple[str, Json]] = [
    ("export_invoice", {"invoice_ids": "invo_AbC123"}),
    ("export_invoice", {"invoice_ids": []}),
    ("export_invoice", {"invoice_ids": [7]}),
    ("export_invoice", {"invoice_ids": ["a"], "dry_run": "perhaps"}),
    ("sync_status", {"documents": {"kind": "invoices"}}),
    ("sync_status", {"documents": {"kind": "invoice", "limit": 0}}),
    ("sync_status", {"documents": {"kind": "invoice", "limit": "ten"}}),
    ("sync_status", {"search": ""}),
    ("sync_status", {"resolve": {"invoice_id": "invo_AbC123"}}),
    ("sync_status", {"runs": []}),
    ("connect_rillet", {"action": "conect"}),
    ("import_customers", {"updated_since": "yesterday"}),
    ("import_customers", {"updated_since": "2026-01-01T00:00:00"}),
    ("reconcile", {"from": "1 May"}),
    ("sweep", {"connection": 7}),
    ("link_records", {"list": "customer"}),
]


@pytest.mark.parametrize(("function", "event"), WRONG_FORMS)
def test_no_sentence_of_the_validation_library_reaches_a_person(
    system: LocalSystem, default: Default, function: str, event: Json
) -> None:
    answer = system.invoke(function, event)

    assert answer["error"]
    assert not LIBRARY.search(json.dumps(answer))


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
