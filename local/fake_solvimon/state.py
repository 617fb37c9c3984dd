"""The state of the Solvimon fake: platforms, call log, faults and switches."""

import threading
from collections.abc import Callable, Mapping
from typing import Any

from local.fake_solvimon.calls import CallLog
from local.fake_solvimon.errors import Json
from local.fake_solvimon.platform import Platform
from local.fake_solvimon.webhooks import Delivery
from local.fake_vendor.faults import Fault, Faults, Kind, LateCalls


class State:
    """The fake's state.

    Attributes:
        webhooks_on: Off, events are lost, as without a configured webhook.
        absolute_links: Whether `links` in lists are whole URLs or begin with the path; Solvimon's texts do
            not say.
        charged: Ids of the invoices that `POST /invoices/{id}/pay` charged; the product must never call it,
            so any entry is an error.
        calls: The call log.
        late_calls: Those under way whose callers got no answer.
        faults: The faults in force.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self.webhooks_on = True
        self.absolute_links = True
        self.charged: list[str] = []
        self.calls = CallLog(clock)
        self.late_calls = LateCalls(clock)
        self.faults = Faults(base_path="/v1")
        self._platforms: list[Platform] = []
        self._lock = threading.Lock()

    @property
    def platforms(self) -> list[Platform]:
        """Return all platforms, oldest first."""
        return list(self._platforms)

    def add_platform(
        self, api_key: str, seed: Mapping[str, list[Json]] | None = None, read_only_key: str | None = None
    ) -> Platform:
        """Add a platform with nothing but the seed's records in it.

        Args:
            api_key: Its administrator key.
            seed: Records by collection, in the shape the API answers with (`billing_entities`, `products`,
                `product_categories`, `customers`, `custom_fields`, `invoices`).
            read_only_key: A second key that may only read.

        Raises:
            ValueError: A key is taken by another platform, or the seed is not consistent.
        """
        roles = {api_key: "ADMINISTRATOR"} | ({read_only_key: "READ_ONLY"} if read_only_key else {})
        with self._lock:
            if any(platform.roles.keys() & roles.keys() for platform in self._platforms):
                raise ValueError("another platform has this API key")
            platform = Platform(len(self._platforms) + 1, roles, self.clock, lambda: self.webhooks_on)
            platform.load(seed or {})
            self._platforms.append(platform)
        return platform

    def platform(self, api_key: str) -> Platform:
        """Return the platform a key opens.

        Raises:
            KeyError: No platform has the key.
        """
        for platform in self.platforms:
            if api_key in platform.roles:
                return platform
        raise KeyError(api_key)

    def deliver_webhooks(self) -> list[Delivery]:
        """Send the webhooks of all platforms that are due by the clock and return the attempts."""
        self.late_calls.carry_out_due()
        return [delivery for platform in self.platforms for delivery in platform.deliver_webhooks()]

    def misbehave(
        self, kind: Kind, method: str = "*", path: str = "*", times: int | None = None, **options: Any
    ) -> None:
        """Put a fault in force for the next requests of a method and path pattern.

        Args:
            kind: `drop` hangs up without acting, `commit_then_drop` acts and then hangs up, `late` hangs up
                and acts after `seconds`, `status` answers an error without acting, `status_after` acts and
                then answers it, `delay` waits before it acts, `malformed` acts and answers half of the body,
                `down` answers 503 to everything. The kinds that act first wait for a request that succeeds.
                Of the kinds of lists there is `lag`: new records are missing for `seconds`.
            method: HTTP method, `*` for all.
            path: What the path begins with, with or without `/v1`; may hold `*`.
            times: How often; None until `behave`.
            **options: `status`, `code`, `message`, `headers`, `body` for an answer, `seconds` for `delay`,
                `late` and `lag`.
        """
        if kind == "down":
            method, path = "*", "*"
        self.faults.add(Fault(kind, method.upper(), path, times, options))

    def behave(self) -> None:
        """Remove all faults; delayed requests go on at once."""
        self.faults.clear()

    def reset(self) -> None:
        """Remove platforms, calls and faults and set the switches back."""
        with self._lock:
            self._platforms.clear()
        self.behave()
        self.late_calls.clear()
        self.calls.clear()
        self.charged.clear()
        self.webhooks_on = True
        self.absolute_links = True
