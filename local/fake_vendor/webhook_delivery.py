"""Sending webhooks: one attempt, its outcome, and one run of deliveries at a time.

When a failed delivery is tried again differs by vendor and stands in the two fakes.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import requests


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """One attempt to deliver an event; `status` is None when there was no answer, `attempt` counts from 1."""

    webhook_id: str
    url: str
    attempt: int
    at: float
    headers: dict[str, str]
    status: int | None
    error: str | None

    @property
    def delivered(self) -> bool:
        """Tell whether the receiver took it; the body of its answer is ignored."""
        return self.status is not None and 200 <= self.status < 300

    @property
    def failure(self) -> str:
        """The reason why it was not delivered."""
        return self.error or f"answered {self.status}"


class WebhookSender:
    """The part of a vendor's webhooks that posts.

    Attributes:
        answer_seconds: how long a receiver may take to answer.
    """

    def __init__(self, clock: Callable[[], float], is_on: Callable[[], bool], answer_seconds: float) -> None:
        self.answer_seconds = answer_seconds
        self._clock = clock
        self._is_on = is_on
        self._lock = threading.RLock()
        self._delivering = threading.Lock()

    @contextmanager
    def _session(self) -> Iterator[requests.Session]:
        """Open a session for one run of deliveries; a second run waits."""
        with self._delivering, requests.Session() as session:
            session.trust_env = False
            yield session

    def _post(
        self, session: requests.Session, url: str, body: bytes, headers: dict[str, str]
    ) -> tuple[int | None, str | None]:
        """Post a body once and return the status, or None and the error."""
        try:
            answer = session.post(
                url, data=body, headers=headers, timeout=self.answer_seconds, allow_redirects=False
            )
        except requests.RequestException as error:
            return None, str(error)
        return answer.status_code, None
