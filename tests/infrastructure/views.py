"""Questions to a CloudFormation template."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True)
class Consumer:
    """A function that works off a queue, and the queue for what failed too often."""

    function_id: str
    function: Json
    queue_id: str
    queue: Json
    dead_letters_id: str
    dead_letters: Json
    mapping: Json


class Template:
    """A translated template, by what it says about its resources."""

    def __init__(self, body: Json) -> None:
        self.body = body
        self.resources: dict[str, Json] = body["Resources"]

    def of_type(self, resource_type: str) -> dict[str, Json]:
        """Return the properties of all resources of a type."""
        return {
            name: resource.get("Properties", {})
            for name, resource in self.resources.items()
            if resource["Type"] == resource_type
        }

    @property
    def functions(self) -> dict[str, Json]:
        return self.of_type("AWS::Lambda::Function")

    @property
    def durable(self) -> dict[str, Json]:
        """Return the functions that run as durable executions."""
        return {name: function for name, function in self.functions.items() if "DurableConfig" in function}

    @property
    def queues(self) -> dict[str, Json]:
        return self.of_type("AWS::SQS::Queue")

    @property
    def alarms(self) -> dict[str, Json]:
        return self.of_type("AWS::CloudWatch::Alarm")

    @property
    def consumers(self) -> list[Consumer]:
        found = []
        for mapping in self.of_type("AWS::Lambda::EventSourceMapping").values():
            function_id, queue_id = mapping["FunctionName"]["Ref"], attribute_of(mapping["EventSourceArn"])
            queue = self.queues[queue_id]
            dead_letters_id = attribute_of(queue["RedrivePolicy"]["deadLetterTargetArn"])
            function, dead_letters = self.functions[function_id], self.queues[dead_letters_id]
            found.append(
                Consumer(function_id, function, queue_id, queue, dead_letters_id, dead_letters, mapping)
            )
        return found

    @property
    def dead_letter_queues(self) -> set[str]:
        """Return the logical ids of the queues of failed messages and of failed executions."""
        failed = {attribute_of(each["DeadLetterConfig"]["TargetArn"]) for each in self.durable.values()}
        return failed | {consumer.dead_letters_id for consumer in self.consumers}

    def role_of(self, function: Json) -> Json:
        """Return the properties of a function's role."""
        return self.of_type("AWS::IAM::Role")[attribute_of(function["Role"])]

    def statements_of(self, function: Json) -> list[Json]:
        """Return all statements of a function's policies, its role's own and those attached to the role."""
        role, managed = self.role_of(function), self.of_type("AWS::IAM::ManagedPolicy")
        policies = [*role["Policies"], *(managed[arn["Ref"]] for arn in role.get("ManagedPolicyArns", ()))]
        return [statement for policy in policies for statement in policy["PolicyDocument"]["Statement"]]

    @property
    def statements(self) -> list[tuple[str, Json]]:
        """Return all statements of all functions' policies, each with the function's logical id."""
        return [
            (name, each) for name, function in self.functions.items() for each in self.statements_of(function)
        ]

    def queue_statements(self, queue_id: str) -> list[Json]:
        """Return all statements of the policies of a queue."""
        return [
            statement
            for policy in self.of_type("AWS::SQS::QueuePolicy").values()
            if {"Ref": queue_id} in policy["Queues"]
            for statement in policy["PolicyDocument"]["Statement"]
        ]

    def alarms_on(self, namespace: str, metric: str) -> dict[str, Json]:
        """Return the alarms on a metric by the value of its first dimension, as text.

        An alarm on an expression over several metrics is there for each of them, with that one's statistic
        and period, as if it were an alarm on this metric alone.
        """
        return {
            str(watched["Dimensions"][0]["Value"]): watched
            for alarm in self.alarms.values()
            for watched in _watched(alarm)
            if (_text(watched["Namespace"]), watched["MetricName"]) == (namespace, metric)
        }

    def alarms_on_all(self, metric: str, by: str = "SUM") -> list[tuple[Json, str]]:
        """Return the alarms on a metric's sum (or `MAX`) over all functions, with the schema of the query."""
        queries = [
            (alarm, *_text(query["Expression"]).partition(" FROM "))
            for alarm in self.alarms.values()
            for query in alarm.get("Metrics", ())
            if "Expression" in query
        ]
        return [(alarm, schema) for alarm, sums, _, schema in queries if sums == f"SELECT {by}({metric})"]


def _watched(alarm: Json) -> Iterator[Json]:
    """Yield an alarm as it would be for each of the metrics that it names."""
    if "MetricName" in alarm:
        yield alarm
    for query in alarm.get("Metrics", ()):
        if stat := query.get("MetricStat"):
            yield {**alarm, **stat["Metric"], "Statistic": stat["Stat"], "Period": stat["Period"]}


def _text(value: Any) -> str:  # noqa: ANN401 - a text, or one in Fn::Sub
    return str(value["Fn::Sub"] if isinstance(value, dict) else value)


def attribute_of(value: Json) -> str:
    """Return the logical id in a `Fn::GetAtt`."""
    logical_id: str = value["Fn::GetAtt"][0]
    return logical_id


def listed(value: str | list[str]) -> list[str]:
    """Return a list where CloudFormation takes a list or a single text."""
    return [value] if isinstance(value, str) else value
