"""Outcomes go onto the bus as events of source `solvimon-rillet`, with ids, numbers, amounts and codes."""

import json
import re
from collections.abc import Iterator
from typing import Any
from unittest.mock import Mock

import boto3
import jsonschema
import pytest

from local import sample_data
from local.system import ROOT, Connection, LocalSystem
from solvimon_rillet.aws.eventbridge import Bus
from solvimon_rillet.errors import RetryLater
from solvimon_rillet.workflows import outcome_events as outcomes
from tests.docs.markdown import blocks
from tests.integration.mark_invoice_paid.support import connected, exported
from tests.support.arrange import (
    configure,
    connect_demo,
    credit,
    export,
    finalise,
    load,
    patched,
    put_on_queue,
)
from tests.support.assertions import assert_exported, dead_letters, record
from tests.support.builders import FIRST, NOTE, ORIGINAL, Json, bus_event, credit_note, original
from tests.support.logs import function_logs

SECOND = sample_data.invoice_id("discount")
PAGE = (ROOT / "docs/events.md").read_text(encoding="utf-8")
SCHEMAS = {
    section.partition("\n")[0]: json.loads(blocks(section, "json")[0])
    for section in re.split(r"(?m)^## ", PAGE)[1:]
}
NAMES = [
    outcomes.DOCUMENT_EXPORTED,
    outcomes.DOCUMENT_REJECTED,
    outcomes.DOCUMENT_DIFFERS,
    outcomes.PAYMENT_MARKED,
    outcomes.IMPORT_FINISHED,
    outcomes.RECONCILIATION_FINISHED,
]


@pytest.fixture
def on(system: LocalSystem, default: Connection) -> Connection:
    """The connection whose outcomes are published."""
    configure(system, default, outcome_events=True)
    return default


def finalise_unbookable(connection: Connection) -> None:
    """Finalise the first invoice, whose customer nobody has."""
    connection.platform.records["invoices"][FIRST]["customer_id"] = "cust_nobody"
    connection.platform.finalise(FIRST)


def published(system: LocalSystem) -> list[tuple[str, Json]]:
    """The outcomes on the bus, oldest first, each valid by the schema that the page has for it."""
    found = [e for e in system.bus_events() if e["source"] == outcomes.SOURCE]
    for each in found:
        checker = jsonschema.Draft202012Validator.FORMAT_CHECKER
        jsonschema.validate(each["detail"], SCHEMAS[each["detail-type"]], format_checker=checker)
    return [(each["detail-type"], each["detail"]) for each in found]


def test_the_page_has_a_schema_for_each_event_and_no_other() -> None:
    assert list(SCHEMAS) == NAMES
    for schema in SCHEMAS.values():
        jsonschema.Draft202012Validator.check_schema(schema)
        assert schema["additionalProperties"] is False


def test_an_exported_invoice_is_published_with_its_ids_number_and_amount(
    system: LocalSystem, on: Connection
) -> None:
    finalise(system, on)

    system.settle()

    [(name, detail)] = published(system)
    kept = record(system)
    assert name == "Document Exported"
    assert {detail[n] == kept[n] for n in ("number", "rillet_id", "rillet_number", "amount")} == {True}
    assert (detail["solvimon_id"], detail["kind"], detail["connection"]) == (FIRST, "invoice", "default")


def test_nothing_is_published_unless_the_setting_is_on(system: LocalSystem, default: Connection) -> None:
    finalise(system, default)

    system.settle()

    assert_exported(system, default, only=True)
    assert published(system) == []


def test_a_credit_note_and_the_original_that_it_brings_along_are_published_once_each(
    system: LocalSystem, on: Connection
) -> None:
    load(on, original(), credit_note())

    credit(system)
    export(system, ORIGINAL)

    kinds = [(name, detail["kind"], detail["solvimon_id"]) for name, detail in published(system)]
    assert kinds == [("Document Exported", "invoice", ORIGINAL), ("Document Exported", "credit_memo", NOTE)]


def test_a_rejected_document_is_published_with_its_code_and_no_text(
    system: LocalSystem, on: Connection
) -> None:
    finalise_unbookable(on)

    [result] = export(system)

    [(name, detail)] = published(system)
    assert (name, detail["code"]) == ("Document Rejected", result["code"])
    assert detail["number"] == record(system)["number"]
    assert not {"message", "remedy", "reason", "customer", "email"} & detail.keys()


def test_the_same_outcome_has_the_same_event_id_and_another_one_another(
    system: LocalSystem, on: Connection
) -> None:
    finalise_unbookable(on)

    export(system)
    system.advance(60)
    export(system)
    configure(system, on, start_date="2100-01-01", outcome_events=True)
    export(system)

    ids = [detail["event_id"] for _, detail in published(system)]
    assert len(ids) == 2
    assert len(set(ids)) == 1


def test_a_document_that_differs_is_published_with_its_code(system: LocalSystem) -> None:
    connection = connected(system, outcome_events=True)
    invoice = exported(system, connection)

    invoice.delete()
    put_on_queue(system, bus_event(ORIGINAL))
    system.settle()

    found = published(system)
    assert [name for name, _ in found] == ["Document Exported", "Document Differs"]
    assert found[-1][1]["code"] == "deleted_in_rillet"
    assert record(system, ORIGINAL)["state"] == "differs"


def test_a_payment_state_is_published_with_what_is_still_due(system: LocalSystem) -> None:
    connection = connected(system, outcome_events=True)
    invoice = exported(system, connection)

    invoice.pay("100.00")
    invoice.settle()

    (name, detail) = published(system)[-1]
    assert (name, detail["payment_status"], detail["amount_due"]) == (
        "Payment Marked",
        "PARTIALLY_PAID",
        "21.00",
    )
    assert (detail["solvimon_id"], detail["rillet_id"]) == (ORIGINAL, invoice.rillet_id)


@pytest.mark.parametrize(
    ("request_", "expected"),
    [({}, [("customers", "completed")]), ({"dry_run": True}, [])],
    ids=["an import", "a dry run"],
)
def test_the_end_of_an_import_is_published_with_its_counts(
    system: LocalSystem, on: Connection, request_: Json, expected: list[tuple[str, str]]
) -> None:
    answer = system.invoke("import_customers", {"connection": "default", **request_})

    found = published(system)
    assert [(detail["imported"], detail["state"]) for _, detail in found] == expected
    assert all(detail["seen"] == answer["seen"] > 0 for _, detail in found)


@pytest.mark.parametrize("function", ["import_customers", "import_products", "import_subsidiaries"])
def test_an_import_that_stops_says_so(system: LocalSystem, on: Connection, function: str) -> None:
    system.rillet.state.revoke(on.rillet_api_key)

    answer = system.invoke(function, {"connection": "default"})

    assert "error" in answer
    assert [detail["state"] for _, detail in published(system)] == ["stopped"]


def test_the_end_of_a_reconciliation_is_published_for_each_connection_that_wants_it(
    system: LocalSystem, on: Connection
) -> None:
    connect_demo(system, "quiet")
    connect_demo(system, "other", outcome_events=True)

    for name in ("default", "quiet", "other"):
        system.invoke("reconcile", {"connection": name, "from": "2026-11-01", "to": "2026-11-30"})

    found = {detail["connection"]: detail for _, detail in published(system)}
    assert found.keys() == {"default", "other"}
    assert found["default"]["tied_out"] is True
    assert (found["default"]["from"], found["default"]["state"]) == ("2026-11-01", "completed")


def test_a_failed_publish_is_no_failed_export_and_is_counted(system: LocalSystem, on: Connection) -> None:
    finalise(system, on)

    unanswered = Mock(side_effect=RetryLater("The event bus does not answer."))

    with patched(Bus, "publish_outcome", unanswered), function_logs(system) as log:
        system.settle()

    assert_exported(system, on, only=True)
    assert log.metrics["default.OutcomesNotPublished"] == 1
    assert (dead_letters(system), published(system)) == ([], [])


def test_no_rule_of_the_stack_takes_them(system: LocalSystem, on: Connection) -> None:
    rules = boto3.client("events").list_rules(EventBusName=system.deployment.stack)["Rules"]
    sources = [source for rule in rules if "Name" in rule for source in _sources(rule)]
    finalise(system, on)
    system.settle()
    before = {name: queue.depth().total for name, queue in system.pollers.queues.items()}

    assert published(system) != []
    assert set(sources) == {"solvimon", "rillet"}
    assert set(before.values()) == {0}


@pytest.fixture
def own_rule(system: LocalSystem) -> Iterator[Json]:
    """The queue and the rule of the page's example; its example of a message."""
    page = (ROOT / "docs/extending.md").read_text(encoding="utf-8")
    template, message = blocks(page, "json")[:2]
    stack, cloudformation = system.deployment.stack, boto3.client("cloudformation")
    cloudformation.create_stack(
        StackName=f"{stack}-rejections",
        TemplateBody=template,
        Parameters=[{"ParameterKey": "Stack", "ParameterValue": stack}],
    )
    yield json.loads(message)
    cloudformation.delete_stack(StackName=f"{stack}-rejections")


def test_a_rule_of_your_own_fills_your_own_queue_as_the_page_says(
    system: LocalSystem, on: Connection, own_rule: Json
) -> None:
    stack = system.deployment.stack
    url = system.aws.sqs.get_queue_url(QueueName=f"{stack}-rejections")["QueueUrl"]
    finalise_unbookable(on)
    on.platform.finalise(SECOND)

    export(system, FIRST, SECOND)

    [got] = system.aws.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    event = json.loads(got["Body"])
    assert (event["source"], event["detail-type"]) == (own_rule["source"], own_rule["detail-type"])
    assert event["detail"]["solvimon_id"] == FIRST
    assert event["detail"].keys() == own_rule["detail"].keys()
    jsonschema.validate(own_rule["detail"], SCHEMAS["Document Rejected"])


def _sources(rule: Any) -> list[str]:  # noqa: ANN401 - a rule of boto3
    found: list[str] = json.loads(rule.get("EventPattern") or "{}").get("source", [])
    return found
