"""Every command block of README and docs/ is run against the local system, word for word.

Commands that need a real account are checked as far as that is possible without one, and named with their
reasons in `NEEDS_AN_ACCOUNT`. A command of any other kind makes the test fail.
"""

import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from local.system import ROOT, Connection, LocalSystem
from tests.docs.aws_cli import for_stack, parameters, parse, run, shell_commands, written_files
from tests.docs.markdown import blocks
from tests.integration.sync_status.support import UNKNOWN_ID, rejected_and_booked
from tests.support.builders import ORIGINAL

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
LANGUAGES = {"console", "sh", "python", "json", "mermaid", "text", ""}
NEEDS_AN_ACCOUNT = {
    "aws --version": "says which AWS CLI is installed, and it is no package",
    "aws cloudformation update-termination-protection": "protects a stack in an account; moto cannot",
    "aws lambda get-account-settings": "asks for the quotas of an account",
    "aws service-quotas request-service-quota-increase": "asks AWS for a higher quota of an account",
    "sam delete": "deletes a stack from an account",
    "sam deploy": "deploys into an account",
}
"""Commands that are only checked: option by option, by AWS's model or by the command's own help."""


def parts() -> list[tuple[str, str]]:
    """Every page that has commands; of the runbook each section, since each is another emergency."""
    found = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        sections = re.split(r"(?m)^## ", text) if page.name == "runbook.md" else [text]
        found += [(page.name, section) for section in sections if blocks(section, "console")]
    return found


PARTS = parts()


@pytest.mark.parametrize(
    ("page", "text"),
    [
        pytest.param(page, text, marks=[pytest.mark.slow] if page == "runbook.md" else [])
        for page, text in PARTS
    ],
    ids=[f"{page}: {text.partition(chr(10))[0].strip('# ')}" for page, text in PARTS],
)
def test_every_command_block_runs_against_the_local_system(
    system: LocalSystem, default: Connection, page: str, text: str
) -> None:
    system.connect("another", auth="oauth")  # which registers the deployment at Rillet
    by_hand = rejected_and_booked(system, default)
    queue = system.deployment.queues["export_invoice"]
    text, names = for_stack(system, text.replace(UNKNOWN_ID, by_hand), ORIGINAL)
    files = written_files(system, default, start_date="2026-01-01")
    if page == "runbook.md" and "start-message-move-task" in text:
        system.aws.sqs.send_message(QueueUrl=queue.dead_letters_url, MessageBody="{}")

    for command in (each for block in blocks(text, "console") for each in shell_commands(block)):
        words = re.sub(r"^(\w+=\S+ )+", "", command).split()
        match words[0].rpartition("/")[2]:
            case "aws":
                _aws(system, command, names, files)
            case "make":
                done = _run("make", "-n", *words[1:])
                assert done.returncode == 0, f"{command}: {done.stderr}"
            case "sam":
                unknown = {word for word in words if word.startswith("--")} - _options_of_sam(words[1])
                assert not unknown, f"{command}: {unknown}"
            case other:
                pytest.fail(f"{other} is no command that this test can run: {command}")


def _aws(system: LocalSystem, text: str, names: dict[str, str], files: dict[str, str]) -> None:
    if text == "aws --version":
        return
    command = parse(text, names)
    if f"aws {command.service} {command.operation}" in NEEDS_AN_ACCOUNT:
        parameters(command, files)
        return
    answer = run(system, command, files)
    assert command.service != "lambda" or "error" not in (answer or {}), f"{text}: {answer}"


@cache
def _options_of_sam(command: str) -> set[str]:
    told = _run(str(Path(sys.executable).with_name("sam")), command, "--help")
    assert told.returncode == 0, told.stderr
    return set(re.findall(r"--[\w-]+", told.stdout))


def _run(*words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "SAM_CLI_TELEMETRY": "0"}
    return subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True)  # noqa: S603


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_command_of_a_page_escapes_the_test(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    fenced = re.findall(r"(?ms)^ *```(\w*)\n(.*?)^ *```$", text)

    assert {language for language, _ in fenced} <= LANGUAGES
    for language, block in fenced:
        if language == "console":
            assert re.match(r" *\$ ", block), f"a command without a prompt: {block}"
        elif language == "sh":
            assert all(re.fullmatch(r"[A-Z]+=\S+", line) for line in block.splitlines()), block
        else:
            assert not re.search(r"(?m)^ *(\$ |aws |sam |make |curl )", block), block
        assert language != "python" or page.name == "develop.md", "test_pages.py runs those, and no others"


def test_every_exception_has_its_reason() -> None:
    assert all(NEEDS_AN_ACCOUNT.values())


@pytest.mark.parametrize(
    ("command", "problem"),
    [
        ("aws lambda invoke --function x --payload '{}' answer.json", "no option --function"),
        ("aws lambda invoke --payload '{}' answer.json", "lacks {'FunctionName'}"),
        ("aws lambda invoke --function-name x --invocation-type Later answer.json", "allows"),
        ("aws lambda invoke --function-name x --durable-execution-name 'a b' answer.json", "must match"),
        ("aws lambda call --function-name x", "aws lambda call"),
        ("aws lambdas invoke --function-name x", "aws lambdas invoke"),
        ("aws sqs receive-message --queue-url x --visibility-timeout soon", "invalid literal"),
        ("aws ssm put-parameter --name x --value x --overwrite yes", None),
    ],
)
def test_a_command_that_the_aws_cli_would_refuse_is_noticed(command: str, problem: str | None) -> None:
    if problem is None:
        assert parse(command, {}).arguments == ("yes",)
        return
    with pytest.raises((AssertionError, ValueError), match=re.escape(problem)):
        parameters(parse(command, {}), {})
