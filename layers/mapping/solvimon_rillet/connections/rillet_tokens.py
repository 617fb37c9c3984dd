"""The Rillet tokens of one connection: refreshed ahead of their end and after a 401.

The secret ``{stack}/{connection}/rillet`` is either ``{"auth": "api_key", "api_key": "…"}``, written by a
user, or ``{"auth": "oauth", …}``, written here. Tokens that are refreshed often go into an SSM SecureString
instead: Secrets Manager takes 100 versions of a secret, and keeps those of the last 24 hours.
"""

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager

from solvimon_rillet.aws.dynamodb import Table
from solvimon_rillet.connections.configuration import SECRET_TTL_SECONDS, Configuration, uses_oauth
from solvimon_rillet.connections.refresh_lease import RefreshLease
from solvimon_rillet.connections.token_fields import (
    fingerprint,
    is_fresh,
    is_short_lived,
    is_usable,
    tokens_of,
)
from solvimon_rillet.connections.token_refresh import TokenRefresh
from solvimon_rillet.connections.token_store import Superseded, TokenState, TokenStore
from solvimon_rillet.errors import RetryLater
from solvimon_rillet.rillet.oauth import Grant, RilletOAuth

_MAX_REFRESH_ATTEMPTS = 5


class RilletTokens:
    """The access tokens of one connection.

    Args:
        connection: name of the connection.
        configuration: reads the secret.
        table: stores the lease, which tokens count, and the fingerprint of a rejected refresh token.
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
        self._clock = clock
        self._store = TokenStore(connection, configuration, table, clock)
        self._lease = RefreshLease(connection, table, clock, sleep)
        self._refresh = TokenRefresh(connection, self._store, self._lease, table, oauth, clock)
        self._lock = threading.Lock()
        self._state = TokenState({})
        self._state_until = 0.0
        self._refused = ""

    def access_token(self) -> str:
        """A token that is valid now.

        Raises:
            ConnectionBroken: Rillet is not connected, or its grant was revoked.
            RetryLater: another worker is refreshing, or a service does not answer.
        """
        with self._lock:
            self._refresh.store_unwritten()
            fresh = is_fresh(self._state.fields, self._clock(), self._refused)
            if not fresh or self._clock() >= self._state_until:
                self._remember(self._store.load())
            return self._valid_token()

    def reload(self) -> None:
        """Drop the cached tokens, so that the next call reads them again."""
        with self._lock:
            self._configuration.forget_secret(self._connection, "rillet")
            self._state = TokenState({})

    def renew(self, refused: str) -> bool:
        """Get another token after Rillet rejected one with 401, and return whether there is one."""
        with self._lock:
            self._refused = refused
            self._refresh.store_unwritten()
            self._remember(self._store.load(fresh=True))
            return self._valid_token() != refused

    def current(self) -> TokenState:
        """The tokens that count, read now; they may have ended.

        Raises:
            ConnectionBroken: there is no secret, or it cannot be used.
            RetryLater: a service does not answer.
        """
        return self._store.load(fresh=True)

    def store(self, granted: Grant, other_fields: Mapping[str, str]) -> None:
        """Store the tokens of a new grant, whatever counted before.

        Args:
            granted: the new tokens.
            other_fields: other fields of the secret, such as the organisation.

        Raises:
            RetryLater: they could not be written.
        """
        tokens = {**other_fields, **tokens_of(granted, "", int(self._clock()))}
        in_parameter = is_short_lived(granted.lifetime)
        with self.refresh_lock():
            for _ in range(_MAX_REFRESH_ATTEMPTS):
                base = self._store.committed()
                try:
                    return self._remember(
                        self._store.write(tokens, base, in_parameter=in_parameter, by_person=True)
                    )
                except Superseded:  # a worker has stored a refresh at this moment
                    continue
        raise RetryLater("Rillet's new token cannot be stored, because others write at the same time.")

    def disconnect(self, state: TokenState) -> bool:
        """Delete the tokens, within ``refresh_lock``; ``False`` if others than those given count by now.

        Raises:
            RetryLater: they could not be deleted.
        """
        self._state = TokenState({})
        return self._store.disconnect(state)

    def refresh_lock(self) -> AbstractContextManager[None]:
        """A context in which no worker begins to refresh the tokens; see ``RefreshLease.held_by_person``."""
        return self._lease.held_by_person()

    def is_broken(self, state: TokenState) -> bool:
        """Whether the grant of these tokens was rejected, so that a user must connect again."""
        if token := state.fields.get("refresh_token", ""):
            return self._refresh.revoked_marker() == fingerprint(token)
        return not is_usable(state.fields, self._clock(), self._refused)

    def _remember(self, state: TokenState) -> None:
        self._state, self._state_until = state, self._clock() + SECRET_TTL_SECONDS

    def _valid_token(self) -> str:
        """The API key, or an access token that need not be refreshed."""
        if uses_oauth(self._state.fields) and not is_fresh(self._state.fields, self._clock(), self._refused):
            self._remember(self._refresh.run(self._state, self._refused))
        if not uses_oauth(self._state.fields):
            return self._configuration.credential(self._connection, "rillet", "api_key")
        return self._state.fields["access_token"]
