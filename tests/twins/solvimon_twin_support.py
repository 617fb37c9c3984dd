"""A Solvimon twin with one platform, and calls to it."""

from datetime import UTC, datetime
from functools import cache
from typing import Any

import requests

from local.demo_data import solvimon_seed
from local.solvimon_twin import Platform, SolvimonTwin
from tests.twins import solvimon_contract

Json = dict[str, Any]

NOON = datetime(2026, 11, 3, 12, tzinfo=UTC).timestamp()
KEY = "key-of-the-first-platform"
READ_ONLY_KEY = "key-that-only-reads"
OTHER_KEY = "key-of-the-second-platform"


@cache
def _seed() -> dict[str, list[Json]]:
    """Build the demo's data once; the platform takes copies."""
    return solvimon_seed()


class HandClock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.time = NOON

    def now(self) -> float:
        return self.time

    def advance(self, seconds: float) -> None:
        self.time += seconds


class Solvimon:
    """A running twin, its clock, and a caller; every answer is held against the vendor's schema."""

    platform: Platform

    def __init__(self) -> None:
        self.clock = HandClock()
        self.twin = SolvimonTwin(self.clock.now)
        self.state = self.twin.state
        self.session = requests.Session()

    def renew(self) -> "Solvimon":
        """Forget the previous test; the platform has the demo's data."""
        self.state.reset()
        self.clock.time = NOON
        self.platform = self.state.add_platform(KEY, _seed(), read_only_key=READ_ONLY_KEY)
        return self

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        api_key: str | None = KEY,
        key: str | None = None,
        headers: dict[str, str] | None = None,
        checked: bool = True,
        timeout: float = 10,
        **query: object,
    ) -> requests.Response:
        """Call the API; a query parameter may be a list."""
        sent = dict(headers or {})
        if api_key is not None:
            sent["X-API-KEY"] = api_key
        if key is not None:
            sent["Idempotency-Key"] = key
        params: Any = query
        response = self.session.request(
            method, self.twin.url + path, json=body, params=params, headers=sent, timeout=timeout
        )
        if checked and not solvimon_contract.MISSING:
            solvimon_contract.check(response)
        return response

    def get(self, path: str, **query: object) -> requests.Response:
        return self.call("GET", path, **query)  # type: ignore[arg-type]

    def post(self, path: str, body: object = None, key: str | None = None) -> requests.Response:
        return self.call("POST", path, body, key=key)

    def patch(self, path: str, body: object) -> requests.Response:
        return self.call("PATCH", path, body)

    def admin(self, path: str, body: object = None) -> requests.Response:
        method = "GET" if path == "state" else "POST"
        return self.session.request(method, f"{self.twin.origin}/_twin/{path}", json=body, timeout=10)
