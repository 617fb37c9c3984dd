"""Shortcuts in moto's DynamoDB, which half of all calls go to. Importing this module is enough.

* An expression is split into its parts once; moto does it twice for each request.
* An update's syntax tree is walked ten times. The walk asks each node for its type by abstract classes;
  here a type is looked up. What is counted and compared in the whole expression is so once, at its root, and
  not again at each of its nested parts.
* A call for items is answered without the form, the query and the models of a general request.
* A query of a table looks at the items of its key. moto sorts the whole table for each query, and sorts what
  it found again.
"""

import json
from collections import deque
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

from moto.core import DEFAULT_ACCOUNT_ID
from moto.core.utils import camelcase_to_underscores
from moto.dynamodb.comparisons import ConditionExpressionParser
from moto.dynamodb.models.dynamo_type import DynamoType, Item
from moto.dynamodb.models.table import Table
from moto.dynamodb.parsing.ast_nodes import DepthFirstTraverser, Node
from moto.dynamodb.parsing.expressions import UpdateExpressionParser
from moto.dynamodb.parsing.validators import ActionCountValidator, OverlappingPathsValidator
from moto.dynamodb.responses import DynamoHandler
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from local.aws.service_models import service_model

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

Json = dict[str, Any]

_OF_ITEMS = {
    "BatchGetItem",
    "BatchWriteItem",
    "DeleteItem",
    "GetItem",
    "PutItem",
    "Query",
    "UpdateItem",
}
"""Operations whose answers hold attribute values, numbers and texts only: JSON as it is."""
_query: Callable[..., Any] = Table.query
_all_items: Callable[[Table], list[Item]] = Table.all_items
_WANTED = "_wanted_by_query"


def answer_about_items(environ: "WSGIEnvironment", region: str, body: bytes) -> Response | None:
    """Return moto's answer to a call for items; None if it is another call.

    Args:
        environ: the request.
        region: that it was signed for.
        body: of the request.
    """
    operation = environ["HTTP_X_AMZ_TARGET"].rpartition(".")[2]
    if operation not in _OF_ITEMS:
        return None
    handler = DynamoHandler()
    handler.region, handler.current_account = region, DEFAULT_ACCOUNT_ID
    handler.body = handler.params = json.loads(body)
    try:
        result = getattr(handler, _method(operation))().result
    except HTTPException as error:
        return Response(error.description, error.code, content_type="application/x-amz-json-1.0")
    known = _members(operation)
    answer = {name: value for name, value in result.items() if name in known and value is not None}
    return Response(json.dumps(answer), content_type="application/x-amz-json-1.0")


_method: Callable[[str], str] = cache(camelcase_to_underscores)


@cache
def _members(operation: str) -> frozenset[str]:
    model = service_model("dynamodb").operation_model(operation)
    return frozenset(model.output_shape.members if model.output_shape else ())


_is_of: Callable[..., bool] = cache(issubclass)


def _traverse(traverser: DepthFirstTraverser, node: Any, child_id: int = -1) -> Any:  # noqa: ANN401 - a node or a text
    kind = type(node)
    if not _is_of(kind, Node):
        return node
    parent = node.parent
    for number, child in enumerate(node.children or ()):
        traverser.pre_processing_of_child(node, number)
        _traverse(traverser, child, number)
    if _is_of(kind, _processed(traverser)):
        node = traverser.process(node)
        node.parent = parent
        if parent:
            parent.children[child_id] = node
    return node


def _processed(traverser: DepthFirstTraverser) -> tuple[type, ...]:
    kinds: tuple[type, ...] | None = vars(traverser).get("_kinds")
    if kinds is None:
        kinds = vars(traverser)["_kinds"] = traverser.nodes_to_be_processed()
    return kinds


_lex = ConditionExpressionParser._lex_condition_expression


@cache
def _parts(expression: str) -> tuple[Any, ...]:
    return tuple(_lex(ConditionExpressionParser(expression, None, None)))


# setattr: moto's classes are not ours, and their types do not let a method be replaced.
# Whoever changes a tree copies it first.
setattr(UpdateExpressionParser, "make", staticmethod(cache(UpdateExpressionParser.make)))  # noqa: B010
setattr(DepthFirstTraverser, "traverse_node_recursively", _traverse)  # noqa: B010
for of_the_whole in (ActionCountValidator, OverlappingPathsValidator):
    setattr(of_the_whole, "traverse", lambda validator, root: validator.process(root))  # noqa: B010
setattr(  # noqa: B010
    ConditionExpressionParser,
    "_lex_condition_expression",
    lambda parser: deque(_parts(parser.condition_expression)),
)


def _narrow_query(self: Table, hash_key: DynamoType | None, *arguments: Any, **more: Any) -> Any:  # noqa: ANN401 - as it is
    conditions = more.get("hash_key_conditions") or ()
    self.__dict__[_WANTED] = [*conditions] or [(self.hash_key_attr, hash_key)]
    try:
        return _query(self, hash_key, *arguments, **more)
    finally:
        del self.__dict__[_WANTED]


def _wanted_items(self: Table) -> list[Item]:
    wanted = self.__dict__.get(_WANTED)
    if wanted is None or not self.range_key_attr:
        return _all_items(self)
    [(name, value), *_] = wanted
    if name == self.hash_key_attr:
        return list(self.items.get(value, {}).values())
    text = value.value
    return [
        item
        for of_key in self.items.values()
        for item in of_key.values()
        if (found := item.attrs.get(name)) is not None and found.value == text
    ]


setattr(Table, "query", _narrow_query)  # noqa: B010 - moto is not typed
setattr(Table, "all_items", _wanted_items)  # noqa: B010
