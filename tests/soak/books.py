"""Both vendors' records as an auditor reads them: from the fakes' memory, past the product."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from local.system import Connection

Json = dict[str, Any]
INVOICE_REFERENCE, CUSTOMER_FIELD = "solvimon_invoice_id", "rillet_customer_id"
_NOTES = ("CREDIT", "ONE_OFF_CREDIT")


@dataclass(frozen=True)
class Amounts:
    """What one side says of a document, in major units of its currency."""

    currency: str
    net: Decimal
    tax: Decimal
    gross: Decimal

    def __str__(self) -> str:
        return f"{self.net} + {self.tax} = {self.gross} {self.currency}"


class Billed:
    """A final document of Solvimon; the amounts of a credit note are what the customer gets, so positive."""

    def __init__(self, record: Json) -> None:
        self.id, self.number = str(record["id"]), str(record["invoice_number"])
        self.is_note = record["type"] in _NOTES
        self.customer_id = str(record["customer_id"])
        self.paid, self.payment_status = bool(record["paid"]), str(record["payment_status"])
        credit = record.get("credit") or {}
        linked = [link["id"] for link in record.get("linked_invoices") or ()]
        self.credits: tuple[str, ...] = tuple(linked or filter(None, [credit.get("original_invoice_id")]))
        moment = datetime.fromisoformat(record["invoice_date"]).astimezone(ZoneInfo(record["timezone"]))
        self.day = moment.date().isoformat()
        summary, gross = record["tax_summary"], record["invoice_amount_including_tax"]
        said = [Decimal(one["quantity"]) for one in (summary["base_amount"], summary["tax_amount"], gross)]
        sign = -1 if self.is_note and said[2] < 0 else 1
        net, tax, total = (sign * one + 0 for one in said)
        self.amounts = Amounts(gross["currency"], net, tax, total)


class Booked:
    """An invoice or credit memo of Rillet."""

    def __init__(self, document: Json) -> None:
        self.id = str(document["id"])
        self.number = str(document.get("credit_memo_number") or document.get("invoice_number"))
        self.day = str(document.get("credit_memo_date") or document.get("invoice_date"))
        self.customer_id = str(document["customer_id"])
        net, tax, gross = (
            Decimal(document[name]["amount"]) for name in ("net_amount", "taxed_amount", "total")
        )
        self.amounts = Amounts(document["total"]["currency"], net, tax, gross)
        self.refers_to = {
            str(reference["id"])
            for reference in document.get("external_references") or ()
            if reference["type"] == INVOICE_REFERENCE
        }
        self.applied: defaultdict[str, Decimal] = defaultdict(Decimal)
        for application in document.get("applications") or ():
            self.applied[application["invoice_id"]] += Decimal(application["amount"]["amount"])


@dataclass(frozen=True)
class Books:
    """What both sides have.

    Attributes:
        billed: Solvimon's final documents by id, in order of number.
        invoices: Rillet's invoices.
        memos: Rillet's credit memos.
        received: by Rillet invoice, what payments brought that did not fail.
        customers: Solvimon's customers.
        rillet_customers: Rillet's customers by id.
    """

    billed: Mapping[str, Billed]
    invoices: tuple[Booked, ...]
    memos: tuple[Booked, ...]
    received: Mapping[str, Decimal]
    customers: tuple[Json, ...]
    rillet_customers: Mapping[str, Json]

    def for_each(self, documents: Iterable[Booked]) -> Mapping[str, list[Booked]]:
        """Return Rillet's documents by the Solvimon id that they refer to."""
        found: defaultdict[str, list[Booked]] = defaultdict(list)
        for document in documents:
            for identifier in document.refers_to:
                found[identifier].append(document)
        return found


def read(connection: Connection) -> Books:
    """Read both sides as they are now."""
    platform, organisation = connection.platform, connection.organisation
    with platform.lock, organisation.lock:
        final = [Billed(one) for one in platform.records["invoices"].values() if one["status"] == "FINAL"]
        received: defaultdict[str, Decimal] = defaultdict(Decimal)
        for payment in organisation.payments.documents():
            if payment["status"] != "FAILED":
                received[payment["invoice_id"]] += Decimal(payment["amount"]["amount"])
        return Books(
            billed={one.id: one for one in sorted(final, key=lambda one: one.number)},
            invoices=tuple(map(Booked, organisation.invoices.documents())),
            memos=tuple(map(Booked, organisation.credit_memos.documents())),
            received=received,
            customers=tuple(platform.records["customers"].values()),
            rillet_customers={one["id"]: one for one in organisation.customers.documents()},
        )


def rillet_ids(customer: Json) -> set[str]:
    """Return the Rillet ids that a Solvimon customer is linked to."""
    fields: Iterable[Json] = customer.get("custom_fields") or ()
    return {str(field["value"]) for field in fields if field.get("reference") == CUSTOMER_FIELD}
