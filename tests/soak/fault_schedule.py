"""What the vendors and the network do to a run: calls that fail, outages, webhooks that never come.

Both fakes ask their list of faults at each call; here random numbers decide.
"""

import threading
from collections import Counter
from collections.abc import Callable, Collection
from random import Random
from typing import Any

from local.fake_rillet.webhook_events import Event
from local.fake_vendor.fault_middleware import INSTEAD_OF_EXECUTING
from local.fake_vendor.faults import KINDS as FAULT_KINDS
from local.fake_vendor.faults import Fault, Faults
from local.system import Connection, LocalSystem
from tests.soak.schedule import Plan
from tests.soak.seeded_random import seeded_random

TIME_OUT = 20
"""Seconds for which the product waits for an answer."""
LATE_SECONDS = (10, 70, 400)
"""How long after the caller has given up a call may be carried out: less than the product waits for it."""

KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "answers 500": ("status", {"status": 500}),
    "answers 503": ("status", {"status": 503}),
    "answers 429": ("status", {"status": 429}),
    "works, answers 500": ("status_after", {"status": 500}),
    "works, answers too late": ("commit_then_drop", {"silent": True}),
    "works later, answers too late": ("late", {"silent": True}),
    "never answers": ("drop", {"silent": True}),
    "hangs up": ("drop", {}),
    "works, hangs up": ("commit_then_drop", {}),
    "works, answers half": ("malformed", {}),
}


class VendorFaults:
    """Draws for each call of a vendor whether it fails and how, and counts what it drew."""

    def __init__(self, vendor: str, plan: Plan, clock: Callable[[], float]) -> None:
        self.counts: Counter[str] = Counter()
        self.on = True
        self._rng = seeded_random(plan.seed, "weather", vendor)
        self._failing = plan.failing
        self._start = plan.start.timestamp()
        self._outage = plan.outages()[vendor]
        self._clock = clock
        self._lock = threading.Lock()

    @property
    def away(self) -> bool:
        """Whether the vendor has its outage."""
        return self.on and self._outage[0] <= self._clock() - self._start < self._outage[1]

    def draw(self) -> tuple[str, dict[str, Any]] | None:
        """Return the kind and the options of a failure, or None."""
        if not self.on:
            return None
        with self._lock:
            failing, name = self._rng.random() < self._failing, self._rng.choice(list(KINDS))
            if self.away:
                self.counts["outage"] += 1
                return "status", {"status": 503}
            if not failing:
                return None
            self.counts[name] += 1
            kind, options = KINDS[name]
            return kind, options | {"seconds": TIME_OUT + self._rng.choice(LATE_SECONDS)}


class DrawnFaults(Faults):
    """Takes the place of a fake's list of faults, which it asks up to three times in a call."""

    def __init__(self, drawn: VendorFaults) -> None:
        super().__init__()
        self._faults = drawn
        self._of_this_call = threading.local()

    def take(self, method: str, path: str, kinds: Collection[str] = FAULT_KINDS) -> Fault | None:
        """Return the failure of a call at the place where it belongs; lists show all."""
        if kinds == INSTEAD_OF_EXECUTING:
            self._of_this_call.drawn = None if path == "/oauth2/authorize" else self._drawn(method, path)
        drawn: Fault | None = getattr(self._of_this_call, "drawn", None)
        return drawn if drawn and drawn.kind in kinds else None

    def _drawn(self, method: str, path: str) -> Fault | None:
        drawn = self._faults.draw()
        if drawn is None:
            return None
        kind, options = drawn
        return Fault(kind, method, path, None, options)


class FaultSchedule:
    """The faults of a run, from now until `clear`.

    Attributes:
        solvimon: what Solvimon's calls meet.
        rillet: what Rillet's calls meet.
        webhooks_lost: how many, of both vendors.
        webhooks_sent: how many there were to send.
    """

    def __init__(self, plan: Plan, system: LocalSystem, connection: Connection) -> None:
        self.solvimon = VendorFaults("solvimon", plan, system.clock.now)
        self.rillet = VendorFaults("rillet", plan, system.clock.now)
        self.webhooks_lost = self.webhooks_sent = 0
        self._on, self._share_lost = True, plan.lost
        system.solvimon.state.faults = DrawnFaults(self.solvimon)
        system.rillet.state.faults = DrawnFaults(self.rillet)
        solvimon, rillet = connection.platform.webhooks, connection.organisation.webhooks

        def is_subscribed_in_solvimon(action: str, *_: object) -> bool:
            return any(webhook.is_subscribed(action) for webhook in solvimon.webhooks.values())

        def is_subscribed_in_rillet(event: Event) -> bool:
            return any(event.name in webhook.events for webhook in rillet.webhooks.values())

        self._lose(solvimon, "emit", is_subscribed_in_solvimon, seeded_random(plan.seed, "lost", "solvimon"))
        self._lose(rillet, "send", is_subscribed_in_rillet, seeded_random(plan.seed, "lost", "rillet"))

    def clear(self) -> None:
        """Let everything work from here on."""
        self._on = self.solvimon.on = self.rillet.on = False

    def by_kind(self) -> dict[str, int]:
        """Return how many calls failed, by how they did."""
        return dict(sorted((self.solvimon.counts + self.rillet.counts).items()))

    def _lose(self, webhooks: object, name: str, is_subscribed: Callable[..., bool], rng: Random) -> None:
        """Let some events of a vendor get lost before they are queued."""
        queue: Callable[..., None] = getattr(webhooks, name)

        def sometimes(*event: object) -> None:
            if is_subscribed(*event):
                self.webhooks_sent += 1
                if rng.random() < self._share_lost and self._on:
                    self.webhooks_lost += 1
                    return
            queue(*event)

        setattr(webhooks, name, sometimes)
