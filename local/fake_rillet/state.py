"""The state of the Rillet fake: organisations, keys, calls, faults, OAuth."""

import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from local.fake_rillet.calls import Call, RateLimiter, RilletAnswers
from local.fake_rillet.listing import MAXIMUM_LIMIT, Cursors
from local.fake_rillet.oauth.server import AuthorisationServer
from local.fake_rillet.organisation import Organisation
from local.fake_rillet.seeding import add_defaults, add_seed
from local.fake_rillet.store import Json
from local.fake_rillet.webhooks import Delivery
from local.fake_vendor.faults import Fault, Faults, LateCalls


@dataclass
class ApiKey:
    """A key of one organisation."""

    key: str
    organisation_id: str
    read_only: bool = False
    revoked: bool = False


class State:
    """The fake's state.

    Attributes:
        clock: Unix seconds.
        rate_limit: calls per window and organisation; may be changed at any time.
        rate_window: the window's length in seconds; may be changed at any time.
        most_rows: of a page, whatever its `limit` says; may be changed at any time.
        late_calls: those under way whose callers got no answer.
        calls: every call so far, oldest first.
        replays: POSTs answered from the idempotency store, over all organisations.
        webhooks_on: off, events are lost, as without a configured webhook.
        oauth: the authorization server; a reset puts a new one in its place.
    """

    def __init__(self, clock: Callable[[], float], rate_limit: int = 60, rate_window: float = 60.0) -> None:
        self.clock = clock
        self.rate_limit = rate_limit
        self.rate_window = rate_window
        self.most_rows = MAXIMUM_LIMIT
        self.calls: list[Call] = []
        self.replays = 0
        self.webhooks_on = True
        self.api_keys: dict[str, ApiKey] = {}
        self.organisations: dict[str, Organisation] = {}
        self.faults = Faults()
        self.idempotency = RilletAnswers(clock)
        self.late_calls = LateCalls(clock)
        self.cursors = Cursors(clock)
        self.limiter = RateLimiter()
        self.oauth = AuthorisationServer(clock, self.organisations)
        self.lock = threading.RLock()
        self._first_rate = (rate_limit, rate_window)

    def organisation(self, api_key: str) -> Organisation:
        """Return the organisation of a key.

        Raises:
            KeyError: the key was never made.
        """
        return self.organisations[self.api_keys[api_key].organisation_id]

    def add_organisation(
        self,
        *,
        api_key: str,
        trade_name: str = "Rillet Inc.",
        currency: str = "USD",
        timezone: str = "UTC",
        **seed: Any,
    ) -> Organisation:
        """Make an organisation.

        Args:
            api_key: a key with read and write rights.
            trade_name: its name.
            currency: ISO 4217.
            timezone: IANA name.
            seed: its objects, as in `load`.
        """
        organization = {"trade_name": trade_name, "currency": currency, "timezone": timezone}
        return self.load({"organization": organization | {"api_key": api_key}} | seed)

    def load(self, seed: Json) -> Organisation:
        """Make an organisation from plain data, or add to the one that has the same id.

        Args:
            seed: {"organization": {"id", "trade_name", "currency", "timezone", "api_key" or "api_keys",
                "switches"}, "subsidiaries", "products", "customers", "external_reference_types",
                "accounts", "tax_rates", "fields", "bank_accounts", "closed_periods"}; all optional. An
                entry of "api_keys" is a text or {"key", "read_only"}; an entry of
                "external_reference_types" is a text or {"type", "restricted", "accepted_for_rev_rec"}.

        Raises:
            ValueError: a switch does not exist.
        """
        organization = dict(seed.get("organization", {}))
        switches = organization.pop("switches", {})
        keys = [*organization.pop("api_keys", ()), *filter(None, [organization.pop("api_key", None)])]
        with self.lock:
            organisation = self._find_or_create(organization)
            organisation.switches.set(**switches)
            for key in keys:
                self.add_api_key(organisation, **({"key": key} if isinstance(key, str) else key))
            add_seed(organisation, seed)
            add_defaults(organisation)
        return organisation

    def add_api_key(self, organisation: Organisation, key: str, *, read_only: bool = False) -> ApiKey:
        """Give an organisation another key."""
        self.api_keys[key] = ApiKey(key, organisation.id, read_only)
        return self.api_keys[key]

    def revoke(self, api_key: str) -> None:
        """Revoke a key, so that calls with it get 401."""
        self.api_keys[api_key].revoked = True

    def reset(self) -> None:
        """Remove everything, OAuth included, and restore the first rate limit."""
        with self.lock:
            self.behave()
            self.calls.clear()
            self.api_keys.clear()
            self.organisations.clear()
            self.idempotency.clear()
            self.late_calls.clear()
            self.cursors.clear()
            self.limiter.clear()
            self.oauth = AuthorisationServer(self.clock, self.organisations)
            self.replays = 0
            self.webhooks_on = True
            self.rate_limit, self.rate_window = self._first_rate
            self.most_rows = MAXIMUM_LIMIT

    def misbehave(
        self,
        kind: str,
        method: str = "POST",
        path: str = "/invoices",
        times: int | None = None,
        *,
        status: int = 500,
        body: object = None,
        seconds: float = 0.0,
    ) -> None:
        """Put a fault in force.

        Kinds: `commit_then_drop` (executes, then closes the connection without an answer), `drop` (closes
        without executing), `late` (closes, and executes after `seconds`), `status` (answers a code without
        executing), `status_after` (executes and keeps, then answers a code), `delay` (waits, then executes),
        `malformed` (executes, then answers 200 with broken JSON), `down` (everything is 503, whatever method
        and path say). The kinds that execute wait for the next call that succeeds, but for `late`.

        Kinds of lists: `lag` (new rows are missing for `seconds`), `restart` (a cursor leads to page one),
        `shift` (the first row behind a cursor is skipped, and stands at the top from then on, as if it had
        been changed while the list was read).

        Args:
            kind: one of the above.
            method: an HTTP method, or "*" for all.
            path: what the path starts with.
            times: for how many calls; 0 is until `behave`. Default 1, for `down` 0.
            status: the code of `status` and `status_after`.
            body: what they answer with: JSON-ready data, a text, or None for a problem document.
            seconds: of `delay`, `late` and `lag`.

        Raises:
            ValueError: the kind does not exist.
        """
        everything = kind == "down"
        times = (0 if everything else 1) if times is None else times
        method, path = ("*", "/") if everything else (method.upper(), path)
        options = {"status": status, "body": body, "seconds": seconds}
        self.faults.add(Fault(kind, method, path, times or None, options))

    def behave(self) -> None:
        """Remove all faults and end the delays that are running."""
        self.faults.clear()

    def count_replay(self, organisation: Organisation) -> None:
        """Note that a POST was answered from the idempotency store."""
        with self.lock:
            self.replays += 1
            organisation.counts.replays += 1

    def deliver_webhooks(self) -> list[Delivery]:
        """Send the webhooks of all organisations that are due by the clock and return the attempts."""
        self.late_calls.carry_out_due()
        organisations = list(self.organisations.values())
        return [delivery for organisation in organisations for delivery in organisation.deliver_webhooks()]

    def _find_or_create(self, organization: Json) -> Organisation:
        found = self.organisations.get(organization.get("id", ""))
        if found is not None:
            found.document |= organization
            return found
        defaults = {
            "id": str(uuid.uuid4()),
            "trade_name": "Rillet Inc.",
            "currency": "USD",
            "timezone": "UTC",
        }
        made = Organisation(defaults | organization, self.clock, webhooks_on=lambda: self.webhooks_on)
        self.organisations[made.id] = made
        return made
