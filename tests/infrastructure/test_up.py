"""`make up` in a process of its own: three lines to act on first, seeds for each page, and no noise."""

import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from threading import Thread
from typing import IO

import pytest
import requests

from local.system import ROOT, LocalSystem, Ports
from local.up import FUNCTIONS_LOG, PORTS, SHELL, free
from tests.docs.aws_cli import Json, parse, run

LAST = "Ctrl-C stops everything."


@dataclass
class Up:
    """`make up` as its user sees it."""

    process: "subprocess.Popen[str]"
    lines: list[str] = field(default_factory=list)

    def read(self, output: IO[str]) -> None:
        """Keep what it prints."""
        for line in output:
            self.lines.append(line.rstrip())

    def until(self, text: str, after: int = 0) -> str:
        """Return the first line with a text, once it is there.

        Args:
            text: a part of the line.
            after: how many lines to leave out.
        """
        deadline = time.monotonic() + 60
        while not (found := [line for line in self.lines[after:] if text in line]):
            assert time.monotonic() < deadline, f"{text!r} was not printed:\n" + "\n".join(self.lines)
            assert self.process.poll() is None, "\n".join(self.lines)
            time.sleep(0.05)
        return found[0]

    def first(self, name: str) -> str:
        """Return what the first screen says under a name."""
        return self.until(f"{name} ").removeprefix(name).partition("   (")[0].strip()


@pytest.fixture(scope="module")
def up() -> Iterator[Up]:
    """A running `make up`, which ends without a word of complaint."""
    path = os.pathsep.join([str(ROOT / "layers/mapping"), *sys.path])
    process = subprocess.Popen(
        [sys.executable, "-m", "local.up"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": path},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdin
    assert process.stdout
    running = Up(process)
    reader = Thread(target=running.read, args=(process.stdout,), daemon=True)
    reader.start()
    try:
        running.until(LAST)
        yield running
    finally:
        process.send_signal(signal.SIGINT)
        code = process.wait(timeout=30)
        reader.join(timeout=10)
        for pipe in (process.stdin, process.stdout):
            pipe.close()
    assert (code, running.lines[-1]) == (0, "Stopping.")


def _ask(up: Up, system: LocalSystem, event: str) -> Json:
    """Do what the printed command does, with another event, and return the answer."""
    load, command = up.first("Commands").split(" && ")
    assert load == f". {SHELL.relative_to(ROOT)}"
    exports = shlex.split(SHELL.read_text(encoding="utf-8"))[1:]
    names = dict(export.split("=", 1) for export in exports)
    endpoint = f" --endpoint-url {names['AWS_ENDPOINT_URL']} "
    text = re.sub(r"'\{.*\}'", shlex.quote(event), command).replace(
        " --function-name", f"{endpoint}--function-name"
    )
    answer: Json = run(system, parse(text, names), {})
    return answer


def test_it_prints_a_panel_a_playground_and_a_command_and_no_log(up: Up) -> None:
    text = "\n".join(up.lines[:5])

    assert re.match(
        r"Panel +http://127\.0\.0\.1:\d+/panel/enter\?once=\S+   \(you are the admin; .+\)\n"
        r"Play +http://127\.0\.0\.1:\d+/_local   \(.+\)\n"
        r"Commands +\. build/up/aws\.sh && aws lambda invoke .+\n"
        r"\nThe functions' logs are in build/up/functions\.log\. ",
        text,
    ), text
    assert '{"level"' not in "\n".join(up.lines)


def test_the_link_opens_the_panel_and_enter_prints_another_one(up: Up) -> None:
    assert up.process.stdin
    before = len(up.lines)

    first = requests.get(up.first("Panel"), timeout=20)
    up.process.stdin.write("\n")
    up.process.stdin.flush()
    second = up.until("/panel/enter?once=", after=before).split()[1]

    assert first.status_code == requests.get(second, timeout=20).status_code == 200
    assert second != up.first("Panel")


def test_each_page_has_something_to_show(up: Up, system: LocalSystem) -> None:
    default = _ask(up, system, '{"connection": "default"}')
    runs = _ask(up, system, '{"connection": "default", "runs": true}')
    clean = _ask(up, system, '{"connection": "clean"}')

    assert default["counts"]["invoice"] == {"exported": 12, "differs": 2, "rejected": 3}
    assert {failure["code"]: failure["documents"] for failure in default["failures"]} == {
        "product_not_linked": 3,
        "deleted_in_rillet": 1,
        "total_differs": 1,
    }
    results = {one["kind"]: one["result"] for one in runs["finished"]}
    assert (results["reconcile"]["differences"], results["import_customers"]["failed"]) == (2, 1)
    assert clean["counts"]["invoice"] == {"sending": 2}


def test_acme_waits_for_its_first_day(up: Up, system: LocalSystem) -> None:
    acme = _ask(up, system, '{"connection": "acme"}')

    assert acme["counts"] == {}
    assert "acme/rillet" in acme["credentials"][0]


def test_a_line_is_printed_for_an_invoice_that_is_finalised_on_the_playground(up: Up) -> None:
    play = up.first("Play")
    before = len(up.lines)

    answer = requests.post(f"{play}/default/finalise", data={"draft": "first"}, timeout=20)

    assert answer.status_code == 200
    number = re.search(r"(INV-[\d-]+) is final in Solvimon", answer.text)
    assert number
    assert up.until(f"Invoice {number[1]} is booked in Rillet.", after=before)
    assert '"message":"document done"' in FUNCTIONS_LOG.read_text(encoding="utf-8")


def test_rillets_webhook_is_registered_too(up: Up) -> None:
    address = up.first("Play").replace("/_local", "/webhooks/rillet/default")

    unsigned = requests.post(address, json={}, timeout=10)

    assert unsigned.status_code == 401
    assert "webhook_token" not in unsigned.text


def test_it_listens_on_fixed_ports_and_on_free_ones_where_those_are_taken(up: Up) -> None:
    taken = free(PORTS)

    assert taken == Ports(), "make up, or something else, listens on all of them"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.listen()
        assert free(Ports(aws=port, api=0)) == Ports()
    assert free(Ports(aws=port)) == Ports(aws=port)
