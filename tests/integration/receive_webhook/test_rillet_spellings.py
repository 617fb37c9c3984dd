"""Rillet's events are known however their names are written: in any case, with hyphens or underscores."""

import json
from collections.abc import Callable

import pytest

from local.system import LocalSystem
from tests.integration.receive_webhook.rillet import DELETED, send
from tests.support.webhooks import RILLET_ID

BODY = json.dumps({"id": RILLET_ID}).encode()
USED = [
    ("INVOICE", "CREATED", "Rillet Document Changed"),
    ("CREDIT_MEMO", "CREATED", "Rillet Document Changed"),
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


@pytest.mark.usefixtures("connection")
@pytest.mark.parametrize("spelling", SPELT)
@pytest.mark.parametrize(("entity", "action", "detail_type"), USED)
def test_a_used_event_reaches_the_bus_in_any_spelling(
    system: LocalSystem, entity: str, action: str, detail_type: str, spelling: str
) -> None:
    body = DELETED if action == "DELETED" else BODY

    answer = send(system, body=body, entity=SPELT[spelling](entity), action=SPELT[spelling](action))

    [event] = system.bus_events()
    assert (answer.status, answer.json) == (200, {"message": "accepted"})
    assert event["detail-type"] == detail_type
    assert event["detail"]["facts"]["entity"] == entity


@pytest.mark.usefixtures("connection")
@pytest.mark.parametrize("spelling", SPELT)
def test_an_unused_event_of_a_used_entity_is_acknowledged_in_any_spelling(
    system: LocalSystem, spelling: str
) -> None:
    entity, action = SPELT[spelling]("CREDIT_MEMO"), SPELT[spelling]("PAYMENT_UPDATED")

    answer = send(system, body=BODY, entity=entity, action=action)

    assert (answer.status, answer.json) == (200, {"message": "not used"})
    assert system.bus_events() == []
