"""What every export does: claim, check, send once, find out, record."""

import contextlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from solvimon_rillet import money
from solvimon_rillet.errors import Code, Conflict, NeedsAttention, Recoverable, RetryLater, Skip
from solvimon_rillet.events import is_id
from solvimon_rillet.fingerprint import fingerprint_of
from solvimon_rillet.ledger.ledger import FINISHED, Attempt, Claim, Document, Ledger
from solvimon_rillet.mapping.document_fields import MappedDocument, document_day
from solvimon_rillet.mapping.eligibility import check_eligible
from solvimon_rillet.rillet.client import RilletClient
from solvimon_rillet.settings import Settings
from solvimon_rillet.solvimon.client import SolvimonClient
from solvimon_rillet.solvimon.models import Invoice
from solvimon_rillet.workflows.export.accounting_periods import AccountingPeriods
from solvimon_rillet.workflows.export.link_resolver import LinkResolver, idempotency_key
from solvimon_rillet.workflows.export.verification import DELETED_LINK, CreatedDocument, deleted_in_rillet
from solvimon_rillet.workflows.outcome import Result, error_fields

# Rillet answers a key again for 24 hours; an hour less leaves room for clocks that differ.
IDEMPOTENCY_KEY_TTL = 23 * 3600
# A call that was cut off may still be at work in Rillet; a look-up before that might miss its document.
LOOKUP_DELAY = 60
# A look-up starts this much before the attempt: clocks differ, and a list costs little more.
CLOCK_SKEW = 3600


class Export(ABC):
    """A workflow that puts one kind of Solvimon document into Rillet, for one connection.

    Attributes:
        kind: the kind of document, as the ledger calls it.
        workflow: its switch in the settings.
    """

    kind: str
    workflow: str

    def __init__(
        self,
        connection: str,
        settings: Settings,
        ledger: Ledger,
        solvimon: SolvimonClient,
        rillet: RilletClient,
        books: AccountingPeriods,
        clock: Callable[[], float],
    ) -> None:
        self._connection = connection
        self._settings = settings
        self._ledger = ledger
        self._solvimon = solvimon
        self._rillet = rillet
        self._books = books
        self._clock = clock

    def run(self, document_id: str, owner: str) -> Result:
        """Export one document, or record why not.

        Args:
            document_id: Solvimon's id.
            owner: names this very run; the lease is held under it.

        Raises:
            RetryLater: nothing happened; a later run goes on.
            OutcomeUnknown: it may be in Rillet; a later run finds out before it sends another.
        """
        if not is_id(document_id):
            return Result(document_id[:64], "rejected", error_fields(no_such_id(document_id)))
        claim = self._ledger.claim(self._document(document_id), owner)
        if claim.done:
            return _already(claim)
        try:
            return self._export(claim)
        except NeedsAttention as why:  # of a look-up; what an earlier attempt left is still to be found
            return self._reject(claim, why, claim.attempt)
        except Recoverable as error:
            with contextlib.suppress(Recoverable):
                self._ledger.release(claim, error)
            raise

    @abstractmethod
    def _export(self, claim: Claim) -> Result:
        """The steps of this kind of document, in order."""

    @abstractmethod
    def _create(self, payload: Mapping[str, object], key: str) -> CreatedDocument:
        """Create the document in Rillet."""

    @abstractmethod
    def _listed(self, customer_id: str, since: datetime) -> Iterable[CreatedDocument]:
        """Rillet's documents of this kind that changed since a moment, newest first."""

    def _document(self, document_id: str) -> Document:
        return Document(self._connection, self.kind, document_id)

    def _check_wanted(self, document: Invoice) -> None:
        """Raise ``Skip`` for a document that is not for Rillet, by rule."""
        check_eligible(document, self._settings, self.workflow)

    def _read(self, claim: Claim) -> Invoice:
        """The document as it is in Solvimon now; what it is about is kept in its record from here on."""
        document = self._solvimon.invoice(claim.document.id)
        claim.document_facts.update(facts_of(document, self._settings))
        return document

    def _known(self, document_id: str) -> dict[str, Any]:
        """What the ledger says of a document, for a dry run."""
        if not is_id(document_id):
            raise no_such_id(document_id)
        record = self._ledger.read(self._document(document_id)) or {}
        told: dict[str, Any] = {n: record[n] for n in ("rillet_id", "rillet_number") if n in record}
        return {"state_now": record["state"], **told} if "state" in record else {}

    def _would(self, known: Mapping[str, Any]) -> str:
        """The outcome of a dry run that found nothing wrong: what is in Rillet is not exported again."""
        return "already_exported" if known.get("state_now") in FINISHED else "would_export"

    def _booking_day(
        self, invoice: Invoice, record: Mapping[str, Any], *, dry_run: bool = False
    ) -> date | None:
        """The first open day, for an invoice whose own day is closed in Rillet; ``None`` for all others.

        Args:
            invoice: the document.
            record: what the ledger says of it; one that was held is retried because its period is open now.
            dry_run: remember nothing.

        Raises:
            NeedsAttention: its day is closed, and the setting ``closed_periods`` says ``hold``.
        """
        dated = document_day(invoice, self._settings)
        held = record.get("code") == Code.RILLET_PERIOD_CLOSED
        closed = self._books.closed_through(remember=not dry_run, fresh=held)
        if dated is None or closed is None or dated > closed:
            return None
        if self._settings.closed_periods == "next_open_day":
            return closed + timedelta(days=1)
        raise NeedsAttention(
            Code.RILLET_PERIOD_CLOSED,
            f"The invoice is dated {dated}, and Rillet's books are closed up to {closed}.",
            "Open the period in Rillet or set closed_periods to next_open_day, then retry; or book by hand.",
        )

    def _linker(self, *, dry_run: bool = False) -> LinkResolver:
        return LinkResolver(
            self._connection, self._settings, self._ledger, self._solvimon, self._rillet, dry_run=dry_run
        )

    def _next_attempt(self, claim: Claim, mapped: MappedDocument) -> Attempt:
        """The open attempt again while Rillet still knows its key, else a new one with a key of its own."""
        payload_hash, now = fingerprint_of(mapped.payload), int(self._clock())
        earlier = claim.attempt
        same = earlier and earlier.open and earlier.payload_hash == payload_hash
        if earlier and same and now - earlier.first_called_at < IDEMPOTENCY_KEY_TTL:
            return replace(earlier, last_called_at=now)
        number = earlier.number + 1 if earlier else 1
        return Attempt(
            key=idempotency_key(self._connection, self.kind, claim.document.id, payload_hash, str(number)),
            payload_hash=payload_hash,
            customer_id=str(mapped.payload["customer_id"]),
            totals=mapped.totals.as_text(),
            first_called_at=now,
            last_called_at=now,
            number=number,
        )

    def _look_up(self, claim: Claim, attempt: Attempt) -> list[CreatedDocument]:
        """The documents that an attempt of unknown outcome left in Rillet, oldest first."""
        settled = attempt.last_called_at + LOOKUP_DELAY - self._clock()
        if settled > 0:
            raise RetryLater("An earlier call may still be at work in Rillet.", after=settled)
        since = datetime.fromtimestamp(attempt.first_called_at - CLOCK_SKEW, UTC)
        listed = self._listed(attempt.customer_id, since)
        return [booked for booked in listed if booked.refers_to(claim.document.id)][::-1]

    def _find_earlier(self, claim: Claim, attempt: Attempt) -> list[CreatedDocument]:
        """What an earlier attempt of unknown outcome left in Rillet, unless the same key finds it anyway."""
        earlier = claim.attempt
        if earlier is None or not earlier.open or earlier.key == attempt.key:
            return []
        return self._look_up(claim, earlier)

    def _sent(self, claim: Claim, attempt: Attempt, mapped: MappedDocument) -> list[CreatedDocument]:
        """Create the document; the answer is what Rillet has of it then.

        Raises:
            NeedsAttention: Rillet refuses it.
            RetryLater, OutcomeUnknown: as ``run``.
        """
        try:
            return [self._create(mapped.payload, attempt.key)]
        except Conflict as conflict:
            return self._after_conflict(claim, attempt, conflict)

    def _after_conflict(self, claim: Claim, attempt: Attempt, conflict: Conflict) -> list[CreatedDocument]:
        """What Rillet has after a second 409 to the same request; after the first one, time may tell.

        Raises:
            Conflict: it is the first one.
            NeedsAttention: the document is not there, so something else is in its place.
        """
        if claim.attempt is None or claim.attempt.key != attempt.key:
            raise conflict
        found = self._look_up(claim, claim.attempt)
        if found:
            return found
        raise NeedsAttention(
            Code.REFUSED_BY_RILLET,
            "Rillet refused it (409), and does not have it: something else is in its place.",
            "See whether Rillet has another document with this number, then retry.",
        )

    def _after_refusal(
        self, claim: Claim, document: Invoice, attempt: Attempt, linker: LinkResolver, why: NeedsAttention
    ) -> Result:
        """Record a refusal by Rillet, and forget what we thought of Rillet that it disproves.

        Raises:
            RetryLater: a period was closed meanwhile, and the next open day is to be used instead.
        """
        refused = replace(attempt, open=False)
        if why.code is Code.RILLET_RECORD_MISSING:
            linker.forget(document)
        if why.code is Code.RILLET_PERIOD_CLOSED:
            self._books.forget()
            if self._settings.closed_periods == "next_open_day":
                self._ledger.record_attempt(claim, refused)
                raise RetryLater("The period was closed a moment ago.", after=1) from why
        return self._reject(claim, why, refused)

    def _stop(self, claim: Claim, why: NeedsAttention | Skip) -> Result:
        """Record why a document is not sent, unless an earlier attempt has put it into Rillet already."""
        attempt = claim.attempt
        if attempt and attempt.open:
            found = self._look_up(claim, attempt)
            if found:
                return self._book(claim, found, attempt.totals, [])
        if isinstance(why, NeedsAttention):
            return self._reject(claim, why, attempt)
        self._ledger.skip(claim, why.reason, why.rule)
        return Result(claim.document.id, "skipped", {"reason": why.reason})

    def _reject(self, claim: Claim, why: NeedsAttention, attempt: Attempt | None) -> Result:
        self._ledger.reject(claim, why, attempt)
        return Result(claim.document.id, "rejected", error_fields(why))

    def _deleted_meanwhile(self, claim: Claim, rillet_id: str) -> NeedsAttention | None:
        """That a document was deleted in Rillet before we knew it as ours, while an answer was lost."""
        if claim.attempt is None:  # it was made a moment ago; nobody can have deleted it
            return None
        gone = self._ledger.find_link(self._connection, f"{DELETED_LINK}{self.kind}", rillet_id)
        return deleted_in_rillet(self.kind, rillet_id) if gone else None

    @abstractmethod
    def _book(
        self,
        claim: Claim,
        found: Sequence[CreatedDocument],
        totals: Mapping[str, str],
        warnings: Sequence[str],
    ) -> Result:
        """Record the document that Rillet has, and whether it is what we sent."""


def facts_of(document: Invoice, settings: Settings) -> dict[str, str]:
    """What a document is about: number, gross amount, currency and day, as far as Solvimon says them."""
    total, facts = document.invoice_amount_including_tax, dict[str, str]()
    if document.invoice_number:
        facts["number"] = document.invoice_number
    if total and document.currency:
        facts |= {"amount": money.format_number(total.quantity), "currency": document.currency}
    with contextlib.suppress(NeedsAttention):  # a time zone that nobody knows is told of later
        if dated := document_day(document, settings):
            facts["dated"] = dated.isoformat()
    return facts


def no_such_id(document_id: str) -> NeedsAttention:
    """The error for a text that cannot be an id."""
    return NeedsAttention(
        Code.INVOICE_NOT_FOUND,
        f"{document_id[:64]!r} is not a Solvimon id.",
        "Give an id such as invo_AbC123; the Desk shows it in the invoice's address.",
    )


def _already(claim: Claim) -> Result:
    told = ("rillet_id", "rillet_number", "totals", "warnings", "code", "message", "remedy", "reason")
    facts = {name: claim.record[name] for name in told if name in claim.record}
    return Result(claim.document.id, "already_exported" if claim.state == "exported" else claim.state, facts)
