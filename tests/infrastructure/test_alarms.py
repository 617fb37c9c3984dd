"""What raises an alarm, for every function and queue, also for those added later."""

import pytest

from solvimon_rillet.aws.sqs import MAX_DELAY_SECONDS
from tests.infrastructure.views import Template, attribute_of

OWN_METRICS = "SolvimonRillet/${AWS::StackName}"


def test_every_function_has_an_alarm_on_its_errors(template: Template) -> None:
    watched = template.alarms_on("AWS/Lambda", "Errors")

    assert watched.keys() == {str({"Ref": function_id}) for function_id in template.functions}


def test_every_queue_has_an_alarm_on_its_age_and_on_its_dead_letters(template: Template) -> None:
    ages = template.alarms_on("AWS/SQS", "ApproximateAgeOfOldestMessage")
    dead = template.alarms_on("AWS/SQS", "ApproximateNumberOfMessagesVisible")

    for consumer in template.consumers:
        assert str({"Fn::GetAtt": [consumer.queue_id, "QueueName"]}) in ages
        alarm = dead[str({"Fn::GetAtt": [consumer.dead_letters_id, "QueueName"]})]
        assert (alarm["Threshold"], alarm["Statistic"]) == (1, "Maximum")


@pytest.mark.parametrize("metric", ["DocumentsRejected", "DocumentsDiffer", "WaitingSeconds"])
def test_every_export_has_an_alarm_on_what_needs_a_person(template: Template, metric: str) -> None:
    watched = template.alarms_on(OWN_METRICS, metric)
    services = {
        consumer.function["Environment"]["Variables"]["POWERTOOLS_SERVICE_NAME"]
        for consumer in template.consumers
    }

    # A customer has no amounts that could differ.
    assert watched.keys() == services - ({"sync_customer"} if metric == "DocumentsDiffer" else set())
    for alarm in watched.values():
        assert [dimension["Name"] for dimension in alarm["Dimensions"]] == ["service"]


def test_a_document_that_has_waited_for_six_hours_raises_an_alarm(template: Template) -> None:
    alarm = template.alarms_on(OWN_METRICS, "WaitingSeconds")["export_invoice"]

    assert (alarm["Statistic"], alarm["Threshold"]) == ("Maximum", 6 * 3600)


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
    alarms = [alarm for alarm, _ in template.alarms_on_all(metric)]
    alarms += template.alarms_on(OWN_METRICS, metric).values()

    assert alarms
    for alarm in alarms:
        period = alarm.get("Period") or alarm["Metrics"][0]["Period"]
        assert alarm["EvaluationPeriods"] * period >= 2 * MAX_DELAY_SECONDS
        assert alarm["DatapointsToAlarm"] == 1


def test_functions_and_alarms_use_the_stacks_own_namespace(template: Template) -> None:
    for function in template.functions.values():
        assert function["Environment"]["Variables"]["POWERTOOLS_METRICS_NAMESPACE"] == {
            "Fn::Sub": OWN_METRICS
        }
    for name, alarm in template.alarms.items():
        namespace = alarm.get("Namespace")
        assert namespace in (None, {"Fn::Sub": OWN_METRICS}) or namespace.startswith("AWS/"), name


def test_refused_webhooks_of_our_own_fault_raise_an_alarm(template: Template) -> None:
    [alarm] = template.alarms_on("AWS/ApiGateway", "5xx").values()

    assert alarm["Dimensions"] == [{"Name": "ApiId", "Value": {"Ref": "Api"}}]


def test_every_alarm_tells_the_topic_and_says_what_it_means(template: Template) -> None:
    for name, alarm in template.alarms.items():
        assert alarm["AlarmActions"] == [{"Ref": "AlarmTopic"}], name
        assert alarm["TreatMissingData"] == "notBreaching", name
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
