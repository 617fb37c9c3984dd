"""The whole system on one machine: connections, time, and a clean slate between tests."""

import json
import os
import threading
import time

import pytest
import requests

from local.cloud.server import environment
from local.stack import LocalStack
from tests.infrastructure.stubs import Behaviour, Json, Stub

INVOICE: Json = {
    "id": "invo_1",
    "status": "DRAFT",
    "type": "STANDARD",
    "invoice_date": "2026-11-01T00:00:00Z",
    "timezone": "UTC",
    "periods": [],
}


def _publish_finalised(stack: LocalStack) -> Behaviour:
    """A behaviour of receive_webhook: what it verified goes onto the bus."""

    def behave(event: Json, context: object) -> object:
        detail = {
            "connection": event["pathParameters"]["connection"],
            "id": json.loads(event["body"])["data"]["id"],
        }
        stack.aws.events.put_events(
            Entries=[
                {
                    "Source": "solvimon",
                    "DetailType": "Invoice Finalised",
                    "Detail": json.dumps(detail),
                    "EventBusName": stack.deployment.outputs["EventBusName"],
                }
            ]
        )
        return {"statusCode": 200, "body": "{}"}

    return behave


def _secret(stack: LocalStack, name: str) -> Json:
    text = stack.aws.secretsmanager.get_secret_value(SecretId=f"solvimon-rillet/{name}")["SecretString"]
    value: Json = json.loads(text)
    return value


def test_a_connection_has_its_keys_and_settings_where_the_functions_look(stack: LocalStack) -> None:
    connection = stack.connect("acme", {"invoice_scope": "AR_ONLY", "rillet": {"x": 1}})

    parameter = stack.aws.ssm.get_parameter(Name="/solvimon-rillet/acme/settings")["Parameter"]["Value"]
    assert _secret(stack, "acme/solvimon") == {
        "api_key": connection.solvimon_api_key,
        "webhook_secret": connection.webhook_secret,
    }
    assert _secret(stack, "acme/rillet") == {"auth": "api_key", "api_key": connection.rillet_api_key}
    assert json.loads(parameter) == {
        "invoice_scope": "AR_ONLY",
        "solvimon": {"base_url": stack.solvimon.url},
        "rillet": {"base_url": stack.rillet.url, "x": 1},
    }


def test_pacing_is_a_setting_like_any_other(stack: LocalStack) -> None:
    connection = stack.connect(settings={"rillet": {"pacing": {"requests": 6, "window_seconds": 2}}})

    parameter = stack.aws.ssm.get_parameter(Name="/solvimon-rillet/default/settings")["Parameter"]["Value"]
    assert json.loads(parameter) == connection.settings
    assert connection.settings["rillet"] == {
        "base_url": stack.rillet.url,
        "pacing": {"requests": 6, "window_seconds": 2},
    }


def test_with_oauth_the_functions_get_a_client_and_no_key(stack: LocalStack) -> None:
    stack.connect(auth="oauth")
    stack.connect("acme", auth="oauth")

    client = _secret(stack, "rillet-oauth-client")
    [registered] = stack.rillet.state.oauth.clients.values()
    assert client == {"client_id": registered.client_id, "client_secret": registered.secret}
    assert registered.redirect_uris == (stack.deployment.outputs["OAuthRedirectUri"],)
    assert _secret(stack, "default/rillet")["api_key"] == ""
    with pytest.raises(stack.aws.secretsmanager.exceptions.ResourceNotFoundException):
        _secret(stack, "acme/rillet")


def test_authorising_ends_on_a_page_that_names_connection_and_organisation(stack: LocalStack) -> None:
    stack.connect("other", auth="oauth", rillet={"organization": {"trade_name": "Other Ltd"}})
    stack.connect("acme", auth="oauth", rillet={"organization": {"trade_name": "Acme Inc."}})

    page = stack.authorise("acme")

    assert "acme is connected to Acme Inc." in page
    assert _secret(stack, "acme/rillet")["auth"] == "oauth"
    with pytest.raises(stack.aws.secretsmanager.exceptions.ResourceNotFoundException):
        _secret(stack, "other/rillet")


def test_the_keys_open_both_vendors(stack: LocalStack) -> None:
    connection = stack.connect(solvimon={"invoices": [INVOICE]})

    invoice = requests.get(
        f"{stack.solvimon.url}/invoices/invo_1",
        headers={"X-API-KEY": connection.solvimon_api_key},
        timeout=10,
    )
    organisation = requests.get(
        f"{stack.rillet.url}/organizations/self",
        headers={"Authorization": f"Bearer {connection.rillet_api_key}", "X-Rillet-API-Version": "4"},
        timeout=10,
    )

    assert (invoice.status_code, organisation.status_code) == (200, 200)
    assert connection.organisation.reference_types.keys() >= {"solvimon_invoice_id", "solvimon_customer_id"}


def test_a_finalised_invoice_travels_from_solvimon_to_the_function(
    stack: LocalStack, receive_webhook: Stub, export_invoice: Stub
) -> None:
    receive_webhook.behaviour = _publish_finalised(stack)
    first, second = stack.connect("first", solvimon={"invoices": [INVOICE]}), stack.connect("second")

    first.platform.finalise("invo_1")
    deliveries = stack.settle()

    [event] = export_invoice.events
    [record] = event["Records"]
    assert json.loads(record["body"])["detail"] == {"connection": "first", "id": "invo_1"}
    assert [len(delivery.done) for delivery in deliveries] == [1]
    assert second.platform.webhooks.pending() == 0
    assert [bus_event["detail"]["id"] for bus_event in stack.bus_events()] == ["invo_1"]


def test_a_refused_webhook_waits_in_the_penalty_box_until_its_time_has_come(
    stack: LocalStack, receive_webhook: Stub
) -> None:
    connection = stack.connect(solvimon={"invoices": [INVOICE]})
    receive_webhook.behaviour = lambda event, context: {"statusCode": 500}
    connection.platform.finalise("invo_1")
    [refused] = stack.deliver_webhooks()
    receive_webhook.behaviour = lambda event, context: {"statusCode": 200}

    too_early = stack.deliver_webhooks()
    stack.advance(121)
    [accepted] = stack.deliver_webhooks()

    assert (refused.status, too_early, accepted.status) == (500, [], 200)


def test_background_work_moves_an_invoice_without_being_told(
    stack: LocalStack, receive_webhook: Stub, export_invoice: Stub
) -> None:
    receive_webhook.behaviour = _publish_finalised(stack)
    arrived = threading.Event()
    export_invoice.behaviour = lambda event, context: arrived.set()
    connection = stack.connect(solvimon={"invoices": [INVOICE]})

    stack.start_workers(workers=2)
    connection.platform.finalise("invo_1")
    stack.deliver_webhooks()
    in_time = arrived.wait(timeout=10)
    stack.stop_workers()

    assert in_time
    assert stack.pollers.queues["export_invoice"].depth().total == 0


def test_a_reset_leaves_nothing_behind(stack: LocalStack) -> None:
    stack.connect(solvimon={"invoices": [INVOICE]})
    stack.connect("acme")
    stack.connect("with-oauth", auth="oauth")
    stack.rillet.state.oauth.access_token_seconds = 60  # such a token goes into a parameter
    stack.authorise("with-oauth")
    stack.put_settings("half", {})
    deployed = stack.deployment.queues["export_invoice"]
    for queue in (deployed.url, deployed.dead_letters_url):
        stack.aws.sqs.send_message(QueueUrl=queue, MessageBody="left over")
    item = {"pk": {"S": "a"}, "sk": {"S": "b"}}
    stack.aws.dynamodb.put_item(TableName=stack.deployment.outputs["LedgerTableName"], Item=item)
    entry = {"Source": "solvimon", "DetailType": "x", "Detail": "{}", "EventBusName": "solvimon-rillet"}
    stack.aws.events.put_events(Entries=[entry])  # type: ignore[list-item]
    stack.runtime.replace("export_invoice", Stub().build)

    stack.reset()

    assert stack.pollers.queues["export_invoice"].depth().total == 0
    assert stack.pollers.dead_letters["export_invoice"].depth().total == 0
    assert stack.ledger() == []
    assert stack.bus_events() == []
    assert stack.connections == {}
    assert stack.solvimon.state.platforms == []
    assert stack.rillet.state.organisations == {}
    assert stack.rillet.state.oauth.clients == {}
    secrets = stack.aws.secretsmanager.list_secrets()["SecretList"]
    parameters = stack.aws.ssm.get_parameters_by_path(Path="/solvimon-rillet/", Recursive=True)["Parameters"]
    assert {secret["Name"] for secret in secrets if secret["Name"].startswith("solvimon-rillet/")} == {
        "solvimon-rillet/default/solvimon",
        "solvimon-rillet/default/rillet",
        "solvimon-rillet/rillet-oauth-client",
    }
    assert {parameter["Name"]: parameter["Value"] for parameter in parameters} == {
        "/solvimon-rillet/default/settings": "{}",
        "/solvimon-rillet/api-url": stack.gateway.url,
    }
    assert _secret(stack, "default/rillet") == {"auth": "api_key", "api_key": ""}
    assert _secret(stack, "rillet-oauth-client") == {"client_id": "", "client_secret": ""}
    assert "error" in stack.invoke("export_invoice", {}), "the function itself is back"


def test_a_reset_takes_less_than_a_tenth_of_a_second(stack: LocalStack) -> None:
    took = []
    for name in ("first", "second", "third"):
        stack.connect(name)
        started = time.perf_counter()

        stack.reset()

        took.append(time.perf_counter() - started)

    assert min(took) < 0.1


def test_a_connection_can_be_set_up_again_after_a_reset(stack: LocalStack) -> None:
    stack.connect("acme")
    stack.reset()

    again = stack.connect("acme")

    assert _secret(stack, "acme/solvimon")["webhook_secret"] == again.webhook_secret


def test_the_functions_of_the_template_can_be_loaded_and_answer(stack: LocalStack) -> None:
    for name in stack.deployment.functions:
        assert isinstance(stack.invoke(name, {}), dict), name


def test_the_environment_is_what_it_was_after_the_last_stack(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.delenv("AWS_NEW", raising=False)

    with environment({"AWS_PROFILE": None, "AWS_NEW": "local"}):
        inside = os.environ.get("AWS_PROFILE"), os.environ.get("AWS_NEW")

    assert inside == (None, "local")
    assert (os.environ["AWS_PROFILE"], os.environ.get("AWS_NEW")) == ("production", None)
