"""Rillet's tokens of one connection: kept in Secrets Manager, refreshed by one worker at a time.

The secret ``{stack}/{connection}/rillet`` is either ``{"auth": "api_key", "api_key": "…"}``, written by a
person, or ``{"auth": "oauth", …}``, written here. Access tokens that live under ten minutes go into an SSM
SecureString instead, because Secrets Manager keeps every version of a secret for a day, and at most 100.
"""

import hashlib
import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from solvimon_rillet.configuration import Configuration
from solvimon_rillet.dynamo import ConditionFailed, Table
from solvimon_rillet.errors import ConnectionBroken, RetryLater
from solvimon_rillet.rillet.oauth import Grant, GrantRefused, RilletOAuth

logger = logging.getLogger(__name__)

SHORT_LIVED = 600
_LEASE_SECONDS = 45  # longer than any call to the token endpoint
_WAIT_SECONDS = 6.0
_STEP_SECONDS = 0.2


class Tokens:
    """Gives the bearer token of one connection to its Rillet client.

    Args:
        connection: its name.
        configuration: reads and writes the secret.
        table: holds the lease and the mark of a refused refresh token.
        oauth: makes the client of Rillet's authorization server; only called for a refresh.
        clock: unix seconds.
        sleep: waits.
    """

    def __init__(
        self,
        connection: str,
        configuration: Configuration,
        table: Table,
        oauth: Callable[[], RilletOAuth],
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._connection = connection
        self._configuration = configuration
        self._table = table
        self._oauth = oauth
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._kept: Mapping[str, str] = {}

    def bearer(self) -> str:
        """A token that is valid now.

        Raises:
            ConnectionBroken: nobody has connected Rillet, or its grant was revoked.
            RetryLater: another worker is refreshing, or a service does not answer.
        """
        with self._lock:
            if not self._fresh(self._kept):
                self._kept = self._configuration.grant(self._connection)
            if self._kept.get("auth", "api_key") == "api_key":
                return self._configuration.credential(self._connection, "rillet", "api_key")
            if not self._fresh(self._kept):
                self._kept = self._refreshed(self._kept)
            return self._kept["access_token"]

    def renew(self, refused: str) -> bool:
        """Get another token after Rillet refused one with 401; the answer says whether there is one."""
        with self._lock:
            self._configuration.forget_secret(self._connection, "rillet")
            stored = self._configuration.grant(self._connection)
            if stored.get("auth", "api_key") == "api_key":
                return stored.get("api_key", "") not in {"", refused}
            if stored.get("access_token") == refused:
                stored = self._refreshed({**stored, "expires_at": "0"})
            self._kept = stored
            return stored.get("access_token", "") not in {"", refused}

    def _fresh(self, grant: Mapping[str, str]) -> bool:
        """Whether an access token has time left; it is refreshed ahead of its end."""
        ahead = min(120.0, _whole(grant, "lifetime") / 5)
        return bool(grant.get("access_token")) and self._clock() < _whole(grant, "expires_at") - ahead

    def _usable(self, grant: Mapping[str, str]) -> bool:
        """Whether an access token still lives long enough for one call."""
        ahead = min(10.0, _whole(grant, "lifetime") / 20)
        return bool(grant.get("access_token")) and self._clock() < _whole(grant, "expires_at") - ahead

    def _refreshed(self, before: Mapping[str, str]) -> Mapping[str, str]:
        """A fresh grant: made by this worker under the lease, or by another one meanwhile."""
        stale, waited = before.get("access_token", ""), 0.0
        while True:
            owner = f"{time.time_ns()}-{threading.get_ident()}"
            if self._take_lease(owner):
                try:
                    return self._refresh(stale)
                finally:
                    self._give_lease_back(owner)
            if self._usable(before):
                return before
            if waited >= _WAIT_SECONDS:
                raise RetryLater("Another worker is refreshing Rillet's token.", after=5)
            self._sleep(_STEP_SECONDS)
            waited += _STEP_SECONDS
            grant = self._configuration.grant(self._connection, fresh=True)
            if grant.get("access_token") != stale and self._fresh(grant):
                return grant

    def _refresh(self, stale: str) -> Mapping[str, str]:
        grant = self._configuration.grant(self._connection, fresh=True)
        if grant.get("access_token") != stale and self._fresh(grant):
            return grant
        if _whole(grant, "obtained_at") < self._latest():
            raise RetryLater("Rillet's new token is not everywhere yet.", after=2)
        refresh_token = grant.get("refresh_token", "")
        mark = _fingerprint(refresh_token)
        if not refresh_token or self.broken_mark() == mark:
            raise _reconnect(self._connection)
        try:
            granted = self._oauth().refresh(refresh_token)
        except GrantRefused as refused:
            return self._after_refusal(refused, refresh_token, mark)
        logger.info("rillet token refreshed", extra={"connection": self._connection})
        return self.keep(granted, {"scope": grant.get("scope", "")})

    def keep(self, granted: Grant, known: Mapping[str, str]) -> Mapping[str, str]:
        """Write tokens before they are used: a crash after this loses nothing.

        Args:
            granted: the new tokens.
            known: what else is known, such as the organisation.

        Raises:
            RetryLater: they could not be written.
        """
        now = int(self._clock())
        made = {
            **self._configuration.lasting(self._connection),
            **known,
            "auth": "oauth",
            "access_token": granted.access_token,
            "refresh_token": granted.refresh_token,
            "scope": granted.scope or known.get("scope", ""),
            "lifetime": str(granted.lifetime),
            "expires_at": str(now + granted.lifetime),
            "obtained_at": str(now),
        }
        self._configuration.keep_grant(self._connection, made, short_lived=granted.lifetime < SHORT_LIVED)
        self._table.put(_latest_key(self._connection), {"obtained_at": now})
        self._kept = made
        return made

    def _latest(self) -> int:
        """When the newest tokens were made; Secrets Manager may show older ones for a moment."""
        item = self._table.get(_latest_key(self._connection))
        return int(item["obtained_at"]) if item else 0

    def _after_refusal(self, refused: GrantRefused, refresh_token: str, mark: str) -> Mapping[str, str]:
        """Only the refusal of the current refresh token breaks the connection."""
        grant = self._configuration.grant(self._connection, fresh=True)
        if grant.get("refresh_token") != refresh_token and self._usable(grant):
            return grant
        if refused.error != "invalid_grant":
            raise ConnectionBroken(f"Rillet refuses our client ({refused}). Correct the client's secret.")
        self._table.put(_mark_key(self._connection), {"refused": mark, "since": int(self._clock())})
        logger.error(
            "rillet connection broken", extra={"connection": self._connection, "reason": "invalid_grant"}
        )
        raise _reconnect(self._connection)

    def broken_mark(self) -> str | None:
        """Fingerprint of the refresh token that Rillet refused, if it refused one."""
        item = self._table.get(_mark_key(self._connection))
        return str(item["refused"]) if item else None

    def is_broken(self) -> bool:
        """Whether the current grant was refused, so that a person must connect again."""
        token = self._configuration.grant(self._connection, fresh=True).get("refresh_token", "")
        return bool(token) and self.broken_mark() == _fingerprint(token)

    def _take_lease(self, owner: str) -> bool:
        now = int(self._clock())
        facts = {"owner": owner, "until": now + _LEASE_SECONDS}
        try:
            self._table.put(
                _lease_key(self._connection),
                facts,
                "attribute_not_exists(pk) OR #until <= :now",
                {":now": now},
                {"#until": "until"},
            )
        except ConditionFailed:
            return False
        return True

    def _give_lease_back(self, owner: str) -> None:
        try:
            self._table.put(
                _lease_key(self._connection),
                {"owner": "", "until": 0},
                "#owner = :owner",
                {":owner": owner},
                {"#owner": "owner"},
            )
        except (ConditionFailed, RetryLater):
            logger.warning("token lease not given back", extra={"connection": self._connection})


def _fingerprint(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()[:24] if token else ""


def _reconnect(connection: str) -> ConnectionBroken:
    return ConnectionBroken(
        f'Rillet must be connected again: invoke connect_rillet with {{"connection": "{connection}"}}. '
        "The documents wait and continue by themselves."
    )


def _whole(grant: Mapping[str, Any], name: str) -> int:
    value = str(grant.get(name, ""))
    return int(value) if value.isdigit() else 0


def _lease_key(connection: str) -> str:
    return f"{connection}#oauth#refresh-lease"


def _latest_key(connection: str) -> str:
    return f"{connection}#oauth#latest"


def _mark_key(connection: str) -> str:
    return f"{connection}#oauth#refused"
