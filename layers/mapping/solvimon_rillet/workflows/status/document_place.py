"""The place of a document, as text: a running function, a queue, a person, or Rillet."""

from solvimon_rillet.aws.dynamodb import Item
from solvimon_rillet.formatting import format_duration, format_timestamp
from solvimon_rillet.ledger.document_types import DocumentType
from solvimon_rillet.ledger.ledger import FINISHED, LEASE_SECONDS, UNFINISHED
from solvimon_rillet.workflows.status.entries import STALLED_SECONDS
from solvimon_rillet.workflows.status.texts import without_email_addresses


def location_text(kind: DocumentType, record: Item, clock_now: float) -> str:
    """The place of a document as text.

    Args:
        kind: its type.
        record: of the ledger.
        clock_now: unix seconds.
    """
    now, state, changed = int(clock_now), record["state"], format_timestamp(record["updated_at"])
    # After a lost answer the lease stays for a while, although no function holds it.
    ended = (record.get("history") or [{}])[-1].get("what") == "answer_lost"
    if (until := int(record.get("lease_until", 0))) > now and not ended:
        begun = format_timestamp(until - LEASE_SECONDS)
        return f"{kind.function} is working on it since {begun}; its lease ends in {until - now} s."
    if state in UNFINISHED:
        return f"{_queue_text(kind, record)}{_stalled_text(record, clock_now)}"
    if record.get("by_hand"):
        return f"A person resolved it manually at {changed}."
    if state == "rejected":
        return f"It left the queue at {changed} and waits for a person.{_rillet_note(kind, record)}"
    if state in FINISHED:
        done = format_timestamp(record.get("exported_at", record["updated_at"]))
        number = record.get("rillet_number") or "without a number"
        return f"Booked in Rillet as {number} ({record.get('rillet_id')}) at {done}."
    return f"Done at {changed}; it is on no queue."


def _queue_text(kind: DocumentType, record: Item) -> str:
    last = (record.get("history") or [{}])[-1]
    queue = f"on the queue of {kind.function}"
    if last.get("what") == "waits":
        since, times = format_timestamp(last.get("since", last["at"])), last.get("times", 1)
        often = f"tried {times} times" if times > 1 else "tried once"
        return f"It waits {queue} since {since} ({often}): {without_email_addresses(last['reason'])}"
    if last.get("what") == "answer_lost":
        return (
            f"It waits {queue} since {format_timestamp(last['at'])}. "
            "Rillet may have it; the next run checks before it sends anything."
        )
    begun = format_timestamp(last.get("at", record["updated_at"]))
    return f"A run ended in the middle at {begun} (crash or time-out); its message is {queue} again."


def _stalled_text(record: Item, now: float) -> str:
    quiet = now - record["updated_at"]
    return f" Nothing has happened for {format_duration(quiet)}." if quiet > STALLED_SECONDS else ""


def _rillet_note(kind: DocumentType, record: Item) -> str:
    """Whether Rillet has a rejected document, as text."""
    if not kind.retries_by_code:
        return ""
    if record.get("rillet_id"):
        return f" Rillet already has {record.get('rillet_number')} ({record['rillet_id']}) for it."
    if (record.get("attempt") or {}).get("open"):
        return " An earlier answer was lost, so Rillet may have it; a retry checks this first."
    return " Rillet does not have it."
