"""The function is killed at any point, and the execution goes on: the same end, and nothing twice."""

import pytest

from local.system import Connection, LocalSystem
from solvimon_rillet.ledger.import_state import ImportState
from solvimon_rillet.rillet import client
from solvimon_rillet.rillet.client import RilletClient
from solvimon_rillet.solvimon.client import SolvimonClient
from tests.integration.imports.support import (
    Json,
    answer_with_drafts,
    connect,
    counts,
    customers,
    die_at,
    forget_calls,
    in_solvimon,
    product,
    run,
    writes,
)

pytestmark = pytest.mark.slow

ROWS, PAGE = 24, 10


@pytest.fixture(autouse=True)
def _short_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "PAGE_SIZE", PAGE)


def state(connection: Connection) -> list[Json]:
    """Everything in Solvimon that an import makes, without what differs from run to run."""
    return sorted(
        (
            {k: v for k, v in each.items() if k not in {"id", "created_at"}}
            for each in in_solvimon(connection)
        ),
        key=lambda each: str(each["reference"]),
    )


def remembered(system: LocalSystem) -> list[tuple[str, str]]:
    """What the ledger holds, by key, with the fingerprint or the Rillet id."""
    items = [item for item in system.ledger() if "#import-customer#" in item["pk"]]
    return sorted((str(item["pk"]), str(item["hash"])) for item in items)


@pytest.fixture(scope="module")
def undisturbed(running_system: LocalSystem) -> tuple[list[Json], list[tuple[str, str]]]:
    running_system.reset()
    connection = connect(running_system, customers=customers(ROWS))
    run(running_system)
    return state(connection), remembered(running_system)


@pytest.mark.parametrize(
    ("owner", "method", "call", "after"),
    [
        (RilletClient, "customer_rows", 1, False),
        (RilletClient, "customer_rows", 2, True),
        (SolvimonClient, "create", 1, True),  # the custom field's definition
        (SolvimonClient, "create", 2, False),
        (SolvimonClient, "create", 6, True),
        (SolvimonClient, "create", 15, True),
        (SolvimonClient, "create", ROWS + 1, True),
        (SolvimonClient, "find", 13, False),
        (ImportState, "acquire_lease", 1, True),
        (ImportState, "acquire_lease", 3, False),
        (ImportState, "imported_rows", 2, True),
        (ImportState, "store_row", 4, False),
        (ImportState, "store_row", 17, True),
        (ImportState, "set_watermark", 1, True),
        (ImportState, "release_lease", 1, True),
    ],
)
def test_a_run_that_was_killed_ends_like_an_undisturbed_one(
    system: LocalSystem,
    undisturbed: tuple[list[Json], list[tuple[str, str]]],
    monkeypatch: pytest.MonkeyPatch,
    owner: type,
    method: str,
    call: int,
    after: bool,
) -> None:
    connection = connect(system, customers=customers(ROWS))
    die_at(monkeypatch, owner, method, call, after=after)

    answer = run(system)

    assert (state(connection), remembered(system)) == undisturbed
    assert answer["seen"] == ROWS
    assert answer["failed"] == 0
    assert answer["complete"] is True
    assert len(connection.platform.records["custom-fields"]) == 1
    [execution] = system.runtime.executions
    assert execution.consecutive_failed_invocation_attempts == 1, "it was killed once"


def test_rows_that_were_written_before_the_kill_still_count_as_created(
    system: LocalSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect(system, customers=customers(ROWS))
    die_at(monkeypatch, ImportState, "store_row", 7, after=True)

    answer = run(system)

    # Up to eight rows are written at the same time; those that Solvimon had already are found there.
    assert answer["created"] + answer["unchanged"] == ROWS
    assert answer["created"] >= ROWS - 8


def test_a_function_that_is_killed_again_and_again_fails_and_the_next_run_goes_on(
    system: LocalSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = connect(system, customers=customers(ROWS))
    with monkeypatch.context() as broken:
        for call in range(3, 12):
            die_at(broken, RilletClient, "customer_rows", call, after=False)
        with pytest.raises(Exception, match="ProcessEnded"):
            run(system)
    system.advance(3600)

    answer = run(system)

    assert counts(answer) == {"created": ROWS - 2 * PAGE, "unchanged": 2 * PAGE}
    assert len(in_solvimon(connection)) == ROWS


def test_a_product_that_was_created_but_not_activated_is_activated(
    system: LocalSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = connect(system, products=[product()])
    answer_with_drafts(monkeypatch, connection)
    die_at(monkeypatch, SolvimonClient, "transition", 1, after=False)

    run(system, "products")

    [made] = in_solvimon(connection, "products")
    assert made["status"] == "ACTIVE"


def test_a_run_that_begins_after_a_kill_writes_nothing_that_is_there(
    system: LocalSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect(system, customers=customers(ROWS))
    die_at(monkeypatch, SolvimonClient, "create", 9, after=True)
    run(system)
    forget_calls(system)

    answer = run(system)

    assert counts(answer) == {"unchanged": ROWS}
    assert writes(system) == []
