"""Send a document to Rillet exactly once: idempotency key, attempt, look-up, conflict, refusal.

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
from solvimon_rillet.fingerprint import fingerprint_of
from solvimon_rillet.ledger.ledger import Attempt, Claim
from solvimon_rillet.mapping.document_fields import MappedDocument
from solvimon_rillet.solvimon.models import Invoice
from solvimon_rillet.workflows.export.link_resolver import idempotency_key
from solvimon_rillet.workflows.export.preparation import Prepared
from solvimon_rillet.workflows.export.verification import CreatedDocument, Sent

Create = Callable[[Mapping[str, object], str], CreatedDocument]
"""Creates a document in Rillet from a payload, with an idempotency key."""
Find = Callable[[str, datetime], Iterable[CreatedDocument]]
"""Lists Rillet's documents of a customer that changed since a time, newest first."""

# Rillet answers a key again for 24 hours; an hour less leaves room for clocks that differ.
IDEMPOTENCY_KEY_TTL = 23 * 3600
# Rillet may still process a call that was cut off; an earlier look-up might miss its document.
LOOKUP_DELAY = 60
# A look-up starts this much before the attempt: clocks differ, and a list costs little more.
CLOCK_SKEW = 3600


class SendRefused(Exception):
    """Rillet refused a document.

    Attributes:
        document: the refused document.
        attempt: the attempt, closed.
        why: code, message and remedy.
    """

    def __init__(self, document: Invoice, attempt: Attempt, why: NeedsAttention) -> None:
        super().__init__(why.own_words)
        self.document = document
        self.attempt = replace(attempt, open=False)
        self.why = why


def send_once(
    connection: Connection, claim: Claim, prepared: Prepared, *, create: Create, find: Find
) -> Sent:
    """Create a document in Rillet, unless an earlier attempt has created it.

    Args:
        connection: of the document.
        claim: the lease on the document's record.
        prepared: the document with its payload and totals.
        create: creates the document.
        find: lists the documents that an earlier attempt may have created.

    Raises:
        SendRefused: Rillet refuses it.
        NeedsAttention: a look-up is refused.
        RetryLater: nothing happened; a later run continues.
        OutcomeUnknown: Rillet may have it; a later run checks before it sends another.
    """
    mapped, earlier = prepared.mapped, claim.attempt
    attempt = _next_attempt(connection, claim, mapped)
    if earlier and earlier.open and earlier.key != attempt.key:
        found = _look_up(connection, claim, earlier, find)
        if found:
            return Sent(found, mapped.totals.as_text())
    connection.ledger.record_attempt(claim, attempt)
    try:
        found = _create(connection, claim, mapped, attempt, create, find)
    except NeedsAttention as why:
        raise SendRefused(prepared.document, attempt, why) from why
    return Sent(found, mapped.totals.as_text())


def find_open_attempt(connection: Connection, claim: Claim, find: Find) -> Sent | None:
    """The document that an attempt with an unknown outcome created in Rillet, if there is one.

    Raises:
        RetryLater: it is too early to look.
    """
    attempt = claim.attempt
    found = _look_up(connection, claim, attempt, find) if attempt and attempt.open else []
    return Sent(found, attempt.totals) if attempt and found else None


def _next_attempt(connection: Connection, claim: Claim, mapped: MappedDocument) -> Attempt:
    """The open attempt again while Rillet still knows its key, else a new one with a key of its own."""
    payload_hash, now = fingerprint_of(mapped.payload), int(connection.clock())
    earlier = claim.attempt
    same = earlier and earlier.open and earlier.payload_hash == payload_hash
    if earlier and same and now - earlier.first_called_at < IDEMPOTENCY_KEY_TTL:
        return replace(earlier, last_called_at=now)
    number = earlier.number + 1 if earlier else 1
    document = claim.document
    return Attempt(
        key=idempotency_key(connection.name, document.kind, document.id, payload_hash, str(number)),
        payload_hash=payload_hash,
        customer_id=str(mapped.payload["customer_id"]),
        totals=mapped.totals.as_text(),
        first_called_at=now,
        last_called_at=now,
        number=number,
    )


def _look_up(connection: Connection, claim: Claim, attempt: Attempt, find: Find) -> list[CreatedDocument]:
    """The documents that an attempt with an unknown outcome created in Rillet, oldest first."""
    wait = attempt.last_called_at + LOOKUP_DELAY - connection.clock()
    if wait > 0:
        raise RetryLater("Rillet may still be processing an earlier call.", after=wait)
    since = datetime.fromtimestamp(attempt.first_called_at - CLOCK_SKEW, UTC)
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
        Conflict: the first 409; Rillet may answer a later call.
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
        "Rillet refused it (409) and does not have it: another document is in its place.",
        "Check in Rillet whether another document has this number, then retry.",
    )
