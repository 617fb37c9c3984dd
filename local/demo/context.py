"""What every section of the demo works with: the local system, the console, and time that jumps."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from local import sample_data
from local.books_check.audit import messages_left
from local.books_check.checks import Expected
from local.books_check.records import rillet_documents
from local.demo.console import Console
from local.fake_rillet.calls import Call
from local.fake_rillet.webhooks import Delivery as RilletDelivery
from local.fake_solvimon import Delivery
from local.system import Connection, LocalSystem

Json = dict[str, Any]
Numbers = Mapping[str, int | str]
"""What a section adds to the DEMO line."""

_JUMP = 30
"""Seconds by which the clock is moved on when all there is left waits for a later moment."""
_MINUTE = 61
"""Seconds of Rillet's window, with the product's margin; settings are read again after them, too."""


class DemoStopped(Exception):
    """The demo cannot go on; the text says why."""


@dataclass(frozen=True)
class Section:
    """A part of the demo: its heading, and what runs under it."""

    title: str
    run: "Callable[[Context], Numbers]"


@dataclass
class Context:
    """The local system, the console, and what was found wrong so far.

    Attributes:
        connection: the one with the demo's world, `default`.
        expected: what the audit must know of what was done.
        features: what a demo invoice shows, by Solvimon id.
        shown: Solvimon ids of the invoices that were on the screen with both sides' amounts.
        skipped: seconds by which the clock was moved on.
        patience: seconds of real time after which nothing more is expected to happen.
    """

    system: LocalSystem
    console: Console
    connection: Connection
    problems: list[str] = field(default_factory=list)
    expected: Expected = field(default_factory=Expected)
    features: dict[str, str] = field(default_factory=dict)
    shown: set[str] = field(default_factory=set)
    skipped: int = 0
    patience: float = 30.0

    def expect(self, fact: bool, otherwise: str) -> None:
        """Note a problem unless something is as it should be."""
        if not fact:
            self.problems.append(otherwise)

    def another(self, like: str, name: str, feature: str) -> Json:
        """Give Solvimon a draft like one of the demo's invoices, and return it for changes.

        Args:
            like: name of the demo invoice, such as `two-rates`.
            name: name of the new one.
            feature: what it shows.
        """
        seed = {invoice["id"]: invoice for invoice in sample_data.solvimon_seed()["invoices"]}
        draft = seed[sample_data.invoice_id(like)] | {"id": sample_data.invoice_id(name)}
        self.features[draft["id"]] = feature
        self.connection.platform.load({"invoices": [draft]})
        return self.connection.platform.records["invoices"][draft["id"]]

    def finalise(self, invoice_id: str, connection: Connection | None = None) -> str:
        """Set an invoice FINAL, as a person does in Solvimon, and return its number; nothing is sent yet."""
        platform = (connection or self.connection).platform
        return str(platform.finalise(invoice_id)["invoice_number"])

    def finalise_draft(self, draft: Json, connection: Connection) -> str:
        """Give Solvimon a draft, set it FINAL and return its id."""
        connection.platform.load({"invoices": [draft]})
        self.finalise(draft["id"], connection)
        return str(draft["id"])

    def deliver_webhooks(self) -> list[Delivery]:
        """Let Solvimon send its webhooks and return the attempts."""
        attempts = self.system.deliver_webhooks()
        refused = sum(not attempt.delivered for attempt in attempts)
        self.expect(not refused, f"{refused} webhook(s) were not accepted.")
        return attempts

    def deliver_rillet_webhooks(self) -> list[RilletDelivery]:
        """Let Rillet send its webhooks, work off what they bring, and return the attempts."""
        attempts = self.connection.organisation.deliver_webhooks()
        refused = sum(not attempt.delivered for attempt in attempts)
        self.expect(not refused, f"{refused} webhook(s) of Rillet's were not accepted.")
        self.until(self.settled, "The work on Rillet's webhooks")
        return attempts

    def work(self) -> None:
        """Let workers take the queues' messages in the background from here on."""
        if not self.system.pollers.running:
            self.system.start_workers()

    def until(self, done: Callable[[], bool], what: str, *, jumps: bool = True, jump: int = _JUMP) -> None:
        """Let workers work until something has happened.

        Args:
            done: whether it has.
            what: what is waited for, for the message.
            jumps: move the clock on when all that is left waits for a later moment.
            jump: by how many seconds; more than one may be too far for who looks at the clock.

        Raises:
            DemoStopped: it does not happen.
        """
        self.work()
        deadline = time.monotonic() + self.patience
        while not done():
            if time.monotonic() > deadline:
                error = next(iter(self.system.pollers.errors), "no function reported an error")
                raise DemoStopped(f"{what} did not happen within {self.patience:.0f} s ({error})")
            if jumps and self.everything_waits():
                self.jump(jump)
            time.sleep(0.01)

    def settled(self) -> bool:
        """Return whether no message is left on any queue, once Solvimon has announced our writes there."""
        if messages_left(self.system):
            return False
        self.deliver_webhooks()
        return not messages_left(self.system)

    def let_a_minute_pass(self) -> None:
        """Let Rillet's rolling window pass, so that what comes next has a whole budget."""
        self.jump(_MINUTE)

    def jump(self, seconds: int) -> None:
        """Let time pass without waiting."""
        self.system.advance(seconds)
        self.skipped += seconds

    def everything_waits(self) -> bool:
        """Return whether there are messages, and all of them wait for a later moment."""
        depths = [queue.depth() for queue in self.system.pollers.queues.values()]
        at_work = any(depth.visible or depth.in_flight for depth in depths)
        return not at_work and any(depth.delayed for depth in depths)

    def waiting(self) -> int:
        """Count the messages of export_invoice, those that wait for a later moment included."""
        return self.system.pollers.queues["export_invoice"].depth().total

    def dead_letters(self) -> int:
        """Count the messages that were given up."""
        return sum(queue.depth().total for queue in self.system.pollers.dead_letters.values())

    def events(self, invoice_id: str) -> list[Json]:
        """Return the events of an invoice that reached the bus."""
        return [event for event in self.system.bus_events() if event["detail"]["id"] == invoice_id]

    def record(self, invoice_id: str) -> Json:
        """Return the ledger's record of an invoice, empty when there is none."""
        return self.system.ledger_item(f"{self.connection.name}#invoice#{invoice_id}", "RECORD") or {}

    def state(self, invoice_id: str) -> str:
        """Return the ledger's state of an invoice, a dash when there is none."""
        return str(self.record(invoice_id).get("state", "–"))

    def booked(self, invoice_id: str) -> list[Json]:
        """Return Rillet's invoices for an invoice."""
        return rillet_documents(self.connection, invoice_id)

    def posts(self, invoice_id: str) -> list[Call]:
        """Return the calls that asked Rillet to create an invoice, as Rillet saw them."""
        return [
            call
            for call in self.system.rillet.state.calls
            if call.method == "POST" and call.path == "/invoices" and _is_about(call.request_body, invoice_id)
        ]


def _is_about(body: Any, invoice_id: str) -> bool:  # noqa: ANN401 - whatever the caller sent
    references = body.get("external_references") if isinstance(body, dict) else None
    return any(reference.get("id") == invoice_id for reference in references or ())
