"""`make up` in a process of its own: addresses first, then three commands that work, and no noise."""

import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
import requests

from local.system import ROOT, LocalSystem, Ports
from local.up import LOG, PORTS, free
from tests.docs.aws_cli import parse, run

LAST = "Ctrl-C stops everything."


@pytest.fixture(scope="module")
def printed() -> Iterator[list[str]]:
    """What `make up` prints until everything runs, line by line; it runs on."""
    path = os.pathsep.join([str(ROOT / "layers/mapping"), *sys.path])
    process = subprocess.Popen(
        [sys.executable, "-m", "local.up"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout
    lines: list[str] = []
    for line in process.stdout:
        lines.append(line.rstrip())
        if LAST in line:
            break
    yield lines
    process.send_signal(signal.SIGINT)
    rest = process.communicate(timeout=30)[0]
    assert (process.returncode, rest) == (0, "Stopping.\n")


def _commands(printed: list[str]) -> list[str]:
    return [line for line in printed if re.match(r"(curl|(\w+=\w+ )*aws) ", line)]


def _curl(command: str) -> requests.Response:
    """Do what curl does with the options that the examples use."""
    [curl, silent, url, *rest] = shlex.split(command)
    assert (curl, silent) == ("curl", "-s")
    options = list(zip(rest[::2], rest[1::2], strict=True))
    headers = dict(value.split(": ", 1) for name, value in options if name == "-H")
    data = dict(options).get("-d")
    assert {name for name, _ in options} <= {"-H", "-d"}
    return requests.request("POST" if data else "GET", url, headers=headers, data=data, timeout=10)


def test_it_prints_addresses_then_three_commands_and_no_log(printed: list[str]) -> None:
    text = "\n".join(printed)
    addresses, *examples = re.split(r"(?m)^\d\. ", text)

    for name in ("AWS endpoint", "HTTP API", "Solvimon", "Rillet", "Webhook for Rillet"):
        assert re.search(rf"(?m)^{name} +http://127\.0\.0\.1:\d+", addresses), name
    assert len(examples) == len(_commands(printed)) == 3
    assert '{"level"' not in text
    assert printed[-1] == f"The functions' logs are in {LOG.relative_to(ROOT)}. {LAST}"


def test_its_three_commands_work(printed: list[str], system: LocalSystem) -> None:
    finalise, invoices, history = _commands(printed)

    finalised = _curl(finalise)
    assert finalised.status_code == 200, finalised.text
    booked = _booked(invoices)
    answer = run(system, parse(history, {}), {})

    assert len(booked) == 1
    assert answer["state"] == "exported"
    assert '"message":"document done"' in LOG.read_text(encoding="utf-8")


def _booked(command: str) -> list[object]:
    """Rillet's invoices, once there is one."""
    deadline = time.monotonic() + 20
    while not (found := _curl(command).json()["invoices"]):
        assert time.monotonic() < deadline, "no invoice arrived"
        time.sleep(1)  # Rillet allows 60 requests in a minute
    return list(found)


def test_rillets_webhook_is_registered_too(printed: list[str]) -> None:
    [address] = [line.split()[-1] for line in printed if line.startswith("Webhook for Rillet")]

    unsigned = requests.post(address, json={}, timeout=10)

    assert unsigned.status_code == 401
    assert "webhook_token" not in unsigned.text


def test_it_listens_on_fixed_ports_and_on_free_ones_where_those_are_taken(printed: list[str]) -> None:
    taken = free(PORTS)

    assert taken == Ports(), "make up, or something else, listens on all of them"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.listen()
        assert free(Ports(aws=port, api=0)) == Ports()
    assert free(Ports(aws=port)) == Ports(aws=port)
