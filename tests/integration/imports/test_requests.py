"""What a person may ask for, and what an answer says."""

from unittest.mock import Mock

import pytest

from local.aws.runtime import LambdaContext
from local.system import LocalSystem
from solvimon_rillet.aws.dynamodb import Table
from solvimon_rillet.entrypoints import durable_function
from solvimon_rillet.errors import RetryLater
from solvimon_rillet.workflows.imports.request import IMPORT_EXAMPLE
from tests.integration.imports.support import (
    Json,
    connect,
    counts,
    customer,
    customers,
    edit,
    forget_calls,
    in_solvimon,
    product,
    rillet_id,
    run,
    subsidiary,
    writes,
)
from tests.support.assertions import ledger_without_rate_limit
from tests.support.interposed import before_call

KINDS = ("customers", "products", "subsidiaries")


def test_an_empty_event_imports_the_default_connection(system: LocalSystem) -> None:
    connection = connect(system, customers=customers(2))

    answer = run(system)

    assert answer == {
        "connection": "default",
        "kind": "customers",
        "dry_run": False,
        "summary": "seen 2, created 2, updated 0, unchanged 0, failed 0, Rillet calls 1",
        "seen": 2,
        "created": 2,
        "updated": 0,
        "archived": 0,
        "unchanged": 0,
        "skipped": 0,
        "proposed": 0,
        "failed": 0,
        "rillet_calls": 1,
        "solvimon_writes": 3,
        "restarts": 0,
        "complete": True,
        "failures": [],
        "proposals": [],
        "notes": [],
    }
    assert len(in_solvimon(connection)) == 2


@pytest.mark.parametrize("kind", KINDS)
def test_a_dry_run_says_what_would_be_done_and_writes_nothing_anywhere(
    system: LocalSystem, kind: str
) -> None:
    connect(
        system,
        customers=customers(3),
        products=[product(n) for n in (1, 2, 3)],
        subsidiaries=[subsidiary(n) for n in (1, 2, 3)],
    )

    answer = run(system, kind, dry_run=True)

    assert counts(answer) == {"created": 3}
    assert answer["summary"].startswith("dry run, nothing was written: seen 3, created 3")
    assert any("would be created in Solvimon" in note for note in answer["notes"])
    assert answer["solvimon_writes"] == 0
    assert writes(system) == []
    assert ledger_without_rate_limit(system) == []


def test_a_dry_run_foresees_changes_and_failures(system: LocalSystem) -> None:
    connection = connect(system, customers=customers(4))
    run(system)
    edit(connection, 1, name="Renamed")
    edit(connection, 2, name="")
    forget_calls(system)

    answer = run(system, dry_run=True)

    assert counts(answer) == {"updated": 1, "unchanged": 2, "failed": 1}
    assert writes(system) == []


@pytest.mark.parametrize(
    ("event", "wrong"),
    [
        ({"conection": "acme"}, "conection: there is no such field"),
        ({"updated_since": "yesterday"}, "updated_since: "),
        ({"updated_since": "2026-01-01T00:00:00"}, "updated_since: "),
        ({"dry_run": "perhaps"}, "dry_run: "),
        (
            {"incremental": True, "updated_since": "2026-01-01T00:00:00Z"},
            "give updated_since or incremental, not both",
        ),
        ([], "should be an object"),
    ],
)
def test_a_request_that_makes_no_sense_is_answered_with_what_is_wrong_and_an_example(
    system: LocalSystem, event: object, wrong: str
) -> None:
    connect(system)

    answer = system.invoke("import_customers", event)  # type: ignore[arg-type]

    assert wrong in answer["error"]
    assert answer["example"] == IMPORT_EXAMPLE


@pytest.mark.parametrize("name", ["nobody", "No Such Name"])
def test_an_unknown_connection_is_named(system: LocalSystem, name: str) -> None:
    answer = run(system, connection=name)

    assert f"There is no connection with this name: {name!r}." in answer["error"]
    assert answer["remedy"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_workflow_that_is_switched_off_does_nothing_and_says_so(system: LocalSystem, kind: str) -> None:
    connect(system, settings={"workflows": {f"import_{kind}": False}}, customers=customers(1))

    answer = run(system, kind)

    assert answer["error"] == f"The workflow import_{kind} is switched off."
    assert f"workflows.import_{kind}" in answer["remedy"]
    assert len(system.rillet.state.calls) == len(system.solvimon.state.calls) == 0


@pytest.mark.parametrize("vendor", ["solvimon", "rillet"])
def test_a_broken_connection_ends_the_run_at_once_with_what_to_do(system: LocalSystem, vendor: str) -> None:
    connect(system, customers=customers(1))
    secret = {"api_key": "wrong", "auth": "api_key", "webhook_secret": "s"}
    system.put_secret("default", vendor, secret)

    answer = run(system)
    system.put_secret("default", "solvimon", {"api_key": "solvimon-key-default"})
    system.put_secret("default", "rillet", {"auth": "api_key", "api_key": "rillet-key-default"})
    system.runtime.reset()
    fixed = run(system)

    assert "refuses the credential (401)" in answer["error"]
    assert "connect_rillet" in answer["remedy"]
    assert answer["complete"] is False
    assert counts(fixed) == {"created": 1}


def test_a_key_that_may_only_read_ends_the_run_in_the_middle_of_a_page(system: LocalSystem) -> None:
    connection = connect(system, customers=customers(30))
    system.solvimon.state.misbehave("status", method="POST", path="/customers", status=403)

    answer = run(system)

    assert "may not do this (403)" in answer["error"]
    assert in_solvimon(connection) == []
    assert len([call for call in writes(system) if call.path == "/v1/customers"]) <= 8


def test_a_refusal_by_rillet_ends_the_run_with_its_words(system: LocalSystem) -> None:
    connect(system, customers=customers(1))
    problem = {"title": "Not today", "status": 400}
    system.rillet.state.misbehave("status", "GET", "/customers", 0, status=400, body=problem)

    answer = run(system)

    assert "Not today" in answer["error"]
    assert answer["complete"] is False


@pytest.mark.parametrize(
    ("times", "answered"),
    [
        (2, {"kind": "malformed"}),
        (2, {"kind": "drop"}),
        (2, {"kind": "status", "status": 500}),
        (1, {"kind": "status", "status": 200, "body": {"rows": []}}),
        (1, {"kind": "status", "status": 429}),
    ],
)
def test_rillets_trouble_is_waited_for(system: LocalSystem, times: int, answered: Json) -> None:
    connect(system, customers=customers(2))
    system.rillet.state.misbehave(method="GET", path="/customers", times=times, **answered)

    answer = run(system)

    assert counts(answer) == {"created": 2}
    assert answer["rillet_calls"] == times + 1


def test_the_ledgers_trouble_is_waited_for(system: LocalSystem, monkeypatch: pytest.MonkeyPatch) -> None:
    connect(system, customers=customers(2))
    throttled = Mock(side_effect=RetryLater("The ledger does not answer (Throttled)."))
    before_call(monkeypatch, Table, "put_many", throttled, call=1)

    assert counts(run(system)) in ({"created": 2}, {"created": 1, "unchanged": 1})


def test_notes_are_counted_and_name_the_first_rows(system: LocalSystem) -> None:
    connect(system, customers=[customer(n, name="x" * 300) for n in range(1, 6)])

    answer = run(system)

    [note] = answer["notes"]
    assert note.startswith("5 rows: The name is longer than the 256 characters")
    assert note.count("xxx (") + note.count(rillet_id(1)) > 0
    assert sum(rillet_id(n) in note for n in range(1, 6)) == 3


def test_a_function_near_its_time_limit_reads_the_next_page_in_a_new_invocation(
    system: LocalSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect(system, customers=customers(2))
    left = iter([100_000])
    original = LambdaContext.get_remaining_time_in_millis
    monkeypatch.setattr(
        LambdaContext, "get_remaining_time_in_millis", lambda self: next(left, None) or original(self)
    )

    answer = run(system)

    [execution] = system.runtime.executions
    assert "page 1: the function is near its time limit and continues in a new invocation" in [
        operation.name for operation in execution.operations
    ]
    assert counts(answer) == {"created": 2}


def test_a_page_that_runs_out_of_time_is_finished_by_the_next_invocation(
    system: LocalSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect(system, customers=customers(20))
    asked = [0]

    def left(_: LambdaContext) -> int:
        asked[0] += 1
        return 50_000 if 6 < asked[0] < 12 else 900_000

    monkeypatch.setattr(LambdaContext, "get_remaining_time_in_millis", left)
    monkeypatch.setattr("solvimon_rillet.workflows.imports.page.CONCURRENT_ROWS", 1)

    answer = run(system)

    assert counts(answer) == {"created": 20}
    assert answer["rillet_calls"] == 2


def test_an_error_that_nobody_expects_is_tried_again_and_then_fails_the_execution(
    system: LocalSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect(system, customers=customers(2))
    monkeypatch.setattr("solvimon_rillet.workflows.imports.page.short_id", lambda _row: [][0])

    with pytest.raises(Exception, match="IndexError"):
        run(system)


def test_a_name_of_a_step_is_printable_ascii() -> None:
    shown = durable_function._step_name("page 1: Überlast\n 🚢 " + "x" * 300)

    assert shown.startswith("page 1: ?berlast ? xxx")
    assert len(shown) == 256
