"""Logs carry ids and no personal data; neither logs nor ledger nor bus ever hold a secret."""

import json

from local.system import Connection, LocalSystem
from tests.integration.mark_invoice_paid.support import connected
from tests.integration.reconcile.support import everything_booked, period
from tests.support.logs import function_logs


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


def secrets(system: LocalSystem, connection: Connection) -> set[str]:
    """Keys, tokens and webhook secrets of a connection."""
    found: set[str] = set()
    for vendor in ("solvimon", "rillet"):
        text = system.aws.secretsmanager.get_secret_value(
            SecretId=f"solvimon-rillet/{connection.name}/{vendor}"
        )
        found |= {value for value in json.loads(text["SecretString"]).values() if len(value) > 12}
    return found


def test_a_day_of_work_logs_ids_and_nothing_of_people_or_secrets(system: LocalSystem) -> None:
    connection = connected(system)
    customers = list(connection.platform.records["customers"])
    with function_logs(system) as logs:
        booked = everything_booked(system, connection)
        connection.platform.edit_customer(customers[0], email="someone.else@example.com")
        connection.platform.credit(booked[0])
        system.settle()
        invoice = connection.organisation.invoices.documents()[-1]
        connection.organisation.pay(invoice["id"])
        connection.organisation.deliver_webhooks()
        system.settle()
        system.invoke("sweep", {"connection": "default"})
        system.invoke("reconcile", {"connection": "default", **period(connection)})
        status = system.invoke("sync_status", {})

    rows = [{**row, "customer": None} for row in status["recent"]]  # who sees the books sees whom they bill
    shown = logs.text + json.dumps({**status, "recent": rows}, default=str)
    assert booked[0] in logs.text
    assert [text for text in personal(connection) if text in shown] == []
    kept = shown + json.dumps(system.ledger(), default=str) + json.dumps(system.bus_events(), default=str)
    assert secrets(system, connection)
    assert [secret for secret in secrets(system, connection) if secret in kept] == []
