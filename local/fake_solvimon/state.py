"""Everything the fake remembers: platforms, the call log, misbehaviours and switches."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from local.fake_solvimon.errors import Json
from local.fake_solvimon.faults import Kind, Misbehaviours
from local.fake_solvimon.platform import Platform

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


class Calls:
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
        """Forget all calls."""
        self._calls.clear()

    def __iter__(self) -> Iterator[Call]:
        return iter(list(self._calls))

    def __len__(self) -> int:
        return len(self._calls)

    def __getitem__(self, index: int) -> Call:
        return self._calls[index]


class State:
    """The fake's memory.

    Attributes:
        webhooks_on: Off, events are lost, as when nobody configured a webhook.
        absolute_links: Whether `links` in lists are whole URLs or begin with the path; Solvimon's texts do
            not say.
        charged: Ids of the invoices that `POST /invoices/{id}/pay` took money for; nobody may call it, so
            anything here is an accident.
        calls: The call log.
        faults: The misbehaviours in force.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self.webhooks_on = True
        self.absolute_links = True
        self.charged: list[str] = []
        self.calls = Calls(clock)
        self.faults = Misbehaviours()
        self._platforms: list[Platform] = []
        self._lock = threading.Lock()

    @property
    def platforms(self) -> list[Platform]:
        """Return all platforms, oldest first."""
        return list(self._platforms)

    def add_platform(
        self, api_key: str, seed: Mapping[str, list[Json]] | None = None, read_only_key: str | None = None
    ) -> Platform:
        """Add a platform with nothing but the seed's records in it.

        Args:
            api_key: Its administrator key.
            seed: Records by collection, in the shape the API answers with (`billing_entities`, `products`,
                `product_categories`, `customers`, `custom_fields`, `invoices`).
            read_only_key: A second key that may only read.

        Raises:
            ValueError: A key is taken by another platform, or the seed is not consistent.
        """
        roles = {api_key: "ADMINISTRATOR"} | ({read_only_key: "READ_ONLY"} if read_only_key else {})
        with self._lock:
            if any(platform.roles.keys() & roles.keys() for platform in self._platforms):
                raise ValueError("another platform has this API key")
            platform = Platform(len(self._platforms) + 1, roles, self.clock, lambda: self.webhooks_on)
            platform.load(seed or {})
            self._platforms.append(platform)
        return platform

    def platform(self, api_key: str) -> Platform:
        """Return the platform a key opens.

        Raises:
            KeyError: No platform has the key.
        """
        for platform in self.platforms:
            if api_key in platform.roles:
                return platform
        raise KeyError(api_key)

    def misbehave(
        self, kind: Kind, method: str = "*", path: str = "*", times: int | None = None, **options: Any
    ) -> None:
        """Misbehave on the next requests of a method and path pattern.

        Args:
            kind: `drop` hangs up without acting, `commit_then_drop` acts and then hangs up, `status` answers
                an error without acting, `status_after` acts and then answers it, `delay` waits before it
                acts, `malformed` acts and answers half of the body, `down` answers 503 to everything. The
                kinds that act first wait for a request that succeeds.
            method: HTTP method, `*` for all.
            path: What the path begins with, with or without `/v1`; may hold `*`.
            times: How often; None until `behave`.
            **options: `status`, `code`, `message`, `headers`, `body` for an answer, `seconds` for a delay.
        """
        self.faults.add(kind, method, path, times, options)

    def behave(self) -> None:
        """Stop all misbehaviour; delayed requests go on at once."""
        self.faults.clear()

    def reset(self) -> None:
        """Forget platforms, calls and misbehaviours and set the switches back."""
        with self._lock:
            self._platforms.clear()
        self.behave()
        self.calls.clear()
        self.charged.clear()
        self.webhooks_on = True
        self.absolute_links = True
