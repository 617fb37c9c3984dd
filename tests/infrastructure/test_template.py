"""Rules for every function and queue of the template, also for those added later."""

import re
import tomllib

from local.system import ROOT
from tests.infrastructure.views import Json, Template, attribute_of, listed

VARIABLES = {"STACK", "LEDGER_TABLE", "EVENT_BUS", "POWERTOOLS_SERVICE_NAME", "POWERTOOLS_METRICS_NAMESPACE"}


def test_the_template_has_at_most_2300_lines_of_120_characters_and_20_alarms(template: Template) -> None:
    lines = (ROOT / "template.yaml").read_text(encoding="utf-8").splitlines()

    # An ARN or a URL stays whole, so that it can be searched.
    long = [line for line in lines if len(line) > 120 and not re.search(r"(arn:|https:)\S{60,}", line)]

    assert len(lines) <= 2300
    assert long == []
    assert len(template.alarms) <= 20


def test_a_message_stays_hidden_for_six_times_the_functions_timeout(template: Template) -> None:
    assert template.consumers
    for consumer in template.consumers:
        assert consumer.queue["VisibilityTimeout"] >= 6 * consumer.function["Timeout"], consumer.queue_id


def test_a_dead_letter_queue_keeps_messages_longer_than_its_source(template: Template) -> None:
    for consumer in template.consumers:
        retention = consumer.queue["MessageRetentionPeriod"]
        assert consumer.dead_letters["MessageRetentionPeriod"] > retention, consumer.dead_letters_id


def test_every_queue_is_worked_off_or_holds_dead_letters(template: Template) -> None:
    worked_off = {consumer.queue_id for consumer in template.consumers}
    dead_letters = template.dead_letter_queues

    assert template.queues.keys() == worked_off | dead_letters
    assert not worked_off & dead_letters


def test_a_message_gets_five_tries(template: Template) -> None:
    for consumer in template.consumers:
        assert consumer.queue["RedrivePolicy"]["maxReceiveCount"] == 5, consumer.queue_id


def test_a_batch_fails_message_by_message_and_concurrency_is_limited(template: Template) -> None:
    for consumer in template.consumers:
        assert consumer.mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
        assert consumer.mapping["ScalingConfig"]["MaximumConcurrency"]
        assert consumer.mapping["BatchSize"] <= 10


def test_a_queue_takes_messages_from_its_rules_only_and_over_tls_only(template: Template) -> None:
    for queue_id, queue in template.queues.items():
        statements = template.queue_statements(queue_id)
        allowed = [statement for statement in statements if statement["Effect"] == "Allow"]
        denied = [statement for statement in statements if statement["Effect"] == "Deny"]

        assert queue["SqsManagedSseEnabled"] is True
        for statement in allowed:
            assert statement["Principal"] == {"Service": "events.amazonaws.com"}
            assert statement["Action"] == "sqs:SendMessage"
            assert statement["Condition"]["ArnEquals"]["aws:SourceArn"]["Fn::GetAtt"][1] == "Arn"
        assert [each["Condition"] for each in denied] == [{"Bool": {"aws:SecureTransport": "false"}}]
        for statement in statements:
            assert attribute_of(statement["Resource"]) == queue_id


def test_a_rule_may_send_to_its_queue_and_to_the_dead_letters(template: Template) -> None:
    rules = template.of_type("AWS::Events::Rule")

    assert rules
    for rule_id, rule in rules.items():
        for target in rule["Targets"]:
            for arn in (target["Arn"], target["DeadLetterConfig"]["Arn"]):
                senders = [
                    attribute_of(statement["Condition"]["ArnEquals"]["aws:SourceArn"])
                    for statement in template.queue_statements(attribute_of(arn))
                    if statement["Effect"] == "Allow"
                ]
                assert rule_id in senders
            assert target["RetryPolicy"]["MaximumEventAgeInSeconds"] == 86400


def test_a_function_that_sends_to_its_own_queue_is_not_taken_for_a_runaway(template: Template) -> None:
    sending = {consumer.function_id for consumer in template.consumers}

    for function_id, function in template.functions.items():
        assert (function.get("RecursiveLoop") == "Allow") == (function_id in sending), function_id


def test_a_function_logs_json_to_a_group_of_its_own_with_a_retention(template: Template) -> None:
    groups = template.of_type("AWS::Logs::LogGroup")

    for function in template.functions.values():
        group_id = function["LoggingConfig"]["LogGroup"]["Ref"]
        name = function["FunctionName"]["Fn::Sub"]
        writes = [
            statement["Resource"]
            for statement in template.statements_of(function)
            if "logs:PutLogEvents" in listed(statement["Action"])
        ]

        assert groups[group_id]["LogGroupName"] == {"Fn::Sub": f"/aws/lambda/{name}"}
        assert writes == [{"Fn::GetAtt": [group_id, "Arn"]}]
        assert function["LoggingConfig"]["LogFormat"] == "JSON"


def test_logs_and_events_are_kept_for_as_long_as_a_parameter_says(template: Template) -> None:
    for group in template.of_type("AWS::Logs::LogGroup").values():
        assert group["RetentionInDays"] == {"Ref": "LogRetentionDays"}
    for archive in template.of_type("AWS::Events::Archive").values():
        assert archive["RetentionDays"] == {"Ref": "ArchiveRetentionDays"}


def test_the_log_level_never_silences_metrics(template: Template) -> None:
    assert template.body["Parameters"]["LogLevel"]["AllowedValues"] == ["DEBUG", "INFO"]


def test_every_function_is_traced_and_runs_python_313_on_arm(template: Template) -> None:
    for function in template.functions.values():
        assert function["TracingConfig"] == {"Mode": "Active"}
        assert (function["Runtime"], function["Architectures"]) == ("python3.13", ["arm64"])
        assert len(function["Layers"]) == 2


def test_every_function_knows_the_stack_it_belongs_to(template: Template) -> None:
    consumers = {consumer.function_id: consumer for consumer in template.consumers}

    for function_id, function in template.functions.items():
        variables = function["Environment"]["Variables"]
        workflow = function["Handler"].partition(".")[0]

        assert variables.keys() >= VARIABLES
        assert variables["POWERTOOLS_SERVICE_NAME"] == workflow
        if function_id in consumers:
            assert variables["QUEUE_URL"] == {"Ref": consumers[function_id].queue_id}


def test_a_first_create_that_fails_leaves_no_table_and_no_bucket_but_a_deleted_stack_does(
    template: Template,
) -> None:
    kept = {
        name: each
        for name, each in template.resources.items()
        if "Retain" in str(each.get("UpdateReplacePolicy"))
    }

    assert kept.keys() == {"LedgerTable", "PanelTable", "ReportBucket"}
    for resource in kept.values():
        assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == (
            "RetainExceptOnCreate",
            "Retain",
        )


def test_the_default_concurrencies_leave_room_for_the_receiver_in_a_new_account(template: Template) -> None:
    limits = {
        consumer.mapping["ScalingConfig"]["MaximumConcurrency"]["Ref"] for consumer in template.consumers
    }
    defaults = {name: template.body["Parameters"][name]["Default"] for name in limits}

    assert len(defaults) == len(template.consumers)
    assert defaults.pop("SweepConcurrency") == 2, "AWS's least, and for some minutes in a quarter of an hour"
    assert sum(defaults.values()) <= 10 - 2, "a new account may run 10 at once (Lambda quotas)"


def test_a_failed_execution_is_set_aside_in_a_dead_letter_queue(template: Template) -> None:
    assert template.durable
    for function_id, function in template.durable.items():
        queue = function["DeadLetterConfig"]["TargetArn"]
        sends = [
            each for each in template.statements_of(function) if "sqs:SendMessage" in listed(each["Action"])
        ]

        assert queue == {"Fn::GetAtt": ["ExecutionDeadLetters", "Arn"]}, function_id
        assert [statement["Resource"] for statement in sends] == [queue]
    # Lambda knows no failure destination of a durable function.
    assert not template.of_type("AWS::Lambda::EventInvokeConfig")


def test_nothing_that_a_person_edits_is_written_by_an_update_of_the_stack(template: Template) -> None:
    parameters = template.of_type("AWS::SSM::Parameter")

    assert not template.of_type("AWS::SecretsManager::Secret")
    assert [each["Name"] for each in parameters.values()] == [{"Fn::Sub": "/${AWS::StackName}/api-url"}]


def test_the_ledger_survives_mistakes(template: Template) -> None:
    properties = template.resources["LedgerTable"]["Properties"]

    assert properties["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True
    assert properties["SSESpecification"]["SSEEnabled"] is True
    assert properties["BillingMode"] == "PAY_PER_REQUEST"
    assert properties["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}
    assert [(key["AttributeName"], key["KeyType"]) for key in properties["KeySchema"]] == [
        ("pk", "HASH"),
        ("sk", "RANGE"),
    ]
    # A fixed name would prevent a new stack while the table of the old one is retained.
    assert "TableName" not in properties


def test_every_parameter_has_a_group_a_label_and_a_default(template: Template) -> None:
    parameters: dict[str, Json] = template.body["Parameters"]
    interface = template.body["Metadata"]["AWS::CloudFormation::Interface"]
    grouped = [name for group in interface["ParameterGroups"] for name in group["Parameters"]]

    assert sorted(grouped) == sorted(parameters)
    assert interface["ParameterLabels"].keys() == parameters.keys()
    for name, parameter in parameters.items():
        assert "Default" in parameter, name
        assert parameter["Description"], name


def test_the_defaults_are_productions_and_dev_is_another_stack() -> None:
    environments = tomllib.loads((ROOT / "samconfig.toml").read_text(encoding="utf-8"))
    stacks = {"default": "solvimon-rillet", "dev": "solvimon-rillet-dev", "prod": "solvimon-rillet"}
    deploys = {name: environments[name]["deploy"]["parameters"] for name in stacks}

    for name, stack in stacks.items():
        assert environments[name]["global"]["parameters"]["stack_name"] == stack
    # Enter would answer its question with no, and deploy nothing.
    assert deploys["default"] == {**deploys["prod"], "confirm_changeset": False}
    assert deploys["prod"]["confirm_changeset"] is True
    assert 'LogLevel="INFO"' in deploys["default"]["parameter_overrides"]
    assert 'LogLevel="DEBUG"' in deploys["dev"]["parameter_overrides"]


def test_no_bucket_is_public_or_unencrypted_or_open_to_plain_http(template: Template) -> None:
    buckets = template.of_type("AWS::S3::Bucket")
    assert buckets

    refusals = {
        policy["Bucket"]["Ref"]: policy["PolicyDocument"]["Statement"]
        for policy in template.of_type("AWS::S3::BucketPolicy").values()
    }
    for name, properties in buckets.items():
        assert set(properties["PublicAccessBlockConfiguration"].values()) == {True}, name
        assert len(properties["PublicAccessBlockConfiguration"]) == 4
        [encryption] = properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        assert encryption["ServerSideEncryptionByDefault"]["SSEAlgorithm"] in {"AES256", "aws:kms"}
        assert properties["LifecycleConfiguration"]["Rules"]
        [refusal] = refusals[name]
        assert (refusal["Effect"], refusal["Principal"], refusal["Action"]) == ("Deny", "*", "s3:*")
        assert refusal["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
        assert len(refusal["Resource"]) == 2, "the bucket and what is in it"
