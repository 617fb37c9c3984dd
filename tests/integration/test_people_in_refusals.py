"""A vendor's refusal may name people; logs, metrics and SNS never do, whatever is refused."""

import json
from collections.abc import Callable
from contextlib import suppress

import pytest
from moto.sns.models import sns_backends

from local.aws.server import ACCOUNT, REGION
from local.system import Connection, LocalSystem
from solvimon_rillet.entrypoints.telemetry import UnexpectedError
from tests.integration.connect_rillet.support import callback, query_of
from tests.integration.mark_invoice_paid.support import connected, settle
from tests.integration.reconcile.support import period
from tests.support.arrange import finalise, load
from tests.support.builders import DEMO_PRODUCT, FIRST, NOTE, Json, credit_note, group, invoice, original, tax
from tests.support.logs import FunctionLogs, function_logs

PERSON = "Ada Lovelace"
RILLET_BODY: Json = {
    "type": f"https://rillet/{PERSON}",
    "title": PERSON,
    "detail": f"{PERSON} lives at St James's Square.",
    "violations": [{"field": PERSON, "message": f"{PERSON} is no customer"}],
    "error": PERSON,
    "error_description": f"{PERSON} may not",
}
SOLVIMON_BODY: Json = {
    "code": PERSON,
    "message": f"{PERSON} lives at St James's Square.",
    "field": PERSON,
    "resource_id": PERSON,
}
WRITES = ("POST", "PUT", "PATCH")
RESOLVED = {"rillet_id": "0198c1d2-0000-4000-8000-000000000001", "note": "by hand"}
REQUESTS: dict[str, Callable[[Connection], Json]] = {
    "export_invoice": lambda _: {"invoice_ids": [FIRST, f"{PERSON} 1"]},
    "export_credit_memo": lambda _: {"credit_note_ids": [NOTE]},
    "sync_customer": lambda c: {"customer_ids": [next(iter(c.platform.records["customers"])), PERSON]},
    "mark_invoice_paid": lambda _: {"invoice_ids": [FIRST, PERSON]},
    "import_customers": lambda _: {"recheck": True},
    "import_products": lambda _: {"recheck": True},
    "import_subsidiaries": lambda _: {"recheck": True},
    "connect_rillet": lambda _: {"action": "status"},
    "sweep": lambda _: {},
    "reconcile": lambda c: {"connection": "default", **period(c)},
    "sync_status": lambda _: {"resolve": {"invoice_id": "invo_another", **RESOLVED}},
}


def summaries(system: LocalSystem) -> str:
    """Everything that the topic was sent."""
    topic = sns_backends[ACCOUNT][REGION].topics[system.deployment.outputs["AlarmTopicArn"]]
    return json.dumps([sent[1:] for sent in topic.sent_notifications], default=str)


def refuse_everything(system: LocalSystem, vendor: str, status: int, methods: tuple[str, ...]) -> None:
    """Let a vendor answer an error that names a person, for as long as the test lasts."""
    for method in methods:
        if vendor == "rillet":
            system.rillet.state.misbehave("status", method, "/", 0, status=status, body=RILLET_BODY)
        else:
            system.solvimon.state.misbehave("status", method, "*", status=status, body=SOLVIMON_BODY)


def shown(system: LocalSystem, logs: FunctionLogs) -> list[str]:
    """What logs, metrics and the topic show of the person."""
    return [
        line for line in (*logs.text.splitlines(), summaries(system)) if "Ada" in line or "Lovelace" in line
    ]


@pytest.mark.parametrize("methods", [("*",), WRITES], ids=["everything", "every write"])
@pytest.mark.parametrize(
    "status", [400, *(pytest.param(status, marks=pytest.mark.slow) for status in (404, 409))]
)
@pytest.mark.parametrize("vendor", ["solvimon", "rillet"])
def test_no_refusal_of_any_workflow_brings_a_person_into_a_log(
    system: LocalSystem, vendor: str, status: int, methods: tuple[str, ...]
) -> None:
    connection = connected(system, payments="record_each")
    finalise(system, connection)
    system.settle()
    load(connection, credit_note(NOTE, "-1.00", "-0.21", FIRST), original("invo_another"))
    connection.platform.edit_customer(
        next(iter(connection.platform.records["customers"])), email="a@b.example"
    )
    connection.organisation.pay(connection.organisation.invoices.documents()[0]["id"])
    answers = list[object]()

    with function_logs(system, REQUESTS) as logs:
        refuse_everything(system, vendor, status, methods)
        settle(system, connection)
        for function, request in REQUESTS.items():
            with suppress(UnexpectedError):
                answers.append(system.invoke(function, request(connection)))

    assert "document done" in logs.text or "document must wait" in logs.text
    assert len(answers) == len(REQUESTS)
    assert PERSON in json.dumps([*answers, *system.ledger()], default=str)
    assert shown(system, logs) == []


_LINKED = {name: original()[name] for name in ("customer_id", "billing_entity_id")}
QUOTED: dict[str, Json] = {
    "a discount in its description": invoice(group("-5.00", products=[], description=f"For {PERSON}")),
    "a tax": invoice(group("5.00", tax("5.00", "-0.75", "-15", PERSON), products=[DEMO_PRODUCT])),
    "a time zone": invoice(group("5.00", products=[DEMO_PRODUCT]), timezone=PERSON),
    "a currency": invoice(group("5.00", products=[DEMO_PRODUCT]), billing_currency=PERSON),
}


@pytest.mark.parametrize("named", QUOTED)
def test_a_rejection_quotes_a_person_in_its_answer_and_not_in_the_log(
    system: LocalSystem, named: str
) -> None:
    connection = connected(system, fallback_products={}, negative_invoices="send")
    load(connection, QUOTED[named] | _LINKED | {"id": "invo_named", "status": "DRAFT"})

    with function_logs(system) as logs:
        system.settle()
        [result] = system.invoke("export_invoice", {"invoice_ids": ["invo_named"]})["results"]

    assert result["outcome"] == "rejected"
    assert PERSON in result["message"]
    assert result["code"] in logs.text
    assert shown(system, logs) == []


def test_a_person_in_a_webhook_or_in_the_answer_of_an_authorisation_is_in_no_log(system: LocalSystem) -> None:
    system.connect("acme", auth="oauth")
    with function_logs(system, ("connect_rillet", "receive_webhook")) as logs:
        url = system.invoke("connect_rillet", {"connection": "acme"})["authorisation_url"]
        refuse_everything(system, "rillet", 400, WRITES)
        state = {"state": query_of(url)["state"]}
        page = callback(system, {**state, "code": "c"})
        denied = callback(system, {**state, "error": PERSON, "error_description": PERSON})
        answer = system.invoke(
            "receive_webhook",
            {
                "routeKey": "POST /webhooks/solvimon/{connection}",
                "pathParameters": {"connection": PERSON},
                "headers": {"x-solvimon-signature": PERSON, "x-solvimon-timestamp": PERSON},
                "body": PERSON,
            },
        )

    assert (page.status_code, denied.status_code, answer["statusCode"]) == (400, 400, 401)
    assert PERSON in page.text
    assert shown(system, logs) == []


def test_an_error_that_no_code_expects_is_logged_and_answered_without_its_text(
    system: LocalSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: object) -> None:
        raise ValueError(f"{PERSON} is no number")

    monkeypatch.setattr("solvimon_rillet.workflows.status.overview.Overview.report", failing)
    connected(system)

    with function_logs(system, ("sync_status",)) as logs, pytest.raises(UnexpectedError) as raised:
        system.invoke("sync_status", {})

    assert "internal error (ValueError)" in str(raised.value)
    [line] = [line for line in logs.lines if line.get("message") == "function failed"]
    assert "in failing" in line["exception"]
    assert PERSON not in logs.text
