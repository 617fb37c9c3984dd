"""The AWS CLI, version 2, as far as our pages use it: commands are parsed, checked, and run.

Each option must be a parameter of the operation in botocore's model, with a value of its type, and each
required parameter must be there. Then the operation is called as the CLI calls it, on the local system or on
the endpoint that the command names. The CLI itself is no package: its version 2 is not on PyPI, and version 1
knows neither `--cli-binary-format` nor `aws logs tail`.
"""

import json
import re
import shlex
from collections.abc import Callable, Iterable, Mapping, MutableMapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import jmespath  # type: ignore[import-untyped]
from botocore.exceptions import UnknownServiceError
from botocore.model import OperationNotFoundError
from botocore.session import get_session

from local import sample_data
from local.system import ROOT, Connection, LocalSystem
from tests.docs.markdown import blocks

Json = dict[str, Any]

GLOBAL: Mapping[str, re.Pattern[str]] = {
    "cli-binary-format": re.compile("raw-in-base64-out|base64"),
    "endpoint-url": re.compile(r"http://127\.0\.0\.1:\d+"),
    "output": re.compile("json|text|table|yaml|yaml-stream|off"),
    "query": re.compile(".+", re.DOTALL),
    "region": re.compile(r"[a-z]{2}(-[a-z]+)+-\d"),
}
"""Options of every command that the pages may use, and their values (AWS CLI 2, global options)."""
TAIL = {"since": r"\d+[smhdw]", "filter-pattern": ".+", "format": "detailed|short|json", "follow": ""}
"""Options of `aws logs tail`, which is the CLI's own, so that no model knows it (AWS CLI 2, logs tail)."""


@dataclass(frozen=True)
class Command:
    """A command such as `aws sqs receive-message --queue-url …`, in words."""

    text: str
    service: str
    operation: str
    arguments: tuple[str, ...]
    options: Mapping[str, tuple[str, ...]]
    environment: Mapping[str, str] = field(default_factory=dict)
    output_file: str = ""

    def one(self, name: str) -> str:
        """The only value of an option."""
        [value] = self.options[name]
        return value


def commands(page: str, names: Mapping[str, str]) -> list[Command]:
    """Return the AWS commands of a page, in order; ``names`` are the shell's variables."""
    texts = [text for block in blocks(page, "console") for text in shell_commands(block)]
    return [parse(text, names) for text in texts if re.match(r"(\w+=\S+ )*aws (?!--version)", text)]


def shell_commands(block: str) -> list[str]:
    """Return the commands of a block, each after its prompt, apart where `&&` joins them."""
    texts = [re.sub(r"(?m)\s+# .*$", "", text) for text in re.split(r"(?m)^ *\$ ", block)[1:]]
    joined = r"(?s)(?:'[^']*'|\"[^\"]*\"|(?! && ).)+"  # what stands between two `&&`, quoted ones left alone
    parts = [part for text in texts for part in re.findall(joined, text.replace("\\\n", " "))]
    return [part.strip().removeprefix("&& ") for part in parts]


def parse(text: str, names: Mapping[str, str]) -> Command:
    """Take a command apart.

    Args:
        text: the command, as it is typed.
        names: the shell's variables.
    """
    words = shlex.split(re.sub(r"\$([A-Z]+)\b", lambda name: names[name[1]], text))
    environment = dict[str, str]()
    while "=" in words[0]:
        name, _, value = words.pop(0).partition("=")
        environment[name] = value
    output_file = ""
    if ">" in words:
        *words, _, output_file = words
    [aws, service, operation, *rest] = words
    assert aws == "aws", text
    arguments, options = list[str](), dict[str, list[str]]()
    values = arguments
    for word in rest:
        if word.startswith("--"):
            assert word[2:] not in options, f"{word} comes twice: {text}"
            values = options.setdefault(word[2:], [])
        elif values is not arguments and not _takes_more(service, operation, options):
            arguments.append(word)
        else:
            values.append(word)
    frozen = {name: tuple(given) for name, given in options.items()}
    return Command(
        " ".join(text.split()), service, operation, tuple(arguments), frozen, environment, output_file
    )


def _takes_more(service: str, operation: str, options: Mapping[str, list[str]]) -> bool:
    """Whether the option that was begun last takes (another) value."""
    latest, values = list(options.items())[-1]
    if latest in GLOBAL or (service, operation) == ("logs", "tail"):
        return not values and TAIL.get(latest) != ""
    kind = _parameter(service, operation, latest)[1].type_name
    return bool(kind == "list" or (kind != "boolean" and not values))


@cache
def _input(service: str, operation: str) -> Any:  # noqa: ANN401 - a shape of botocore, whose stubs are thin
    """What the operation takes, by AWS's model."""
    try:
        model = get_session().get_service_model(service)
        return model.operation_model("".join(word.capitalize() for word in operation.split("-"))).input_shape
    except (UnknownServiceError, OperationNotFoundError) as error:
        raise AssertionError(f"aws {service} {operation}: {error}") from None


def _parameter(service: str, operation: str, option: str) -> tuple[str, Any]:
    """Name and shape of the parameter that an option stands for."""
    shape = _input(service, operation)
    members = shape.members if shape else {}
    for plain in (option, option.removeprefix("no-")):
        for name, member in members.items():
            if name.lower() == plain.replace("-", "").lower():
                return name, member
    raise AssertionError(f"aws {service} {operation} has no option --{option}")


def for_stack(system: LocalSystem, text: str, invoice: str) -> tuple[str, dict[str, str]]:
    """Return a text of a page for an invoice and a customer of the demo, and the shell's variables."""
    queue = system.deployment.queues["export_invoice"]
    customer = sample_data.solvimon_seed()["customers"][0]["id"]
    names = {
        "STACK": system.deployment.stack,
        "QUEUES": queue.url.rpartition("/")[0],
        "ARNS": queue.arn.rpartition(":")[0],
    }
    return text.replace("invo_AbC123", invoice).replace("cust_AbC123", customer), names


def written_files(system: LocalSystem, connection: Connection, **settings: object) -> dict[str, str]:
    """Return the files that a reader of the pages writes, by name, with valid values."""
    clients = system.rillet.state.oauth.clients.values()
    client = [{"client_id": each.client_id, "client_secret": each.secret} for each in clients]
    return {
        "solvimon.json": json.dumps({"api_key": connection.solvimon_api_key}),
        "webhooks.json": json.dumps({"webhook_secret": connection.webhook_secret}),
        "rillet.json": json.dumps({"auth": "api_key", "api_key": connection.rillet_api_key}),
        "client.json": json.dumps(client[0] if client else {}),
        "settings.json": json.dumps({**connection.settings, **settings}),
        "rejections.json": blocks((ROOT / "docs/extending.md").read_text(encoding="utf-8"), "json")[0],
    }


def parameters(command: Command, files: Mapping[str, str]) -> Json:
    """Return the parameters of the API call, checked against AWS's model.

    Args:
        command: the command.
        files: what `file://` names hold.
    """
    given: Json = {}
    for option, values in command.options.items():
        if option in GLOBAL:
            assert GLOBAL[option].fullmatch(command.one(option)), f"--{option}: {command.text}"
            continue
        name, shape = _parameter(command.service, command.operation, option)
        texts = [files[Path(v).name] if v.startswith("file://") else v for v in values]
        given[name] = _value(f"--{option}: {command.text}", shape, texts, option)
    shape = _input(command.service, command.operation)
    missing = set(shape.required_members if shape else ()) - given.keys()
    assert not missing, f"{command.text} lacks {missing}"
    return given


def _value(where: str, shape: Any, texts: list[str], option: str) -> object:  # noqa: ANN401 - botocore's
    member = shape.member if shape.type_name == "list" else shape
    allowed = getattr(member, "enum", None)
    assert not allowed or set(texts) <= set(allowed), f"{where} allows {allowed}"
    pattern = member.metadata.get("pattern")
    assert not pattern or all(re.fullmatch(pattern, text) for text in texts), f"{where} must match {pattern}"
    match shape.type_name:
        case "list":
            assert texts, f"{where} has no value"
            if member.type_name == "structure":  # AWS CLI, shorthand syntax
                return [dict(part.split("=", 1) for part in text.split(",")) for text in texts]
            return texts
        case "boolean":
            assert texts == [], f"{where} is a switch"
            return not option.startswith("no-")
    [text] = texts
    read: dict[str, Callable[[str], object]] = {
        **{"integer": int, "float": float, "double": float},
        **{"structure": json.loads, "map": json.loads},
    }
    return read.get(shape.type_name, str)(text)


def run(system: LocalSystem, command: Command, files: MutableMapping[str, str]) -> Any:  # noqa: ANN401 - JSON
    """Run a command, and return what it prints; of an invocation, what the function answers.

    An asynchronous invocation is waited for. What the command writes into a file is among `files` then.

    Args:
        system: the local system, which the command calls where it names no endpoint.
        command: the command.
        files: what files hold, by name.
    """
    if (command.service, command.operation) == ("logs", "tail"):
        return _tail(system, command)
    given = parameters(command, files)
    if (command.service, command.operation) == ("lambda", "invoke"):
        return _invoke(system, command, given, files)
    assert not command.arguments, command.text
    _make_room(command, given)
    answer = getattr(_client(command), command.operation.replace("-", "_"))(**given)
    answer.pop("ResponseMetadata")
    shown = jmespath.search(command.one("query"), answer) if "query" in command.options else answer
    assert shown not in (None, [], ""), f"it shows nothing: {command.text}"
    if command.output_file:
        is_text = "text" in command.options.get("output", ())
        files[command.output_file] = shown if is_text else json.dumps(shown, default=str)
    return answer


def _client(command: Command) -> Any:  # noqa: ANN401 - the client of any service
    return boto3.client(
        command.service,  # type: ignore[call-overload]
        endpoint_url=_option(command, "endpoint-url"),
        region_name=_option(command, "region"),
        aws_access_key_id=command.environment.get("AWS_ACCESS_KEY_ID"),
        aws_secret_access_key=command.environment.get("AWS_SECRET_ACCESS_KEY"),
    )


def _option(command: Command, name: str) -> str | None:
    return command.one(name) if name in command.options else None


def _make_room(command: Command, given: Json) -> None:
    """Remove what a command creates and a test has created already; its reader begins with nothing."""
    if (command.service, command.operation) == ("secretsmanager", "create-secret"):
        client = _client(command)
        if given["Name"] in [each["Name"] for each in client.list_secrets()["SecretList"]]:
            client.delete_secret(SecretId=given["Name"], ForceDeleteWithoutRecovery=True)


def _invoke(system: LocalSystem, command: Command, given: Json, files: MutableMapping[str, str]) -> Any:  # noqa: ANN401 - JSON
    assert command.one("cli-binary-format") == "raw-in-base64-out", "or the CLI takes the payload for base64"
    [file] = command.arguments
    answer = _client(command).invoke(**given)
    text = answer["Payload"].read().decode()
    files[file] = text
    assert "FunctionError" not in answer, f"{command.text}: {text}"
    if arn := answer.get("DurableExecutionArn"):
        system.lambda_api.wait()
        execution = _client(command).get_durable_execution(DurableExecutionArn=arn)
        assert execution["Status"] == "SUCCEEDED", f"{command.text}: {execution.get('Error')}"
        text = execution["Result"]
    return json.loads(text) if text else None


def _tail(system: LocalSystem, command: Command) -> list[Json]:
    """Show the events of a log group, as `aws logs tail` does."""
    [group] = command.arguments
    unknown = command.options.keys() - TAIL.keys() - GLOBAL.keys()
    assert not unknown, f"aws logs tail has no option {unknown}: {command.text}"
    for name, values in command.options.items():
        if name in TAIL:
            assert re.fullmatch(TAIL[name], " ".join(values)), f"--{name}: {command.text}"
    groups = {each["logGroupName"] for each in _client(command).describe_log_groups()["logGroups"]}
    assert group in groups, f"{group} is no log group of the template"
    shown: Iterable[Json] = _client(command).filter_log_events(logGroupName=group)["events"]
    return list(shown)
