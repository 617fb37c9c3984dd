"""The policies of the functions' roles, applied to every call that a function makes, as AWS applies them.

moto allows every call. A function names itself in its user agent (`user_agent_appid`), which separates its
calls from those of the tests and of the local system; these need no permission.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

Json = dict[str, Any]

_APP = re.compile(r"\bapp/([\w-]+)")
_BATCHES = {"sqs:SendMessageBatch": "sqs:SendMessage", "sqs:DeleteMessageBatch": "sqs:DeleteMessage"}
_S3 = {"GET": "s3:GetObject", "PUT": "s3:PutObject", "DELETE": "s3:DeleteObject", "HEAD": "s3:GetObject"}


@dataclass(frozen=True)
class AwsCall:
    """A call to AWS: an IAM action, the ARN of the resource, and the keys or the prefix that it names."""

    action: str
    resource: str
    leading_keys: tuple[str, ...] = ()
    prefix: str = ""


@dataclass(frozen=True)
class AllowedAction:
    """One action on one resource that a statement allows, under its conditions."""

    action: str
    resource: str
    conditions: tuple[tuple[str, str, tuple[str, ...]], ...] = ()

    def allows(self, call: AwsCall) -> bool:
        """Whether it allows a call."""
        return (
            self.action == call.action
            and fnmatchcase(call.resource, self.resource)
            and all(_meets_condition(call, *condition) for condition in self.conditions)
        )


@dataclass
class Permissions:
    """The policies of functions, and what they have used of them.

    Attributes:
        used: IAM actions by function.
        used_grants: what of their policies the functions have used, by function.
        counted: how often each action was called, by function and action.
        denied: calls that a policy does not allow, by function.
    """

    account: str
    region: str
    used: dict[str, set[str]] = field(default_factory=dict)
    used_grants: dict[str, set[AllowedAction]] = field(default_factory=dict)
    counted: Counter[tuple[str, str]] = field(default_factory=Counter)
    denied: dict[str, set[AwsCall]] = field(default_factory=dict)
    _policies: dict[str, list[AllowedAction]] = field(default_factory=dict)

    def grant(self, function: str, statements: Iterable[Mapping[str, Any]]) -> None:
        """Replace what a function may do by the statements of its role."""
        self._policies[function] = [
            AllowedAction(action, resource, _conditions(statement))
            for statement in statements
            for action in _listed(statement["Action"])
            for resource in _listed(statement["Resource"])
        ]

    def granted(self) -> dict[str, set[AllowedAction]]:
        """What the roles allow, by function."""
        return {name: set(policy) for name, policy in self._policies.items()}

    def refused(self, environ: "WSGIEnvironment", service: str, body: bytes) -> AwsCall | None:
        """The call that a request makes, if a function makes it and its role does not allow it."""
        named = _APP.search(environ.get("HTTP_USER_AGENT", ""))
        function = named[1] if named else ""
        if function not in self._policies:
            return None
        call = self._call(environ, service, body)
        self.used.setdefault(function, set()).add(call.action)
        self.counted[function, call.action] += 1
        grants = [grant for grant in self._policies[function] if grant.allows(call)]
        self.used_grants.setdefault(function, set()).update(grants)
        if grants:
            return None
        self.denied.setdefault(function, set()).add(call)
        return call

    def _call(self, environ: "WSGIEnvironment", service: str, body: bytes) -> AwsCall:
        if service == "s3":
            path = unquote(environ["PATH_INFO"]).lstrip("/")
            if environ["REQUEST_METHOD"] == "GET" and not path.partition("/")[2]:
                prefix = parse_qs(environ["QUERY_STRING"]).get("prefix", [""])[0]
                return AwsCall("s3:ListBucket", f"arn:aws:s3:::{path.rstrip('/')}", prefix=prefix)
            return AwsCall(_S3[environ["REQUEST_METHOD"]], f"arn:aws:s3:::{path}")
        if service == "lambda":
            return self._lambda_call(unquote(environ["PATH_INFO"]))
        target = environ.get("HTTP_X_AMZ_TARGET", "").rpartition(".")[2]
        request = _request(environ, body)
        action = f"{service}:{target or request.get('Action', '')}"
        action = _BATCHES.get(action, action)
        keys = _leading_keys(request) if service == "dynamodb" else ()
        return AwsCall(action, self._resource(service, request), keys)

    def _lambda_call(self, path: str) -> AwsCall:
        """A call of Lambda's REST API, whose path says what is done with which function."""
        arn = f"arn:aws:lambda:{self.region}:{self.account}:function"
        kind, _, rest = path.strip("/").partition("/")[2].partition("/")
        if kind == "durable-executions":
            return AwsCall("lambda:GetDurableExecution", rest)
        name, _, what = rest.rpartition("/")
        action = "InvokeFunction" if what == "invocations" else "ListDurableExecutionsByFunction"
        return AwsCall(f"lambda:{action}", f"{arn}:{name.rpartition(':function:')[2]}")

    def _resource(self, service: str, request: Json) -> str:
        """The ARN that IAM compares with a policy (Service Authorization Reference)."""
        place = f"{self.region}:{self.account}"
        if service == "dynamodb":
            tables = [request.get("TableName"), *request.get("RequestItems", {})]
            table = next(name for name in tables if name)
            index = f"/index/{request['IndexName']}" if "IndexName" in request else ""
            return f"arn:aws:dynamodb:{place}:table/{table}{index}"
        if service == "sqs":
            return f"arn:aws:sqs:{place}:{str(request['QueueUrl']).rpartition('/')[2]}"
        if service == "ssm":
            return f"arn:aws:ssm:{place}:parameter{request.get('Name') or request.get('Path')}"
        if service == "secretsmanager":
            name = request.get("SecretId") or request.get("Name")
            return f"arn:aws:secretsmanager:{place}:secret:{name}-AbCdEf"
        if service == "events":
            return f"arn:aws:events:{place}:event-bus/{request['Entries'][0]['EventBusName']}"
        return str(request.get("TopicArn", "*"))


def _request(environ: "WSGIEnvironment", body: bytes) -> Json:
    """The parameters of a call, by the JSON or the query protocol."""
    if "json" in environ.get("CONTENT_TYPE", ""):
        return dict(json.loads(body or b"{}"))
    return {name: values[0] for name, values in parse_qs(body.decode()).items()}


def _conditions(statement: Mapping[str, Any]) -> tuple[tuple[str, str, tuple[str, ...]], ...]:
    """The conditions of a statement: operator, context key and values."""
    return tuple(
        (operator, key, tuple(_listed(values)))
        for operator, keys in statement.get("Condition", {}).items()
        for key, values in keys.items()
    )


def _meets_condition(call: AwsCall, operator: str, key: str, values: tuple[str, ...]) -> bool:
    """Whether a call meets a condition.

    Raises:
        NotImplementedError: the local system does not know the condition, so it could not fail here.
    """
    if (operator, key) == ("ForAllValues:StringLike", "dynamodb:LeadingKeys"):
        return all(any(fnmatchcase(own, value) for value in values) for own in call.leading_keys)
    if (operator, key) == ("StringLike", "s3:prefix"):
        return any(fnmatchcase(call.prefix, value) for value in values)
    if key == "kms:ViaService":  # only AWS calls KMS, in the role's name
        return True
    raise NotImplementedError(f"{operator} {key}")


def _leading_keys(request: Json) -> tuple[str, ...]:
    """The partition keys that a call of DynamoDB names."""
    keys = [request[name] for name in ("Key", "Item") if name in request]
    for table in request.get("RequestItems", {}).values():
        if isinstance(table, dict):
            keys += table.get("Keys", [])
        else:
            keys += [write["PutRequest"]["Item"] for write in table]
    return tuple(key["pk"]["S"] for key in keys)


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value
