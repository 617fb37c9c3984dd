"""What an earlier version wrote is read and gone on with: no document is booked twice, none is forgotten.

The fixtures are records as that version left them. Version 1 had no index, no history and no facts of the
document itself; a record that was only claimed had no ``updated_at``.
"""

import json
from pathlib import Path
from typing import Any

import pytest
from boto3.dynamodb.types import TypeSerializer

from local.system import Connection, LocalSystem
from solvimon_rillet.ledger.ledger import SCHEMA
from tests.integration.reconcile.support import period, reconcile
from tests.integration.sweep.support import finalised, silent, swept
from tests.integration.sync_status.support import ask, resolve, retry, work_off
from tests.support.arrange import export
from tests.support.assertions import record, rillet_invoice, rillet_invoices
from tests.support.builders import ORIGINAL

Json = dict[str, Any]

VERSIONS = {
    int(path.stem.partition("_")[2]): json.loads(path.read_text(encoding="utf-8"))
    for path in Path(__file__).parent.glob("version_*.json")
}
EVERY = [(version, state) for version, states in VERSIONS.items() for state in states]
BOOKED = ("exported", "differs")


def left_behind(system: LocalSystem, version: int, state: str, *, booked: bool | None = None) -> Connection:
    """An invoice that is final in Solvimon, and its record as an earlier version left it.

    Args:
        system: the local system.
        version: of the record.
        state: of the record.
        booked: whether Rillet has it; without this, as the state says.
    """
    connection = silent(system)
    finalised(system, connection, ORIGINAL)
    finalised(system, connection, "invo_neighbour")
    export(system, "invo_neighbour", *([ORIGINAL] if (state in BOOKED if booked is None else booked) else []))
    known = system.ledger_item(f"default#invoice#{ORIGINAL}", "RECORD") or {}
    neighbour = record(system, "invo_neighbour")
    text = json.dumps(VERSIONS[version][state])
    text = text.replace("<rillet customer>", neighbour["attempt"]["customer_id"])
    text = text.replace("<rillet invoice>", str(known.get("rillet_id")))
    text = text.replace("<rillet number>", str(known.get("rillet_number")))
    item = {"pk": f"default#invoice#{ORIGINAL}", "sk": "RECORD", **json.loads(text)}
    write = TypeSerializer().serialize
    system.aws.dynamodb.put_item(
        TableName=system.deployment.outputs["LedgerTableName"],
        Item={name: write(value) for name, value in item.items()},
    )
    return connection


def test_there_are_records_of_every_earlier_version() -> None:
    assert sorted(VERSIONS) == list(range(1, SCHEMA))
    for version, states in VERSIONS.items():
        assert all(each["schema_version"] == version for each in states.values())


@pytest.mark.parametrize(("version", "state"), EVERY)
def test_the_story_of_an_earlier_record_is_told_and_an_export_goes_on_where_it_ended(
    system: LocalSystem, version: int, state: str
) -> None:
    connection = left_behind(system, version, state)

    story = ask(system, invoice_id=ORIGINAL)
    [result] = export(system, ORIGINAL)

    assert "error" not in story
    assert (story["state"], story["attempts"]) == (state, [])
    assert story["known_since"] == "2026-01-01T00:00:00Z"
    expected = {"exported": "already_exported", "differs": "differs"}.get(state, "exported")
    assert result["outcome"] == expected
    assert len(rillet_invoices(connection, ORIGINAL)) == 1
    if state not in BOOKED:
        kept = record(system, ORIGINAL)
        assert kept["schema_version"] == SCHEMA
        assert kept["listed"] == "default#invoice#exported"
        assert kept["history"][-1]["what"] == "exported"
        assert float(kept["amount"]) == 121


def test_an_attempt_of_an_earlier_version_whose_answer_was_lost_is_found_and_not_sent_again(
    system: LocalSystem,
) -> None:
    connection = left_behind(system, 1, "sending", booked=True)

    [result] = export(system, ORIGINAL)

    assert (result["outcome"], result["rillet_id"]) == ("exported", rillet_invoice(connection)["id"])
    assert len(rillet_invoices(connection, ORIGINAL)) == 1


@pytest.mark.parametrize(("version", "state"), EVERY)
def test_the_sweep_goes_on_with_what_an_earlier_version_left_unfinished(
    system: LocalSystem, version: int, state: str
) -> None:
    connection = left_behind(system, version, state)

    found = swept(system)

    unfinished = state in {"claimed", "sending"}
    assert found.get("invoices", 0) == int(unfinished)
    assert len(rillet_invoices(connection, ORIGINAL)) == int(unfinished or state in BOOKED)


@pytest.mark.parametrize(("version", "state"), EVERY)
def test_a_reconciliation_knows_what_was_booked_and_puts_the_record_into_the_index(
    system: LocalSystem, version: int, state: str
) -> None:
    connection = left_behind(system, version, state)

    answer = reconcile(system, connection)

    found = [each for each in answer["findings"] if each["solvimon_id"] == ORIGINAL]
    kept = record(system, ORIGINAL)
    becomes = "exported" if state == "differs" else state  # Rillet has the right total
    assert bool(found) is (state not in BOOKED)
    assert (kept["listed"], kept["schema_version"]) == (f"default#invoice#{becomes}", SCHEMA)
    assert ask(system)["counts"]["invoice"][becomes] >= 1
    assert kept["state"] == becomes


@pytest.mark.parametrize("by_index", [True, False])
def test_a_retry_finds_an_earlier_rejection_by_its_day_and_after_a_reconciliation_by_its_cause(
    system: LocalSystem, by_index: bool
) -> None:
    connection = left_behind(system, 1, "rejected")
    days = period(connection)
    if by_index:
        reconcile(system, connection)

    retry(system, {"code": "product_not_linked"} if by_index else days)
    work_off(system)

    assert record(system, ORIGINAL)["state"] == "exported"
    assert len(rillet_invoices(connection, ORIGINAL)) == 1


@pytest.mark.parametrize("state", BOOKED)
def test_a_payment_follows_what_an_earlier_version_booked(system: LocalSystem, state: str) -> None:
    connection = left_behind(system, 1, state)
    connection.organisation.pay(rillet_invoice(connection)["id"])

    answer = system.invoke("mark_invoice_paid", {"invoice_ids": [ORIGINAL]})

    assert answer["summary"] == {"marked": 1}
    assert connection.platform.records["invoices"][ORIGINAL]["payment_status"] == "PAID"


@pytest.mark.parametrize("state", ["claimed", "rejected", "skipped"])
def test_a_person_can_settle_an_earlier_record(system: LocalSystem, state: str) -> None:
    left_behind(system, 1, state)

    answer = resolve(system, invoice_id=ORIGINAL, rillet_id=None)

    kept = record(system, ORIGINAL)
    assert (answer["was"], kept["state"], kept["by_hand"]) == (state, "skipped", True)
    assert (kept["listed"], kept["schema_version"]) == ("default#invoice#skipped", SCHEMA)
