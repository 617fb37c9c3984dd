"""Refresh the Rillet tokens of a connection: one worker at a time, and nothing granted is lost."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from solvimon_rillet.aws.dynamodb import Table
from solvimon_rillet.connections.configuration import uses_oauth
from solvimon_rillet.connections.refresh_lease import (
    CALL_SECONDS,
    REFRESH_LEASE_SECONDS,
    RefreshLease,
    new_owner,
)
from solvimon_rillet.connections.token_fields import (
    fingerprint,
    integer,
    is_fresh,
    is_short_lived,
    is_usable,
    mark_of,
    tokens_of,
)
from solvimon_rillet.connections.token_store import Committed, Superseded, TokenState, TokenStore
from solvimon_rillet.errors import ConnectionBroken, RetryLater, SolvimonRilletError
from solvimon_rillet.rillet.oauth import GrantRefused, RilletOAuth

logger = logging.getLogger(__name__)

UNWRITTEN_SECONDS = 900
"""So long no other worker refreshes while a process tries to store the tokens that it was granted."""


@dataclass(frozen=True, slots=True)
class _Unwritten:
    """Tokens that Rillet has granted and that are not stored yet; their worker keeps the lease."""

    tokens: Mapping[str, str]
    base: Committed
    in_parameter: bool
    owner: str


class TokenRefresh:
    """Refreshes the tokens of one connection, in one process.

    Args:
        connection: name of the connection.
        store: the stored tokens.
        lease: held during a refresh.
        table: keeps the fingerprint of a rejected refresh token.
        oauth: returns the client of Rillet's authorization server.
        clock: unix seconds.
    """

    def __init__(
        self,
        connection: str,
        store: TokenStore,
        lease: RefreshLease,
        table: Table,
        oauth: Callable[[], RilletOAuth],
        clock: Callable[[], float],
    ) -> None:
        self._connection = connection
        self._store = store
        self._lease = lease
        self._table = table
        self._oauth = oauth
        self._clock = clock
        self._unwritten: _Unwritten | None = None

    def store_unwritten(self) -> None:
        """Try again to store what this process was granted and could not store yet.

        Raises:
            RetryLater: it still cannot be stored.
        """
        if self._unwritten:
            owner = self._unwritten.owner
            self._write(self._unwritten)
            self._lease.release(owner)

    def run(self, before: TokenState, refused: str) -> TokenState:
        """Fresh tokens: from a refresh under the lease, or from another worker's meanwhile.

        Args:
            before: the tokens that need a refresh.
            refused: an access token that Rillet has rejected.

        Raises:
            ConnectionBroken: Rillet refuses the grant, or a person has disconnected.
            RetryLater: another worker is refreshing, or a service does not answer.
            OutcomeUnknown: Rillet's answer was lost.
        """
        waits = self._lease.waits()
        while True:
            owner = new_owner()
            if self._lease.acquire(owner):
                try:
                    return self._refresh(before, refused, owner)
                finally:
                    if not self._unwritten:
                        self._lease.release(owner)
            if is_usable(before.fields, self._clock(), refused):
                return before
            if not next(waits, False):
                raise RetryLater("Another worker is refreshing Rillet's token.", after=5)
            if self._store.committed().generation != before.committed.generation:
                state = self._store.load(fresh=True)
                if not uses_oauth(state.fields) or is_fresh(state.fields, self._clock(), refused):
                    return state

    def revoked_marker(self) -> str | None:
        """Fingerprint of the refresh token that Rillet rejected, or ``None``."""
        item = self._table.get(f"{self._connection}#oauth#refused")
        return str(item["refused"]) if item else None

    def _refresh(self, before: TokenState, refused: str, owner: str) -> TokenState:
        """Refresh under the lease, and ask Rillet only when nothing speaks against keeping its answer."""
        must_end = self._clock() + REFRESH_LEASE_SECONDS - CALL_SECONDS
        state = self._store.load(fresh=True, everywhere=True)
        if not uses_oauth(state.fields):
            return state
        if mark_of(state.fields) != mark_of(before.fields) and is_fresh(state.fields, self._clock(), refused):
            return state
        refresh_token = state.fields.get("refresh_token", "")
        if not refresh_token or self.revoked_marker() == fingerprint(refresh_token):
            raise must_reconnect(self._connection)
        oauth = self._oauth()
        self._store.prove_writable(state)
        try:
            self._store.check(state)
        except Superseded:
            raise RetryLater("Rillet's token was replaced meanwhile.", after=1) from None
        if self._clock() > must_end:
            raise RetryLater("The lease on Rillet's token ends too soon for a refresh.", after=1)
        try:
            granted = oauth.refresh(refresh_token)
        except GrantRefused as refusal:
            return self._after_refusal(refusal, refresh_token, refused)
        now, obtained_at = int(self._clock()), integer(state.fields, "obtained_at")
        self._unwritten = _Unwritten(
            tokens_of(granted, state.fields.get("scope", ""), now),
            state.committed,
            # Rillet may reject tokens long before the end that it states.
            is_short_lived(min(granted.lifetime, now - obtained_at)),
            owner,
        )
        return self._write(self._unwritten)

    def _write(self, unwritten: _Unwritten) -> TokenState:
        """Store refreshed tokens before they are used, so that a crash does not lose them.

        If that fails, they stay in this process, which tries again with each call. Meanwhile it keeps the
        lease, because another worker would present a refresh token that is used up.

        Raises:
            RetryLater: they cannot be stored now.
        """
        try:
            state = self._store.write(unwritten.tokens, unwritten.base, in_parameter=unwritten.in_parameter)
        except RetryLater:
            self._lease.keep(unwritten.owner, UNWRITTEN_SECONDS)
            raise
        except Superseded as lost:
            self._unwritten = None
            return self._after_loss(lost, unwritten)
        self._unwritten = None
        logger.info("rillet token refreshed", extra={"connection": self._connection})
        return state

    def _after_loss(self, lost: Superseded, unwritten: _Unwritten) -> TokenState:
        """The tokens that count, because ours came too late; a grant that is no longer stored is revoked.

        Tokens of another refresh belong to the same grant, so for them nothing is revoked.
        """
        revoked = lost.by_person and self._revoke(unwritten.tokens["refresh_token"])
        logger.warning(
            "rillet token superseded",
            extra={"connection": self._connection, "by_person": lost.by_person, "revoked": revoked},
        )
        state = self._store.load(fresh=True)
        if not uses_oauth(state.fields) or is_usable(state.fields, self._clock(), ""):
            return state
        raise RetryLater("Rillet's token was replaced meanwhile.", after=1)

    def _revoke(self, refresh_token: str) -> bool:
        """Revoke a refresh token at Rillet, and return whether that is done; a public client may not."""
        try:
            return self._oauth().revoke(refresh_token)
        except SolvimonRilletError:
            return False

    def _after_refusal(self, refusal: GrantRefused, refresh_token: str, refused: str) -> TokenState:
        """The tokens after a rejected refresh. Only the current refresh token can break the connection."""
        state = self._store.load(fresh=True)
        if state.fields.get("refresh_token") != refresh_token:
            if not uses_oauth(state.fields) or is_usable(state.fields, self._clock(), refused):
                return state
            raise RetryLater("Rillet's token was replaced meanwhile.", after=1)
        if refusal.error != "invalid_grant":
            raise ConnectionBroken(f"Rillet refuses to refresh its token ({refusal}).")
        facts = {"refused": fingerprint(refresh_token), "since": int(self._clock())}
        self._table.put(f"{self._connection}#oauth#refused", facts)
        logger.error(
            "rillet connection broken", extra={"connection": self._connection, "reason": "invalid_grant"}
        )
        raise must_reconnect(self._connection)


def must_reconnect(connection: str) -> ConnectionBroken:
    """The error for a grant that Rillet has refused, or that was never given."""
    return ConnectionBroken(
        f'Rillet must be connected again: invoke connect_rillet with {{"connection": "{connection}"}}. '
        "The documents wait and continue automatically."
    )
