"""Small setups: a few records on both sides, always at the same moment, and invoices of one line each."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import requests

from local import sample_data
from local.books_check.records import rillet_documents
from local.sample_data.identity import solvimon_id
from local.system import Connection, LocalSystem
from tests.support.arrange import load
from tests.support.builders import Json, document

START = 2211786000.0
"""2040-02-02T09:00:00Z, when every setup begins: moto throws away messages from far behind the real time."""
TOKEN = "dG9rZW4gb2YgdGhlIHdlYmhvb2s="
LINKED = "maasvlakte-quay"
_PACING = {"requests": 1000, "window_seconds": 1, "margin_seconds": 0}


MEMO_BY_HAND = "BY-HAND"
"""Number of the credit memos that a person books."""
FIRST, SECOND, NOTE = "invo_faultsfirst", "invo_faultssecond", "invo_faultsnote"
OTHER = "invo_faultsother"
"""An invoice of another connection."""


@dataclass
class Setup:
    """A connection at the beginning of a scenario.

    Attributes:
        system: the local system.
        connection: the one connection.
        booked_by_hand: Rillet's id of an invoice that a person has booked or edited, if any.
        applied_by_hand: Rillet's id of an invoice that a person has applied the memo to, if any.
        memos_by_hand: credit memos that a person has booked in Rillet.
    """

    system: LocalSystem
    connection: Connection
    booked_by_hand: str = ""
    applied_by_hand: str = ""
    memos_by_hand: int = 0

    def invoke(self, function: str, **event: object) -> Any:  # noqa: ANN401 - the function's JSON
        """Invoke a function as a person does."""
        return self.system.invoke(function, event)

    def work_off(self) -> None:
        """Let both vendors deliver what is due, and the workers do what is on their queues."""
        queues = self.system.pollers.queues
        while True:
            happened = bool(self.connection.organisation.deliver_webhooks() or self.system.deliver_webhooks())
            for function in [name for name, queue in queues.items() if queue.depth().visible]:
                happened = bool(self.system.pollers.deliver_once(function).received) or happened
            if not happened:
                return

    def call_rillet(self, path: str, body: Json, method: str = "POST") -> None:
        """Call Rillet as a person or another program does."""
        headers = {"Authorization": f"Bearer {self.connection.rillet_api_key}", "X-Rillet-API-Version": "4"}
        url = f"{self.system.rillet.url}{path}"
        requests.request(method, url, json=body, headers=headers, timeout=5).raise_for_status()

    def finalise(self, *documents: Json) -> None:
        """Put documents into Solvimon and finalise them in this order."""
        load(self.connection, *documents)

    def pay(self, amount: str | None = None) -> None:
        """Record a payment of the first invoice in Rillet; without an amount, all that is due."""
        [booked] = rillet_documents(self.connection, FIRST)
        self.connection.organisation.pay(booked["id"], amount, date="2040-02-01")


def set_up(
    system: LocalSystem,
    *,
    auth: str = "api_key",
    solvimon: Json | None = None,
    rillet: Json | None = None,
    settings: Mapping[str, object] | None = None,
) -> Setup:
    """A fresh setup with one linked customer, one that is not linked, and what invoices need.

    Args:
        system: the local system; it is reset.
        auth: ``api_key`` or ``oauth``.
        solvimon: Solvimon's records instead.
        rillet: Rillet's records instead.
        settings: of the connection.
    """
    system.reset()
    system.clock.set(START)
    system.rillet.state.rate_limit = 100_000
    loose = {"rillet": {"pacing": _PACING}, "fallback_products": sample_data.fallback_products()}
    connection = system.connect(
        settings={**loose, "start_date": "2040-01-01", **(settings or {})},
        auth="oauth" if auth == "oauth" else "api_key",
        solvimon=solvimon_seed() if solvimon is None else solvimon,
        rillet=rillet_seed() if rillet is None else rillet,
    )
    if auth == "api_key":
        system.add_rillet_webhook(connection, token=TOKEN)
    return Setup(system, connection)


def solvimon_seed() -> Json:
    """Of the demo's Solvimon two customers, and no invoices."""
    seed, customers = sample_data.solvimon_seed(), {solvimon_id("cust", LINKED), unlinked_customer()}
    seed["customers"] = [each for each in seed["customers"] if each["id"] in customers]
    return seed | {"invoices": []}


def rillet_seed() -> Json:
    """Of the demo's Rillet the customer that is linked."""
    seed = sample_data.rillet_seed()
    return seed | {"customers": seed["customers"][:1]}


def unlinked_customer() -> str:
    """The id of the customer that Rillet does not have yet."""
    return str(next(c["id"] for c in sample_data.solvimon_seed()["customers"] if not c.get("custom_fields")))


def invoice(document_id: str = FIRST, net: str = "100.00", **more: object) -> Json:
    """An invoice of 31 January 2040, still a draft and without a number.

    Args:
        document_id: Solvimon's id.
        net: its net amount in euros.
        more: other fields.
    """
    dates = {"invoice_date": "2040-01-31T09:00:00Z", "due_date": "2040-02-14T09:00:00Z"}
    return document(document_id, net, f"{Decimal(net) * 21 / 100:.2f}", **dates | more)


def credit_note(net: str = "-100.00", of: str = FIRST) -> Json:
    """A credit note of an invoice, one day younger than it."""
    more = {"type": "CREDIT", "invoice_date": "2040-02-01T09:00:00Z", "credit": {"original_invoice_id": of}}
    return invoice(NOTE, net, **more)
