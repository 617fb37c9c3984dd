"""Keep the local system running, and say what happens to documents: `python -m local.up`, Ctrl-C to stop."""

import json
import logging
import re
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import redirect_stderr, redirect_stdout
from datetime import UTC, datetime
from functools import partial
from typing import Any

from rich.console import Console
from rich.markup import escape

from local.playground import app, seed
from local.sample_data.identity import Json
from local.system import ROOT, LocalSystem, Ports

FOLDER = ROOT / "build" / "up"
FUNCTIONS_LOG = FOLDER / "functions.log"
SHELL = FOLDER / "aws.sh"
"""For a shell: with it, the commands of all pages work here."""
PORTS = Ports(api=8700, aws=8701, solvimon=8702, rillet=8703)
"""Where everything listens, unless something else does."""
_LOOK_SECONDS = 1.0

Say = Callable[..., None]
_FOLLOWED_KEY = re.compile(r"[^#]+#(invoice|credit_memo|customer|payment)#[^#]+")
_KIND_TITLES = {
    "invoice": "Invoice",
    "credit_memo": "Credit note",
    "customer": "Customer",
    "payment": "Payment of",
}
_WORDS = {
    "sending": "is being sent",
    "exported": "is booked in Rillet",
    "synced": "is the same in Rillet",
    "marked": "is the same in Solvimon",
    "rejected": "needs you",
    "differs": "differs in Rillet",
    "skipped": "is not for Rillet",
    "resolved": "is resolved by hand",
}


def main() -> None:
    """Start everything, print how to get in and what to try, and tell what happens until Ctrl-C."""
    # Ctrl-C must not interrupt the start: that would leave threads behind.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    say = partial(Console(file=sys.stdout).print, soft_wrap=True, highlight=False)
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (
        FUNCTIONS_LOG.open("w", encoding="utf-8", buffering=1) as log,
        redirect_stdout(log),
        redirect_stderr(log),
    ):
        logging.basicConfig(stream=log, level=logging.WARNING)
        with LocalSystem(ports=free(PORTS)) as system:
            start(system)
            SHELL.write_text(f"{app.exports(system)}\n", encoding="utf-8")
            for line in first_screen(system):
                say(line)
            _tell(system, say, _stopped())
            say("Stopping.")


def start(system: LocalSystem) -> None:
    """Fill a system in which nothing has happened yet, and let everything in it work."""
    seed.fill(system)
    app.serve_playground(system)
    system.start_workers()
    system.solvimon.start_delivery()
    system.rillet.start_delivery()


def first_screen(system: LocalSystem) -> list[str]:
    """Return the lines that a person acts on first, and after them what else there is to know."""
    event = json.dumps({"connection": seed.CONNECTED})
    command = (
        f". {SHELL.relative_to(ROOT)} && aws lambda invoke --function-name $STACK-sync-status "
        f"--cli-binary-format raw-in-base64-out --payload '{event}' /dev/stdout"
    )
    return [
        _printed_row("Panel", app.sign_in_link(system), "you are the admin; Enter prints a new link"),
        _printed_row(
            "Play", f"{system.gateway.url}{app.PATH}", "finalise an invoice, pay it, let Rillet be down"
        ),
        _printed_row("Commands", command),
        "",
        f"The functions' logs are in {FUNCTIONS_LOG.relative_to(ROOT)}. Ctrl-C stops everything.",
    ]


def free(ports: Ports) -> Ports:
    """Return the ports on which nothing listens, and 0 for the others."""
    return Ports(**{name: port if _is_free(port) else 0 for name, port in vars(ports).items()})


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _printed_row(name: str, what: str, hint: str = "") -> str:
    return f"[bold]{name:<10}[/bold]{escape(what)}{f'   [dim]({hint})[/dim]' if hint else ''}"


def _stopped() -> threading.Event:
    """Return what Ctrl-C sets from now on."""
    stopped = threading.Event()
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, lambda *_: stopped.set())
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT, signal.SIGTERM})
    return stopped


def _tell(system: LocalSystem, say: Say, stopped: threading.Event) -> None:
    """Print a line for what happens to each document, and a new link for each Enter, until all stops."""
    threading.Thread(target=_answer_enter, args=(system, say), daemon=True).start()
    documents = Documents(system.ledger())
    while not stopped.wait(_LOOK_SECONDS):
        for line in documents.news(system.ledger()):
            say(line, markup=False)


def _answer_enter(system: LocalSystem, say: Say) -> None:
    for _ in sys.stdin:
        say(_printed_row("Panel", app.sign_in_link(system)))


class Documents:
    """The documents of the ledger, as they were when somebody last looked.

    Args:
        ledger: the items as they are now; nothing is said about them.
    """

    def __init__(self, ledger: Iterable[Json]) -> None:
        self._states = {pk: _record_state(record) for pk, record in _records_by_key(ledger).items()}

    def news(self, ledger: Iterable[Json]) -> list[str]:
        """Return a line for each document whose state has changed since the last time."""
        records = _records_by_key(ledger)
        changed = [pk for pk, record in records.items() if self._states.get(pk) != _record_state(record)]
        self._states = {pk: _record_state(record) for pk, record in records.items()}
        changed.sort(key=lambda pk: records[pk]["updated_at"])
        return [_line(pk, records) for pk in changed]


def _records_by_key(ledger: Iterable[Json]) -> dict[str, Json]:
    """The records by key; one that a worker has just claimed is no news yet."""
    found = {item["pk"]: item for item in ledger if item["sk"] == "RECORD" and "state" in item}
    return {pk: one for pk, one in found.items() if one["state"] != "claimed" and _FOLLOWED_KEY.fullmatch(pk)}


def _record_state(record: Json) -> tuple[Any, ...]:
    return record["state"], record.get("code")


def _line(pk: str, records: Mapping[str, Json]) -> str:
    record = records[pk]
    connection, kind, document = pk.split("#")
    invoice = records.get(f"{connection}#invoice#{document}", record)
    when = datetime.fromtimestamp(int(record["updated_at"]), UTC)
    name = f"{_KIND_TITLES[kind]} {invoice.get('number') or document}"
    state = str(record["state"])
    told = f"{when:%H:%M:%S}  {connection}  {name} {_WORDS.get(state, state)}"
    return f"{told}: {record['message']}" if record.get("message") else f"{told}."


if __name__ == "__main__":
    main()
