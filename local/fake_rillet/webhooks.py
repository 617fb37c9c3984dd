"""The webhooks of one organisation: signed, retried in groups, disabled after the last failed retry."""

import base64
import heapq
import hmac
import itertools
import secrets
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import requests

from local.fake_rillet.switches import Switches
from local.fake_rillet.webhook_events import EVENTS, Event
from local.fake_rillet.wire import encode, to_micros, write_timestamp
from local.fake_vendor.webhook_delivery import Attempt, WebhookSender

MOST_WEBHOOKS = 5
MOST_SIGNATURES = 10
_EVENT_HEADERS = ("X-Rillet-Timestamp", "X-Rillet-Id", "X-Rillet-Entity", "X-Rillet-Event")
ANSWER_SECONDS = 30.0
"""No answer within this time counts as a failed delivery."""

TRIES_IN_A_GROUP = 3
GROUPS = 5
TRY_SECONDS = 5.0
GROUP_SECONDS = 600.0
"""Waits before the second try of a group and before the second group; each later one doubles.

Rillet says: exponential back-off, groups of 3, up to 5 groups. How long the waits are is this fake's choice.
"""


@dataclass
class Webhook:
    """A receiver, configured by a user in Rillet's settings.

    Attributes:
        token: signs every delivery; Base64 text.
        events: the names it is subscribed to; all of `EVENTS` when none were named.
        former_tokens: the tokens before, oldest first; they sign nothing any more.
        disabled_reason: why Rillet switched it off.
    """

    id: str
    url: str
    token: str
    events: frozenset[str]
    enabled: bool = True
    former_tokens: list[str] = field(default_factory=list)
    disabled_reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class Delivery(Attempt):
    """One attempt to deliver an event; its `group` counts from 1."""

    event: Event
    group: int


@dataclass(order=True)
class _Pending:
    """A delivery that is still to be made."""

    due: float
    number: int
    webhook: Webhook = field(compare=False)
    event: Event = field(compare=False)
    failures: int = field(default=0, compare=False)


class Webhooks(WebhookSender):
    """Receivers, events and the deliveries that wait.

    Events do not wait for one another: each has its own retries.

    Attributes:
        webhooks: by id, oldest first.
        events: everything emitted so far, oldest first; nothing while webhooks are off.
    """

    def __init__(self, clock: Callable[[], float], is_on: Callable[[], bool], switches: Switches) -> None:
        super().__init__(clock, is_on, ANSWER_SECONDS)
        self._switches = switches
        self._waiting: list[_Pending] = []
        self._numbers = itertools.count()
        self.webhooks: dict[str, Webhook] = {}
        self.events: list[Event] = []

    def add(self, url: str, token: str | None = None, events: Iterable[str] | None = None) -> Webhook:
        """Add a receiver.

        Raises:
            ValueError: there are five already, or an event does not exist.
        """
        subscribed = frozenset(EVENTS if events is None else events)
        if unknown := subscribed - EVENTS.keys():
            raise ValueError(f"no event is called {', '.join(sorted(unknown))}")
        with self._lock:
            if len(self.webhooks) == MOST_WEBHOOKS:
                raise ValueError(f"an organisation has at most {MOST_WEBHOOKS} webhooks")
            webhook = Webhook(str(uuid.uuid4()), url, token or _new_token(), subscribed)
            self.webhooks[webhook.id] = webhook
        return webhook

    def regenerate(self, webhook_id: str) -> str:
        """Give a webhook a new token; the one before is void at once."""
        with self._lock:
            webhook = self.webhooks[webhook_id]
            webhook.former_tokens.append(webhook.token)
            webhook.token = _new_token()
            return webhook.token

    def enable(self, webhook_id: str) -> None:
        """Switch a webhook on again; what happened meanwhile is lost to it."""
        webhook = self.webhooks[webhook_id]
        webhook.enabled, webhook.disabled_reason = True, None

    def emit(self, name: str, document: object) -> Event | None:
        """Queue an event for every subscribed webhook; with webhooks off it is lost.

        Args:
            name: one of `EVENTS`; also those whose objects the fake does not have.
            document: the object, or the id of a deleted one.
        """
        if name not in EVENTS:
            raise ValueError(f"no event is called {name!r}")
        if not self._is_on():
            return None
        event = Event(str(uuid.uuid4()), name, self._clock(), encode(document))
        with self._lock:
            self.events.append(event)
        self.send(event)
        return event

    def send(self, event: Event) -> None:
        """Queue an event for every subscribed webhook; a second time makes a duplicate with the same id."""
        with self._lock:
            for webhook in self.webhooks.values():
                if webhook.enabled and event.name in webhook.events:
                    pending = _Pending(self._clock(), next(self._numbers), webhook, event)
                    heapq.heappush(self._waiting, pending)

    def sign(
        self,
        body: bytes,
        entity: str,
        event: str,
        *,
        at: float | None = None,
        event_id: str | None = None,
        webhook_id: str | None = None,
    ) -> dict[str, str]:
        """Return the headers that a delivery of any body would have.

        The signed string is `timestamp.id.entity.event.body`, the header values as sent.

        Args:
            body: the raw body.
            entity: such as `INVOICE`; signed as it is.
            event: such as `PAYMENT_UPDATED`; signed as it is.
            at: Unix seconds of the timestamp; now when left out.
            event_id: the event's UUID; a new one when left out.
            webhook_id: whose token signs; the first webhook's when left out.

        Raises:
            LookupError: there is no such webhook.
        """
        webhook = self.webhooks.get(webhook_id or next(iter(self.webhooks), ""))
        if webhook is None:
            raise LookupError("the organisation has no such webhook")
        moment = to_micros(self._clock() if at is None else at)
        parts = [write_timestamp(moment), event_id or str(uuid.uuid4()), entity, event]
        signed = ".".join(parts).encode() + b"." + body
        signatures = [_signature(self._key(token), signed) for token in self._tokens(webhook)]
        return {
            "Content-Type": "application/json",
            "X-Rillet-Signature": ",".join(signatures),
            **dict(zip(_EVENT_HEADERS, parts, strict=True)),
        }

    def deliver(self) -> list[Delivery]:
        """Send everything that is due by the clock, oldest first, and return the attempts."""
        done: list[Delivery] = []
        with self._session() as session:
            while (pending := self._next_due()) is not None:
                delivery = self._attempt(session, pending)
                self._record_outcome(pending, delivery)
                done.append(delivery)
        return done

    def pending(self) -> int:
        """Return how many deliveries wait for their first try or the next one."""
        with self._lock:
            return len(self._waiting)

    def next_try(self) -> float | None:
        """Return when the next delivery is due, in Unix seconds; None when nothing waits."""
        with self._lock:
            return self._waiting[0].due if self._waiting else None

    def _next_due(self) -> _Pending | None:
        with self._lock:
            if self._waiting and self._waiting[0].due <= self._clock():
                return heapq.heappop(self._waiting)
        return None

    def _attempt(self, session: requests.Session, pending: _Pending) -> Delivery:
        webhook, event, now = pending.webhook, pending.event, self._clock()
        by_event = self._switches.webhook_timestamp == "event"
        headers = self.sign(
            event.body,
            self._spelt(event.entity),
            self._spelt(event.event),
            at=event.occurred if by_event else now,
            event_id=event.id,
            webhook_id=webhook.id,
        )
        status, error = self._post(session, webhook.url, event.body, headers)
        return Delivery(
            webhook_id=webhook.id,
            url=webhook.url,
            event=event,
            attempt=pending.failures + 1,
            group=pending.failures // TRIES_IN_A_GROUP + 1,
            at=now,
            headers=headers,
            status=status,
            error=error,
        )

    def _record_outcome(self, pending: _Pending, delivery: Delivery) -> None:
        if delivery.delivered:
            return
        pending.failures += 1
        with self._lock:
            if pending.failures < TRIES_IN_A_GROUP * GROUPS:
                pending.due = delivery.at + _wait(pending.failures)
                if pending.webhook.enabled:
                    heapq.heappush(self._waiting, pending)
                return
            webhook = pending.webhook
            webhook.enabled = False
            webhook.disabled_reason = delivery.failure
            self._waiting = [other for other in self._waiting if other.webhook is not webhook]
            heapq.heapify(self._waiting)

    def _spelt(self, word: str) -> str:
        return word if self._switches.webhook_names == "upper" else word.lower().replace("_", "-")

    def _key(self, token: str) -> bytes:
        return token.encode() if self._switches.token_form == "text" else base64.b64decode(token)

    def _tokens(self, webhook: Webhook) -> list[str]:
        if self._switches.signatures == "one":
            return [webhook.token]
        others = webhook.former_tokens or [_new_token()]
        return [*others[-MOST_SIGNATURES + 1 :], webhook.token]


def _new_token() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()


def _signature(key: bytes, signed: bytes) -> str:
    return base64.b64encode(hmac.digest(key, signed, "sha256")).decode()


def _wait(failures: int) -> float:
    """Return the seconds to the next try after so many failures."""
    group, tries = divmod(failures, TRIES_IN_A_GROUP)
    return GROUP_SECONDS * (1 << (group - 1)) if tries == 0 else TRY_SECONDS * (1 << (tries - 1))
