"""First answers of requests by idempotency key.

The vendors differ in what a second request gets: see the stores of the two fakes, which build on this one.
"""

import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True)
class SavedAnswer:
    """An answer as it is sent again."""

    status: int
    body: bytes
    content_type: str


@dataclass
class Entry:
    """A key in use; without an answer its first request still runs."""

    started: float
    fingerprint: str
    answer: SavedAnswer | None = None


class AnswerStore(Generic[Key]):
    """Answers by key, for as long as the vendor keeps them; only 2xx answers are kept.

    Attributes:
        changed: guards the entries; notified when a request has ended.
    """

    def __init__(self, clock: Callable[[], float], kept_seconds: float) -> None:
        self.changed = threading.Condition()
        self._clock = clock
        self._kept_seconds = kept_seconds
        self._entries: dict[Key, Entry] = {}

    def claim(self, key: Key, fingerprint: str = "") -> Entry | None:
        """Take a key for a first request, or return the entry of the request that has it.

        Args:
            key: the idempotency key and its scope.
            fingerprint: identifies the request, where the vendor compares requests.
        """
        with self.changed:
            entry = self._entries.get(key)
            if entry is None or (entry.answer and self._clock() - entry.started >= self._kept_seconds):
                self._entries[key] = Entry(self._clock(), fingerprint)
                return None
            return entry

    def end(self, key: Key, answer: SavedAnswer | None) -> None:
        """Keep a 2xx answer for its key, or free the key."""
        with self.changed:
            if answer is None or not 200 <= answer.status < 300:
                self._entries.pop(key, None)
            elif key in self._entries:
                self._entries[key].answer = answer
            self.changed.notify_all()

    def is_answered(self, key: Key) -> bool:
        """Tell whether a key has an answer that is sent again."""
        with self.changed:
            entry = self._entries.get(key)
            return bool(entry and entry.answer and self._clock() - entry.started < self._kept_seconds)

    def clear(self) -> None:
        """Remove all keys."""
        with self.changed:
            self._entries.clear()
            self.changed.notify_all()
