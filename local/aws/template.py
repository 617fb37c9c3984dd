"""`template.yaml`, translated by SAM and fitted to what moto can create."""

import base64
import io
import pickle
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import yaml
from samtranslator.metrics.metrics import DummyMetricsPublisher, Metrics
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import intrinsics_multi_constructor

from local.aws.conditions import apply_conditions
from local.aws.server import REGION

Json = dict[str, Any]

LEFT_OUT = {
    "AWS::Lambda::EventSourceMapping": "moto would consume the messages itself; local/aws/pollers.py does",
    "AWS::ApiGatewayV2::Stage": "local/aws/gateway.py serves the routes without stage, log or throttling",
    "AWS::Chatbot::SlackChannelConfiguration": "there is no Slack, and moto does not know it",
    "AWS::CloudWatch::Alarm": "nothing publishes metrics on one machine, so no alarm could fire",
    "AWS::S3::BucketPolicy": "it refuses plain HTTP, which is what the loopback speaks",
    "AWS::SNS::TopicPolicy": "no alarm publishes to the topic",
    "AWS::SNS::Subscription": "no mail is sent",
    "AWS::Scheduler::Schedule": "time passes only when a test says so, and nothing is started by it",
}
"""Resource types that are not deployed locally, and why."""

LONGEST_NAMES = {
    ("AWS::CloudWatch::Dashboard", "DashboardName"): 255,
    ("AWS::Events::EventBus", "Name"): 256,
    ("AWS::Lambda::Function", "FunctionName"): 64,
    ("AWS::Lambda::LayerVersion", "LayerName"): 140,
    ("AWS::Logs::LogGroup", "LogGroupName"): 512,
    ("AWS::SNS::Topic", "DisplayName"): 100,
    ("AWS::SQS::Queue", "QueueName"): 80,
    ("AWS::SSM::Parameter", "Name"): 1011,
    ("AWS::Scheduler::Schedule", "Name"): 64,
}
"""How long the names may be that a template gives (the services' quotas and API references)."""

_METHODS = {"x-amazon-apigateway-any-method": "ANY"}
"""How a route's key writes a method for which OpenAPI has no word."""
_CODE_LOCATIONS = {"AWS::Serverless::Function": "CodeUri", "AWS::Serverless::LayerVersion": "ContentUri"}


class NameTooLongError(Exception):
    """AWS would refuse the name of a resource."""


@dataclass(frozen=True)
class LeftOut:
    """A resource of the template that the local deployment lacks."""

    logical_id: str
    type: str
    why: str


@dataclass(frozen=True)
class Route:
    """A route of the HTTP API: method, path pattern and logical id of the function behind it."""

    method: str
    path: str
    function_id: str

    @property
    def key(self) -> str:
        """The route key as API Gateway writes it, such as `POST /webhooks/{name}`."""
        return f"{self.method} {self.path}"


@dataclass(frozen=True)
class EventSource:
    """A queue that Lambda polls for a function; both by logical id."""

    queue_id: str
    function_id: str
    batch_size: int
    max_concurrency: int | None
    reports_failures: bool


@dataclass(frozen=True)
class LocalTemplate:
    """What is deployed, and what the local Lambda and API Gateway need to know."""

    body: Json
    functions: Mapping[str, Path]
    """Code folder of each function by logical id."""
    layers: tuple[Path, ...]
    routes: tuple[Route, ...]
    sources: tuple[EventSource, ...]
    left_out: tuple[LeftOut, ...]


class _TemplateLoader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Reads `!Ref` and the like; in C, where PyYAML has that."""


_TemplateLoader.add_multi_constructor("!", intrinsics_multi_constructor)


def parse(text: str) -> Json:
    """Read a template as SAM does."""
    template: Json = yaml.load(text, Loader=_TemplateLoader)  # noqa: S506 - a loader of safe types
    return template


def translate(path: Path, parameters: Mapping[str, str]) -> Json:
    """Let SAM turn a template into plain CloudFormation, as a deployment does.

    Args:
        path: the SAM template.
        parameters: values of the template's parameters; the others keep their defaults.

    Raises:
        samtranslator.model.exceptions.InvalidDocumentException: SAM refuses the template.
    """
    changed = path.stat().st_mtime_ns
    body: Json = pickle.loads(_translated(path, changed, tuple(sorted(parameters.items()))))  # noqa: S301
    return body


@cache
def _translated(path: Path, _changed: int, parameters: tuple[tuple[str, str], ...]) -> bytes:
    """The translation, which takes a second; `pickle` copies it, since callers change theirs."""
    sam = parse(path.read_text(encoding="utf-8"))
    # SAM translates only templates whose code is in S3 already, as after `sam package`.
    for resource in sam["Resources"].values():
        if location := _CODE_LOCATIONS.get(resource["Type"]):
            resource["Properties"][location] = {"Bucket": "local", "Key": resource["Properties"][location]}
    metrics = Metrics("local", DummyMetricsPublisher())
    session = boto3.Session(region_name=REGION)
    translator = Translator({}, Parser(), boto_session=session, metrics=metrics)
    body: Json = translator.translate(sam, dict(parameters), None)
    metrics.publish()  # to nowhere; SAM warns about metrics that were never published
    return pickle.dumps(body)


def load(path: Path, parameters: Mapping[str, str], api_url: str, stack: str) -> LocalTemplate:
    """Make a SAM template deployable into moto.

    Args:
        path: the SAM template; code locations are relative to its folder.
        parameters: values of the template's parameters; the others keep their defaults.
        api_url: where the local gateway listens; what the template gets for `ApiEndpoint`.
        stack: name of the stack.

    Raises:
        NameTooLongError: a resource has a name that AWS refuses.
    """
    body = translate(path, parameters)
    values = {name: parameters.get(name, spec.get("Default")) for name, spec in body["Parameters"].items()}
    apply_conditions(body, values)
    resources: Json = body["Resources"]
    _refuse_long_names(resources, stack)
    routes = _routes(resources)
    sources = _event_sources(resources, values)
    functions: dict[str, Path] = {}
    layers: list[Path] = []
    for logical_id, resource in resources.items():
        properties = resource["Properties"]
        match resource["Type"]:
            case "AWS::Lambda::Function":
                functions[logical_id] = path.parent / properties["Code"]["S3Key"]
                properties["Code"] = {"ZipFile": "# The local runtime reads the code from disk."}
            case "AWS::Lambda::LayerVersion":
                layers.append(path.parent / properties["Content"]["S3Key"])
                properties["Content"] = {"ZipFile": _empty_zip()}
            case "AWS::ApiGatewayV2::Api":
                properties["LocalEndpoint"] = api_url
    return LocalTemplate(body, functions, tuple(layers), routes, sources, _leave_out(resources))


def _refuse_long_names(resources: Json, stack: str) -> None:
    for resource in resources.values():
        for (resource_type, name), most in LONGEST_NAMES.items():
            value = resource["Properties"].get(name)
            if resource["Type"] != resource_type or value is None:
                continue
            text = value if isinstance(value, str) else value.get("Fn::Sub") or f"${{{value['Ref']}}}"
            called = text.replace("${AWS::StackName}", stack)
            if len(called) > most:
                raise NameTooLongError(f"{resource_type} {called}: at most {most} characters")


def _routes(resources: Json) -> tuple[Route, ...]:
    routes = []
    for resource in resources.values():
        if resource["Type"] == "AWS::ApiGatewayV2::Api":
            for path, methods in resource["Properties"]["Body"]["paths"].items():
                for method, operation in methods.items():
                    uri: str = operation["x-amazon-apigateway-integration"]["uri"]["Fn::Sub"]
                    function_id = uri.partition("/functions/${")[2].partition(".Arn}")[0]
                    routes.append(Route(_METHODS.get(method, method.upper()), path, function_id))
    return tuple(routes)


def _event_sources(resources: Json, parameters: Mapping[str, Any]) -> tuple[EventSource, ...]:
    sources = []
    for resource in resources.values():
        if resource["Type"] == "AWS::Lambda::EventSourceMapping":
            properties = resource["Properties"]
            limit = properties.get("ScalingConfig", {}).get("MaximumConcurrency")
            if isinstance(limit, dict):
                limit = parameters[limit["Ref"]]
            sources.append(
                EventSource(
                    queue_id=properties["EventSourceArn"]["Fn::GetAtt"][0],
                    function_id=properties["FunctionName"]["Ref"],
                    batch_size=int(properties.get("BatchSize", 10)),
                    max_concurrency=None if limit is None else int(limit),
                    reports_failures="ReportBatchItemFailures" in properties.get("FunctionResponseTypes", []),
                )
            )
    return tuple(sources)


def _leave_out(resources: Json) -> tuple[LeftOut, ...]:
    left_out = tuple(
        LeftOut(logical_id, resource["Type"], LEFT_OUT[resource["Type"]])
        for logical_id, resource in resources.items()
        if resource["Type"] in LEFT_OUT
    )
    for item in left_out:
        del resources[item.logical_id]
    return left_out


def _empty_zip() -> str:
    buffer = io.BytesIO()
    zipfile.ZipFile(buffer, "w").close()
    return base64.b64encode(buffer.getvalue()).decode()
