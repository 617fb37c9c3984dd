"""Send a document to Rillet exactly once: idempotency key, attempt, look-up, conflict, refusal.

::

    the attempt is written ──▶ POST with its key ──▶ done: the caller records it
                                    │
                                    ├─▶ nothing happened: the record gets back what it had before
                                    ├─▶ refused: a later one has another key. If an earlier call with this
                                    │   key is unknown, it is looked up before this counts as a refusal
                                    └─▶ unknown: the attempt stays open. When it has settled, the same key is
                                        sent again while Rillet knows it (24 h) and the payload is the same;
                                        else the document is looked up before another attempt replaces it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from solvimon_rillet.connections.connection import Connection
from solvimon_rillet.errors import Code, Conflict, NeedsAttention, OutcomeUnknown, RetryLater
from solvimon_rillet.fingerprint import fingerprint_of, idempotency_key
from solvimon_rillet.ledger.later_look_ups import LaterLookUps
from solvimon_rillet.ledger.ledger import Attempt, Claim
from solvimon_rillet.mapping.document_fields import MappedDocument
from solvimon_rillet.settings import InvoiceScope
from solvimon_rillet.solvimon.models import Invoice
from solvimon_rillet.workflows.export.look_up import Found, Lists, look_up
from solvimon_rillet.workflows.export.preparation import Prepared
from solvimon_rillet.workflows.export.verification import CreatedDocument, Sent
from solvimon_rillet.workflows.late_writes import SETTLE_SECONDS

Create = Callable[[Mapping[str, object], str], CreatedDocument]
"""Creates a document in Rillet from a payload, with an idempotency key."""

# Rillet answers a key again for 24 hours; an hour less leaves room for clocks that differ.
IDEMPOTENCY_KEY_TTL = 23 * 3600
_MAX_REPLACED = 5


class SendRefused(Exception):
    """Rillet refused a document.

    Attributes:
        document: the refused document.
        attempt: the attempt; open if an earlier call with its key may still arrive.
        why: code, message and remedy.
    """

    def __init__(self, document: Invoice, attempt: Attempt, why: NeedsAttention) -> None:
        super().__init__(why.own_words)
        self.document = document
        self.attempt = attempt
        self.why = why


def send_once(
    connection: Connection, claim: Claim, prepared: Prepared, *, create: Create, lists: Lists
) -> Sent:
    """Create a document in Rillet, unless an earlier attempt has created it.

    Args:
        connection: of the document.
        claim: the lease on the document's record; no earlier call is under way.
        prepared: the document with its payload and totals.
        create: creates the document.
        lists: lists the documents that an earlier attempt may have created.

    Raises:
        SendRefused: Rillet refuses it.
        NeedsAttention: a look-up is refused, or decides nothing.
        RetryLater: nothing happened; a later run continues.
        OutcomeUnknown: Rillet may have it; a later run checks before it sends another.
    """
    mapped, earlier = prepared.mapped, claim.attempt
    attempt = _next_attempt(connection, claim, mapped)
    repeated = earlier if earlier and earlier.key == attempt.key else None
    replaced = claim.replaced if repeated else claim.open_attempts
    if replaced and (found := look_up(connection, claim.document, claim.open_attempts, lists)):
        return _sent_result(found, mapped.totals.as_text())
    if replaced or (repeated and repeated.is_under_way):
        _look_again_later(connection, claim, attempt.last_called_at)
    connection.ledger.record_attempt(claim, attempt, _bounded(replaced))
    try:
        return Sent([create(mapped.payload, attempt.key)], mapped.totals.as_text())
    except NeedsAttention as refused:
        why = refused
    except OutcomeUnknown as unknown:
        if not (isinstance(unknown, Conflict) and repeated):
            _keep_open(connection, claim, attempt, repeated, unknown)
            raise
        why = _REFUSED_AGAIN
    except RetryLater:  # nothing happened
        claim.facts_on_release["attempt"] = claim.record.get("attempt", {})
        claim.facts_on_release["replaced"] = claim.record.get("replaced", [])
        raise
    ended = replace(_ended(attempt, repeated, attempt.last_called_at), refused=True)
    claim.facts_on_release["attempt"] = ended.as_item()
    if repeated and (found := look_up(connection, claim.document, [*replaced, repeated], lists)):
        return _sent_result(found, mapped.totals.as_text())
    closed = replace(ended, open=not ended.over)
    claim.facts_on_release["attempt"] = closed.as_item()
    raise SendRefused(prepared.document, closed, why) from None


def find_open_attempt(connection: Connection, claim: Claim, lists: Lists) -> Sent | None:
    """The document that attempts with an unknown outcome created in Rillet, if there is one.

    Raises:
        RetryLater: it is too early to look, or a list cannot be read completely.
        NeedsAttention: one may be ours, and nothing proves or disproves it.
    """
    attempts = claim.open_attempts
    if not attempts:
        return None
    if found := look_up(connection, claim.document, attempts, lists):
        return _sent_result(found, attempts[-1].totals)
    if any(each.is_under_way for each in attempts):
        _look_again_later(connection, claim, attempts[-1].last_called_at)
    return None


def _next_attempt(connection: Connection, claim: Claim, mapped: MappedDocument) -> Attempt:
    """The open attempt again while Rillet still knows its key, else a new one with a key of its own."""
    payload_hash, now = fingerprint_of(mapped.payload), int(connection.clock())
    earlier = claim.attempt
    same = earlier and earlier.open and not earlier.refused and earlier.payload_hash == payload_hash
    if earlier and same and now - earlier.first_called_at < IDEMPOTENCY_KEY_TTL:
        return replace(earlier, last_called_at=now, over=False)
    number = earlier.number + 1 if earlier else 1
    document, payload = claim.document, mapped.payload
    return Attempt(
        key=idempotency_key(connection.name, document.kind, document.id, payload_hash, str(number)),
        payload_hash=payload_hash,
        customer_id=str(payload["customer_id"]),
        totals=mapped.totals.as_text(),
        first_called_at=now,
        last_called_at=now,
        number=number,
        document_number=str(payload.get("invoice_number") or payload.get("credit_memo_number") or ""),
        document_date=str(payload.get("invoice_date") or payload.get("credit_memo_date") or ""),
        numbered_by_rillet=payload.get("scope") == InvoiceScope.FULL,
    )


def _look_again_later(connection: Connection, claim: Claim, called_at: int) -> None:
    LaterLookUps(connection.name, connection.table).schedule(claim.document, called_at)


def _keep_open(
    connection: Connection, claim: Claim, attempt: Attempt, repeated: Attempt | None, unknown: OutcomeUnknown
) -> None:
    """Let the release of the lease write when the call without a result ended, which costs no write more."""
    now = int(connection.clock())
    if unknown.over:
        ended = _ended(attempt, repeated, now)
    else:
        unknown.after = unknown.after or SETTLE_SECONDS
        ended = replace(attempt, last_called_at=now)
    claim.facts_on_release["attempt"] = ended.as_item()


def _ended(attempt: Attempt, repeated: Attempt | None, now: int) -> Attempt:
    """The attempt after a call that has ended; an earlier call with its key may still be under way."""
    if repeated and repeated.is_under_way:
        return replace(attempt, last_called_at=repeated.last_called_at, over=False)
    return replace(attempt, last_called_at=now, over=True)


def _bounded(replaced: Sequence[Attempt]) -> list[Attempt]:
    """The latest replaced attempts; the first of them stands for those before it."""
    kept = list(replaced[-_MAX_REPLACED:])
    if kept:
        kept[0] = replace(kept[0], first_called_at=min(each.first_called_at for each in replaced))
    return kept


def _sent_result(found: Found, totals: Mapping[str, str]) -> Sent:
    return Sent(found.documents, totals, found.notes)


_REFUSED_AGAIN = NeedsAttention(
    Code.REFUSED_BY_RILLET,
    "Rillet refused it (409) and does not have it: another document is in its place.",
    "Check in Rillet whether another document has this number, then retry.",
)
