"""The Slack channel of the alarm topic: only where it is set, and with no more rights than showing alarms."""

import pytest

from local.aws.template import translate
from local.system import ROOT
from tests.infrastructure.views import Json

CHANNEL = "AWS::Chatbot::SlackChannelConfiguration"
BOTH = {"SlackWorkspaceId": "T01AB2CDE", "SlackChannelId": "C01AB2CDE"}


def deployed(parameters: dict[str, str]) -> dict[str, Json]:
    """The resources that a deployment with these parameters has, by logical id."""
    template = translate(ROOT / "template.yaml", parameters)
    values = {name: spec.get("Default") for name, spec in template["Parameters"].items()} | parameters
    holds = values["SlackWorkspaceId"] != "" and values["SlackChannelId"] != ""
    assert template["Conditions"]["HasSlackChannel"] == {
        "Fn::And": [{"Fn::Not": [{"Fn::Equals": [{"Ref": name}, ""]}]} for name in BOTH]
    }
    return {
        name: each
        for name, each in template["Resources"].items()
        if each.get("Condition") != "HasSlackChannel" or holds
    }


@pytest.mark.parametrize(
    "parameters", [{}, {"SlackWorkspaceId": "T01AB2CDE"}, {"SlackChannelId": "C01AB2CDE"}]
)
def test_without_both_parameters_there_is_no_channel(parameters: dict[str, str]) -> None:
    resources = deployed(parameters)

    assert not {"SlackChannel", "SlackChannelRole"} & resources.keys()
    assert CHANNEL not in {each["Type"] for each in resources.values()}


def test_the_channel_gets_what_the_alarm_topic_gets() -> None:
    channel = deployed(BOTH)["SlackChannel"]

    properties = channel["Properties"]
    assert channel["Type"] == CHANNEL
    assert properties["SnsTopicArns"] == [{"Ref": "AlarmTopic"}]
    assert {name: properties[name] for name in BOTH} == {name: {"Ref": name} for name in BOTH}


def test_who_writes_in_the_channel_may_read_alarms_and_nothing_else() -> None:
    resources = deployed(BOTH)
    role, channel = (resources[name]["Properties"] for name in ("SlackChannelRole", "SlackChannel"))

    [policy] = role["Policies"]
    [statement] = policy["PolicyDocument"]["Statement"]
    [guardrail] = channel["GuardrailPolicies"]
    [trusted] = role["AssumeRolePolicyDocument"]["Statement"]
    assert all(
        action.startswith(("cloudwatch:Describe", "cloudwatch:Get", "cloudwatch:List"))
        for action in statement["Action"]
    )
    assert guardrail["Fn::Sub"].endswith(":policy/CloudWatchReadOnlyAccess")
    assert trusted["Principal"] == {"Service": "chatbot.amazonaws.com"}


@pytest.mark.parametrize("function", ["Sweep", "Reconcile"])
def test_functions_that_write_to_the_topic_know_whether_it_has_a_channel(function: str) -> None:
    variables = deployed({})[function]["Properties"]["Environment"]["Variables"]

    assert variables["ALARM_TOPIC"] == {"Ref": "AlarmTopic"}
    assert variables["SLACK_CHANNEL"] == {"Ref": "SlackChannelId"}
