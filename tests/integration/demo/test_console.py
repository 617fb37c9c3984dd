"""The demo's tables are readable in a wide terminal, in a narrow one and in a file."""

import io

import pytest
from rich.cells import cell_len

from local.demo import tables
from local.demo.console import Console
from tests.integration.demo.support import COLOUR, Terminal, pair

FEATURES = {"invo_1": "two taxes on the same base, as two categories"}


@pytest.mark.parametrize("width", [100, 80])
def test_the_invoices_fit_and_keep_both_numbers_and_amounts(width: int) -> None:
    out = io.StringIO()
    console = Console(out, width)

    console.show(tables.invoices([pair()], FEATURES, narrow=console.narrow))

    lines = out.getvalue().splitlines()
    assert all(cell_len(line) <= width for line in lines)
    [solvimon] = (line for line in lines if "INV-2026-11-000001" in line)
    [rillet] = (line for line in lines if "INV-0 " in line)
    assert solvimon.split()[-5:] == ["100.00", "21.00", "121.00", "EUR", "exported"]
    assert rillet.split()[-5:] == ["100.00", "21.00", "121.00", "EUR", "0.00"]
    assert FEATURES["invo_1"].split() == [
        word for word in out.getvalue().split() if word in FEATURES["invo_1"].split()
    ]


def test_an_invoice_that_rillet_lacks_is_shown_as_missing() -> None:
    out = io.StringIO()

    Console(out).show(tables.invoices([pair(booked=(), state="rejected")], {}, narrow=False))

    assert "rejected" in out.getvalue()
    assert "–" in out.getvalue()
    assert out.getvalue().count("121.00") == 2  # billed, and the whole of it is the difference


def test_a_terminal_gets_colours_and_a_plain_last_line() -> None:
    out = Terminal()
    console = Console(out, 100)

    console.good("All is well.")
    console.plain('DEMO {"invoices": 1}')

    coloured, plain = out.getvalue().splitlines()
    assert COLOUR in coloured
    assert plain == 'DEMO {"invoices": 1}'


def test_a_progress_bar_moves_on_a_terminal() -> None:
    terminal = Terminal()

    with Console(terminal, 80).progress("import_customers", 10) as show:
        show(5)
        show(10)

    assert "10/10" in terminal.getvalue()


def test_a_line_for_programs_is_never_wrapped() -> None:
    out = io.StringIO()

    Console(out, 80).plain("DEMO " + "x" * 500)

    assert out.getvalue() == "DEMO " + "x" * 500 + "\n"


def test_what_changed_is_bold_in_a_table_of_moments() -> None:
    out = Terminal()

    Console(out, 80).show(
        tables.before_after({"before": {"Invoices": 0, "Doubles": 0}, "after": {"Invoices": 1, "Doubles": 0}})
    )

    bold = [line for line in out.getvalue().splitlines() if "\x1b[1m" in line and "before" not in line]
    assert ["Invoices" in line for line in bold] == [True]


def test_an_old_terminal_gets_question_marks_instead_of_an_error() -> None:
    raw = io.BytesIO()
    out = io.TextIOWrapper(raw, encoding="latin-1", write_through=True)

    Console(out, 80).say("大阪湾")

    assert raw.getvalue() == b"???\n"
