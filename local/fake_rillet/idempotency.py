"""Rillet's idempotency store: the same key inside 24 hours gets the first answer again."""

from collections.abc import Callable

from werkzeug.wrappers import Response

from local.fake_vendor.idempotency import AnswerStore, SavedAnswer

KEPT_SECONDS = 24 * 60 * 60

Scope = tuple[str, str, str]


class RilletAnswers(AnswerStore[Scope]):
    """Answers of POST requests by organisation, path and key.

    Rillet says: POST only, kept 24 hours, the saved response instead of executing. Chosen here where it is
    silent: the body plays no part, refusals (4xx, 5xx) are not kept, and a second call waits for the first.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__(clock, KEPT_SECONDS)

    def keep(self, scope: Scope, response: Response) -> None:
        """Keep the answer of a call that came late, unless another call with the key has been answered."""
        if self.claim(scope) is None:
            answer = SavedAnswer(response.status_code, response.get_data(), response.content_type or "")
            self.end(scope, answer)

    def answer(self, scope: Scope, execute: Callable[[], Response]) -> tuple[Response, bool]:
        """Answer from the store, or execute and keep the answer.

        Args:
            scope: organisation id, path and key.
            execute: makes the answer; called at most once.

        Returns:
            The response and whether it is a replay.
        """
        with self.changed:
            while (entry := self.claim(scope)) is not None:
                if saved := entry.answer:
                    return Response(saved.body, saved.status, content_type=saved.content_type), True
                self.changed.wait()
        answer = None
        try:
            response = execute()
            answer = SavedAnswer(response.status_code, response.get_data(), response.content_type or "")
        finally:
            self.end(scope, answer)
        return response, False
