"""The Rillet tokens of one connection: stored in Secrets Manager, refreshed by one worker at a time.

The secret ``{stack}/{connection}/rillet`` is either ``{"auth": "api_key", "api_key": "…"}``, written by a
user, or ``{"auth": "oauth", …}``, written here. Access tokens that live under ten minutes go into an SSM
SecureString instead, because Secrets Manager keeps every version of a secret for a day, and at most 100.
"""

import hashlib
import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from solvimon_rillet.aws.dynamodb import ConditionFailed, Table
from solvimon_rillet.connections.configuration import SECRET_TTL_SECONDS, Configuration
from solvimon_rillet.errors import ConnectionBroken, RetryLater
from solvimon_rillet.rillet.oauth import Grant, GrantRefused, RilletOAuth

logger = logging.getLogger(__name__)

SHORT_LIVED_SECONDS = 600
_MAX_DIGITS = 12
_LEASE_SECONDS = 45  # longer than any call to the token endpoint
_MAX_WAIT_SECONDS = 6.0
_POLL_SECONDS = 0.2
_PROPAGATION_SECONDS = 300  # after it every read of Secrets Manager returns the newest version


class RilletTokens:
    """The access tokens of one connection.

    Args:
        connection: name of the connection.
        configuration: reads and writes the secret.
        table: stores the lease, and the fingerprint of a rejected refresh token.
        oauth: returns the client of Rillet's authorization server; called only for a refresh.
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
        self._fields: Mapping[str, str] = {}
        self._fields_until = 0.0
        self._refused = ""

    def access_token(self) -> str:
        """A token that is valid now.

        Raises:
            ConnectionBroken: Rillet is not connected, or its grant was revoked.
            RetryLater: another worker is refreshing, or a service does not answer.
        """
        with self._lock:
            if not self._is_fresh(self._fields) or self._clock() >= self._fields_until:
                self._fields = self._configuration.tokens(self._connection)
                self._fields_until = self._clock() + SECRET_TTL_SECONDS
            if self._fields.get("auth", "api_key") == "api_key":
                return self._configuration.credential(self._connection, "rillet", "api_key")
            if not self._is_fresh(self._fields):
                self._fields = self._refreshed(self._fields)
            return self._fields["access_token"]

    def reload(self) -> None:
        """Drop the cached tokens, so that the next call reads them again."""
        with self._lock:
            self._configuration.forget_secret(self._connection, "rillet")
            self._fields = {}

    def renew(self, refused: str) -> bool:
        """Get another token after Rillet rejected one with 401, and return whether there is one."""
        with self._lock:
            self._refused = refused
            self._fields = self._configuration.tokens(self._connection, fresh=True)
            if self._fields.get("auth", "api_key") == "api_key":
                return self._configuration.credential(self._connection, "rillet", "api_key") != refused
            if not self._is_fresh(self._fields):
                self._fields = self._refreshed(self._fields)
            return self._fields["access_token"] != refused

    def _is_fresh(self, grant: Mapping[str, str]) -> bool:
        """Whether an access token need not be refreshed yet; that happens ahead of its end."""
        return self._is_valid_for(grant, min(120.0, _integer(grant, "lifetime") / 5))

    def _is_usable(self, grant: Mapping[str, str]) -> bool:
        """Whether an access token is valid long enough for one call."""
        return self._is_valid_for(grant, min(10.0, _integer(grant, "lifetime") / 20))

    def _is_valid_for(self, grant: Mapping[str, str], seconds: float) -> bool:
        """Whether an access token is valid for longer than ``seconds``, and Rillet has not rejected it."""
        ends = _integer(grant, "expires_at") - seconds
        return grant.get("access_token", "") not in {"", self._refused} and self._clock() < ends

    def _refreshed(self, before: Mapping[str, str]) -> Mapping[str, str]:
        """Fresh tokens: from a refresh under the lease, or from another worker's meanwhile."""
        stale, waited = before.get("access_token", ""), 0.0
        while True:
            owner = self._new_lease_owner()
            if self._acquire_lease(owner):
                try:
                    return self._refresh(stale)
                finally:
                    self._release_lease(owner)
            if self._is_usable(before):
                return before
            if waited >= _MAX_WAIT_SECONDS:
                raise RetryLater("Another worker is refreshing Rillet's token.", after=5)
            self._sleep(_POLL_SECONDS)
            waited += _POLL_SECONDS
            grant = self._configuration.tokens(self._connection, fresh=True)
            if grant.get("access_token") != stale and self._is_fresh(grant):
                return grant

    def _refresh(self, stale: str) -> Mapping[str, str]:
        grant = self._configuration.tokens(self._connection, fresh=True)
        if grant.get("access_token") != stale and self._is_fresh(grant):
            return grant
        self._check_not_outdated(grant)
        refresh_token = grant.get("refresh_token", "")
        fingerprint = _fingerprint(refresh_token)
        if not refresh_token or self.revoked_marker() == fingerprint:
            raise _reconnect(self._connection)
        try:
            granted = self._oauth().refresh(refresh_token)
        except GrantRefused as refused:
            return self._after_refusal(refused, refresh_token, fingerprint)
        logger.info("rillet token refreshed", extra={"connection": self._connection})
        return self._store(granted, {"scope": grant.get("scope", "")})

    def store(self, granted: Grant, other_fields: Mapping[str, str]) -> None:
        """Store the tokens of a new grant.

        Args:
            granted: the new tokens.
            other_fields: other fields of the secret, such as the organisation.

        Raises:
            RetryLater: they could not be written.
        """
        with self.refresh_lock():
            self._configuration.forget_secret(self._connection, "rillet")  # the cached one may be minutes old
            self._store(granted, other_fields)

    def delete(self) -> None:
        """Delete the tokens; call it within ``refresh_lock``.

        Raises:
            RetryLater: they could not be deleted.
        """
        self._configuration.delete_tokens(self._connection)
        self._table.put(self._key("latest"), {"obtained_at": 0})
        self._fields = {}

    @contextmanager
    def refresh_lock(self) -> Iterator[None]:
        """A context in which no other worker refreshes the tokens and overwrites a change.

        It waits for a refreshing worker for six seconds at most, then it begins without the lease.
        """
        owner, waited = self._new_lease_owner(), 0.0
        while not (acquired := self._acquire_lease(owner)) and waited < _MAX_WAIT_SECONDS:
            self._sleep(_POLL_SECONDS)
            waited += _POLL_SECONDS
        try:
            yield
        finally:
            if acquired:
                self._release_lease(owner)

    def _store(self, granted: Grant, other_fields: Mapping[str, str]) -> Mapping[str, str]:
        """Store tokens before they are used, so that a crash does not lose them."""
        now = int(self._clock())
        fields = {
            **self._configuration.non_token_fields(self._connection),
            **other_fields,
            "auth": "oauth",
            "access_token": granted.access_token,
            "refresh_token": granted.refresh_token,
            "scope": granted.scope or other_fields.get("scope", ""),
            "lifetime": str(granted.lifetime),
            "expires_at": str(now + granted.lifetime),
            "obtained_at": str(now),
        }
        self._configuration.store_tokens(
            self._connection, fields, short_lived=granted.lifetime < SHORT_LIVED_SECONDS
        )
        self._table.put(self._key("latest"), {"obtained_at": now})
        self._fields = fields
        return fields

    def _check_not_outdated(self, grant: Mapping[str, str]) -> None:
        """Prevent a refresh with an outdated secret, which Secrets Manager may return for a short time.

        If it stays, it is no stale read: an older copy was saved, and Rillet decides whether it is valid.
        """
        now, latest = int(self._clock()), self._table.get(self._key("latest")) or {}
        if _integer(grant, "obtained_at") >= latest.get("obtained_at", 0):
            return
        if "behind_since" not in latest:
            latest["behind_since"] = now
            self._table.put(self._key("latest"), latest)
        if now < latest["behind_since"] + _PROPAGATION_SECONDS:
            raise RetryLater("Rillet's new token is not visible everywhere yet.", after=5)

    def _after_refusal(
        self, refused: GrantRefused, refresh_token: str, fingerprint: str
    ) -> Mapping[str, str]:
        """The tokens after a rejected refresh. Only the current refresh token can break the connection."""
        grant = self._configuration.tokens(self._connection, fresh=True)
        if grant.get("refresh_token") != refresh_token:
            if self._is_usable(grant):
                return grant
            raise RetryLater("Rillet's token was replaced meanwhile.", after=1)
        if refused.error != "invalid_grant":
            raise ConnectionBroken(f"Rillet refuses to refresh its token ({refused}).")
        self._table.put(self._key("refused"), {"refused": fingerprint, "since": int(self._clock())})
        logger.error(
            "rillet connection broken", extra={"connection": self._connection, "reason": "invalid_grant"}
        )
        raise _reconnect(self._connection)

    def revoked_marker(self) -> str | None:
        """Fingerprint of the refresh token that Rillet rejected, or ``None``."""
        item = self._table.get(self._key("refused"))
        return str(item["refused"]) if item else None

    def is_broken(self) -> bool:
        """Whether the current grant was rejected, so that a user must connect again."""
        grant = self._configuration.tokens(self._connection, fresh=True)
        token = grant.get("refresh_token", "")
        return self.revoked_marker() == _fingerprint(token) if token else not self._is_usable(grant)

    def _new_lease_owner(self) -> str:
        """A unique name for the owner of a lease."""
        return f"{time.time_ns()}-{threading.get_ident()}"

    def _key(self, name: str) -> str:
        return f"{self._connection}#oauth#{name}"

    def _acquire_lease(self, owner: str) -> bool:
        now = int(self._clock())
        facts = {"owner": owner, "until": now + _LEASE_SECONDS}
        try:
            self._table.put(
                self._key("refresh-lease"),
                facts,
                "attribute_not_exists(pk) OR #until <= :now",
                {":now": now},
                {"#until": "until"},
            )
        except ConditionFailed:
            return False
        return True

    def _release_lease(self, owner: str) -> None:
        try:
            self._table.put(
                self._key("refresh-lease"),
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
        "The documents wait and continue automatically."
    )


def _integer(grant: Mapping[str, Any], name: str) -> int:
    value = str(grant.get(name, ""))
    return int(value) if value.isascii() and value.isdigit() and len(value) <= _MAX_DIGITS else 0
