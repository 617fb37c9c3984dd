"""The sweep in the template: on a schedule by default, and only its timer may start it."""

import pytest

from local.aws.template import translate
from local.system import ROOT
from tests.infrastructure.views import Template, listed


@pytest.fixture(scope="module")
def template() -> Template:
    return Template(translate(ROOT / "template.yaml", {}))


def test_it_runs_every_quarter_of_an_hour_unless_the_parameter_is_empty(template: Template) -> None:
    timer = template.resources["SweepTimer"]
    target = timer["Properties"]["Target"]

    assert template.body["Parameters"]["SweepSchedule"]["Default"] == "rate(15 minutes)"
    assert timer["Condition"] == template.resources["SweepTimerRole"]["Condition"] == "SweepsBySchedule"
    assert timer["Properties"]["ScheduleExpression"] == {"Ref": "SweepSchedule"}
    assert target["Arn"] == {"Fn::GetAtt": ["Sweep", "Arn"]}
    assert target["Input"] == "{}"


def test_its_timer_may_start_it_and_nothing_else(template: Template) -> None:
    [policy] = template.of_type("AWS::IAM::Role")["SweepTimerRole"]["Policies"]
    [allowed] = policy["PolicyDocument"]["Statement"]

    assert (allowed["Action"], allowed["Resource"]) == (
        "lambda:InvokeFunction",
        {"Fn::GetAtt": ["Sweep", "Arn"]},
    )


def test_it_may_write_to_the_table_and_the_bus_and_delete_nothing(template: Template) -> None:
    statements = template.statements_of(template.functions["Sweep"])
    actions = {action for statement in statements for action in listed(statement["Action"])}

    assert {a for a in actions if a.startswith(("dynamodb:", "events:", "sqs:"))} == {
        "dynamodb:GetItem",
        "dynamodb:BatchGetItem",
        "dynamodb:PutItem",
        "dynamodb:BatchWriteItem",
        "dynamodb:Query",
        "events:PutEvents",
        *(f"sqs:{action}Message" for action in ("Receive", "Delete", "Send")),
        "sqs:GetQueueAttributes",
    }


def test_a_failed_part_raises_an_alarm_that_does_not_come_and_go(template: Template) -> None:
    [(alarm, _)] = template.alarms_on_all("SweepFailed")

    [query] = alarm["Metrics"]
    assert alarm["Threshold"] == 1
    assert (alarm["EvaluationPeriods"] * query["Period"], alarm["DatapointsToAlarm"]) == (1800, 1)
