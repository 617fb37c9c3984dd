"""Where the demo speaks: readable in a terminal, in a file and in a CI log."""

import io
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

from rich.console import Console as RichConsole
from rich.console import RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.text import Text

WIDEST = 100
NARROW = 96
"""Below this many columns a table has to say things under each other instead of side by side."""


class Console:
    """A stream with tables and texts on it; coloured only where it is a terminal.

    Args:
        out: the stream.
        width: columns; by default those of the terminal (or of `COLUMNS`), at most 100.
    """

    def __init__(self, out: TextIO, width: int | None = None) -> None:
        if isinstance(out, io.TextIOWrapper):
            out.reconfigure(errors="replace")  # an old terminal shows a question mark for 大
        self._out = out
        self.width = width or min(WIDEST, shutil.get_terminal_size((WIDEST, 25)).columns)
        # Both sizes: with the width alone, a TERM=dumb is taken for 80 columns.
        self._console = RichConsole(
            file=out,
            width=self.width,
            height=25,
            force_terminal=out.isatty(),
            highlight=False,
            markup=False,
            emoji=False,
        )

    @property
    def narrow(self) -> bool:
        """Whether tables must stack."""
        return self.width < NARROW

    def heading(self, text: str) -> None:
        """Begin a part."""
        self._console.print()
        self._console.print(Text(text, style="bold cyan"))

    def say(self, text: str) -> None:
        """Tell something in a sentence or two."""
        self._console.print(Text(text))

    def note(self, text: str) -> None:
        """Add something in passing."""
        self._console.print(Text(text, style="dim"))

    def good(self, text: str) -> None:
        """Say that all is well."""
        self._console.print(Text(text, style="bold green"))

    def alarm(self, text: str) -> None:
        """Say what is wrong."""
        self._console.print(Text(f"NOT RIGHT: {text}", style="bold red"))

    def show(self, what: RenderableType) -> None:
        """Show a table."""
        self._console.print(what)

    @contextmanager
    def progress(self, what: str, total: int) -> Iterator[Callable[[int], None]]:
        """Show how far something is; off a terminal, only how it ended.

        Args:
            what: its name.
            total: how much there is to do.

        Yields:
            What takes how much is done.
        """
        columns = (TextColumn("{task.description:<22}"), BarColumn(40), MofNCompleteColumn())
        # The functions' output goes elsewhere already.
        with Progress(
            *columns, console=self._console, redirect_stdout=False, redirect_stderr=False
        ) as progress:
            task = progress.add_task(what, total=total)
            yield lambda done: progress.update(task, completed=done)

    def plain(self, line: str) -> None:
        """Write a line for programs: never wrapped, never coloured."""
        self._out.write(f"{line}\n")
        self._out.flush()
