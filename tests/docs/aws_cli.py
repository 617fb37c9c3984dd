"""The AWS CLI as far as our pages use it: commands are parsed, checked against AWS's models, and run locally.

Each option must be a parameter of the operation in botocore's model, with a value of its type. Commands of
Lambda, SQS, SSM and Secrets Manager run on the local system; the others (logs, durable executions) are only
checked.
"""

import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import boto3
from botocore.session import get_session

from local.system import Connection, LocalSystem
from tests.docs.markdown import blocks

Json = dict[str, Any]

_OF_THE_CLI = {"cli-binary-format", "query", "output", "invocation-type"}
_TAIL = {"since", "filter-pattern", "format", "follow"}
_RUN = {"sqs", "ssm", "secretsmanager"}


@dataclass(frozen=True)
class Command:
    """A command such as `aws sqs receive-message --queue-url …`, in words."""

    text: str
    service: str
    operation: str
    arguments: tuple[str, ...]
    options: Mapping[str, tuple[str, ...]]

    def one(self, name: str) -> str:
        """The only value of an option."""
        [value] = self.options[name]
        return value


def commands(page: str, names: Mapping[str, str]) -> list[Command]:
    """Return the AWS commands of a page, in order; ``names`` are the shell's variables."""
    texts = [text for block in blocks(page, "console") for text in re.split(r"(?m)^ *\$ ", block)[1:]]
    return [_command(text, names) for text in texts if text.startswith("aws ")]


def _command(text: str, names: Mapping[str, str]) -> Command:
    filled = re.sub(r"\$([A-Z]+)\b", lambda name: names[name[1]], text.replace("\\\n", " "))
    words = shlex.split(filled)
    if ">" in words:
        words = words[: words.index(">")]
    _, service, operation, *rest = words
    arguments, options = list[str](), dict[str, list[str]]()
    values = arguments
    for word in rest:
        if word.startswith("--"):
            values = options.setdefault(word[2:], [])
        elif values is not arguments and values and not _takes_more(service, operation, options):
            arguments.append(word)
        else:
            values.append(word)
    frozen = {name: tuple(given) for name, given in options.items()}
    return Command(" ".join(text.split()), service, operation, tuple(arguments), frozen)


def _takes_more(service: str, operation: str, options: Mapping[str, object]) -> bool:
    """Whether the option that was begun last takes a list."""
    latest = list(options)[-1]
    if latest in _OF_THE_CLI or (service, operation) == ("logs", "tail"):
        return False
    return bool(_parameter(service, operation, latest)[1].type_name == "list")


@cache
def _input(service: str, operation: str) -> Any:  # noqa: ANN401 - a shape of botocore, whose stubs are thin
    """What the operation takes, by AWS's model."""
    model = get_session().get_service_model(service)
    return model.operation_model("".join(word.capitalize() for word in operation.split("-"))).input_shape


def _parameter(service: str, operation: str, option: str) -> tuple[str, Any]:
    """Name and shape of the parameter that an option stands for."""
    members, plain = _input(service, operation).members, option.replace("-", "").lower()
    [name] = [name for name in members if name.lower() == plain]
    return name, members[name]


def written_files(system: LocalSystem, connection: Connection, **settings: object) -> dict[str, str]:
    """Return the files that a reader of the pages writes, by name, with valid values."""
    secrets = system.aws.secretsmanager
    client = secrets.get_secret_value(SecretId=f"{system.deployment.stack}/rillet-oauth-client")
    solvimon = {"api_key": connection.solvimon_api_key, "webhook_secret": connection.webhook_secret}
    return {
        "solvimon.json": json.dumps(solvimon),
        "rillet.json": json.dumps({"auth": "api_key", "api_key": connection.rillet_api_key}),
        "client.json": client["SecretString"],
        "settings.json": json.dumps({**connection.settings, **settings}),
    }


def parameters(command: Command, files: Mapping[str, str]) -> Json:
    """Return the parameters of the API call, checked against AWS's model.

    Args:
        command: the command.
        files: what `file://` names hold.
    """
    given: Json = {}
    for option, values in command.options.items():
        if option in _OF_THE_CLI:
            continue
        name, shape = _parameter(command.service, command.operation, option)
        texts = [files[Path(v).name] if v.startswith("file://") else v for v in values]
        allowed = getattr(shape.member if shape.type_name == "list" else shape, "enum", None)
        assert not allowed or set(texts) <= set(allowed), f"{option}: {texts} not in {allowed}"
        match shape.type_name:
            case "list":
                given[name] = texts
            case "boolean":
                assert texts == [], f"{option} is a switch"
                given[name] = True
            case "integer":
                given[name] = int(texts[0])
            case _:
                [given[name]] = texts
    missing = set(_input(command.service, command.operation).required_members) - given.keys()
    assert not missing, f"{command.text} lacks {missing}"
    return given


def run(system: LocalSystem, command: Command, files: Mapping[str, str]) -> Any:  # noqa: ANN401 - JSON
    """Run a command on the local system; one that it cannot run is only checked, and returns ``None``."""
    if (command.service, command.operation) == ("logs", "tail"):
        _check_tail(system, command)
        return None
    given = parameters(command, files)
    if (command.service, command.operation) == ("lambda", "invoke"):
        return _invoke(system, command, given)
    if command.service == "lambda":
        _function(system, given["FunctionName"])
        return None
    assert command.service in _RUN, command.text
    assert not command.arguments, command.text
    if command.operation == "start-message-move-task":
        return _move(system, given["SourceArn"])
    method = command.operation.replace("-", "_")
    return getattr(boto3.client(command.service), method)(**given)  # type: ignore[call-overload]


def _invoke(system: LocalSystem, command: Command, given: Json) -> Any:  # noqa: ANN401 - JSON
    assert command.one("cli-binary-format") == "raw-in-base64-out", "or the CLI takes the payload for base64"
    assert command.arguments == (command.arguments[0],), "the file for the answer"
    name, _, alias = str(given["FunctionName"]).partition(":")
    workflow = _function(system, name)
    durable = system.deployment.functions[workflow].durable
    assert alias == ("live" if durable else ""), "a durable function is invoked by its alias, and no other"
    kind = command.options.get("invocation-type", ("RequestResponse",))
    assert kind == ("Event" if durable else "RequestResponse",), "Lambda refuses to run it synchronously"
    assert ("DurableExecutionName" in given) == durable, "so that a repeated command starts nothing"
    return system.invoke(workflow, json.loads(given["Payload"]))


def _function(system: LocalSystem, name: str) -> str:
    [workflow] = [key for key, function in system.deployment.functions.items() if function.name == name]
    return workflow


def _check_tail(system: LocalSystem, command: Command) -> None:
    """`aws logs tail` is the CLI's own, so no model knows it (AWS CLI 2, reference, logs tail)."""
    [group] = command.arguments
    groups = system.deployment.resources
    assert group in groups.values(), f"{group} is no log group of the template"
    assert set(command.options) <= _TAIL, command.text
    assert re.fullmatch(r"\d+[mhd]", command.one("since"))


def _move(system: LocalSystem, arn: str) -> Json:
    """Move messages back to their queue, as a move task of SQS does, which moto lacks."""
    name = arn.rpartition(":")[2]
    [(workflow, queue)] = [
        (key, queue)
        for key, queue in system.deployment.queues.items()
        if queue.dead_letters_url.rpartition("/")[2] == name
    ]
    bodies = system.pollers.dead_letters[workflow].bodies()
    for body in bodies:
        system.aws.sqs.send_message(QueueUrl=queue.url, MessageBody=body)
    system.pollers.dead_letters[workflow].clear()
    return {"TaskHandle": "local", "moved": len(bodies)}
