"""Work on one document under its lease, and record a rejection, a skip or a wait."""

import contextlib
from collections.abc import Callable

from solvimon_rillet.errors import Code, NeedsAttention, Recoverable, Skip
from solvimon_rillet.http.deadline import sending_until
from solvimon_rillet.ledger.ledger import SEND_SECONDS, Claim, Document, Ledger
from solvimon_rillet.workflows.outcome import Result, error_fields

_UNKNOWN = {
    "invoice": Code.INVOICE_NOT_FOUND,
    "credit_memo": Code.INVOICE_NOT_FOUND,
    "customer": Code.SOLVIMON_RECORD_MISSING,
}
"""The codes of a document that Solvimon does not have, by type."""


def under_lease(
    ledger: Ledger,
    document: Document,
    owner: str,
    work: Callable[[Claim], Result],
    *,
    on_request: bool = False,
) -> Result:
    """Claim a document, work on it, and record a rejection or a skip.

    The work may send writes while the lease surely holds. After a write whose outcome is unknown, the lease
    is kept for the rest of its time, because the write may still arrive.

    Args:
        ledger: holds the record and its lease.
        document: names the document.
        owner: names this run; it holds the lease.
        work: does the work and records the success. A finished document (``claim.done``) has no lease.
        on_request: a person named the document; if Solvimon does not have it, nothing is recorded.

    Raises:
        RetryLater: another worker holds the lease, or a service does not answer.
        OutcomeUnknown: a write may have happened; a later run checks.
    """
    with sending_until(SEND_SECONDS, ledger.clock):
        return _work_under_lease(ledger, ledger.claim(document, owner), work, on_request=on_request)


def _work_under_lease(
    ledger: Ledger, claim: Claim, work: Callable[[Claim], Result], *, on_request: bool
) -> Result:
    document = claim.document
    try:
        return work(claim)
    except NeedsAttention as why:  # an attempt with an unknown outcome stays in the record
        if on_request and why.code is _UNKNOWN.get(document.kind) and claim.is_new:
            ledger.discard_claim(claim)
            return Result(document.id, "not_found", error_fields(why))
        ledger.reject(claim, why, None)
        return Result(document.id, "rejected", error_fields(why))
    except Skip as why:
        ledger.skip(claim, why.reason, why.rule)
        return Result(document.id, "skipped", {"reason": why.reason})
    except Recoverable as error:
        with contextlib.suppress(Recoverable):
            ledger.release(claim, error)
        raise
