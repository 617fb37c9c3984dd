"""Conditions of a template, decided for the values of its parameters, as CloudFormation decides them."""

from collections.abc import Mapping
from typing import Any

Json = dict[str, Any]
_NO_VALUE = object()


def apply_conditions(body: Json, parameters: Mapping[str, Any]) -> None:
    """Remove resources and outputs whose condition does not hold, and choose the values of `Fn::If`.

    Args:
        body: a translated template; it is changed.
        parameters: the values of all its parameters.
    """
    conditions = body.get("Conditions", {})
    truths = {
        name: _condition_holds(condition, conditions, parameters) for name, condition in conditions.items()
    }
    for part in ("Resources", "Outputs"):
        there = {
            name: each for name, each in body.get(part, {}).items() if truths.get(each.get("Condition"), True)
        }
        body[part] = {
            name: {key: _chosen(value, truths) for key, value in each.items() if key != "Condition"}
            for name, each in there.items()
        }


def _condition_holds(condition: Json, all_of_them: Json, parameters: Mapping[str, Any]) -> bool:
    """Whether a condition holds.

    Raises:
        NotImplementedError: the local system does not know the condition.
    """
    [(operator, given)] = condition.items()
    match operator:
        case "Condition":
            return _condition_holds(all_of_them[given], all_of_them, parameters)
        case "Fn::Not":
            return not _condition_holds(given[0], all_of_them, parameters)
        case "Fn::Or":
            return any(_condition_holds(each, all_of_them, parameters) for each in given)
        case "Fn::And":
            return all(_condition_holds(each, all_of_them, parameters) for each in given)
        case "Fn::Equals":
            left, right = (parameters[each["Ref"]] if isinstance(each, dict) else each for each in given)
            return bool(left == right)
    raise NotImplementedError(operator)


def _chosen(value: Any, truths: Mapping[str, bool]) -> Any:  # noqa: ANN401 - JSON
    """A value without `Fn::If`; what becomes `AWS::NoValue` is left out."""
    if isinstance(value, dict):
        if value.keys() == {"Fn::If"}:
            name, then, otherwise = value["Fn::If"]
            return _chosen(then if truths[name] else otherwise, truths)
        if value == {"Ref": "AWS::NoValue"}:
            return _NO_VALUE
        parts = {name: _chosen(part, truths) for name, part in value.items()}
        return {name: part for name, part in parts.items() if part is not _NO_VALUE}
    if isinstance(value, list):
        return [part for each in value if (part := _chosen(each, truths)) is not _NO_VALUE]
    return value
