"""`make preflight`: what is wrong with a machine or an account is said plainly, with its remedy."""

import os
import subprocess
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import boto3
import pytest
from botocore.exceptions import NoCredentialsError
from botocore.stub import Stubber

from local.preflight import (
    MAX_STACK_NAME,
    OWNED_ONCE,
    PreflightCheck,
    account,
    aws_cli,
    runtime_python,
    stack_name,
)
from local.system import ROOT
from tests.infrastructure.views import Template

Json = dict[str, Any]
STACK = "solvimon-rillet"
REGION = "eu-central-1"
TIME = "2026-11-29T00:00:00Z"


def a_stack(*logical_ids: str, protected: bool = True) -> Json:
    """The answers of CloudFormation about a stack."""
    stack = {"StackName": STACK, "CreationTime": TIME, "StackStatus": "CREATE_COMPLETE"}
    known = {"ResourceType": "x", "LastUpdatedTimestamp": TIME, "ResourceStatus": "CREATE_COMPLETE"}
    return {
        "describe_stacks": {"Stacks": [{**stack, "EnableTerminationProtection": protected}]},
        "list_stack_resources": {
            "StackResourceSummaries": [{**known, "LogicalResourceId": each} for each in logical_ids]
        },
    }


WELL: Json = {
    "get_caller_identity": {"Arn": "arn:aws:iam::111111111111:user/ada"},
    "list_durable_executions_by_function": ("ResourceNotFoundException", "Function not found"),
    "get_account_settings": {"AccountLimit": {"UnreservedConcurrentExecutions": 1000}},
    "describe_stacks": ("ValidationError", f"Stack with id {STACK} does not exist"),
}
"""What AWS answers when all is well; a pair is an error: its code and its message."""


class FakeClient:
    """A client whose answers are checked against AWS's model."""

    def __init__(self, service: str, answers: Json) -> None:
        self._service = service
        self._answers = answers

    def __getattr__(self, operation: str) -> Any:  # noqa: ANN401 - any operation
        return getattr(self._answering(operation), operation)

    def get_paginator(self, operation: str) -> Any:  # noqa: ANN401 - of any operation
        """Return the real paginator, over the answer."""
        return self._answering(operation).get_paginator(operation)

    def _answering(self, operation: str) -> Any:  # noqa: ANN401 - a real client
        made: Any = boto3.client(self._service, region_name=REGION)  # type: ignore[call-overload]
        stub = Stubber(made)
        answer = self._answers[operation]
        if isinstance(answer, tuple):
            stub.add_client_error(operation, *answer)
        else:
            stub.add_response(operation, answer)
        stub.activate()
        return made


def checked(**answers: object) -> dict[str, PreflightCheck]:
    """The checks of an account, by name; ``answers`` differ from those of one in which all is well."""
    found = account(STACK, REGION, lambda service: FakeClient(service, {**WELL, **answers}))
    return {check.name: check for check in found}


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "fake")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "fake")


def test_a_new_account_in_which_all_is_well_has_nothing_to_fix() -> None:
    found = checked()

    assert [check.name for check in found.values() if check.remedy] == []
    assert found["Credentials"].finding == "arn:aws:iam::111111111111:user/ada, region eu-central-1"
    assert found["Durable functions"].finding == "eu-central-1 has them"
    assert found["Stack solvimon-rillet"].finding == "is not there yet"


@pytest.mark.parametrize(
    ("version", "finding", "blocking"),
    [
        ("aws-cli/2.31.4 Python/3.13.7 Linux/6.1", "version 2.31.4", False),
        ("aws-cli/1.42.1 Python/3.11.2 Linux/6.1", "version 1.42.1; the commands", True),
        ("", "there is none", True),
    ],
)
def test_the_aws_cli_must_be_version_2(version: str, finding: str, blocking: bool) -> None:
    check = aws_cli(version)

    assert check.finding.startswith(finding)
    assert check.blocking is blocking
    assert ("Install version 2" in check.remedy) is blocking


@pytest.mark.parametrize(
    ("name", "finding"),
    [
        ("a" * (MAX_STACK_NAME + 1), "has 45 characters"),
        ("aws-billing", "begins with aws or ssm"),
        ("SSM-billing", "begins with aws or ssm"),
        ("billing_rillet", "letters, digits and hyphens"),
        ("2-billing", "letters, digits and hyphens"),
    ],
)
def test_a_stack_name_that_cannot_work_is_refused(name: str, finding: str) -> None:
    check = stack_name(name)

    assert finding in check.finding
    assert check.blocking
    assert "samconfig.toml" in check.remedy


def test_the_longest_stack_name_is_what_the_names_of_the_template_leave(template: Template) -> None:
    longest = max(
        len(function["FunctionName"]["Fn::Sub"].removeprefix("${AWS::StackName}"))
        for function in template.functions.values()
    )

    assert MAX_STACK_NAME + longest == 64, "Lambda's limit"
    assert not stack_name("a" * MAX_STACK_NAME).blocking


def test_no_python_of_lambdas_version_is_slower_and_no_failure() -> None:
    check = runtime_python(which=lambda name: None)

    assert "start slower" in check.finding
    assert (check.blocking, "RUNTIME_PYTHON" in check.remedy) == (False, True)
    assert runtime_python(which=lambda name: f"/bin/{name}").finding == "/bin/python3.13"


def test_without_a_region_or_credentials_nothing_else_is_asked() -> None:
    refuse = Mock(side_effect=NoCredentialsError)

    [region] = account(STACK, None, refuse)
    [credentials] = account(STACK, REGION, refuse)

    assert (region.blocking, "aws configure set region" in region.remedy) == (True, True)
    assert (credentials.blocking, "aws sso login" in credentials.remedy) == (True, True)


@pytest.mark.parametrize(
    "answer",
    [
        ("UnknownOperationException", ""),
        ("AccessDeniedException", "Unable to determine service/operation name to be authorized"),
    ],
)
def test_a_region_without_durable_functions_is_named(answer: tuple[str, str]) -> None:
    check = checked(list_durable_executions_by_function=answer)["Durable functions"]

    assert check.finding == "eu-central-1 does not have them"
    assert (check.blocking, "Choose a region" in check.remedy) == (True, True)


@pytest.mark.parametrize(
    ("quota", "blocking", "says"),
    [(9, True, "--desired-value 1000"), (10, False, "no other functions"), (1000, False, "")],
)
def test_a_concurrency_quota_that_is_too_small_says_how_to_ask_for_more(
    quota: int, blocking: bool, says: str
) -> None:
    settings = {"AccountLimit": {"UnreservedConcurrentExecutions": quota}}

    check = checked(get_account_settings=settings)["Concurrency"]

    assert check.finding == f"{quota} executions at once, 10 are needed"
    assert check.blocking is blocking
    assert says in check.remedy
    assert bool(says) is bool(check.remedy)


def test_a_permission_that_is_missing_is_said_and_stops_nothing() -> None:
    check = checked(get_account_settings=("AccessDeniedException", "not yours"))["Concurrency"]

    assert "not yours" in check.finding
    assert (check.blocking, bool(check.remedy)) == (False, True)


@pytest.mark.parametrize("owned", sorted(OWNED_ONCE))
def test_a_stack_that_owns_settings_or_secrets_is_not_updated(owned: str) -> None:
    check = checked(**a_stack("LedgerTable", owned))["Stack solvimon-rillet"]

    assert check.blocking
    assert owned in check.finding
    assert 'docs/deploy.md, "Update from a version that owned the secrets"' in check.remedy


def test_termination_protection_is_recommended_with_its_command() -> None:
    check = checked(**a_stack("LedgerTable", protected=False))["Stack solvimon-rillet"]
    protected = checked(**a_stack("LedgerTable"))["Stack solvimon-rillet"]

    assert (check.blocking, protected.remedy) == (False, "")
    assert check.remedy.startswith(
        "aws cloudformation update-termination-protection --stack-name solvimon-rillet"
    )


def test_a_python_without_venv_gets_one_sentence_with_the_command_that_helps(tmp_path: Path) -> None:
    python = tmp_path / "python3"
    python.write_text('#!/bin/sh\ncase "$2" in *ensurepip*) exit 1;; *) exit 0;; esac\n', encoding="utf-8")
    python.chmod(0o755)
    stamp = tmp_path / "venv" / ".ready"
    command = ["make", "--no-print-directory", f"PYTHON={python}", f"VENV={stamp.parent}", str(stamp)]

    done = subprocess.run(  # noqa: S603 - our own Makefile
        command, cwd=ROOT, env={"PATH": os.environ["PATH"]}, capture_output=True, text=True, check=False
    )

    assert done.returncode != 0
    [sentence] = done.stdout.splitlines()
    assert "sudo apt install python3-venv" in sentence
    assert "Traceback" not in done.stderr
