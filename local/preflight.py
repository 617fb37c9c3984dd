"""``make preflight``: whether a deployment will work on this machine and in this account, before it is tried.

Each check answers in one line; what must be fixed has its remedy below it. Nothing is changed.
"""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from local.aws.template import translate
from local.system import ROOT

MAX_STACK_NAME = 44
"""Characters: a function's name is the stack's and at most 20 more, and Lambda takes 64."""
OWNED_ONCE = {
    "DefaultSolvimonSecret",
    "DefaultRilletSecret",
    "RilletOAuthClientSecret",
    "DefaultSettingsParameter",
}
"""What the stacks of earlier versions owned, and an update would delete."""
_RECEIVER = 2
"""Executions at once that are left for webhooks and for what a person starts."""
_QUOTA = "aws service-quotas request-service-quota-increase --service-code lambda --quota-code L-B99A9384"
_REGIONS = "https://docs.aws.amazon.com/lambda/latest/dg/durable-functions.html"
_INSTALL_CLI = "https://docs.aws.amazon.com/cli/latest/userguide/getting-started-install.html"

Clients = Callable[[str], Any]
"""Makes a boto3 client of a service."""


@dataclass(frozen=True)
class PreflightCheck:
    """What was found.

    Attributes:
        name: what was looked at.
        finding: in plain words.
        remedy: what to do; empty if nothing must be done.
        blocking: whether a deployment would fail without the remedy, or do harm.
    """

    name: str
    finding: str
    remedy: str = ""
    blocking: bool = False


def main() -> None:
    """Print the checks for an environment of `samconfig.toml`; the exit code says whether one is blocking."""
    environment = sys.argv[1] if len(sys.argv) > 1 else "default"
    config = tomllib.loads((ROOT / "samconfig.toml").read_text(encoding="utf-8"))
    stack = os.environ.get("STACK") or config[environment]["global"]["parameters"]["stack_name"]
    session = boto3.Session()
    checks = [
        aws_cli(_version_of_aws_cli()),
        runtime_python(),
        stack_name(stack),
        *account(stack, session.region_name, session.client),  # type: ignore[arg-type]
    ]
    for check in checks:
        mark = "FIX" if check.blocking else "see" if check.remedy else "ok"
        sys.stdout.write(f"{mark:4}{check.name}: {check.finding}\n")
        if check.remedy:
            sys.stdout.write(f"      -> {check.remedy}\n")
    if any(check.blocking for check in checks):
        sys.exit(1)


def aws_cli(version: str) -> PreflightCheck:
    """Check the AWS CLI by what `aws --version` says."""
    name, install = "AWS CLI", f"Install version 2: {_INSTALL_CLI}"
    found = re.match(r"aws-cli/(\d+)\.(\S+)", version)
    if not found:
        return PreflightCheck(
            name, "there is none; the commands of the pages need it", install, blocking=True
        )
    if found[1] != "2":
        finding = f"version {found[1]}.{found[2]}; the commands of the pages need version 2"
        return PreflightCheck(name, finding, install, blocking=True)
    return PreflightCheck(name, f"version {found[1]}.{found[2]}")


def runtime_python(
    named: str | None = None, which: Callable[[str], str | None] = shutil.which
) -> PreflightCheck:
    """Check that there is a Python of the version that Lambda runs, which compiles the layers."""
    python = named or os.environ.get("RUNTIME_PYTHON") or which("python3.13")
    if python:
        return PreflightCheck("Python 3.13", python)
    return PreflightCheck(
        "Python 3.13",
        "there is none; the functions work, and start slower",
        "Install it, or name it: RUNTIME_PYTHON=/path/to/python3.13 make deploy",
    )


def stack_name(name: str) -> PreflightCheck:
    """Check a stack's name, which begins the names of functions, queues, secrets and parameters."""
    choose = f"Choose another stack_name in samconfig.toml, of at most {MAX_STACK_NAME} characters."
    if len(name) > MAX_STACK_NAME:
        finding = f"{name!r} has {len(name)} characters, and the names of functions would be too long"
    elif name.lower().startswith(("aws", "ssm")):
        finding = f"{name!r} begins with aws or ssm, which Parameter Store keeps for itself"
    elif not re.fullmatch(r"[a-zA-Z][a-zA-Z0-9-]*", name):
        finding = f"{name!r} is not made of letters, digits and hyphens, with a letter first"
    else:
        return PreflightCheck("Stack name", name)
    return PreflightCheck("Stack name", finding, choose, blocking=True)


def account(stack: str, region: str | None, clients: Clients) -> Iterator[PreflightCheck]:
    """Check region and credentials, and with them what the account allows and what the stack has."""
    if not region:
        remedy = "Set one: aws configure set region eu-central-1 (or AWS_DEFAULT_REGION)"
        yield PreflightCheck("Region", "there is none", remedy, blocking=True)
        return
    try:
        caller = clients("sts").get_caller_identity()
    except (BotoCoreError, ClientError) as error:
        remedy = "Log in: aws sso login, or aws configure with an access key"
        yield PreflightCheck("Credentials", f"AWS does not accept them: {error}", remedy, blocking=True)
        return
    yield PreflightCheck("Credentials", f"{caller['Arn']}, region {region}")
    for check in (durable_functions, concurrency, stack_resources):
        try:
            yield check(stack, region, clients)
        except (BotoCoreError, ClientError) as error:
            name = check.__name__.replace("_", " ").capitalize()
            yield PreflightCheck(
                name, f"cannot be checked: {error}", "Ask for this permission, or check by hand"
            )


def durable_functions(stack: str, region: str, clients: Clients) -> PreflightCheck:
    """Check that Lambda has durable functions in this region, by asking for the executions of one.

    Raises:
        ClientError: the answer says neither.
    """
    try:
        clients("lambda").list_durable_executions_by_function(FunctionName=f"{stack}-reconcile")
    except ClientError as error:
        code, text = error.response["Error"]["Code"], error.response["Error"].get("Message", "")
        if (
            code in {"UnknownOperationException", "UnrecognizedClientException"}
            or "determine service" in text
        ):
            remedy = f"Choose a region that has them: {_REGIONS}"
            return PreflightCheck("Durable functions", f"{region} does not have them", remedy, blocking=True)
        if code != "ResourceNotFoundException":
            raise
    return PreflightCheck("Durable functions", f"{region} has them")


def concurrency(stack: str, region: str, clients: Clients) -> PreflightCheck:
    """Check that the account's executions at once are enough for all queues and the receiver.

    Raises:
        ClientError: the answer says neither.
    """
    limit = int(clients("lambda").get_account_settings()["AccountLimit"]["UnreservedConcurrentExecutions"])
    needed = queue_workers(ROOT / "template.yaml") + _RECEIVER
    finding = f"{limit} executions at once, {needed} are needed"
    if limit < needed:
        return PreflightCheck(
            "Concurrency", finding, f"Ask for more: {_QUOTA} --desired-value 1000", blocking=True
        )
    if limit < 2 * needed:
        more = (
            f"Enough, if no other functions run in this account. To have more: {_QUOTA} --desired-value 1000"
        )
        return PreflightCheck("Concurrency", finding, more)
    return PreflightCheck("Concurrency", finding)


def queue_workers(template: Path) -> int:
    """Return how many executions at once the queues take by default."""
    body = translate(template, {})
    mappings = [
        each["Properties"]
        for each in body["Resources"].values()
        if each["Type"] == "AWS::Lambda::EventSourceMapping"
    ]
    limits = {mapping["ScalingConfig"]["MaximumConcurrency"]["Ref"] for mapping in mappings}
    limits -= {"SweepConcurrency"}  # sweeps last some minutes of each quarter of an hour, and may wait
    return sum(int(body["Parameters"][name]["Default"]) for name in limits)


def stack_resources(stack: str, region: str, clients: Clients) -> PreflightCheck:
    """Check that an update would not delete what a stack of an earlier version owns.

    Raises:
        ClientError: the stack cannot be read.
    """
    name = f"Stack {stack}"
    cloudformation = clients("cloudformation")
    try:
        [found] = cloudformation.describe_stacks(StackName=stack)["Stacks"]
    except ClientError as error:
        if "does not exist" in error.response["Error"].get("Message", ""):
            return PreflightCheck(name, "is not there yet")
        raise
    pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack)
    ids = {each["LogicalResourceId"] for page in pages for each in page["StackResourceSummaries"]}
    if owned := sorted(ids & OWNED_ONCE):
        finding = f"owns {', '.join(owned)}; this update would delete them"
        remedy = 'First follow docs/deploy.md, "Update from a version that owned the secrets"'
        return PreflightCheck(name, finding, remedy, blocking=True)
    if not found.get("EnableTerminationProtection"):
        protect = f"aws cloudformation update-termination-protection --stack-name {stack}"
        remedy = f"{protect} --enable-termination-protection"
        return PreflightCheck(name, "can be deleted without a question", remedy)
    return PreflightCheck(name, "is protected from deletion")


def _version_of_aws_cli() -> str:
    try:
        done = subprocess.run(["aws", "--version"], capture_output=True, text=True, check=False)  # noqa: S607
    except OSError:
        return ""
    return done.stdout or done.stderr  # old ones write it as an error


if __name__ == "__main__":
    main()
