"""What the Solvimon fake keeps of calls: their log, and answers by `Idempotency-Key`."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase

from werkzeug.wrappers import Request, Response

from local.fake_solvimon.errors import ApiProblem, invalid_field
from local.fake_vendor.idempotency import AnswerStore, SavedAnswer

KEPT_SECONDS = 48 * 3600
LONGEST_KEY = 255


@dataclass
class Call:
    """One request as it arrived; `status` is None while it runs and when it got no answer."""

    at: float
    method: str
    path: str
    query: str
    api_key: str | None
    idempotency_key: str | None
    body: bytes
    status: int | None = None
    fault: str | None = None

    def note(self, response: Response) -> None:
        """Keep what was answered."""
        self.status = response.status_code


class CallLog:
    """The call log, in order of arrival."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._calls: list[Call] = []

    def begin(self, request: Request) -> Call:
        """Note a request that has just arrived."""
        call = Call(
            at=self._clock(),
            method=request.method,
            path=request.path,
            query=request.query_string.decode("latin-1"),
            api_key=request.headers.get("X-API-KEY"),
            idempotency_key=request.headers.get("Idempotency-Key"),
            body=request.get_data(),
        )
        self._calls.append(call)
        return call

    def find(self, method: str = "*", path: str = "*") -> list[Call]:
        """Return the calls of a method and a path pattern such as `/v1/invoices/*`."""
        return [c for c in self._calls if fnmatchcase(c.method, method) and fnmatchcase(c.path, path)]

    def count(self, method: str = "*", path: str = "*") -> int:
        """Return how many calls there were of a method and a path pattern."""
        return len(self.find(method, path))

    def by_collection(self) -> Counter[str]:
        """Return counts such as `GET /v1/invoices`, ids cut off."""
        return Counter(f"{call.method} {'/'.join(call.path.split('/')[:3])}" for call in self._calls)

    def clear(self) -> None:
        """Remove all calls."""
        self._calls.clear()

    def __iter__(self) -> Iterator[Call]:
        return iter(list(self._calls))

    def __len__(self) -> int:
        return len(self._calls)

    def __getitem__(self, index: int) -> Call:
        return self._calls[index]


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
