"""The demo's tables."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Literal

from rich import box
from rich.table import Table
from rich.text import Text

from local.books_check.books import Pair, by_currency


def _table(*, lines: bool = False) -> Table:
    return Table(
        box=box.SIMPLE_HEAD,
        show_edge=False,
        show_lines=lines,
        header_style="bold",
        pad_edge=False,
        padding=(0, 1, 0, 0),
    )


def steps(rows: Iterable[tuple[str, str]]) -> Table:
    """A way in steps: where, and what is seen there."""
    return facts((f"{'→' if number else ' '} {where}", seen) for number, (where, seen) in enumerate(rows))


def before_after(moments: Mapping[str, Mapping[str, object]]) -> Table:
    """The same facts at several moments; what changed since the moment before is bold."""
    table = _table()
    table.add_column("")
    for moment in moments:
        table.add_column(moment, justify="right")
    for fact in next(iter(moments.values())):
        texts = [str(seen[fact]) for seen in moments.values()]
        cells = [
            Text(text, style="bold" if number and text != texts[number - 1] else "")
            for number, text in enumerate(texts)
        ]
        table.add_row(Text(fact), *cells)
    return table


def side_by_side(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    """Texts for several things next to each other.

    Args:
        columns: the things.
        rows: a name and the text for each thing.
    """
    table = _table()
    table.add_column("", no_wrap=True)
    for column in columns:
        table.add_column(column, overflow="fold", ratio=1)
    for name, *texts in rows:
        table.add_row(Text(name), *(Text(text) for text in texts))
    return table


def facts(rows: Iterable[tuple[str, str]]) -> Table:
    """Names and texts."""
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True, style="bold")
    table.add_column(overflow="fold")
    for name, text in rows:
        table.add_row(name, Text(text))
    return table


def invoices(pairs: Iterable[Pair], features: Mapping[str, str], *, narrow: bool) -> Table:
    """Invoices with both sides' numbers and amounts, Solvimon's above Rillet's.

    Args:
        pairs: the invoices.
        features: what an invoice shows, by its Solvimon id.
        narrow: say things under each other, for 80 columns.
    """
    table = _table(lines=True)
    if narrow:
        table.add_column("Solvimon's number\nRillet's number\nCustomer: what it shows", ratio=1)
    else:
        table.add_column("Solvimon's number\nRillet's number", no_wrap=True)
        table.add_column("Customer\nWhat it shows", ratio=1)
    for name in ("Net", "Tax", "Gross"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("State\nDifference", justify="right")
    for pair in pairs:
        there = ", ".join(document.number for document in pair.rillet) or "–"
        numbers, customer = Text(f"{pair.solvimon.number}\n{there}"), Text(pair.customer)
        feature = Text(features.get(pair.solvimon.id, ""), style="dim")
        who = Text(": " if narrow else "\n").join((customer, feature))
        named = [Text("\n").join((numbers, who))] if narrow else [numbers, who]
        table.add_row(*named, *_both(pair), _pair_verdict(pair))
    return table


def totals(documents: str, pairs: Iterable[Pair]) -> Table:
    """Both sides' gross totals, by connection and currency.

    Args:
        documents: what they are, such as "Invoices".
        pairs: all of them.
    """
    table = _table()
    table.add_column("Connection")
    table.add_column("Currency")
    for name in (documents, "In Rillet", "Solvimon gross", "Rillet total", "Difference"):
        table.add_column(name, justify="right")
    for (connection, currency), some in by_currency(pairs).items():
        ours = sum((pair.solvimon.amounts.gross for pair in some), Decimal(0))
        theirs = sum((one.amounts.gross for pair in some for one in pair.rillet), Decimal(0))
        apart = sum((pair.difference for pair in some), Decimal(0))
        counted = (str(len(some)), str(sum(pair.exported for pair in some)), f"{ours:,}", f"{theirs:,}")
        table.add_row(connection, currency, *counted, _difference(apart))
    return table


def imports(answers: Iterable[tuple[str, Mapping[str, Any]]]) -> Table:
    """What became of imported rows, and what it cost, by import."""
    names = (
        "seen",
        "created",
        "updated",
        "unchanged",
        "skipped",
        "proposed",
        "failed",
        "rillet_calls",
        "solvimon_writes",
    )
    columns = ("Import", *(name.replace("_", "\n").capitalize() for name in names))
    rows = [(what, *(f"{answer[name]:,}" for name in names)) for what, answer in answers]
    return listed(columns, rows, numbers=len(names))


def listed(columns: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: int = 0) -> Table:
    """Things with what there is to say of each.

    Args:
        columns: what is said.
        rows: the texts of a thing.
        numbers: how many of the last columns are numbers, and so to the right.
    """
    rows = list(rows)
    table = _table(lines=any("\n" in cell for row in rows for cell in row))
    for place, column in enumerate(columns):
        to_the_right = place >= len(columns) - numbers
        justify: Literal["left", "right"] = "right" if to_the_right else "left"
        table.add_column(column, justify=justify, overflow="fold", no_wrap=not place or to_the_right)
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    return table


def payload(rows: Iterable[tuple[str, str, str]]) -> Table:
    """What would be sent, field by field."""
    table = _table()
    table.add_column("Rillet field", no_wrap=True)
    table.add_column("Value", overflow="fold")
    table.add_column("Came from Solvimon field", no_wrap=True)
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    return table


def _both(pair: Pair) -> list[Text]:
    sides = [pair.solvimon.amounts, pair.rillet[0].amounts if pair.rillet else None]
    columns: list[list[str]] = [
        [f"{side.net:,}", f"{side.tax:,}", f"{side.gross:,} {side.currency}"] if side else ["–", "–", "–"]
        for side in sides
    ]
    return [Text("\n".join(cells)) for cells in zip(*columns, strict=True)]


def _pair_verdict(pair: Pair) -> Text:
    state = Text(pair.state, style="green" if pair.exported else "bold red")
    return Text("\n").join((state, _difference(pair.difference)))


def _difference(amount: Decimal) -> Text:
    return Text(f"{amount:,}", style="bold red" if amount else "green")
