"""Work on one document under its lease, and record a rejection, a skip or a wait."""

import contextlib
from collections.abc import Callable

from solvimon_rillet.errors import NeedsAttention, Recoverable, Skip
from solvimon_rillet.http.deadline import sending_until
from solvimon_rillet.ledger.ledger import SEND_SECONDS, Claim, Document, Ledger
from solvimon_rillet.workflows.outcome import Result, error_fields


def under_lease(ledger: Ledger, document: Document, owner: str, work: Callable[[Claim], Result]) -> Result:
    """Claim a document, work on it, and record a rejection or a skip.

    The work may send writes while the lease surely holds. After a write whose outcome is unknown, the lease
    is kept for the rest of its time, because the write may still arrive.

    Args:
        ledger: holds the record and its lease.
        document: names the document.
        owner: names this run; it holds the lease.
        work: does the work and records the success. A finished document (``claim.done``) has no lease.

    Raises:
        RetryLater: another worker holds the lease, or a service does not answer.
        OutcomeUnknown: a write may have happened; a later run checks.
    """
    with sending_until(SEND_SECONDS, ledger.clock):
        return _work_under_lease(ledger, ledger.claim(document, owner), work)


def _work_under_lease(ledger: Ledger, claim: Claim, work: Callable[[Claim], Result]) -> Result:
    document = claim.document
    try:
        return work(claim)
    except NeedsAttention as why:  # an attempt with an unknown outcome stays in the record
        ledger.reject(claim, why, claim.attempt)
        return Result(document.id, "rejected", error_fields(why))
    except Skip as why:
        ledger.skip(claim, why.reason, why.rule)
        return Result(document.id, "skipped", {"reason": why.reason})
    except Recoverable as error:
        with contextlib.suppress(Recoverable):
            ledger.release(claim, error)
        raise
