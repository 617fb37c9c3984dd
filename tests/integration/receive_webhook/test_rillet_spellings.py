"""Rillet's events are known however their names are written: in any case, with hyphens or underscores."""

import json
from collections.abc import Callable

import pytest

from local.system import Connection, LocalSystem
from tests.integration.receive_webhook.test_rillet_webhooks import (
    DELETED,
    ID,
    ROUTE,
    TOKEN,
    put_tokens,
    signed,
)
from tests.support.webhooks import post

USED = [
    ("INVOICE", "UPDATED", "Invoice Payment Updated"),
    ("INVOICE", "PAYMENT_UPDATED", "Invoice Payment Updated"),
    ("INVOICE", "DELETED", "Rillet Document Changed"),
    ("CREDIT_MEMO", "UPDATED", "Rillet Document Changed"),
    ("CREDIT_MEMO", "DELETED", "Rillet Document Changed"),
]
SPELT: dict[str, Callable[[str], str]] = {
    "as in Rillet's document": str,
    "lower case": str.lower,
    "title case": str.title,
    "hyphens": lambda name: name.replace("_", "-"),
    "lower case with hyphens": lambda name: name.lower().replace("_", "-"),
}


@pytest.fixture
def connection(system: LocalSystem) -> Connection:
    """A connection whose Rillet webhook has a token."""
    made = system.connect()
    put_tokens(system, made, webhook_token=TOKEN)
    return made


@pytest.mark.parametrize("spelling", SPELT)
@pytest.mark.parametrize(("entity", "happened", "detail_type"), USED)
def test_a_used_event_reaches_the_bus_in_any_spelling(
    system: LocalSystem, connection: Connection, entity: str, happened: str, detail_type: str, spelling: str
) -> None:
    body = DELETED if happened == "DELETED" else json.dumps({"id": ID}).encode()
    entity_sent, happened_sent = SPELT[spelling](entity), SPELT[spelling](happened)

    answer = post(system, body, signed(system, body, entity=entity_sent, happened=happened_sent), ROUTE)

    [event] = system.bus_events()
    assert (answer.status, answer.json) == (200, {"message": "accepted"})
    assert event["detail-type"] == detail_type
    assert event["detail"]["facts"]["entity"] == entity


@pytest.mark.parametrize("spelling", SPELT)
@pytest.mark.parametrize(
    ("entity", "happened"),
    [("INVOICE", "CREATED"), ("CREDIT_MEMO", "CREATED"), ("CREDIT_MEMO", "PAYMENT_UPDATED")],
)
def test_an_event_of_a_used_kind_that_is_not_used_itself_is_acknowledged_in_any_spelling(
    system: LocalSystem, connection: Connection, entity: str, happened: str, spelling: str
) -> None:
    body = json.dumps({"id": ID}).encode()
    headers = signed(system, body, entity=SPELT[spelling](entity), happened=SPELT[spelling](happened))

    answer = post(system, body, headers, ROUTE)

    assert (answer.status, answer.json) == (200, {"message": "not used"})
    assert system.bus_events() == []
