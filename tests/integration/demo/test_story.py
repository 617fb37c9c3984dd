"""The demo's own auditor finds what is planted in the fakes, and says so."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from local import sample_data
from local.demo import acme
from local.demo.sections import one_invoice
from local.demo.stage import DemoStopped, Section, Stage
from local.sample_data.identity import solvimon_id
from local.system import LocalSystem
from tests.integration.demo.support import figures, in_one_line, tell

Json = dict[str, Any]
Plant = Callable[[Stage, Json], None]


def planted(plant: Plant) -> Section:
    """A section that changes the one invoice that Rillet has."""

    def change(stage: Stage) -> dict[str, int | str]:
        [record] = stage.connection.organisation.invoices
        plant(stage, record.document)
        return {}

    return Section("Something goes wrong", change)


def a_cent_more(_: Stage, invoice: Json) -> None:
    invoice["total"] = {"amount": "6745.76", "currency": "EUR"}


def net_and_tax_shifted(_: Stage, invoice: Json) -> None:
    invoice["net_amount"] = {"amount": "5575.01", "currency": "EUR"}
    invoice["taxed_amount"] = {"amount": "1170.74", "currency": "EUR"}


def another_currency(_: Stage, invoice: Json) -> None:
    invoice["total"] = {"amount": "6745.75", "currency": "USD"}


def booked_again(stage: Stage, invoice: Json) -> None:
    stage.connection.organisation.invoices.add({**deepcopy(invoice), "id": None})


def booked_again_without_reference(stage: Stage, invoice: Json) -> None:
    stage.connection.organisation.invoices.add({**invoice, "id": None, "external_references": []})


def gone(stage: Stage, invoice: Json) -> None:
    stage.connection.organisation.invoices.remove(invoice["id"])


def test_the_first_part_shows_every_stop_on_the_way(system: LocalSystem) -> None:
    code, screen = tell(system, one_invoice.SECTION)

    assert code == 0
    stops = ("Solvimon ", "→ webhook", "→ bus", "→ queue", "→ export_invoice", "→ Rillet")
    places = [screen.index(stop, screen.index("2. One invoice")) for stop in stops]
    assert places == sorted(places)
    assert "answer 200" in screen
    assert "1 message waits for export_invoice" in screen
    assert "5,575.00 + 1,170.75 tax = 6,745.75 EUR" in screen
    assert figures(screen) == {
        "connections": 1,
        "invoices": 1,
        "exported": 1,
        "duplicates": 0,
        "difference": "0.00",
        "misplaced": 0,
        "currencies": 1,
        "rillet_calls": 9,
        "refused_429": 0,
        "seconds": 1.2,
    }


@pytest.mark.parametrize(
    ("plant", "expected", "words"),
    [
        (
            a_cent_more,
            {"exported": 1, "duplicates": 0, "difference": "0.01"},
            "6745.76 EUR in Rillet's INV-0001",
        ),
        (net_and_tax_shifted, {"exported": 1, "duplicates": 0, "difference": "0.00"}, "5575.01 + 1170.74"),
        (another_currency, {"exported": 1, "duplicates": 0, "difference": "6745.75"}, "6745.75 USD"),
        (booked_again, {"exported": 1, "duplicates": 1, "difference": "0.00"}, "1 invoice(s) beyond one"),
        (booked_again_without_reference, {"exported": 1, "duplicates": 1}, "1 invoice(s) beyond one"),
        (gone, {"exported": 0, "duplicates": 0, "difference": "6745.75"}, "did not reach Rillet"),
    ],
)
def test_what_is_planted_in_rillet_is_found_and_named(
    system: LocalSystem, plant: Plant, expected: Json, words: str
) -> None:
    code, screen = tell(system, one_invoice.SECTION, planted(plant))

    assert code == 1
    assert figures(screen).items() >= expected.items()
    assert "NOT RIGHT: INV-2026-11-000001 (Maasvlakte Quay" in screen or "NOT RIGHT: Rillet has" in screen
    assert words in in_one_line(screen)


def an_invoice_of_the_other_connection(stage: Stage, invoice: Json) -> None:
    stage.system.connections[acme.NAME].organisation.invoices.add({**deepcopy(invoice), "id": None})


def a_customer_of_the_other_connection(stage: Stage, invoice: Json) -> None:
    mark = {"type": "solvimon_customer_id", "id": solvimon_id("cust", "maasvlakte-quay")}
    customer = {"id": None, "name": "A stranger", "external_references": [mark]}
    stage.system.connections[acme.NAME].organisation.customers.add(customer)


def a_record_under_the_other_name(stage: Stage, invoice: Json) -> None:
    item = {"pk": {"S": f"{acme.NAME}#invoice#{sample_data.invoice_id('first')}"}, "sk": {"S": "RECORD"}}
    table = stage.system.deployment.outputs["LedgerTableName"]
    stage.system.aws.dynamodb.put_item(TableName=table, Item=item)


@pytest.mark.parametrize(
    ("plant", "misplaced"),
    [
        (an_invoice_of_the_other_connection, sample_data.invoice_id("first")),
        (a_customer_of_the_other_connection, solvimon_id("cust", "maasvlakte-quay")),
        (a_record_under_the_other_name, sample_data.invoice_id("first")),
    ],
)
def test_what_is_in_another_connections_books_is_found_and_named(
    system: LocalSystem, plant: Plant, misplaced: str
) -> None:
    code, screen = tell(system, one_invoice.SECTION, planted(plant))

    assert code == 1
    assert figures(screen)["misplaced"] == 1
    assert f"NOT RIGHT: In another connection's books: {misplaced}." in in_one_line(screen)
    assert "Nothing of one connection is in another one's books." not in screen


def test_what_a_section_finds_wrong_makes_the_demo_fail(system: LocalSystem) -> None:
    def complain(stage: Stage) -> dict[str, int | str]:
        stage.expect(False, "The harbour is empty.")
        return {"ships": 0}

    code, screen = tell(system, Section("Ships", complain), connected=False)

    assert code == 1
    assert "1. Ships" in screen
    assert "NOT RIGHT: The harbour is empty." in screen
    assert figures(screen)["ships"] == 0


def test_what_never_happens_stops_the_story_with_a_plain_reason(system: LocalSystem) -> None:
    def wait(stage: Stage) -> dict[str, int | str]:
        stage.patience = 0.05
        stage.until(lambda: False, "The arrival of the ship")
        return {}

    with pytest.raises(DemoStopped, match="The arrival of the ship did not happen within"):
        tell(system, Section("Ships", wait), connected=False)

    assert not system.pollers.running


def test_the_clock_is_moved_on_when_all_that_is_left_waits(system: LocalSystem) -> None:
    def lose_the_answer(stage: Stage) -> dict[str, int | str]:
        invoice = stage.another("two-rates", "test-lost", "")["id"]
        stage.system.rillet.state.misbehave("commit_then_drop", "POST", "/invoices")
        stage.finalise(invoice)
        stage.deliver_webhooks()
        before = stage.skipped
        stage.until(stage.settled, "The export")
        return {"skipped": stage.skipped - before}

    code, screen = tell(system, Section("A lost answer", lose_the_answer))

    assert code == 0
    assert int(figures(screen)["skipped"]) > 0
    assert "the clock was moved on" in in_one_line(screen)
