"""Signed webhooks, delivered in order and retried from the penalty box (Solvimon, webhooks)."""

import base64
import hashlib
import hmac
import json
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

import requests

from local.fake_solvimon import timestamps
from local.fake_solvimon.errors import Json
from local.fake_vendor.webhook_delivery import Attempt, WebhookSender

ANSWER_SECONDS = 10.0
"""No answer within this time counts as a failed delivery."""

PENALTY_MINUTES = (2, 4, 8, 16, 32, 60, 120, 240, 480)
"""Waits between attempts; the last one repeats."""

GIVE_UP_SECONDS = 7 * 24 * 3600
ROLL_SECONDS = 24 * 3600
"""How long the secret before the current one still signs."""


@dataclass(frozen=True)
class Event:
    """Something that happened, as its envelope's bytes: every attempt sends the same body."""

    action: str
    resource_id: str
    created_at: str
    body: bytes


@dataclass(frozen=True, kw_only=True)
class Delivery(Attempt):
    """One attempt to deliver an event."""

    event: Event


@dataclass
class Webhook:
    """A configured receiver with the events that wait for it."""

    record: Json
    secret: str | None = None
    previous_secret: str | None = None
    rolled_at: float = 0.0
    queue: deque[Event] = field(default_factory=deque)
    attempts: int = 0
    failing_since: float = 0.0
    retry_at: float = 0.0
    cause: str | None = None

    def is_subscribed(self, action: str) -> bool:
        """Tell whether the event is to be sent: active, included (all when none are named), not excluded."""
        included = self.record.get("included_actions") or [action]
        excluded = self.record.get("excluded_actions") or []
        return bool(self.record.get("active")) and action in included and action not in excluded

    def view(self) -> Json:
        """Return the webhook as the API shows it: without secrets, with the state of its penalty box."""
        shown = dict(self.record)
        if self.queue and self.attempts:
            shown["penalty_box_data"] = {
                "retry_count": self.attempts,
                "retry_at": timestamps.to_text(self.retry_at),
                "cause": self.cause,
                "payload": self.queue[0].body.decode(),
            }
        return shown


class Webhooks(WebhookSender):
    """The webhooks of one platform.

    Choices where Solvimon's texts are silent: signatures are separated by a comma, a retry is signed with a
    fresh timestamp, events carry the resource without periods and lines, and a webhook that failed for
    seven days is switched off and loses what it had queued.

    Attributes:
        events: everything that happened, oldest first.
    """

    def __init__(self, clock: Callable[[], float], is_on: Callable[[], bool]) -> None:
        super().__init__(clock, is_on, ANSWER_SECONDS)
        self.webhooks: dict[str, Webhook] = {}
        self.events: list[Event] = []

    def add(self, record: Json, secret: str | None) -> Webhook:
        """Add a receiver; without a secret its deliveries go out unsigned until one is rolled."""
        with self._lock:
            webhook = Webhook(record, secret)
            self.webhooks[record["id"]] = webhook
            return webhook

    def roll(self, webhook_id: str, secret: str) -> Webhook:
        """Give the webhook a new secret; the one before signs along for 24 hours."""
        with self._lock:
            webhook = self.webhooks[webhook_id]
            webhook.previous_secret, webhook.secret = webhook.secret, secret
            webhook.rolled_at = self._clock()
            webhook.record["secret_rolled_at"] = timestamps.to_text(webhook.rolled_at)
            return webhook

    def emit(self, action: str, resource: Json, request_id: str | None = None) -> None:
        """Queue an event for every subscribed webhook; with webhooks off it is lost."""
        if not self._is_on():
            return
        created_at = timestamps.to_text(self._clock())
        envelope: Json = {"created_at": created_at, "type": action, "environment": "TEST", "data": resource}
        if request_id is not None:
            envelope["original_request_id"] = request_id
        body = json.dumps(envelope, ensure_ascii=False).encode()
        event = Event(action, str(resource.get("id", "")), created_at, body)
        with self._lock:
            self.events.append(event)
            for webhook in self.webhooks.values():
                if webhook.is_subscribed(action):
                    webhook.queue.append(event)

    def sign(self, body: bytes, at: float | None = None, webhook_id: str | None = None) -> dict[str, str]:
        """Return the headers a delivery of this body carries.

        Args:
            body: The raw body.
            at: Unix seconds to sign for; now when left out.
            webhook_id: Whose secrets sign; the first webhook's when left out.

        Raises:
            LookupError: There is no such webhook.
        """
        with self._lock:
            if webhook_id is None:
                webhook_id = next(iter(self.webhooks), "")
            if webhook_id not in self.webhooks:
                raise LookupError("the platform has no such webhook")
            webhook = self.webhooks[webhook_id]
            now = self._clock() if at is None else at
            secrets = [webhook.secret] if webhook.secret else []
            if webhook.previous_secret and self._clock() - webhook.rolled_at < ROLL_SECONDS:
                secrets.append(webhook.previous_secret)
        timestamp = timestamps.to_text(now)
        headers = {"Content-Type": "application/json", **_authentication(webhook.record)}
        if secrets:
            signed = timestamp.encode() + b"." + body
            digests = [hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest() for secret in secrets]
            headers["X-PAYLOAD-SIGNATURE-TIMESTAMP"] = timestamp
            headers["X-PAYLOAD-SIGNATURE"] = ",".join(f"v1={digest.upper()}" for digest in digests)
        return headers

    def deliver(self) -> list[Delivery]:
        """Send everything that is due by the clock and return the attempts.

        A failed event stays at the head of its webhook's queue and holds up the later ones.
        """
        done: list[Delivery] = []
        with self._session() as session:
            for webhook in list(self.webhooks.values()):
                while (event := self._due(webhook)) is not None:
                    delivery = self._attempt(session, webhook, event)
                    self._record_outcome(webhook, delivery)
                    done.append(delivery)
        return done

    def pending(self) -> int:
        """Return how many deliveries wait, in all queues together."""
        with self._lock:
            return sum(len(webhook.queue) for webhook in self.webhooks.values())

    def _due(self, webhook: Webhook) -> Event | None:
        with self._lock:
            waits = webhook.attempts > 0 and self._clock() < webhook.retry_at
            return None if waits or not webhook.queue else webhook.queue[0]

    def _attempt(self, session: requests.Session, webhook: Webhook, event: Event) -> Delivery:
        webhook_id, url = webhook.record["id"], webhook.record["url"]
        headers = self.sign(event.body, webhook_id=webhook_id)
        status, error = self._post(session, url, event.body, headers)
        return Delivery(
            webhook_id=webhook_id,
            url=url,
            event=event,
            attempt=webhook.attempts + 1,
            at=self._clock(),
            headers=headers,
            status=status,
            error=error,
        )

    def _record_outcome(self, webhook: Webhook, delivery: Delivery) -> None:
        with self._lock:
            if delivery.delivered:
                webhook.queue.popleft()
                webhook.attempts, webhook.cause = 0, None
                return
            if webhook.attempts == 0:
                webhook.failing_since = delivery.at
            wait = 60 * PENALTY_MINUTES[min(webhook.attempts, len(PENALTY_MINUTES) - 1)]
            webhook.attempts += 1
            webhook.retry_at = delivery.at + wait
            webhook.cause = delivery.failure
            if webhook.retry_at - webhook.failing_since > GIVE_UP_SECONDS:
                webhook.record["active"] = False
                webhook.record["disabled_reason"] = webhook.cause
                webhook.queue.clear()
                webhook.attempts = 0


def _authentication(record: Json) -> dict[str, str]:
    match record.get("authentication_type"):
        case "API_KEY":
            return {record.get("api_header_field") or "X-API-KEY": record.get("api_key") or ""}
        case "PASSWORD":
            pair = f"{record.get('username') or ''}:{record.get('password') or ''}"
            return {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}
        case _:
            return {}
