"""The eligibility rules: which of Solvimon's documents are exported to Rillet."""

from solvimon_rillet.errors import Skip
from solvimon_rillet.mapping.document_fields import document_day
from solvimon_rillet.settings import Settings
from solvimon_rillet.solvimon.models import Invoice

WORKFLOW_OFF = "workflow_off"
NOT_FINAL = "not_final"
SELF_BILLING = "self_billing"
BEFORE_START_DATE = "before_start_date"
NOTHING_TO_BOOK = "nothing_to_book"


def check_eligible(document: Invoice, settings: Settings, workflow: str) -> None:
    """Raise ``Skip`` for a document that is not eligible for export.

    Args:
        document: the invoice or credit note.
        settings: the connection's settings.
        workflow: the setting that switches its export, ``export_invoice`` or ``export_credit_memo``.
    """
    if not getattr(settings.workflows, workflow):
        raise Skip(f"The workflow {workflow} is switched off in the settings.", WORKFLOW_OFF)
    if document.status != "FINAL":
        raise Skip("The invoice is not FINAL.", NOT_FINAL, quoted=document.status or "it has no status")
    if document.billing_type == "SELF_BILLING":
        raise Skip("A SELF_BILLING invoice is money owed to a seller, not a receivable.", SELF_BILLING)
    start, dated = settings.start_date, document_day(document, settings)
    if start and dated and dated < start:
        raise Skip(
            f"The invoice is dated {dated}, before the connection's start_date {start}.", BEFORE_START_DATE
        )
    if document.bills_nothing:
        raise Skip("There is nothing to book: all of its amounts are zero.", NOTHING_TO_BOOK)
