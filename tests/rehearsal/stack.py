"""The stack in the emulator, deployed by the SAM CLI as a person does it."""

import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import ClientError

from local.system import ROOT
from tests.rehearsal.emulator import REGION

_STACK = "solvimon-rillet"
_SETTINGS = f"/{_STACK}/default/settings"
_EDITED = '{"start_date": "2026-12-01"}'
_SECRETS = {f"{_STACK}/{name}": f'{{"edited": "{name}"}}' for name in ("default/solvimon", "default/rillet")}


class RehearsedStack:
    """A stack of the template.

    Args:
        environment: in which `sam` and boto3 find the emulator.
        template: the built template; it may change between two deployments.
    """

    def __init__(self, environment: Mapping[str, str], template: Path) -> None:
        self._environment = dict(environment)
        self._template = template
        self._session = boto3.Session(
            aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
            region_name=REGION,
        )

    def deploy(self, parameters: Mapping[str, str], *options: str) -> None:
        """Create or update it, with the defaults of `samconfig.toml`.

        Raises:
            SystemExit: SAM failed; with what it wrote.
        """
        done = self._deploy(parameters, *options)
        if done.returncode:
            raise SystemExit(f"sam deploy failed:\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}")

    def orphans_of_a_failed_create(self, parameters: Mapping[str, str]) -> list[str]:
        """Create it from a template that fails, and return the tables and buckets that stay behind.

        Raises:
            SystemExit: it was not created and rolled back.
        """
        before = self._stores()
        done = self._deploy(parameters)
        [stack] = self._client("cloudformation").describe_stacks(StackName=_STACK)["Stacks"]
        if stack["StackStatus"] != "ROLLBACK_COMPLETE" or "DynamoDB::Table" not in done.stdout:
            raise SystemExit(f"the create that was to fail: {stack['StackStatus']}\n{done.stdout[-4000:]}")
        self._sam("delete", "--stack-name", _STACK, "--region", REGION, "--no-prompts")
        return sorted(name for name in self._stores() - before if "aws-sam-cli" not in name)

    def resources(self) -> Counter[str]:
        """Return how many there are of each type; none unless the last deployment is complete."""
        client = self._client("cloudformation")
        [stack] = client.describe_stacks(StackName=_STACK)["Stacks"]
        if stack["StackStatus"] not in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}:
            return Counter()
        pages = client.get_paginator("list_stack_resources").paginate(StackName=_STACK)
        return Counter(item["ResourceType"] for page in pages for item in page["StackResourceSummaries"])

    def edit_settings_and_secrets(self) -> None:
        """Create the settings and secrets of a connection, and edit them, as a person does."""
        ssm, secrets = self._client("ssm"), self._client("secretsmanager")
        for value in ("{}", _EDITED):
            ssm.put_parameter(Name=_SETTINGS, Type="String", Value=value, Overwrite=True)
        for name, value in _SECRETS.items():
            secrets.create_secret(Name=name, SecretString="{}")
            secrets.put_secret_value(SecretId=name, SecretString=value)

    def settings_and_secrets_are_as_edited(self) -> bool:
        """Whether they have the values of the person, and no version was written since."""
        parameter = self._client("ssm").get_parameter(Name=_SETTINGS)["Parameter"]
        secrets = self._client("secretsmanager")
        values = {name: secrets.get_secret_value(SecretId=name)["SecretString"] for name in _SECRETS}
        return (parameter["Value"], parameter["Version"], values) == (_EDITED, 2, _SECRETS)

    def log_level(self) -> str:
        """Return the log level that a function runs with."""
        name = f"{_STACK}-export-invoice"
        found = self._client("lambda").get_function_configuration(FunctionName=name)
        return str(found["Environment"]["Variables"]["POWERTOOLS_LOG_LEVEL"])

    def delete(self) -> bool:
        """Delete it as the page says; return whether nothing but its two tables and its bucket is left."""
        done = self._sam("delete", "--stack-name", _STACK, "--region", REGION, "--no-prompts")
        try:
            self._client("cloudformation").describe_stacks(StackName=_STACK)
        except ClientError:
            functions = self._client("lambda").list_functions()["Functions"]
            left = {name for name in self._stores() if name.startswith(_STACK)}
            return not done.returncode and not functions and len(left) == 3
        return False

    def _deploy(self, parameters: Mapping[str, str], *options: str) -> "subprocess.CompletedProcess[str]":
        overrides = [f'{name}="{value}"' for name, value in parameters.items()]
        return self._sam(
            "deploy",
            *("--config-file", str(ROOT / "samconfig.toml"), "--template-file", str(self._template)),
            *(*options, "--parameter-overrides", *overrides),
        )

    def _sam(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        command = [str(Path(sys.executable).with_name("sam")), *arguments]
        return subprocess.run(  # noqa: S603 - our own command
            command, cwd=ROOT, env=self._environment, capture_output=True, text=True, check=False
        )

    def _stores(self) -> set[str]:
        """The names of all tables and buckets."""
        buckets = self._client("s3").list_buckets()["Buckets"]
        return {*self._client("dynamodb").list_tables()["TableNames"], *(each["Name"] for each in buckets)}

    def _client(self, service: str) -> Any:  # noqa: ANN401 - one of many clients
        client: Any = self._session.client(service, endpoint_url=self._environment["AWS_ENDPOINT_URL"])  # type: ignore[call-overload]
        return client
