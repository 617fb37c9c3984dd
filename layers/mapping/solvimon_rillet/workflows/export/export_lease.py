"""An export under the lease on its document's record, and the results that both exports share."""

from collections.abc import Callable

from solvimon_rillet.connections.connection import Connection
from solvimon_rillet.errors import Code, NeedsAttention, RetryLater
from solvimon_rillet.ledger.ledger import Claim, Document
from solvimon_rillet.workflows.export.accounting_periods import AccountingPeriods
from solvimon_rillet.workflows.export.link_resolver import LinkResolver
from solvimon_rillet.workflows.export.look_up import wait_until_settled
from solvimon_rillet.workflows.export.preparation import WrongDocumentType, check_id
from solvimon_rillet.workflows.export.restored_ledger import check_adopted
from solvimon_rillet.workflows.export.send_once import SendRefused
from solvimon_rillet.workflows.lease import under_lease
from solvimon_rillet.workflows.outcome import Result, error_fields
from solvimon_rillet.workflows.write_back.write_back import WriteBack


def export_under_lease(
    connection: Connection,
    document: Document,
    owner: str,
    export: Callable[[Claim], Result],
    *,
    on_request: bool = False,
) -> Result:
    """Claim a document and export it, or record why not; then show Rillet's id and number in Solvimon.

    Args:
        connection: of the document.
        document: names the document.
        owner: names this run; it holds the lease.
        export: exports a document that is not done yet, and records the success.
        on_request: a person named the document; if Solvimon does not have it, nothing is recorded.

    Raises:
        RetryLater: nothing happened; a later run continues.
        OutcomeUnknown: Rillet may have the document; a later run checks before it sends another.
    """
    try:
        check_id(document.id)
    except NeedsAttention as why:
        return Result(document.id[:64], "rejected", error_fields(why))

    try:
        check_adopted(connection)
    except RetryLater as why:
        connection.ledger.record_wait(document, why)
        raise

    write_back, claims = WriteBack(connection), list[Claim]()

    def work(claim: Claim) -> Result:
        claims.append(claim)
        claim.document_facts.update(write_back.due_facts())
        if claim.done:
            return _already_done(claim)
        try:
            if not claim.record.get("step"):  # what has a step is in Rillet already
                wait_until_settled(claim.open_attempts, connection.clock())
            return export(claim)
        except WrongDocumentType as other:
            connection.ledger.discard_claim(claim)
            return Result(document.id, "not_ours", {"reason": str(other)})
        except SendRefused as refused:
            return _record_refusal(connection, claim, refused)

    result = under_lease(connection.ledger, document, owner, work, on_request=on_request)
    return write_back.after_export(claims[0], result)


def _already_done(claim: Claim) -> Result:
    """The result for a document that is in Rillet already, or that was resolved manually."""
    names = ("rillet_id", "rillet_number", "totals", "warnings", "code", "message", "remedy", "reason")
    facts = {name: claim.record[name] for name in names if name in claim.record}
    outcome = "already_exported" if claim.state == "exported" else claim.state
    return Result(claim.document.id, outcome, facts, repeated=True)


def _record_refusal(connection: Connection, claim: Claim, refused: SendRefused) -> Result:
    """Record that Rillet refused a document, and forget the stored links or periods that it disproves.

    Raises:
        RetryLater: the period was closed in the meantime; the next run uses the next open day.
    """
    why = refused.why
    if why.code is Code.RILLET_RECORD_MISSING:
        why = LinkResolver(connection).forget(refused.document) or why
    if why.code is Code.RILLET_PERIOD_CLOSED:
        AccountingPeriods(connection).forget()
        if connection.settings.closed_periods == "next_open_day":
            connection.ledger.record_attempt(claim, refused.attempt)
            raise RetryLater("The period was closed a moment ago.", after=1) from why
    connection.ledger.reject(claim, why, refused.attempt)
    return Result(claim.document.id, "rejected", error_fields(why))
