"""`make demo` as people and programs meet it: what is on the screen, what is not, and the exit code."""

import io
import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest
from rich.cells import cell_len

from local import sample_data
from local.demo import run, second_connection
from local.demo.sections import customer_edits, request_budget
from local.system import ROOT, LocalSystem
from tests.integration.demo.support import (
    COLOUR,
    MADE_BY_OAUTH,
    SECRETS,
    WEBHOOK_SECRET,
    before_figures,
    figures,
)

# What `make demo` runs, with a log of its own: another demo may be running in this folder.
PROGRAM = "import gc, sys, pathlib; gc.disable(); from local.demo.run import demo; "
PROGRAM += "sys.exit(demo(sys.stdout, sys.stderr, pathlib.Path(sys.argv[1])))"


def python(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    settings = {**os.environ, "PYTHONPATH": "layers/mapping", "PYTHONUTF8": "1", **environment}
    settings.pop("COLUMNS", None)
    return subprocess.run(  # noqa: S603 - this very interpreter
        [sys.executable, *arguments],
        cwd=ROOT,
        env=settings,
        capture_output=True,
        encoding="utf-8",
        timeout=150,
    )


def test_the_demo_shows_every_invoice_on_both_sides_and_ends_with_its_figures(tmp_path: Path) -> None:
    log = tmp_path / "demo" / "functions.log"

    ended = python("-c", PROGRAM, str(log), FORCE_COLOR="1")

    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert ended.stderr == ""
    found, screen = figures(ended.stdout), before_figures(ended.stdout)
    of_acme = len(second_connection.features()) + request_budget.INVOICE_COUNT
    invoices = len(sample_data.expected()) + of_acme + 6  # each way to go wrong has one of its own
    assert found["invoices"] == found["exported"] == invoices
    assert (found["connections"], found["misplaced"]) == (2, 0)
    assert (found["duplicates"], found["difference"], found["refused_429"]) == (0, "0.00", 0)
    assert found["currencies"] == len({facts["currency"] for facts in sample_data.expected().values()})
    assert found["rillet_calls"] >= invoices
    assert 0 < found["seconds"] < 60
    imported = tuple(found[f"{kind}_imported"] for kind in ("customers", "products", "subsidiaries"))
    assert imported == (116, 4, 1)
    assert (found["proposed"], found["linked"], found["doubled"]) == (4, 4, 0)
    assert (found["repeated_webhooks"], found["lost_answers"], found["rejected_then_mended"]) == (20, 1, 1)
    assert found["credit_memos"] == len(sample_data.credits_to_expect()) + 1  # and a one-off
    assert found["customers_synced"] == len(customer_edits.EDITS)
    assert (found["paid"], found["partially_paid"], found["reopened"]) == (1, 1, 1)
    for facts in sample_data.expected().values():
        gross = f"{Decimal(facts['gross']):,} {facts['currency']}"
        assert screen.count(gross) >= 2, f"{gross} is not shown for both sides"
    for credit in sample_data.credits_to_expect().values():
        gross = f"{Decimal(str(credit['gross'])):,} {credit['currency']}"
        assert screen.count(gross) >= 3, f"{gross} is not shown for both sides, and as applied"
    assert found["headline_while_read_only"] == "stopped"
    assert "product_not_linked" in screen
    assert "link_records" in screen
    assert "Nothing of one connection is in another one's books." in screen
    assert_it_is_for_people(screen)
    assert_no_secrets(screen + log.read_text(encoding="utf-8"))
    assert '"message":"document done"' in log.read_text(encoding="utf-8")


def assert_it_is_for_people(screen: str) -> None:
    """No line is a log line, none is coloured, and all fit 100 columns."""
    for line in screen.split("\n"):
        assert not line.lstrip().startswith("{"), line
        assert cell_len(line) <= 100, line
    assert COLOUR not in screen


def assert_no_secrets(text: str) -> None:
    for secret in SECRETS:
        assert secret not in text
    assert not WEBHOOK_SECRET.search(text)
    assert not MADE_BY_OAUTH.search(text)


def test_a_missing_package_is_one_plain_line_with_the_remedy() -> None:
    ended = python("-S", "-m", "local.demo")

    assert ended.returncode == 1
    assert ended.stdout == ""
    [line] = ended.stderr.splitlines()
    assert line.startswith("demo: The Python package rich is not installed here. Run `make demo`")


def test_a_port_that_cannot_be_had_is_one_plain_line_with_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(_: LocalSystem) -> None:
        raise OSError(98, "Address already in use")

    monkeypatch.setattr(LocalSystem, "__enter__", refuse)
    screen, errors = io.StringIO(), io.StringIO()

    code = run.demo(screen, errors, tmp_path / "functions.log")

    assert code == 1
    assert "DEMO" not in screen.getvalue()
    [line] = errors.getvalue().splitlines()
    assert "cannot listen on 127.0.0.1" in line
    assert "run `make demo` again" in line
    assert "the demo stopped" in caplog.text


def test_a_log_that_cannot_be_written_is_one_plain_line_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    errors = io.StringIO()

    code = run.demo(io.StringIO(), errors, tmp_path / "file" / "functions.log")

    assert code == 1
    [line] = errors.getvalue().splitlines()
    assert line.endswith("Make its folder writable.")


def test_what_the_functions_print_does_not_reach_the_screen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def chatter(*_: object) -> int:
        sys.stdout.write('{"level":"INFO"}\n')
        sys.stderr.write("a warning\n")
        return 0

    monkeypatch.setattr(run, "_run_demo", chatter)

    run.demo(sys.stdout, sys.stderr, tmp_path / "functions.log")

    assert capsys.readouterr() == ("", "")
    assert (tmp_path / "functions.log").read_text() == '{"level":"INFO"}\na warning\n'
