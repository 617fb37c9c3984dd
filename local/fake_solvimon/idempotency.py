"""Answers kept by `Idempotency-Key` (Solvimon, idempotency: 48 hours; this fake honours it on POST)."""

import hashlib
from collections.abc import Callable

from local.fake_solvimon.errors import ApiProblem, invalid_field
from local.fake_vendor.idempotency import AnswerStore, SavedAnswer

KEPT_SECONDS = 48 * 3600
LONGEST_KEY = 255


class SolvimonAnswers(AnswerStore[str]):
    """The keys one platform has seen.

    Only 2xx answers are kept: after a 400 the corrected request may use the same key, and a 500 frees it.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__(clock, KEPT_SECONDS)

    def begin(self, key: str, method: str, path: str, body: bytes) -> SavedAnswer | None:
        """Take the key for a request, or return the answer to replay.

        Raises:
            ApiProblem: 409 when the key was used with another request, 422 while the first still runs.
        """
        if not 1 <= len(key) <= LONGEST_KEY:
            raise invalid_field("Idempotency-Key", f"size must be between 1 and {LONGEST_KEY}")
        fingerprint = hashlib.sha256(b"\n".join([method.encode(), path.encode(), body])).hexdigest()
        entry = self.claim(key, fingerprint)
        if entry is None:
            return None
        if entry.fingerprint != fingerprint:
            raise ApiProblem(409, "IDEMPOTENCY_CHECK_FAILED", "the key was used with another request")
        if entry.answer is None:
            raise ApiProblem(422, "IDEMPOTENCY_CHECK_FAILED", "the first request is still running")
        return entry.answer
