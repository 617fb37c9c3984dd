"""What raises an alarm, for every function and queue, also for those added later."""

import pytest

from solvimon_rillet.aws.sqs import MAX_DELAY_SECONDS
from tests.infrastructure.views import Template, attribute_of

OWN_METRICS = "SolvimonRillet/${AWS::StackName}"
BY = {"WaitingSeconds": "MAX"}
"""How a query takes a metric of all functions together, where it is not their sum."""
NOTICED_AGAIN = 6 * 300
"""Seconds for which an alarm on what makes documents wait looks back."""
SENSITIVITY = {
    "ApiServerErrorsAlarm": (1, 300, 1, 300),
    "ImportRowsFailedAlarm": (1, 300, 1, 300),
    "SweepFailedAlarm": (1, 900, 1, 1800),
    "ReconcileFailedAlarm": (1, 300, 1, 300),
    "ConnectionBrokenAlarm": (1, 300, 1, NOTICED_AGAIN),
    "SettingsInvalidAlarm": (1, 300, 1, NOTICED_AGAIN),
    "RateLimitedAlarm": (5, 900, 1, 900),
    "DocumentRejectedAlarm": (1, 300, 1, 300),
    "DocumentDiffersAlarm": (1, 300, 1, 300),
    "DocumentWaitingAlarm": (6 * 3600, 300, 1, NOTICED_AGAIN),
    "OldestMessageAlarm": (1800, 300, 1, 300),
    "DeadLettersAlarm": (1, 60, 1, 60),
    "EventFunctionErrorsAlarm": (1, 300, 1, 300),
    "RequestFunctionErrorsAlarm": (1, 300, 1, 300),
    "ExecutionFailedAlarm": (1, 300, 1, 300),
    "ExecutionTimedOutAlarm": (1, 300, 1, 300),
}
"""Of each alarm: threshold, seconds of a data point, how many must reach it, seconds that are looked at."""
BELLS = {
    *("ImportRowsFailedAlarm", "ReconcileFailedAlarm", "DocumentRejectedAlarm", "DocumentDiffersAlarm"),
    *("ExecutionFailedAlarm", "ExecutionTimedOutAlarm"),
}
"""Alarms on something that happened, not on something that lasts: their return to OK says nothing."""


def test_every_function_has_an_alarm_on_its_errors(template: Template) -> None:
    watched = template.alarms_on("AWS/Lambda", "Errors")

    assert watched.keys() == {str({"Ref": function_id}) for function_id in template.functions}


def test_every_queue_has_an_alarm_on_its_age_and_on_its_dead_letters(template: Template) -> None:
    ages = template.alarms_on("AWS/SQS", "ApproximateAgeOfOldestMessage")
    dead = template.alarms_on("AWS/SQS", "ApproximateNumberOfMessagesVisible")

    for consumer in template.consumers:
        age = ages[str({"Fn::GetAtt": [consumer.queue_id, "QueueName"]})]
        letters = dead[str({"Fn::GetAtt": [consumer.dead_letters_id, "QueueName"]})]
        assert (age["Threshold"], age["Statistic"]) == (1800, "Maximum")
        assert (letters["Threshold"], letters["Statistic"]) == (1, "Maximum")


def test_an_alarm_is_as_sensitive_as_its_trouble_needs(template: Template) -> None:
    found = {}
    for name, alarm in template.alarms.items():
        metrics = alarm.get("Metrics", [alarm])
        [period] = {query.get("MetricStat", query).get("Period", 0) for query in metrics} - {0}
        lookback = alarm["EvaluationPeriods"] * period
        datapoints = alarm.get("DatapointsToAlarm", alarm["EvaluationPeriods"])
        found[name] = (alarm["Threshold"], period, datapoints, lookback)
        assert alarm["ComparisonOperator"] == "GreaterThanOrEqualToThreshold", name
        assert alarm["TreatMissingData"] == "notBreaching", name
        assert ("OKActions" not in alarm) == (name in BELLS), name

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


@pytest.mark.parametrize("metric", ["DocumentsRejected", "DocumentsDiffer", "WaitingSeconds"])
def test_what_needs_a_person_raises_an_alarm_whichever_function_has_it(
    template: Template, metric: str
) -> None:
    [(_, schema)] = template.alarms_on_all(metric, BY.get(metric, "SUM"))

    assert schema == f'SCHEMA("{OWN_METRICS}", service)'


def test_a_document_that_has_waited_for_six_hours_raises_an_alarm(template: Template) -> None:
    [(alarm, _)] = template.alarms_on_all("WaitingSeconds", "MAX")

    assert alarm["Threshold"] == 6 * 3600


@pytest.mark.parametrize(
    ("metric", "threshold"), [("ConnectionBroken", 1), ("SettingsInvalid", 1), ("RateLimited", 5)]
)
def test_what_is_wrong_with_a_connection_raises_an_alarm_whichever_function_noticed(
    template: Template, metric: str, threshold: int
) -> None:
    [(alarm, schema)] = template.alarms_on_all(metric)

    assert schema == f'SCHEMA("{OWN_METRICS}", service)'
    assert alarm["Threshold"] == threshold
    assert alarm["ComparisonOperator"] == "GreaterThanOrEqualToThreshold"


@pytest.mark.parametrize("metric", ["ConnectionBroken", "SettingsInvalid", "WaitingSeconds"])
def test_an_alarm_does_not_come_and_go_between_two_tries_of_what_waits(
    template: Template, metric: str
) -> None:
    [(alarm, _)] = template.alarms_on_all(metric, BY.get(metric, "SUM"))

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


def test_refused_webhooks_of_our_own_fault_raise_an_alarm(template: Template) -> None:
    [alarm] = template.alarms_on("AWS/ApiGateway", "5xx").values()

    assert alarm["Dimensions"] == [{"Name": "ApiId", "Value": {"Ref": "Api"}}]


def test_every_alarm_tells_the_topic_and_says_what_it_means(template: Template) -> None:
    for name, alarm in template.alarms.items():
        assert alarm["AlarmActions"] == [{"Ref": "AlarmTopic"}], name
        assert alarm.get("OKActions", alarm["AlarmActions"]) == alarm["AlarmActions"], name
        assert alarm["AlarmDescription"], name


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


def test_nobody_is_mailed_unless_an_address_is_given(template: Template) -> None:
    [subscription] = [
        resource for resource in template.resources.values() if resource["Type"] == "AWS::SNS::Subscription"
    ]

    assert subscription["Condition"] == "HasAlarmEmail"
    assert template.body["Parameters"]["AlarmEmail"]["Default"] == ""
