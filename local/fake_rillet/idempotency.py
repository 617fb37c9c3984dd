"""Rillet's idempotency store: the same key inside 24 hours gets the first answer again."""

import threading
from collections.abc import Callable
from dataclasses import dataclass

from werkzeug.wrappers import Response

KEPT_SECONDS = 24 * 60 * 60

Scope = tuple[str, str, str]


@dataclass
class _Entry:
    """An answer that is kept, or a place for the one that is being worked out."""

    started: float
    answer: tuple[bytes, int, str] | None = None


class IdempotencyStore:
    """Answers of POST requests by organisation, path and key.

    Rillet says: POST only, kept 24 hours, the saved response instead of executing. Chosen here where it is
    silent: the body plays no part, refusals (4xx, 5xx) are not kept, and a second call waits for the first.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._entries: dict[Scope, _Entry] = {}
        self._changed = threading.Condition()

    def answer(self, scope: Scope, execute: Callable[[], Response]) -> tuple[Response, bool]:
        """Answer from the store, or execute and keep the answer.

        Args:
            scope: organisation id, path and key.
            execute: works out the answer; called at most once.

        Returns:
            The response and whether it is a replay.
        """
        with self._changed:
            kept = self._claim(scope)
        if kept is not None:
            body, status, content_type = kept
            return Response(body, status, content_type=content_type), True
        answer = None
        try:
            response = execute()
            if response.status_code < 300:
                answer = (response.get_data(), response.status_code, response.content_type or "")
        finally:
            self._settle(scope, answer)
        return response, False

    def clear(self) -> None:
        """Forget all answers."""
        with self._changed:
            self._entries.clear()
            self._changed.notify_all()

    def _claim(self, scope: Scope) -> tuple[bytes, int, str] | None:
        """Return the kept answer, or take the place of the first caller; waits while someone else has it."""
        while True:
            entry = self._entries.get(scope)
            if entry is None or (entry.answer and self._clock() - entry.started >= KEPT_SECONDS):
                self._entries[scope] = _Entry(self._clock())
                return None
            if entry.answer is not None:
                return entry.answer
            self._changed.wait()

    def _settle(self, scope: Scope, answer: tuple[bytes, int, str] | None) -> None:
        with self._changed:
            if answer is None:
                self._entries.pop(scope, None)
            elif scope in self._entries:
                self._entries[scope].answer = answer
            self._changed.notify_all()
