"""`template.yaml` as a stack in moto."""

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from moto.cloudformation.parsing import get_model_map
from moto.iam.models import iam_backends

import local.aws.moto_resources  # noqa: F401 - teaches moto the resource types that it lacks
from local.aws.server import ACCOUNT, AwsServer
from local.aws.template import EventSource, Json, LeftOut, LocalTemplate, Route, load


class UnsupportedResourceError(Exception):
    """The template has a resource type that the local stack neither creates nor leaves out on purpose."""


@dataclass(frozen=True)
class DeployedFunction:
    """A Lambda function as it was deployed.

    `workflow` is the module of the handler, such as `export_invoice`; the times are seconds; `durable` says
    that it runs as durable executions, for `execution_timeout` at most; `aliases` name its version;
    `dead_letters_url` is the queue for events that nobody waits for and that failed.
    """

    workflow: str
    name: str
    arn: str
    code: Path
    environment: Mapping[str, str]
    timeout: int
    memory_mb: int
    durable: bool = False
    execution_timeout: int = 0
    aliases: tuple[str, ...] = ()
    dead_letters_url: str = ""


@dataclass(frozen=True)
class DeployedQueue:
    """A queue that Lambda polls for a function, and the queue for messages that failed too often."""

    url: str
    arn: str
    dead_letters_url: str
    source: EventSource


@dataclass(frozen=True)
class Deployment:
    """A deployed stack, by the names that its callers use."""

    stack: str
    outputs: Mapping[str, str]
    resources: Mapping[str, str]
    functions: Mapping[str, DeployedFunction]
    layers: tuple[Path, ...]
    queues: Mapping[str, DeployedQueue]
    routes: Mapping[Route, str]
    left_out: tuple[LeftOut, ...]


def deploy(
    aws: AwsServer, template: Path, *, stack: str, api_url: str, parameters: Mapping[str, str] | None = None
) -> Deployment:
    """Deploy a SAM template and read back what was made.

    Args:
        aws: the running fake of AWS.
        template: the SAM template.
        stack: name of the stack.
        api_url: where the local gateway listens.
        parameters: values of the template's parameters; the others keep their defaults.

    Raises:
        UnsupportedResourceError: moto cannot create a resource of the template.
        NameTooLongError: with this name of the stack, a resource has a name that AWS refuses.
    """
    plan = load(template, parameters or {}, api_url, stack)
    _refuse_what_moto_would_skip(plan.body)
    aws.cloudformation.create_stack(
        StackName=stack,
        TemplateBody=json.dumps(plan.body),
        Parameters=[
            {"ParameterKey": key, "ParameterValue": value} for key, value in (parameters or {}).items()
        ],
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"],
    )
    [description] = aws.cloudformation.describe_stacks(StackName=stack)["Stacks"]
    found = aws.cloudformation.describe_stack_resources(StackName=stack)["StackResources"]
    # moto knows no physical id of a bus or an archive, and nothing of what a condition left out.
    resources = {
        item["LogicalResourceId"]: item.get("PhysicalResourceId", "")
        for item in found
        if "LogicalResourceId" in item
    }
    functions = _functions(aws, plan, resources)
    by_name = {function.name: workflow for workflow, function in functions.items()}
    _grant(aws, plan, resources)
    return Deployment(
        stack=stack,
        outputs={item["OutputKey"]: item["OutputValue"] for item in description.get("Outputs", [])},
        resources=resources,
        functions=functions,
        layers=plan.layers,
        queues={
            by_name[resources[source.function_id]]: _queue(aws, source, resources[source.queue_id])
            for source in plan.sources
        },
        routes={route: by_name[resources[route.function_id]] for route in plan.routes},
        left_out=plan.left_out,
    )


def _refuse_what_moto_would_skip(body: Json) -> None:
    unknown = {item["Type"] for item in body["Resources"].values()} - set(get_model_map())
    if unknown:
        raise UnsupportedResourceError(
            f"moto's CloudFormation cannot create {', '.join(sorted(unknown))}: add the type to "
            "local/aws/moto_resources.py, or to LEFT_OUT in local/aws/template.py with the reason"
        )


def _functions(
    aws: AwsServer, plan: LocalTemplate, resources: Mapping[str, str]
) -> dict[str, DeployedFunction]:
    functions, aliases = {}, defaultdict[str, list[str]](list)
    for resource in plan.body["Resources"].values():
        if resource["Type"] == "AWS::Lambda::Alias":
            aliases[resource["Properties"]["FunctionName"]["Ref"]].append(resource["Properties"]["Name"])
    for logical_id, resource in plan.body["Resources"].items():
        if resource["Type"] != "AWS::Lambda::Function":
            continue
        durable = resource["Properties"].get("DurableConfig", {})
        dead_letters = resource["Properties"].get("DeadLetterConfig")
        deployed = aws.lambda_.get_function_configuration(FunctionName=resources[logical_id])
        workflow = deployed["Handler"].partition(".")[0]
        functions[workflow] = DeployedFunction(
            workflow=workflow,
            name=deployed["FunctionName"],
            arn=deployed["FunctionArn"],
            code=plan.functions[logical_id],
            environment={
                **deployed["Environment"]["Variables"],
                "LOCAL_SYSTEM_ALLOWS_HTTP": "true",
            },  # no certificates here
            timeout=deployed["Timeout"],
            memory_mb=deployed["MemorySize"],
            durable=bool(durable),
            execution_timeout=int(durable.get("ExecutionTimeout", 0)),
            aliases=tuple(aliases[logical_id]),
            dead_letters_url=resources[dead_letters["TargetArn"]["Fn::GetAtt"][0]] if dead_letters else "",
        )
    return functions


def _grant(aws: AwsServer, plan: LocalTemplate, resources: Mapping[str, str]) -> None:
    """Apply the policies of each function's role, its own and those attached, to the function's calls."""
    iam = iam_backends[ACCOUNT]["aws"]
    for logical_id, resource in plan.body["Resources"].items():
        if resource["Type"] == "AWS::Lambda::Function":
            role_id = resource["Properties"]["Role"]["Fn::GetAtt"][0]
            # moto creates the managed policies, but attaches none to a role of CloudFormation.
            attached = plan.body["Resources"][role_id]["Properties"].get("ManagedPolicyArns", ())
            documents = [
                *iam.get_role(resources[role_id]).policies.values(),
                *(iam.get_policy(resources[arn["Ref"]]).versions[0].document for arn in attached),
            ]
            policies = (json.loads(each) if isinstance(each, str) else each for each in documents)
            statements = [statement for policy in policies for statement in policy["Statement"]]
            aws.permissions.grant(resources[logical_id], statements)


def _queue(aws: AwsServer, source: EventSource, url: str) -> DeployedQueue:
    attributes = aws.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn", "RedrivePolicy"])[
        "Attributes"
    ]
    dead_letters = json.loads(attributes["RedrivePolicy"])["deadLetterTargetArn"].split(":")[-1]
    return DeployedQueue(
        url=url,
        arn=attributes["QueueArn"],
        dead_letters_url=aws.sqs.get_queue_url(QueueName=dead_letters)["QueueUrl"],
        source=source,
    )
