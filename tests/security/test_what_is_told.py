"""Logs carry ids and no personal data; neither logs nor ledger nor bus ever hold a secret."""

import json
from typing import Any

from local.stack import Connection, LocalStack
from tests.export.support import listening
from tests.payments.support import connected
from tests.reconcile.support import everything_booked, period

Json = dict[str, Any]


def personal(connection: Connection) -> set[str]:
    """Names, e-mail addresses and streets of all customers, on both sides."""
    texts: set[str | None] = set()
    for customer in connection.platform.records["customers"].values():
        texts |= {customer.get("email"), (customer.get("organization") or {}).get("legal_name")}
        name = (customer.get("individual") or {}).get("name") or {}
        texts.add(name.get("last_name"))
        address = (customer.get("organization") or {}).get("registered_address") or {}
        texts.add(address.get("line1"))
    for customer in connection.organisation.customers.documents():
        texts |= {customer["name"], *(one["email"] for one in customer.get("emails") or ())}
    return {text for text in texts if text and len(text) > 3}


def secrets(stack: LocalStack, connection: Connection) -> set[str]:
    """Keys, tokens and webhook secrets of a connection."""
    found: set[str] = set()
    for vendor in ("solvimon", "rillet"):
        text = stack.aws.secretsmanager.get_secret_value(
            SecretId=f"solvimon-rillet/{connection.name}/{vendor}"
        )
        found |= {value for value in json.loads(text["SecretString"]).values() if len(value) > 12}
    return found


def test_a_day_of_work_tells_the_log_ids_and_nothing_of_people_or_secrets(stack: LocalStack) -> None:
    connection = connected(stack)
    customers = list(connection.platform.records["customers"])
    with listening(stack) as heard:
        booked = everything_booked(stack, connection)
        connection.platform.edit_customer(customers[0], email="someone.else@example.com")
        connection.platform.credit(booked[0])
        stack.settle()
        invoice = connection.organisation.invoices.documents()[-1]
        connection.organisation.pay(invoice["id"])
        connection.organisation.deliver_webhooks()
        stack.settle()
        stack.invoke("sweep", {})
        stack.invoke("reconcile", {"connection": "default", **period(connection)})
        status = stack.invoke("sync_status", {})

    told = heard.text + json.dumps(status, default=str)
    assert booked[0] in heard.text
    assert [text for text in personal(connection) if text in told] == []
    kept = told + json.dumps(stack.ledger(), default=str) + json.dumps(stack.bus_events(), default=str)
    assert secrets(stack, connection)
    assert [secret for secret in secrets(stack, connection) if secret in kept] == []
