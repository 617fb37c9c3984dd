"""The alarms of every function and queue, also of those added later, and their Slack channel."""

import pytest

from local.aws.template import translate
from local.system import ROOT
from solvimon_rillet.aws.sqs import MAX_DELAY_SECONDS
from solvimon_rillet.entrypoints.telemetry import ALL_CONNECTIONS, Telemetry
from tests.infrastructure.views import Json, Template, attribute_of

OWN_METRICS = "SolvimonRillet/${AWS::StackName}"
LOOKBACK = 6 * 300
"""Seconds that an alarm on the cause of waiting documents looks back."""
SENSITIVITY = {
    "WebhooksRefusedAlarm": (20, 300, 1, 300),
    "ApiServerErrorsAlarm": (1, 300, 1, 300),
    "ImportRowsFailedAlarm": (1, 300, 1, 300),
    "PanelErrorsAlarm": (1, 300, 1, 300),
    "SweepFailedAlarm": (1, 900, 1, 1800),
    "ReconcileFailedAlarm": (1, 300, 1, 300),
    "ConnectionBrokenAlarm": (1, 300, 1, LOOKBACK),
    "SettingsInvalidAlarm": (1, 300, 1, LOOKBACK),
    "RateLimitedAlarm": (5, 900, 1, 900),
    "DocumentRejectedAlarm": (1, 300, 1, 300),
    "DocumentDiffersAlarm": (1, 300, 1, 300),
    "DocumentWaitingAlarm": (6 * 3600, 300, 1, LOOKBACK),
    "OldestMessageAlarm": (1800, 300, 1, 300),
    "DeadLettersAlarm": (1, 60, 1, 60),
    "EventFunctionErrorsAlarm": (1, 300, 1, 300),
    "FunctionFailedAlarm": (1, 300, 1, 300),
}
"""Of each alarm: threshold, seconds of a data point, data points that must reach it, seconds of lookback."""
EVENTS = {
    "WebhooksRefusedAlarm",
    *("ImportRowsFailedAlarm", "ReconcileFailedAlarm", "DocumentRejectedAlarm", "DocumentDiffersAlarm"),
}
"""Alarms on an event, not on a state that lasts: their return to OK means nothing."""


def test_every_function_that_works_off_a_queue_has_an_alarm_on_its_errors(template: Template) -> None:
    watched = template.alarms_on("AWS/Lambda", "Errors")

    assert watched.keys() >= {str({"Ref": consumer.function_id}) for consumer in template.consumers}


def test_an_error_that_no_code_expects_raises_an_alarm_whichever_function_has_it(template: Template) -> None:
    counted: list[tuple[str, str]] = []
    telemetry = Telemetry({}, "any")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Telemetry, "count", lambda _self, *what: counted.append(what))
        telemetry.unexpected(KeyError("here"))

    [(alarm, _)] = template.alarms_on_all("FunctionFailed")
    assert counted == [("FunctionFailed", ALL_CONNECTIONS)]
    assert alarm["Threshold"] == 1


def test_every_execution_that_fails_or_times_out_raises_the_alarm_on_dead_letters(template: Template) -> None:
    """Lambda sends the event of a durable execution that failed, was stopped or timed out to its queue."""
    dead = template.alarms_on("AWS/SQS", "ApproximateNumberOfMessagesVisible")

    assert template.durable
    for function in template.durable.values():
        queue = attribute_of(function["DeadLetterConfig"]["TargetArn"])
        assert str({"Fn::GetAtt": [queue, "QueueName"]}) in dead


def test_every_queue_has_an_alarm_on_its_age_and_on_its_dead_letters(template: Template) -> None:
    ages = template.alarms_on("AWS/SQS", "ApproximateAgeOfOldestMessage")
    dead = template.alarms_on("AWS/SQS", "ApproximateNumberOfMessagesVisible")

    for consumer in template.consumers:
        age = ages[str({"Fn::GetAtt": [consumer.queue_id, "QueueName"]})]
        letters = dead[str({"Fn::GetAtt": [consumer.dead_letters_id, "QueueName"]})]
        assert (age["Threshold"], age["Statistic"]) == (1800, "Maximum")
        assert (letters["Threshold"], letters["Statistic"]) == (1, "Maximum")
    assert len(dead) == len(template.dead_letter_queues)


def test_every_alarm_has_the_sensitivity_that_its_cause_needs(template: Template) -> None:
    found = {}
    for name, alarm in template.alarms.items():
        metrics = alarm.get("Metrics", [alarm])
        [period] = {query.get("MetricStat", query).get("Period", 0) for query in metrics} - {0}
        lookback = alarm["EvaluationPeriods"] * period
        datapoints = alarm.get("DatapointsToAlarm", alarm["EvaluationPeriods"])
        found[name] = (alarm["Threshold"], period, datapoints, lookback)
        assert alarm["ComparisonOperator"] == "GreaterThanOrEqualToThreshold", name
        assert alarm["TreatMissingData"] == "notBreaching", name
        assert ("OKActions" not in alarm) == (name in EVENTS), name

    assert found == SENSITIVITY


def test_an_alarm_over_several_metrics_watches_all_that_it_names_and_no_more_than_aws_allows(
    template: Template,
) -> None:
    over_several = [
        alarm["Metrics"] for alarm in template.alarms.values() if len(alarm.get("Metrics", ())) > 1
    ]

    assert over_several
    for expression, *named in over_several:
        function = {"Sum": "SUM", "Maximum": "MAX"}[named[0]["MetricStat"]["Stat"]]
        assert expression["Expression"] == f"{function}([{', '.join(query['Id'] for query in named)}])"
        assert "ReturnData" not in expression
        assert [query["ReturnData"] for query in named] == [False] * len(named)
        assert len({(query["MetricStat"]["Stat"], query["MetricStat"]["Period"]) for query in named}) == 1
        assert len(named) <= 10, "CloudWatch's limit"


@pytest.mark.parametrize(
    ("metric", "by", "threshold"),
    [
        ("DocumentsRejected", "SUM", 1),
        ("DocumentsDiffer", "SUM", 1),
        ("WaitingSeconds", "MAX", 6 * 3600),
        ("ConnectionBroken", "SUM", 1),
        ("SettingsInvalid", "SUM", 1),
        ("RateLimited", "SUM", 5),
        ("WebhooksRefused", "SUM", 20),
    ],
)
def test_a_metric_raises_one_alarm_whichever_function_counts_it(
    template: Template, metric: str, by: str, threshold: int
) -> None:
    [(alarm, schema)] = template.alarms_on_all(metric, by)

    assert schema == f'SCHEMA("{OWN_METRICS}", scope)'
    assert alarm["Threshold"] == threshold
    assert alarm["ComparisonOperator"] == "GreaterThanOrEqualToThreshold"


@pytest.mark.parametrize("metric", ["SweepFailed", "ReconciliationFailed"])
def test_a_sweep_and_a_reconciliation_raise_an_alarm_by_connection(template: Template, metric: str) -> None:
    [(_, schema)] = template.alarms_on_all(metric)

    expected = f'SCHEMA("{OWN_METRICS}", connection, service) GROUP BY connection ORDER BY SUM() DESC'
    assert schema == expected


def test_the_alarms_that_cost_something_while_nothing_happens_are_few(template: Template) -> None:
    queries = [query for alarm in template.alarms.values() for query in alarm.get("Metrics", [alarm])]
    named = [query for query in queries if "Expression" not in query]

    assert len(named) <= 20, "each costs 0.10 US dollars a month"


@pytest.mark.parametrize("name", ["ConnectionBroken", "SettingsInvalid", "DocumentWaiting"])
def test_an_alarm_does_not_come_and_go_between_two_tries_of_what_waits(template: Template, name: str) -> None:
    alarm = template.alarms[f"{name}Alarm"]

    assert alarm["EvaluationPeriods"] * alarm["Metrics"][0]["Period"] >= 2 * MAX_DELAY_SECONDS
    assert alarm["DatapointsToAlarm"] == 1


def test_functions_and_alarms_use_the_stacks_own_namespace(template: Template) -> None:
    for function in template.functions.values():
        assert function["Environment"]["Variables"]["POWERTOOLS_METRICS_NAMESPACE"] == {
            "Fn::Sub": OWN_METRICS
        }
    for name, alarm in template.alarms.items():
        named = [query["MetricStat"]["Metric"] for query in alarm.get("Metrics", ()) if "MetricStat" in query]
        for metric in named or [alarm]:
            namespace = metric.get("Namespace")
            assert namespace in (None, {"Fn::Sub": OWN_METRICS}) or namespace.startswith("AWS/"), name


def test_webhooks_that_fail_by_our_own_fault_raise_an_alarm_and_pages_that_fail_do_not(
    template: Template,
) -> None:
    watched = template.alarms_on("AWS/ApiGateway", "5xx")
    [stage] = template.of_type("AWS::ApiGatewayV2::Stage").values()

    keys = set()
    for alarm in watched.values():
        resource, method, at, api = (dimension["Value"] for dimension in alarm["Dimensions"])
        assert [each["Name"] for each in alarm["Dimensions"]] == ["Resource", "Method", "Stage", "ApiId"]
        assert (at, api) == ("$default", {"Ref": "Api"})
        keys.add(f"{method} {resource}")
    assert keys == {
        "POST /webhooks/solvimon/{connection}",
        "POST /webhooks/rillet/{connection}",
        "GET /oauth/rillet/callback",
    }
    # API Gateway measures a route only where its settings ask for that.
    assert keys == {key for key, each in stage["RouteSettings"].items() if each.get("DetailedMetricsEnabled")}


def test_every_alarm_notifies_the_topic_and_says_what_it_means(template: Template) -> None:
    for name, alarm in template.alarms.items():
        assert alarm["AlarmActions"] == [{"Ref": "AlarmTopic"}], name
        assert alarm.get("OKActions", alarm["AlarmActions"]) == alarm["AlarmActions"], name
        text = alarm["AlarmDescription"]["Fn::Sub"]
        assert " Runbook: ${RunbookUrl}#" in text.replace("\n", " "), name


def test_cloudwatch_can_publish_to_the_encrypted_topic(template: Template) -> None:
    topic = template.of_type("AWS::SNS::Topic")["AlarmTopic"]
    key = template.of_type("AWS::KMS::Key")[attribute_of(topic["KmsMasterKeyId"])]
    [grant] = [
        statement
        for statement in key["KeyPolicy"]["Statement"]
        if statement["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    ]

    assert set(grant["Action"]) == {"kms:Decrypt", "kms:GenerateDataKey"}
    assert grant["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}


def test_no_mail_is_sent_unless_an_address_is_given(template: Template) -> None:
    [name] = template.of_type("AWS::SNS::Subscription")

    assert template.resources[name]["Condition"] == "HasAlarmEmail"
    assert template.body["Parameters"]["AlarmEmail"]["Default"] == ""


# The Slack channel of the topic: only where it is set, and with no more rights than showing alarms


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
