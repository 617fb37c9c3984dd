"""The whole system on one machine: connections, time, and a clean slate between tests."""

import json
import os
import threading
import time

import pytest
import requests

from local.aws.server import environment
from local.system import LocalSystem
from tests.infrastructure.arrange import Behaviour, Json, Stub, publish, secret

INVOICE: Json = {
    "id": "invo_1",
    "status": "DRAFT",
    "type": "STANDARD",
    "invoice_date": "2026-11-01T00:00:00Z",
    "timezone": "UTC",
    "periods": [],
}


def _publish_finalised(system: LocalSystem) -> Behaviour:
    """A behaviour of receive_webhook: publish every event without verifying it."""

    def behave(event: Json, context: object) -> object:
        invoice = json.loads(event["body"])["data"]["id"]
        publish(system, {"connection": event["pathParameters"]["connection"], "id": invoice})
        return {"statusCode": 200, "body": "{}"}

    return behave


def test_a_connection_has_its_keys_and_settings_where_the_functions_look(system: LocalSystem) -> None:
    rillet = {"pacing": {"requests": 6, "window_seconds": 2}}
    connection = system.connect("acme", {"invoice_scope": "AR_ONLY", "rillet": rillet})

    parameter = system.aws.ssm.get_parameter(Name="/solvimon-rillet/acme/settings")["Parameter"]["Value"]
    assert secret(system, "acme/solvimon") == {"api_key": connection.solvimon_api_key}
    assert secret(system, "acme/webhooks") == {"webhook_secret": connection.webhook_secret}
    assert secret(system, "acme/rillet") == {"auth": "api_key", "api_key": connection.rillet_api_key}
    assert json.loads(parameter) == connection.settings
    assert connection.settings == {
        "invoice_scope": "AR_ONLY",
        "solvimon": {"base_url": system.solvimon.url},
        "rillet": {"base_url": system.rillet.url, **rillet},
    }


def test_with_oauth_the_functions_get_a_client_and_no_key(system: LocalSystem) -> None:
    system.connect(auth="oauth")
    system.connect("acme", auth="oauth")

    client = secret(system, "rillet-oauth-client")
    [registered] = system.rillet.state.oauth.clients.values()
    assert client == {"client_id": registered.client_id, "client_secret": registered.secret}
    assert registered.redirect_uris == (system.deployment.outputs["OAuthRedirectUri"],)
    for name in ("default", "acme"):
        with pytest.raises(system.aws.secretsmanager.exceptions.ResourceNotFoundException):
            secret(system, f"{name}/rillet")


def test_authorising_ends_on_a_page_that_names_connection_and_organisation(system: LocalSystem) -> None:
    system.connect("other", auth="oauth", rillet={"organization": {"trade_name": "Other Ltd"}})
    system.connect("acme", auth="oauth", rillet={"organization": {"trade_name": "Acme Inc."}})

    page = system.authorise("acme")

    assert "acme is connected to Acme Inc." in page
    assert secret(system, "acme/rillet")["auth"] == "oauth"
    with pytest.raises(system.aws.secretsmanager.exceptions.ResourceNotFoundException):
        secret(system, "other/rillet")


def test_the_keys_open_both_vendors(system: LocalSystem) -> None:
    connection = system.connect(solvimon={"invoices": [INVOICE]})

    solvimon = {"X-API-KEY": connection.solvimon_api_key}
    rillet = {"Authorization": f"Bearer {connection.rillet_api_key}", "X-Rillet-API-Version": "4"}
    invoice = requests.get(f"{system.solvimon.url}/invoices/invo_1", headers=solvimon, timeout=10)
    organisation = requests.get(f"{system.rillet.url}/organizations/self", headers=rillet, timeout=10)

    assert (invoice.status_code, organisation.status_code) == (200, 200)
    assert connection.organisation.reference_types.keys() >= {"solvimon_invoice_id", "solvimon_customer_id"}


def test_a_finalised_invoice_travels_from_solvimon_to_the_function(
    system: LocalSystem, receive_webhook: Stub, export_invoice: Stub
) -> None:
    receive_webhook.behaviour = _publish_finalised(system)
    first, second = system.connect("first", solvimon={"invoices": [INVOICE]}), system.connect("second")

    first.platform.finalise("invo_1")
    deliveries = system.settle()

    [record] = export_invoice.event["Records"]
    assert json.loads(record["body"])["detail"] == {"connection": "first", "id": "invo_1"}
    assert [len(delivery.done) for delivery in deliveries] == [1]
    assert second.platform.webhooks.pending() == 0
    assert [bus_event["detail"]["id"] for bus_event in system.bus_events()] == ["invo_1"]


def test_a_refused_webhook_waits_in_the_penalty_box_until_it_is_due(
    system: LocalSystem, receive_webhook: Stub
) -> None:
    connection = system.connect(solvimon={"invoices": [INVOICE]})
    receive_webhook.behaviour = lambda event, context: {"statusCode": 500}
    connection.platform.finalise("invo_1")
    [refused] = system.deliver_webhooks()
    receive_webhook.behaviour = lambda event, context: {"statusCode": 200}

    too_early = system.deliver_webhooks()
    system.advance(121)
    [accepted] = system.deliver_webhooks()

    assert (refused.status, too_early, accepted.status) == (500, [], 200)


def test_background_workers_move_an_invoice_automatically(
    system: LocalSystem, receive_webhook: Stub, export_invoice: Stub
) -> None:
    receive_webhook.behaviour = _publish_finalised(system)
    arrived = threading.Event()
    export_invoice.behaviour = lambda event, context: arrived.set()
    connection = system.connect(solvimon={"invoices": [INVOICE]})

    system.start_workers(workers=2)
    connection.platform.finalise("invo_1")
    system.deliver_webhooks()
    in_time = arrived.wait(timeout=10)
    system.stop_workers()

    assert in_time
    assert system.pollers.queues["export_invoice"].depth().total == 0


def test_a_reset_leaves_nothing_behind(system: LocalSystem) -> None:
    system.connect(solvimon={"invoices": [INVOICE]})
    system.connect("acme")
    system.connect("with-oauth", auth="oauth")
    system.rillet.state.oauth.access_token_seconds = 60  # such a token goes into a parameter
    system.authorise("with-oauth")
    system.put_settings("half", {})
    deployed = system.deployment.queues["export_invoice"]
    for queue in (deployed.url, deployed.dead_letters_url):
        system.aws.sqs.send_message(QueueUrl=queue, MessageBody="left over")
    item = {"pk": {"S": "a"}, "sk": {"S": "b"}}
    system.aws.dynamodb.put_item(TableName=system.deployment.outputs["LedgerTableName"], Item=item)
    publish(system, {}, detail_type="x")
    system.runtime.replace("export_invoice", Stub().build)

    system.reset()

    assert system.pollers.queues["export_invoice"].depth().total == 0
    assert system.pollers.dead_letters["export_invoice"].depth().total == 0
    assert system.ledger() == []
    assert system.bus_events() == []
    assert system.connections == {}
    assert system.solvimon.state.platforms == []
    assert system.rillet.state.organisations == {}
    assert system.rillet.state.oauth.clients == {}
    names = [found["Name"] for found in system.aws.secretsmanager.list_secrets()["SecretList"]]
    parameters = system.aws.ssm.get_parameters_by_path(Path="/solvimon-rillet/", Recursive=True)["Parameters"]
    assert [name for name in names if name.startswith("solvimon-rillet/")] == []
    assert {parameter["Name"]: parameter["Value"] for parameter in parameters} == {
        "/solvimon-rillet/api-url": system.gateway.url
    }
    assert "error" in system.invoke("export_invoice", {}), "the function itself is back"


def test_a_reset_takes_less_than_a_tenth_of_a_second(system: LocalSystem) -> None:
    took = []
    for name in ("first", "second", "third"):
        system.connect(name)
        started = time.perf_counter()

        system.reset()

        took.append(time.perf_counter() - started)

    assert min(took) < 0.1


def test_a_connection_can_be_set_up_again_after_a_reset(system: LocalSystem) -> None:
    system.connect("acme")
    system.reset()

    again = system.connect("acme")

    assert secret(system, "acme/webhooks")["webhook_secret"] == again.webhook_secret


def test_the_functions_of_the_template_can_be_loaded_and_answer(system: LocalSystem) -> None:
    for name in system.deployment.functions:
        assert isinstance(system.invoke(name, {}), dict), name


def test_the_environment_is_what_it_was_after_the_last_stack(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.delenv("AWS_NEW", raising=False)

    with environment({"AWS_PROFILE": None, "AWS_NEW": "local"}):
        inside = os.environ.get("AWS_PROFILE"), os.environ.get("AWS_NEW")

    assert inside == (None, "local")
    assert (os.environ["AWS_PROFILE"], os.environ.get("AWS_NEW")) == ("production", None)


def test_a_late_call_of_a_vendor_is_carried_out_at_its_own_moment(system: LocalSystem) -> None:
    connection = system.connect()
    began = system.clock.now()
    system.rillet.state.misbehave("late", path="/customers", seconds=70)
    headers = {"Authorization": f"Bearer {connection.rillet_api_key}", "X-Rillet-API-Version": "4"}
    with pytest.raises(requests.ConnectionError):
        requests.post(f"{system.rillet.url}/customers", json={"name": "Carol"}, headers=headers, timeout=5)

    system.advance(3600)

    [made] = connection.organisation.customers
    assert 70 <= made.created / 1_000_000 - began < 90
    assert system.clock.now() - began >= 3600


def test_the_whole_ledger_is_read_though_a_scan_answers_a_megabyte_at_a_time(system: LocalSystem) -> None:
    name = system.deployment.outputs["LedgerTableName"]
    for number in range(12):
        item = {"pk": {"S": f"default#{number}"}, "sk": {"S": "RECORD"}, "text": {"S": "x" * 200_000}}
        system.aws.dynamodb.put_item(TableName=name, Item=item)

    assert len(system.ledger()) == 12
