"""Sending a document to Rillet exactly once: idempotency key, attempt, look-up, conflict, refusal.

::

    the attempt is written ──▶ POST with its key ──▶ done: the caller records it
                                    │
                                    ├─▶ refused: the attempt is closed; a later one has another key
                                    └─▶ unknown: the attempt stays open. The next run sends the same key while
                                        Rillet still knows it (24 h) and the payload is the same; otherwise it
                                        looks the document up by our reference before it sends another one.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime

from solvimon_rillet.connections.connection import Connection
from solvimon_rillet.errors import Code, Conflict, NeedsAttention, RetryLater
from solvimon_rillet.fingerprint import hash_of
from solvimon_rillet.ledger.ledger import Attempt, Claim
from solvimon_rillet.mapping.document_fields import MappedDocument
from solvimon_rillet.solvimon.models import Invoice
from solvimon_rillet.workflows.export.accounting_periods import AccountingPeriods
from solvimon_rillet.workflows.export.link_resolver import LinkResolver, idempotency_key
from solvimon_rillet.workflows.export.verification import CreatedDocument
from solvimon_rillet.workflows.outcome import Result, error_fields

Create = Callable[[Mapping[str, object], str], CreatedDocument]
"""Creates a document in Rillet from a payload, with an idempotency key."""
Find = Callable[[str, datetime], Iterable[CreatedDocument]]
"""Rillet's documents of a customer that changed since a moment, newest first."""

# Rillet answers a key again for 24 hours; an hour less leaves room for clocks that differ.
IDEMPOTENCY_KEY_TTL = 23 * 3600
# A call that was cut off may still be at work in Rillet; an earlier look-up might miss its document.
LOOKUP_DELAY = 60
# A look-up starts this much before the attempt: clocks differ, and a list costs little more.
CLOCK_SKEW = 3600


class SendRefused(Exception):
    """Rillet refused a document.

    Attributes:
        why: code, message and remedy.
        attempt: the attempt, closed: it is certain that it created nothing.
    """

    def __init__(self, why: NeedsAttention, attempt: Attempt) -> None:
        super().__init__(why.message)
        self.why = why
        self.attempt = attempt


def send_once(
    connection: Connection, claim: Claim, mapped: MappedDocument, *, create: Create, find: Find
) -> list[CreatedDocument]:
    """Create a document in Rillet, unless an earlier attempt has created it.

    Args:
        connection: where to.
        claim: the lease on the document's record.
        mapped: the payload and its totals.
        create: creates the document.
        find: lists what an earlier attempt may have created.

    Returns:
        What Rillet has of the document, oldest first; more than one is a double booking.

    Raises:
        SendRefused: Rillet refuses it.
        NeedsAttention: a look-up is refused.
        RetryLater: nothing happened; a later run goes on.
        OutcomeUnknown: it may be in Rillet; a later run finds out before it sends another.
    """
    attempt = _next_attempt(connection, claim, mapped)
    earlier = claim.attempt
    if earlier and earlier.open and earlier.key != attempt.key:
        found = _look_up(connection, claim, earlier, find)
        if found:
            return found
    connection.ledger.record_attempt(claim, attempt)
    try:
        return _create(connection, claim, mapped, attempt, create, find)
    except NeedsAttention as why:
        raise SendRefused(why, replace(attempt, open=False)) from why


def find_open_attempt(connection: Connection, claim: Claim, find: Find) -> list[CreatedDocument]:
    """What an attempt with an unknown outcome created in Rillet, oldest first; empty if there was none.

    Raises:
        RetryLater: it is too early to look.
    """
    attempt = claim.attempt
    return _look_up(connection, claim, attempt, find) if attempt and attempt.open else []


def record_refusal(
    connection: Connection,
    claim: Claim,
    document: Invoice,
    links: LinkResolver,
    periods: AccountingPeriods,
    refused: SendRefused,
) -> Result:
    """Record that Rillet refused a document, and forget what it disproves.

    Raises:
        RetryLater: a period was closed meanwhile, and the next open day is to be used instead.
    """
    why = refused.why
    if why.code is Code.RILLET_RECORD_MISSING:
        links.forget(document)
    if why.code is Code.RILLET_PERIOD_CLOSED:
        periods.forget()
        if connection.settings.closed_periods == "next_open_day":
            connection.ledger.record_attempt(claim, refused.attempt)
            raise RetryLater("The period was closed a moment ago.", after=1) from why
    connection.ledger.reject(claim, why, refused.attempt)
    return Result(claim.document.id, "rejected", error_fields(why))


def _next_attempt(connection: Connection, claim: Claim, mapped: MappedDocument) -> Attempt:
    """The open attempt again while Rillet still knows its key, else a new one with a key of its own."""
    payload_hash, now = hash_of(mapped.payload), int(connection.clock())
    earlier = claim.attempt
    same = earlier and earlier.open and earlier.payload_hash == payload_hash
    if earlier and same and now - earlier.started < IDEMPOTENCY_KEY_TTL:
        return replace(earlier, called=now)
    number = earlier.number + 1 if earlier else 1
    document = claim.document
    return Attempt(
        key=idempotency_key(connection.name, document.kind, document.id, payload_hash, str(number)),
        payload_hash=payload_hash,
        customer_id=str(mapped.payload["customer_id"]),
        totals=mapped.totals.as_text(),
        started=now,
        called=now,
        number=number,
    )


def _look_up(connection: Connection, claim: Claim, attempt: Attempt, find: Find) -> list[CreatedDocument]:
    """The documents that an attempt with an unknown outcome created in Rillet, oldest first."""
    wait = attempt.called + LOOKUP_DELAY - connection.clock()
    if wait > 0:
        raise RetryLater("An earlier call may still be at work in Rillet.", after=wait)
    since = datetime.fromtimestamp(attempt.started - CLOCK_SKEW, UTC)
    listed = find(attempt.customer_id, since)
    return [created for created in listed if created.refers_to(claim.document.id)][::-1]


def _create(
    connection: Connection,
    claim: Claim,
    mapped: MappedDocument,
    attempt: Attempt,
    create: Create,
    find: Find,
) -> list[CreatedDocument]:
    """Create the document; after a second 409 to the same request, look it up instead.

    Raises:
        Conflict: the first 409; a later one may be answered.
        NeedsAttention: Rillet refuses it, or answers 409 and does not have the document.
    """
    try:
        return [create(mapped.payload, attempt.key)]
    except Conflict:
        if claim.attempt is None or claim.attempt.key != attempt.key:
            raise
    found = _look_up(connection, claim, claim.attempt, find)
    if found:
        return found
    raise NeedsAttention(
        Code.REFUSED_BY_RILLET,
        "Rillet refused it (409), and does not have it: something else is in its place.",
        "See whether Rillet has another document with this number, then retry.",
    )
