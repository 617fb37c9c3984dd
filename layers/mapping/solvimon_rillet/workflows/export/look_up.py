"""Look for a document in Rillet that an attempt with an unknown outcome may have created.

Found is, in this order:

1. what carries our external reference to it;
2. what has its number, its date and its net, tax and gross, and belongs to no other Solvimon document: Rillet
   may have dropped our reference, or a person may have moved the invoice to another customer;
3. in scope ``FULL`` Rillet numbers invoices itself. One without our reference, of the same customer, date and
   amounts, may be ours or not: that is for a person to decide.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from solvimon_rillet.connections.connection import Connection
from solvimon_rillet.errors import Code, NeedsAttention, RetryLater
from solvimon_rillet.ledger.document_types import INVOICE
from solvimon_rillet.ledger.ledger import Attempt, Document
from solvimon_rillet.rillet.client import RilletClient
from solvimon_rillet.workflows.export.verification import CreatedDocument, total_mismatch
from solvimon_rillet.workflows.late_writes import SETTLE_SECONDS

Lists = Callable[[Iterable[str], datetime], Iterator[Sequence[CreatedDocument]]]
"""Complete lists of Rillet's documents that changed since a time, newest first: those of some customers, then
all of them. A list that cannot be read completely is an error."""

LIST_LAG_SECONDS = 60
"""Rillet's lists may show a document a little after its creation."""
# A look-up starts this much before the attempt: clocks differ, and a list costs little more.
CLOCK_SKEW = 3600


def lists_of(rillet: RilletClient, kind: str) -> Lists:
    """The lists of a kind of document: memos have no list by customer (Rillet API v4)."""

    def invoices(customer_ids: Iterable[str], since: datetime) -> Iterator[Sequence[CreatedDocument]]:
        for customer_id in customer_ids:
            yield rillet.invoices_of_customer(customer_id, since)
        yield rillet.invoices(since)

    def memos(_customer_ids: Iterable[str], since: datetime) -> Iterator[Sequence[CreatedDocument]]:
        yield rillet.credit_memos(since)

    return invoices if kind == INVOICE.name else memos


@dataclass(frozen=True, slots=True)
class Found:
    """Rillet's documents for one of Solvimon, oldest first, and notes for a person."""

    documents: Sequence[CreatedDocument]
    notes: Sequence[str] = ()


def wait_until_settled(attempts: Iterable[Attempt], now: float) -> None:
    """Wait as long as a call of one of the attempts may be carried out.

    Raises:
        RetryLater: it may; ``after`` is the rest of the time.
    """
    waits = [each.last_called_at + SETTLE_SECONDS - now for each in attempts if each.is_under_way]
    if max(waits, default=0) > 0:
        raise RetryLater("Rillet may still be processing an earlier call.", after=max(waits))


def look_up(
    connection: Connection, document: Document, attempts: Sequence[Attempt], lists: Lists
) -> Found | None:
    """The documents that the attempts created in Rillet.

    Returns:
        ``None`` only if complete lists show that there is none.

    Raises:
        RetryLater: it is too early to look, or a list cannot be read completely.
        NeedsAttention: one may be ours, and nothing proves or disproves it.
    """
    now = connection.clock()
    wait_until_settled(attempts, now)
    if (wait := max(each.last_called_at for each in attempts) + LIST_LAG_SECONDS - now) > 0:
        raise RetryLater("Rillet's lists may not show an earlier call yet.", after=wait)
    since = datetime.fromtimestamp(min(each.first_called_at for each in attempts) - CLOCK_SKEW, UTC)
    customers = dict.fromkeys(each.customer_id for each in attempts)
    for listed in lists(customers, since):
        if found := _ours(connection, document, attempts, listed):
            return found
    return None


def _ours(
    connection: Connection,
    document: Document,
    attempts: Sequence[Attempt],
    listed: Sequence[CreatedDocument],
) -> Found | None:
    oldest_first = listed[::-1]
    if named := [created for created in oldest_first if created.refers_to(document.id)]:
        return Found(named)
    alike = [
        created
        for created in oldest_first
        if any(_has_same_day_and_amounts(created, attempt) for attempt in attempts)
        and not belongs_to_another(connection, document, created)
    ]
    numbers = {attempt.document_number for attempt in attempts} - {""}
    if same := [created for created in alike if created.number in numbers]:
        return Found(same, _look_up_notes(same, attempts))
    customers = {attempt.customer_id for attempt in attempts if attempt.numbered_by_rillet}
    if unsure := [created for created in alike if created.customer_id in customers]:
        first = unsure[0]
        raise NeedsAttention(
            Code.POSSIBLY_IN_RILLET,
            f"An earlier call may have booked it as {first.number} ({first.id}): that has its customer, date "
            "and amounts, and no reference to Solvimon.",
            "If it is the same sale, invoke sync_status with resolve and this rillet_id. If it is another "
            "one, give it an external reference of the type in reference_types in Rillet, then retry.",
        )
    return None


def look_for_doubles(
    connection: Connection, document: Document, attempts: Sequence[Attempt], booked_id: str, lists: Lists
) -> list[CreatedDocument]:
    """Rillet's other documents for one that is booked already: what an earlier attempt brought there late."""
    since = datetime.fromtimestamp(min(each.first_called_at for each in attempts) - CLOCK_SKEW, UTC)
    found: dict[str, CreatedDocument] = {}
    for listed in lists(dict.fromkeys(each.customer_id for each in attempts), since):
        for created in listed:
            if created.id != booked_id and _is_ours(connection, document, attempts, created):
                found[created.id] = created
    return list(found.values())


def _is_ours(
    connection: Connection, document: Document, attempts: Sequence[Attempt], created: CreatedDocument
) -> bool:
    return created.refers_to(document.id) or (
        any(
            created.number == each.document_number and _has_same_day_and_amounts(created, each)
            for each in attempts
        )
        and not belongs_to_another(connection, document, created)
    )


def _has_same_day_and_amounts(created: CreatedDocument, attempt: Attempt) -> bool:
    return created.day == attempt.document_date != "" and not total_mismatch(created, attempt.totals)


def belongs_to_another(connection: Connection, document: Document, created: CreatedDocument) -> bool:
    """Whether a document of Rillet belongs to another Solvimon document, by its references or the ledger."""
    types = connection.settings.reference_types.invoice_types
    if any(each.type in types and each.id != document.id for each in created.external_references):
        return True
    link: Mapping[str, object] = (
        connection.ledger.find_link(connection.name, f"rillet-{document.kind}", created.id) or {}
    )
    return link.get("solvimon_id", document.id) != document.id


def _look_up_notes(found: Sequence[CreatedDocument], attempts: Sequence[Attempt]) -> list[str]:
    first = found[0]
    notes = [f"It was found in Rillet as {first.id} by its number, date and amounts."]
    if first.customer_id not in {attempt.customer_id for attempt in attempts}:
        notes.append(f"In Rillet it is under another customer: {first.customer_id}.")
    return notes
