"""The demo prints and counts what the auditor finds, shows what waits, and ends with a reconciliation."""

from collections.abc import Callable
from copy import deepcopy

import pytest

from local import sample_data
from local.demo import second_connection
from local.demo.context import Context, DemoStopped, Json, Section
from local.demo.sections import one_invoice, reconciliation, until_somebody_acts
from local.system import LocalSystem
from tests.integration.demo.support import figures, in_one_line, run_demo

Plant = Callable[[Context, Json], None]


def planted(plant: Plant) -> Section:
    """A section that changes the one invoice that Rillet has."""

    def change(context: Context) -> dict[str, int | str]:
        [record] = context.connection.organisation.invoices
        plant(context, record.document)
        return {}

    return Section("Something goes wrong", change)


def a_cent_more(_: Context, invoice: Json) -> None:
    invoice["total"] = {"amount": "6745.76", "currency": "EUR"}


def booked_again(context: Context, invoice: Json) -> None:
    context.connection.organisation.invoices.add({**deepcopy(invoice), "id": None})


def gone(context: Context, invoice: Json) -> None:
    context.connection.organisation.invoices.remove(invoice["id"])


def test_the_first_part_shows_every_stop_on_the_way(system: LocalSystem) -> None:
    code, screen = run_demo(system, one_invoice.SECTION)

    assert code == 0
    stops = ("Solvimon ", "→ webhook", "→ bus", "→ queue", "→ export_invoice", "→ Rillet")
    places = [screen.index(stop, screen.index("2. One invoice")) for stop in stops]
    assert places == sorted(places)
    assert "answer 200" in screen
    assert "→ Solvimon        shows Rillet's number: INV-0001" in screen
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
        "rillet_calls": 12,
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
        (booked_again, {"exported": 1, "duplicates": 1, "difference": "0.00"}, "twice: as INV-0001 and"),
        (gone, {"exported": 0, "duplicates": 0, "difference": "6745.75"}, "did not reach Rillet"),
    ],
)
def test_what_is_planted_in_rillet_is_found_and_named(
    system: LocalSystem, plant: Plant, expected: Json, words: str
) -> None:
    code, screen = run_demo(system, one_invoice.SECTION, planted(plant))

    assert code == 1
    assert figures(screen).items() >= expected.items()
    assert (
        "NOT RIGHT: INV-2026-11-000001 (Maasvlakte Quay" in screen or "NOT RIGHT: Rillet's invoice" in screen
    )
    assert words in in_one_line(screen)


def an_invoice_of_the_other_connection(context: Context, invoice: Json) -> None:
    context.system.connections[second_connection.NAME].organisation.invoices.add(
        {**deepcopy(invoice), "id": None}
    )


def test_what_is_in_another_connections_books_is_found_and_named(system: LocalSystem) -> None:
    code, screen = run_demo(system, one_invoice.SECTION, planted(an_invoice_of_the_other_connection))

    assert code == 1
    assert figures(screen)["misplaced"] == 1
    first = sample_data.invoice_id("first")
    assert f"NOT RIGHT: In another connection's books: {first}." in in_one_line(screen)
    assert "Nothing of one connection is in another one's books." not in screen


def test_what_a_section_finds_wrong_makes_the_demo_fail(system: LocalSystem) -> None:
    def complain(context: Context) -> dict[str, int | str]:
        context.expect(False, "The harbour is empty.")
        return {"ships": 0}

    code, screen = run_demo(system, Section("Ships", complain), connected=False)

    assert code == 1
    assert "1. Ships" in screen
    assert "NOT RIGHT: The harbour is empty." in screen
    assert figures(screen)["ships"] == 0


def test_what_never_happens_stops_the_demo_with_a_plain_reason(system: LocalSystem) -> None:
    def wait(context: Context) -> dict[str, int | str]:
        context.patience = 0.05
        context.until(lambda: False, "The arrival of the ship")
        return {}

    with pytest.raises(DemoStopped, match="The arrival of the ship did not happen within"):
        run_demo(system, Section("Ships", wait), connected=False)

    assert not system.pollers.running


def test_the_clock_is_moved_on_when_all_that_is_left_waits(system: LocalSystem) -> None:
    def lose_the_answer(context: Context) -> dict[str, int | str]:
        invoice = context.another("two-rates", "test-lost", "")["id"]
        context.system.rillet.state.misbehave("commit_then_drop", "POST", "/invoices")
        context.finalise(invoice)
        context.deliver_webhooks()
        before = context.skipped
        context.until(context.settled, "The export")
        return {"skipped": context.skipped - before}

    code, screen = run_demo(system, Section("A lost answer", lose_the_answer))

    assert code == 0
    assert int(figures(screen)["skipped"]) > 0
    assert "the clock was moved on" in in_one_line(screen)


def test_the_demo_shows_a_waiting_connection_its_headline_and_the_act_that_ends_it(
    system: LocalSystem,
) -> None:
    code, screen = run_demo(system, one_invoice.SECTION, until_somebody_acts.READ_ONLY)

    text = in_one_line(screen)
    assert code == 0
    assert "Headline Stopped: Rillet says the credential may not do this (403). 1 invoice (" in text
    assert "Put a valid one with write access into the secret solvimon-rillet/default/rillet" in text
    assert "export_invoice answers “exported” at once" in text
    assert "Headline Nothing waits: 2 invoices are booked." in text


def test_the_reports_of_both_connections_are_left_in_the_build_folder(system: LocalSystem) -> None:
    pages = [reconciliation.BUILD / f"reconciliation-{name}.html" for name in ("default", "acme")]
    for page in pages:
        page.unlink(missing_ok=True)

    code, screen = run_demo(system, one_invoice.SECTION, reconciliation.SECTION)

    assert code == 0
    assert figures(screen)["tied_out"] is True
    for page in pages:
        assert "Both sides agree" in page.read_text(encoding="utf-8")


def test_an_invoice_that_was_edited_in_rillet_is_named_and_the_demo_fails(system: LocalSystem) -> None:
    def edit(context: Context) -> dict[str, int | str]:
        [invoice] = context.connection.organisation.invoices.documents()
        context.connection.organisation.edit_invoice(invoice["id"], amount_by="0.01")
        return {}

    code, screen = run_demo(
        system, one_invoice.SECTION, Section("Somebody edits it", edit), reconciliation.SECTION
    )

    assert code == 1
    assert figures(screen)["tied_out"] is False
    assert "default has 1 difference(s)" in in_one_line(screen)
