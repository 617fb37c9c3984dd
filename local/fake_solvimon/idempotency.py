"""Answers kept by `Idempotency-Key` (Solvimon, idempotency: 48 hours; this fake honours it on POST)."""

import hashlib
import threading
from collections.abc import Callable
from dataclasses import dataclass

from local.fake_solvimon.errors import ApiProblem, invalid_field

KEPT_SECONDS = 48 * 3600
LONGEST_KEY = 255


@dataclass
class Answer:
    """A first answer as it goes out again on a replay."""

    status: int
    body: bytes
    content_type: str


@dataclass
class _Entry:
    fingerprint: str
    taken_at: float
    answer: Answer | None = None


class IdempotencyStore:
    """The keys one platform has seen.

    Only 2xx answers are kept: after a 400 the corrected request may use the same key, and a 500 frees it.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._entries: dict[str, _Entry] = {}
        self._lock = threading.Lock()

    def begin(self, key: str, method: str, path: str, body: bytes) -> Answer | None:
        """Take the key for a request, or return the answer to replay.

        Raises:
            ApiProblem: 409 when the key was used with another request, 422 while the first still runs.
        """
        if not 1 <= len(key) <= LONGEST_KEY:
            raise invalid_field("Idempotency-Key", f"size must be between 1 and {LONGEST_KEY}")
        fingerprint = hashlib.sha256(b"\n".join([method.encode(), path.encode(), body])).hexdigest()
        with self._lock:
            entry = self._entries.get(key)
            if entry is None or self._clock() - entry.taken_at >= KEPT_SECONDS:
                self._entries[key] = _Entry(fingerprint, self._clock())
                return None
            if entry.fingerprint != fingerprint:
                raise ApiProblem(409, "IDEMPOTENCY_CHECK_FAILED", "the key was used with another request")
            if entry.answer is None:
                raise ApiProblem(422, "IDEMPOTENCY_CHECK_FAILED", "the first request is still running")
            return entry.answer

    def end(self, key: str, answer: Answer | None) -> None:
        """Keep a 2xx answer for its key, or free the key."""
        with self._lock:
            if answer is not None and 200 <= answer.status < 300:
                self._entries[key].answer = answer
            else:
                self._entries.pop(key, None)
