"""Payloads of documents that the fakes never see: the demo's and random ones, in every scope and setting."""

from collections.abc import Iterator
from itertools import product
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings

from local import sample_data
from solvimon_rillet.errors import NeedsAttention
from solvimon_rillet.mapping.credit_memos import to_rillet_credit_memo
from solvimon_rillet.mapping.invoices import to_rillet_invoice
from solvimon_rillet.mapping.links import Links
from solvimon_rillet.settings import Settings
from solvimon_rillet.solvimon.models import Invoice
from tests.contract.report import Report
from tests.contract.scenarios.documents import SETTINGS
from tests.support.builders import CUSTOMER, FALLBACK, LINKS, PLATFORM_FEE, SCOPES, SUBSIDIARY
from tests.support.random_invoices import RandomInvoice, invoices_taxed_by_group, invoices_taxed_by_the_header

Json = dict[str, Any]

_FALLBACKS = {"fallback_products": dict.fromkeys(("discount", "commitment", "one_off", "default"), FALLBACK)}
EVERY_SETTING = [
    Settings.model_validate({**_FALLBACKS, **more, "invoice_scope": scope})
    for scope, more in product(SCOPES, SETTINGS)
]


def demo_documents(report: Report) -> int:
    """Map each of the demo's invoices, also as a credit note, in every scope and setting."""
    count = 0
    for document in sample_data.solvimon_seed()["invoices"]:
        products = {
            each["id"]: PLATFORM_FEE
            for period in document["periods"]
            for group in period["groups"]
            for each in group["products"]
        }
        currencies = {"EUR", document["billing_currency"]}
        for currency in currencies:
            count += check_payloads(
                report, document, Links(CUSTOMER, SUBSIDIARY, currency, products=products)
            )
    return count


def random_documents(report: Report, examples: int) -> int:
    """Map random invoices, the same ones each time; return how many payloads there were."""
    counts: list[int] = []

    @settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(invoices_taxed_by_group() | invoices_taxed_by_the_header())
    def each(given_: RandomInvoice) -> None:
        counts.append(check_payloads(report, given_.document, LINKS))

    each()
    return sum(counts)


def check_payloads(report: Report, document: Json, links: Links) -> int:
    """Check what would be sent for an invoice and for the same as a credit note."""
    invoice = {**document, "invoice_number": "INV-1", "status": "FINAL"}
    count = 0
    for path, payload in _payloads(invoice, links):
        report.payload("rillet", "POST", path, payload)
        count += 1
    return count


def _payloads(document: Json, links: Links) -> Iterator[tuple[str, object]]:
    note = Invoice.model_validate({**document, "type": "CREDIT"})
    invoice = Invoice.model_validate(document)
    for each in EVERY_SETTING:
        # What does not tie out is refused, and then nothing is sent.
        try:
            yield "/invoices", to_rillet_invoice(invoice, links, each).payload
            yield "/credit-memos", to_rillet_credit_memo(note, links, each).payload
        except NeedsAttention:
            continue
