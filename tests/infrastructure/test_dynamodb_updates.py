"""The local DynamoDB's shortcuts leave what an update does, and what is refused, as DynamoDB documents it."""

from typing import Any

import pytest

from local.system import LocalSystem
from tests.support.assertions import refused

KEY: dict[str, Any] = {"pk": {"S": "a"}, "sk": {"S": "b"}}
ONE: dict[str, Any] = {":x": {"N": "1"}}
NAMES: dict[str, Any] = {"#a": "a"}


def update(system: LocalSystem, expression: str, values: dict[str, Any] | None = None, **more: Any) -> Any:  # noqa: ANN401 - botocore's answer
    return system.aws.dynamodb.update_item(
        TableName=system.deployment.outputs["LedgerTableName"],
        Key=KEY,
        UpdateExpression=expression,
        ExpressionAttributeValues=ONE if values is None else values,
        ReturnValues="ALL_NEW",
        **more,
    )


@pytest.mark.parametrize(
    ("expression", "values", "more", "reason"),
    [
        ("SET a = :x SET b = :x", ONE, {}, "can only be used once"),
        ("SET b = :x, a = :x, a = :x", ONE, {}, "Two document paths overlap"),
        ("SET #a = :x, b = :x REMOVE #a", ONE, {"ExpressionAttributeNames": NAMES}, "paths overlap"),
        ("SET b = :x, pk = :x", ONE, {}, "part of the key"),
        ("SET b = :x, listed = :x", ONE, {}, "Type mismatch for key listed"),
        ("SET listed = :x", {":x": {"S": ""}}, {}, "empty string"),
        ("SET m.q = :x", ONE, {}, "document path"),
        ("SET name = :x", ONE, {}, "reserved keyword"),
        ("SET b = :x", {**ONE, ":y": {"N": "2"}}, {}, "unused in expressions"),
    ],
)
def test_an_update_that_dynamodb_refuses_is_refused(
    system: LocalSystem, expression: str, values: dict[str, Any], more: dict[str, Any], reason: str
) -> None:
    with refused("ValidationException", reason):
        update(system, expression, values, **more)


def test_an_expression_that_is_used_again_does_the_same_to_the_item_of_that_moment(
    system: LocalSystem,
) -> None:
    values = {":x": {"N": "1"}, ":zero": {"N": "0"}, ":list": {"L": [{"S": "u"}]}, ":none": {"L": []}}
    expression = "SET n = if_not_exists(n, :zero) + :x, l = list_append(if_not_exists(l, :none), :list)"
    first, second = (update(system, expression, values)["Attributes"] for _ in range(2))

    removed = update(system, "SET m = :x REMOVE l, n")["Attributes"]

    assert (first["n"], second["n"]) == ({"N": "1"}, {"N": "2"})
    assert (len(first["l"]["L"]), len(second["l"]["L"])) == (1, 2)
    assert removed == {**KEY, "m": {"N": "1"}}


def test_a_condition_that_is_used_again_is_decided_by_the_values_of_that_moment(system: LocalSystem) -> None:
    update(system, "SET n = :x")
    condition = {"ConditionExpression": "n = :was"}

    update(system, "SET n = :x", {":x": {"N": "2"}, ":was": {"N": "1"}}, **condition)
    with refused("ConditionalCheckFailedException", "conditional request failed"):
        update(system, "SET n = :x", {":x": {"N": "2"}, ":was": {"N": "1"}}, **condition)
