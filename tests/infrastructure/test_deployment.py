"""The template in moto: what is created is the template's own, and what is not is known."""

import json
from pathlib import Path

import boto3
import pytest
from botocore.config import Config

from local.aws.deployment import UnsupportedResourceError, deploy
from local.aws.template import LEFT_OUT
from local.system import ROOT, LocalSystem
from tests.infrastructure.arrange import Stub, publish
from tests.infrastructure.views import Template


def test_every_resource_of_the_template_is_created_or_left_out_for_a_reason(
    system: LocalSystem, template: Template
) -> None:
    deployment = system.deployment
    left_out = {item.logical_id for item in deployment.left_out}
    conditional = {name for name, resource in template.resources.items() if "Condition" in resource}

    assert deployment.resources.keys() | left_out | conditional == template.resources.keys()
    panel = {name for name in conditional if name.startswith("Panel")}
    assert panel <= deployment.resources.keys() | left_out
    timer_roles = {"ImportTimerRole", "ReconcileTimerRole", "SweepTimerRole"}
    schedules = template.of_type("AWS::Scheduler::Schedule").keys()
    channel = {"SlackChannel", "SlackChannelRole"}
    assert conditional - panel == {"AlarmSubscription", *channel, *timer_roles, *schedules}
    assert {item.type for item in deployment.left_out} <= LEFT_OUT.keys()
    assert all(item.why for item in deployment.left_out)


def test_a_resource_type_that_moto_lacks_is_an_error_and_no_gap(system: LocalSystem, tmp_path: Path) -> None:
    text = (ROOT / "template.yaml").read_text(encoding="utf-8")
    extra = "\nResources:\n  Feed: {Type: 'AWS::Pipes::Pipe', Properties: {}}\n"
    path = tmp_path / "template.yaml"
    path.write_text(text.replace("\nResources:\n", extra), encoding="utf-8")

    with pytest.raises(UnsupportedResourceError, match="AWS::Pipes::Pipe"):
        deploy(system.aws, path, stack="another", api_url="")


def test_names_come_from_the_template(system: LocalSystem) -> None:
    outputs, gateway = system.deployment.outputs, system.gateway.url

    assert outputs["ExportInvoiceQueueUrl"].endswith("/solvimon-rillet-export-invoice")
    assert {
        "ExportInvoiceFunction": "solvimon-rillet-export-invoice",
        "EventBusName": "solvimon-rillet",
        "DefaultWebhookUrl": f"{gateway}/webhooks/solvimon/default",
        "DefaultRilletWebhookUrl": f"{gateway}/webhooks/rillet/default",
        "OAuthRedirectUri": f"{gateway}/oauth/rillet/callback",
        "ConnectRilletFunction": "solvimon-rillet-connect-rillet",
    }.items() <= outputs.items()
    # The functions find the address of their API in a parameter.
    assert system.aws.ssm.get_parameter(Name="/solvimon-rillet/api-url")["Parameter"]["Value"] == gateway


def test_a_function_gets_the_environment_of_the_template_with_everything_resolved(
    system: LocalSystem, export_invoice: Stub
) -> None:
    system.invoke("export_invoice", {})

    outputs = system.deployment.outputs
    expected = {
        "STACK": "solvimon-rillet",
        "LEDGER_TABLE": outputs["LedgerTableName"],
        "EVENT_BUS": outputs["EventBusName"],
        "VENDOR_HOSTS": "127.0.0.1",
        "LOCAL_SYSTEM_ALLOWS_HTTP": "true",
        "QUEUE_URL": outputs["ExportInvoiceQueueUrl"],
        "POWERTOOLS_SERVICE_NAME": "export_invoice",
        "POWERTOOLS_METRICS_NAMESPACE": "SolvimonRillet/solvimon-rillet",
        "POWERTOOLS_LOG_LEVEL": "CRITICAL",
        "AWS_REGION": "eu-central-1",
        "AWS_LAMBDA_FUNCTION_NAME": "solvimon-rillet-export-invoice",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
    }
    [found] = export_invoice.environments
    key = found.pop("KMS_KEY")
    assert found == expected
    assert key.startswith("arn:aws:kms:eu-central-1:")


def test_a_parameter_reaches_what_it_is_for() -> None:
    parameters = {"ExportInvoiceConcurrency": "7", "LogLevel": "DEBUG"}

    with LocalSystem(stack="tuned", parameters=parameters) as system:
        assert system.deployment.queues["export_invoice"].source.max_concurrency == 7
        assert system.deployment.functions["export_invoice"].environment["POWERTOOLS_LOG_LEVEL"] == "DEBUG"


def test_the_queue_is_as_the_template_says(system: LocalSystem) -> None:
    queue = system.deployment.queues["export_invoice"]

    attributes = system.aws.sqs.get_queue_attributes(QueueUrl=queue.url, AttributeNames=["All"])["Attributes"]

    [sender, _] = json.loads(attributes["Policy"])["Statement"]
    rule = sender["Condition"]["ArnEquals"]["aws:SourceArn"]
    assert rule.startswith("arn:aws:events:eu-central-1:123456789012:rule/solvimon-rillet/")
    assert attributes["VisibilityTimeout"] == "360"
    assert json.loads(attributes["RedrivePolicy"])["maxReceiveCount"] == 5
    assert (queue.source.batch_size, queue.source.max_concurrency) == (5, 2)
    assert queue.source.reports_failures is True


def test_a_deployment_creates_no_connection(system: LocalSystem) -> None:
    secrets = system.aws.secretsmanager.list_secrets()["SecretList"]
    parameters = system.aws.ssm.get_parameters_by_path(Path="/solvimon-rillet/", Recursive=True)["Parameters"]

    assert [each["Name"] for each in secrets if each["Name"].startswith("solvimon-rillet/")] == []
    assert [each["Name"] for each in parameters] == ["/solvimon-rillet/api-url"]
    outputs = system.deployment.outputs
    assert outputs["OAuthClientSecretName"] == "solvimon-rillet/rillet-oauth-client"
    assert outputs["DefaultSolvimonSecretName"] == "solvimon-rillet/default/solvimon"
    assert outputs["DefaultRilletSecretName"] == "solvimon-rillet/default/rillet"
    assert outputs["DefaultSettingsName"] == "/solvimon-rillet/default/settings"


def test_an_event_on_the_bus_reaches_the_queue_and_the_archive(system: LocalSystem) -> None:
    publish(system, {"id": "invo_1"})

    [body] = system.pollers.queues["export_invoice"].bodies()
    [archived] = system.bus_events()
    message = json.loads(body)
    assert (message["source"], message["detail-type"]) == ("solvimon", "Invoice Finalised")
    assert message["detail"] == archived["detail"] == {"id": "invo_1"}


@pytest.mark.parametrize(
    ("source", "detail_type"),
    [("solvimon", "Customer Updated"), ("rillet", "Invoice Finalised"), ("solvimon", "invoice finalised")],
)
def test_an_event_of_another_type_reaches_no_queue(
    system: LocalSystem, source: str, detail_type: str
) -> None:
    publish(system, {"id": "invo_1"}, source, detail_type)

    assert system.pollers.queues["export_invoice"].depth().total == 0
    assert len(system.bus_events()) == 1


def test_every_client_of_the_process_reaches_the_local_endpoint_and_never_aws(system: LocalSystem) -> None:
    client = boto3.client("sqs")

    assert client.meta.endpoint_url == system.aws.url
    assert client.meta.region_name == "eu-central-1"


def test_a_service_in_outage_answers_503_and_the_others_work(system: LocalSystem) -> None:
    events = boto3.client("events", config=Config(retries={"total_max_attempts": 1}))
    entry = {"Source": "solvimon", "DetailType": "x", "Detail": "{}", "EventBusName": "solvimon-rillet"}

    with system.aws.outage("events"):
        with pytest.raises(events.exceptions.ClientError) as refusal:
            events.put_events(Entries=[entry])  # type: ignore[list-item]
        reached = system.aws.sqs.list_queues()["QueueUrls"]
    after = events.put_events(Entries=[entry])  # type: ignore[list-item]

    assert refusal.value.response["ResponseMetadata"]["HTTPStatusCode"] == 503
    assert len(reached) == 2 * len(system.pollers.queues) + 1
    assert after["FailedEntryCount"] == 0


def test_two_stacks_of_one_process_do_not_touch_each_other(system: LocalSystem) -> None:
    with LocalSystem(stack="neighbour", quiet=True) as neighbour:
        neighbour.connect("acme")
        url = neighbour.deployment.outputs["ExportInvoiceQueueUrl"]
        neighbour.aws.sqs.send_message(QueueUrl=url, MessageBody="mine")
        theirs = neighbour.pollers.queues["export_invoice"].bodies()
    with LocalSystem(stack="neighbour", quiet=True) as successor:
        left_over = successor.pollers.queues["export_invoice"].depth().total
        secrets = successor.aws.secretsmanager.list_secrets()["SecretList"]

    assert (theirs, left_over) == (["mine"], 0)
    assert not [secret["Name"] for secret in secrets if "acme" in secret["Name"]]
    assert system.pollers.queues["export_invoice"].depth().total == 0
    assert system.invoke("export_invoice", {})
