"""The log of calls to the Solvimon fake and their statuses."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment


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


class CallLog:
    """The call log, in order of arrival."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._calls: list[Call] = []

    def begin(self, environ: "WSGIEnvironment", body: bytes) -> Call:
        """Note a request that has just arrived."""
        call = Call(
            at=self._clock(),
            method=environ["REQUEST_METHOD"],
            path=environ["PATH_INFO"],
            query=environ.get("QUERY_STRING", ""),
            api_key=environ.get("HTTP_X_API_KEY"),
            idempotency_key=environ.get("HTTP_IDEMPOTENCY_KEY"),
            body=body,
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
