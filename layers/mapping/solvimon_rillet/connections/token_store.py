"""The Rillet tokens of one connection, and which of the stored ones count.

Neither Secrets Manager nor Parameter Store has a conditional write: a worker that was held up may write its
tokens over newer ones, or after a person has disconnected. So what counts is decided in the table, which has
conditional writes. Each write of tokens carries the next generation, and counts once the table has it::

    load: generation 7 ── refresh at Rillet ── write tokens with generation 8 ── commit 8, if 7 still counts
                                                          │                          └ else it lost: undo
                                                          └ crash: the next reader finds 8, and commits it

The table also names the exact version that was written, so that tokens are found after others were written
over them.
"""

import contextlib
import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass

from solvimon_rillet.aws.dynamodb import ConditionFailed, Table
from solvimon_rillet.connections.configuration import Configuration, uses_oauth
from solvimon_rillet.connections.token_fields import generation_of, integer, mark_of, other_fields
from solvimon_rillet.connections.token_storage import PARAMETER, SECRET, StoredValue
from solvimon_rillet.errors import ConnectionBroken, RetryLater

logger = logging.getLogger(__name__)

_PROPAGATION_SECONDS = 300  # after it every read of Secrets Manager returns the newest version
_NOBODY = "-"  # the mark of a connection that a person has disconnected


@dataclass(frozen=True, slots=True)
class Committed:
    """The tokens that count, as the table has them.

    Attributes:
        generation: counts the commits; 0 for tokens of an older version of this software.
        mark: fingerprint of the access token.
        place: where exactly the tokens are stored.
        consent: the generation in which a person last connected or disconnected.
        obtained_at: unix seconds; older versions of this software compare it.
        behind_since: unix seconds since when these tokens cannot be found; 0 if they can.
    """

    generation: int = 0
    mark: str = ""
    place: str = ""
    consent: int = 0
    obtained_at: int = 0
    behind_since: int = 0


@dataclass(frozen=True, slots=True)
class TokenState:
    """Tokens that count, or an API key.

    Attributes:
        fields: the tokens, and what else the secret holds.
        committed: the generation that they are.
        stored: what is stored now where they belong; ``None`` for an API key.
    """

    fields: Mapping[str, str]
    committed: Committed = Committed()
    stored: StoredValue | None = None


class Superseded(Exception):
    """Other tokens count by now.

    Attributes:
        by_person: whether a person connected, disconnected, or put an API key there.
    """

    def __init__(self, *, by_person: bool) -> None:
        super().__init__("superseded")
        self.by_person = by_person


class TokenStore:
    """Reads and writes the tokens of one connection.

    Args:
        connection: name of the connection.
        configuration: reads the secret.
        table: decides which tokens count.
        clock: unix seconds.
    """

    def __init__(
        self, connection: str, configuration: Configuration, table: Table, clock: Callable[[], float]
    ) -> None:
        self._connection = connection
        self._configuration = configuration
        self._storage = configuration.token_storage(connection)
        self._table = table
        self._clock = clock
        self._key = f"{connection}#oauth#latest"

    def committed(self) -> Committed:
        """The tokens that count now, according to the table."""
        item = self._table.get(self._key) or {}
        return Committed(**{name: value for name, value in item.items() if name in Committed.__slots__})

    def load(self, *, fresh: bool = False, everywhere: bool = False) -> TokenState:
        """The tokens that count, or the API key.

        Args:
            fresh: whether to bypass the cache.
            everywhere: whether to look in both places for tokens that were written and not committed.

        Raises:
            ConnectionBroken: there is no secret, or it cannot be used.
            RetryLater: a service does not answer, or the tokens are not visible everywhere yet.
        """
        secret = self._configuration.rillet_secret(self._connection, fresh=fresh)
        if not uses_oauth(secret.fields):
            return TokenState(secret.fields)
        committed = self.committed()
        found = self._newest(
            StoredValue(secret.fields, secret.text, f"{SECRET}:{secret.version}"), committed, everywhere
        )
        if generation_of(found.fields) > committed.generation:
            try:
                return TokenState(found.fields, self._commit(found.fields, committed, found.place), found)
            except ConditionFailed:
                return self.load(fresh=True, everywhere=everywhere)
        if _state_counts(found.fields, committed):
            return TokenState(found.fields, committed, found)
        if not fresh:  # the cached secret may be minutes old
            return self.load(fresh=True, everywhere=everywhere)
        return TokenState(self._committed_fields(secret.fields, found, committed), committed, found)

    def check(self, state: TokenState) -> None:
        """Check that tokens still count, before they are refreshed.

        Raises:
            Superseded: other ones count.
        """
        latest = self.committed()
        if latest.generation != state.committed.generation:
            if state.stored:
                self._undo(state.stored.place, state.fields)
            raise Superseded(by_person=latest.consent != state.committed.consent)

    def prove_writable(self, state: TokenState) -> None:
        """Write back what is stored, which proves that new tokens could be stored.

        Raises:
            RetryLater: they could not.
        """
        if state.stored:
            self._storage.write_back(state.stored)

    def write(
        self, tokens: Mapping[str, str], base: Committed, *, in_parameter: bool, by_person: bool = False
    ) -> TokenState:
        """Write tokens, and let them count.

        Args:
            tokens: the tokens of a grant.
            base: what counted when they were obtained.
            in_parameter: whether they belong into the parameter.
            by_person: whether a person has just granted them; an API key is replaced only then.

        Raises:
            Superseded: other tokens count by now.
            RetryLater: a service does not answer; a repetition continues.
        """
        latest, mark = self.committed(), mark_of(tokens)
        if latest.generation != base.generation:
            if latest.mark == mark:  # an earlier try wrote them, and a reader has committed them
                return self.load(fresh=True)
            raise Superseded(by_person=latest.consent != base.consent)
        secret = self._secret_fields(required=not by_person)
        if not by_person and not uses_oauth(secret):
            raise Superseded(by_person=True)
        generation = base.generation + 1
        fields = {
            **other_fields(secret),
            **tokens,
            "auth": "oauth",
            "generation": str(generation),
            "consent": str(generation if by_person else base.consent),
        }
        place = self._storage.write(
            fields, in_parameter=in_parameter, marked=secret.get("token_in") == PARAMETER
        )
        self._configuration.forget_secret(self._connection, "rillet")
        try:
            return TokenState(fields, self._commit(fields, base, place))
        except ConditionFailed:
            latest = self.committed()
        if latest.mark == mark:
            return TokenState(fields, latest)
        if not by_person:  # a person's tokens are written again with the next generation
            self._undo(place, fields)
        raise Superseded(by_person=latest.consent != base.consent)

    def disconnect(self, state: TokenState) -> bool:
        """Let no tokens count, then delete them; ``False`` if other ones count by now.

        Raises:
            RetryLater: a service does not answer; a repetition continues.
        """
        generation = state.committed.generation + 1
        try:
            self._put(Committed(generation, _NOBODY, consent=generation), state.committed)
        except ConditionFailed:
            return False
        self._storage.delete({"auth": "oauth", **other_fields(self._secret_fields(required=False))})
        self._configuration.forget_secret(self._connection, "rillet")
        return True

    def _newest(self, secret: StoredValue, committed: Committed, everywhere: bool) -> StoredValue:
        """The stored value with the newest tokens: the secret, or the parameter."""
        in_parameter = (committed.place or secret.fields.get("token_in", "")).startswith(PARAMETER)
        parameter = self._storage.parameter() if in_parameter or everywhere else None
        if parameter is None:
            return secret
        first, other = (parameter, secret) if in_parameter else (secret, parameter)
        newer = generation_of(other.fields) > max(generation_of(first.fields), committed.generation)
        return other if newer else first

    def _committed_fields(
        self, secret: Mapping[str, str], found: StoredValue, committed: Committed
    ) -> Mapping[str, str]:
        """The tokens that count although others are stored in their place.

        Raises:
            RetryLater: they are not visible everywhere yet.
        """
        others = {"auth": "oauth", **other_fields(secret)}
        if committed.mark == _NOBODY:
            return others
        exact = self._storage.version(committed.place)
        if exact and mark_of(exact.fields) == committed.mark:
            return {**exact.fields, **others}
        # If it stays, it is no stale read: an older copy was saved, and Rillet decides whether it is valid.
        now = int(self._clock())
        if not committed.behind_since:
            with contextlib.suppress(ConditionFailed):
                self._put(Committed(**{**asdict(committed), "behind_since": now}), committed)
        if now < (committed.behind_since or now) + _PROPAGATION_SECONDS:
            raise RetryLater("Rillet's new token is not visible everywhere yet.", after=5)
        return found.fields

    def _commit(self, fields: Mapping[str, str], base: Committed, place: str) -> Committed:
        """Let tokens count, if ``base`` still does.

        Raises:
            ConditionFailed: it does not.
        """
        committed = Committed(
            generation_of(fields),
            mark_of(fields),
            place,
            integer(fields, "consent"),
            integer(fields, "obtained_at"),
        )
        self._put(committed, base)
        return committed

    def _put(self, committed: Committed, base: Committed) -> None:
        facts = {name: value for name, value in asdict(committed).items() if value}
        if base.generation:
            self._table.put(self._key, facts, "generation = :base", {":base": base.generation})
        else:
            self._table.put(self._key, facts, "attribute_not_exists(generation)")

    def _undo(self, place: str, lost: Mapping[str, str]) -> None:
        """Write what counts over lost tokens; until then every reader ignores them."""
        try:
            kind = place.partition(":")[0]
            now = self._storage.version(f"{kind}:") if kind == PARAMETER else None
            current = now.fields if now else self._secret_fields(required=False)
            if mark_of(current) != mark_of(lost):
                return
            state = self.load(fresh=True)
            kept_in = state.committed.place.partition(":")[0]
            self._storage.overwrite(place, {**state.fields, **({"token_in": kept_in} if kept_in else {})})
            self._configuration.forget_secret(self._connection, "rillet")
        except RetryLater as error:
            logger.warning(
                "outdated rillet tokens stay", extra={"connection": self._connection, "reason": str(error)}
            )

    def _secret_fields(self, *, required: bool) -> Mapping[str, str]:
        try:
            return self._configuration.rillet_secret(self._connection, fresh=True).fields
        except ConnectionBroken:
            if required:
                raise
            return {}


def _state_counts(fields: Mapping[str, str], committed: Committed) -> bool:
    """Whether tokens are those that the table names; tokens of older versions have no mark there."""
    same = generation_of(fields) == committed.generation
    return same and committed.mark in {"", mark_of(fields)}
