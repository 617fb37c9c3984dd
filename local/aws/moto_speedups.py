"""Shortcuts in moto, for runs with thousands of calls. Importing this module is enough.

* DynamoDB's attribute values are written as they are. moto walks through each attribute of each item with
  AWS's model of the service to find out how it is written, though its own values are in that form already;
  the walk takes most of the time of a read. Binary attributes would need it; no table of ours has any.
* Texts are compared as texts. A query of moto's sorts the whole table and looks at each item, by comparisons
  that first ask each value for its type in six ways.
* moto's own folders are listed once, and not for each request.
* Items, whole or some attributes of them, are copied part by part; texts, numbers and flags, which moto
  never changes in place, are shared. Parsed expressions are copied by `pickle`. `deepcopy` takes eight times
  as long for the former, five for the latter.
* CloudFormation reads a template of JSON as JSON; moto takes it for YAML.
* Services that have one address answer without Flask's routing.
* botocore builds the class of a service's clients once, and not for each client of each cold start; paths of
  events, the actions of a service and the parts of a user agent are worked out once as well. The handlers of
  a new client's events are copied without the detour by `copy`, and all clients share a context for TLS.
"""

import copy
import json
import pickle
from collections.abc import Callable, Iterable
from functools import cache
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import botocore.hooks
import botocore.httpsession
import botocore.useragent
import jsonpath_ng.ext
import moto.core.responses
import moto.dynamodb.models
import moto.dynamodb.models.table
import moto.dynamodb.parsing.validators
import moto.dynamodb.responses
from botocore.client import ClientCreator
from botocore.hooks import NodeList
from botocore.model import ServiceModel
from moto import backends
from moto.cloudformation.models import Stack
from moto.core.request import Request
from moto.core.serialize import JSONSerializer
from moto.dynamodb.models.dynamo_type import DynamoType, Item, LimitedSizeDict
from moto.dynamodb.parsing.ast_nodes import Node
from moto.dynamodb.responses import DynamoHandler
from moto.events.responses import EventsHandler
from moto.secretsmanager.responses import SecretsManagerResponse
from moto.sqs.responses import SQSResponse
from moto.ssm.responses import SimpleSystemManagerResponse
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from local.aws.dynamodb_speedups import answer_about_items

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

_ATTRIBUTE, _TEXT = "AttributeValue", "S"
_AT_ONE_ADDRESS = {
    "dynamodb": DynamoHandler,
    "events": EventsHandler,
    "secretsmanager": SecretsManagerResponse,
    "sqs": SQSResponse,
    "ssm": SimpleSystemManagerResponse,
}
"""What answers the services whose requests name their operation in a header."""


def _structure(
    self: JSONSerializer,
    serialized: dict[str, Any],
    value: Any,  # noqa: ANN401 - whatever moto answers
    shape: Any,  # noqa: ANN401 - moto's model of it
    key: str,
) -> None:
    if shape.name == _ATTRIBUTE and type(value) is dict:
        serialized[key] = value
        return
    super(JSONSerializer, self)._serialize_type_structure(serialized, value, shape, key)


def _quick(name: str) -> Callable[[DynamoType, DynamoType], Any]:
    """A comparison with a shortcut for two texts."""
    slow, of_texts = getattr(DynamoType, name), getattr(str, name)

    def compare(self: DynamoType, other: DynamoType) -> Any:  # noqa: ANN401 - as Python's comparisons
        if self.type == other.type == _TEXT:
            return of_texts(self.value, other.value)
        return slow(self, other)

    return compare


_folders = backends.list_of_moto_modules


@cache
def _listed_once() -> tuple[str, ...]:
    return tuple(_folders())


class _Request(Request):  # type: ignore[misc]
    """A request that a server has received, as moto's Flask application has it."""

    from_wsgi_server = True


def answer_without_routing(
    service: str, region: str, environ: "WSGIEnvironment", body: bytes
) -> Response | None:
    """Return moto's answer to a request whose header names the operation; None if it needs moto's routing.

    Args:
        service: the name that it was signed with.
        region: that it was signed for.
        environ: the request.
        body: of the request.
    """
    if service not in _AT_ONE_ADDRESS or "HTTP_X_AMZ_TARGET" not in environ:
        return None
    if service == "dynamodb" and (answered := answer_about_items(environ, region, body)):
        return answered
    request = _Request(environ)
    try:
        status, headers, body = _AT_ONE_ADDRESS[service].dispatch(
            request, request.raw_url, dict(request.headers)
        )
    except HTTPException as error:
        return error.get_response(environ)
    return Response(body, status, headers)


def quick_copy(value: Any) -> Any:  # noqa: ANN401 - whatever moto copies
    """Copy an item or a parsed expression of DynamoDB; anything else as `deepcopy` does."""
    if isinstance(value, Item):
        return _item(value, value.attrs)
    if type(value) is list:
        return [quick_copy(each) for each in value]
    return pickle.loads(_pickled(value)) if isinstance(value, Node) else copy.deepcopy(value)  # noqa: S301 - our own


def _item(item: Item, names: Iterable[str]) -> Item:
    made: Item = _shallow(item)
    made.attrs = LimitedSizeDict()
    dict.update(made.attrs, {name: _copied_value(item.attrs[name]) for name in names})
    return made


_project = Item.project


def _projected(self: Item, expressions: list[list[str]]) -> Item:
    if any(len(path) > 1 or "[" in path[0] for path in expressions):
        return _project(self, expressions)
    return _item(self, [name for [name] in expressions if name in self.attrs])


def _shallow(value: Any) -> Any:  # noqa: ANN401
    made = object.__new__(type(value))
    vars(made).update(vars(value))
    return made


def _copied_value(value: Any) -> Any:  # noqa: ANN401
    kind, inner = value.type, value.value
    if kind not in {"M", "L", "SS", "NS", "BS"}:
        return value
    made = _shallow(value)
    if kind == "M":
        made.value = {name: _copied_value(each) for name, each in inner.items()}
    else:
        made.value = [_copied_value(each) for each in inner] if kind == "L" else list(inner)
    return made


@cache
def _pickled(node: Node) -> bytes:
    return pickle.dumps(node, -1)


def _template(text: str) -> dict[str, Any]:
    template: dict[str, Any] = json.loads(text) if text.startswith("{") else _parse_template(text)
    return template


_parse_template = Stack.parse_template

_client_class = ClientCreator._create_client_class  # type: ignore[attr-defined]
_client_classes: dict[str, type] = {}


def _class_once(self: ClientCreator, name: str, model: ServiceModel) -> type:
    if name not in _client_classes:
        _client_classes[name] = _client_class(self, name, model)
    return _client_classes[name]


def _copied_handlers(trie: object, node: dict[str, Any]) -> dict[str, Any]:
    copied = dict(node)
    for key, value in node.items():
        if type(value) is dict:
            copied[key] = _copied_handlers(trie, value)
        elif type(value) is NodeList:
            copied[key] = NodeList(*(part.copy() for part in value))
    return copied


for comparison in ("__eq__", "__ne__", "__lt__"):
    setattr(DynamoType, comparison, _quick(comparison))
# setattr: a method that moto's class only inherits, and a function of a module that is not typed.
setattr(JSONSerializer, "_serialize_type_structure", _structure)  # noqa: B010
setattr(backends, "list_of_moto_modules", _listed_once)  # noqa: B010
setattr(Stack, "parse_template", staticmethod(_template))  # noqa: B010
setattr(ClientCreator, "_create_client_class", _class_once)  # noqa: B010
setattr(moto.dynamodb.parsing.validators, "deepcopy", quick_copy)  # noqa: B010
setattr(vars(botocore.hooks)["_PrefixTrie"], "_recursive_copy", _copied_handlers)  # noqa: B010
for pure, name in (
    (botocore.httpsession, "create_urllib3_context"),
    (botocore.useragent, "sanitize_user_agent_string_component"),
    (botocore.useragent.UserAgentComponent, "to_string"),
    (moto.core.responses, "method_names_from_class"),
    (moto.core.responses, "camelcase_to_underscores"),
    (jsonpath_ng.ext, "parse"),
):
    setattr(pure, name, cache(getattr(pure, name)))
setattr(Item, "project", _projected)  # noqa: B010
for module in (moto.dynamodb.models, moto.dynamodb.models.table, moto.dynamodb.responses):
    setattr(module, "copy", SimpleNamespace(copy=copy.copy, deepcopy=quick_copy))  # noqa: B010
