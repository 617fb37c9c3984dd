"""Records without which the next invoices cannot be exported, found before those are finalised."""

import contextlib
from collections.abc import Iterable
from typing import TypeVar

from pydantic import ValidationError

from solvimon_rillet.connections.connection import Connection
from solvimon_rillet.errors import NeedsAttention
from solvimon_rillet.ledger.ledger import Document
from solvimon_rillet.mapping.customers import to_new_rillet_customer
from solvimon_rillet.mapping.solvimon_fields import custom_value
from solvimon_rillet.reconciliation.report.report import UnmappedRecord
from solvimon_rillet.solvimon.master_data import BillingEntity, Customer, Product, field_value
from solvimon_rillet.workflows.durable.steps import Json

R = TypeVar("R", Product, BillingEntity, Customer)


def current_links(connection: Connection, what: str, rows: Iterable[Json]) -> dict[str, str]:
    """Rillet's id by Solvimon's of ``customers`` or ``billing-entities``, by their custom fields.

    A document may show its customer as it was when it was made, with a link that was corrected since.
    """
    fields, pinned = connection.settings.custom_fields, {*connection.settings.subsidiaries.values()}
    reference = fields.customer if what == "customers" else fields.subsidiary
    links = ((str(row.get("id")), custom_value(row, reference)) for row in rows)
    return {each: rillet_id for each, rillet_id in links if rillet_id and each not in pinned}


class UnmappedRecords:
    """Looks at one connection's products, billing entities and customers."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection.name
        self._settings = connection.settings
        self._solvimon = connection.solvimon
        self._ledger = connection.ledger

    def page(self, what: str, number: int) -> tuple[list[UnmappedRecord], bool, list[Json]]:
        """One page of ``products``, ``billing-entities`` or ``customers``.

        Returns:
            The records that are not mapped, whether there is another page, and the rows.
        """
        if what == "products":
            rows, more = self._solvimon.search("products", number)
            return self._products(rows), more, rows
        if what == "billing-entities":
            rows = self._solvimon.find_all("billing-entities")
            return self._entities(rows), False, rows
        rows, more = self._solvimon.page("customers", number, order_by="created_at", order_direction="asc")
        return self._customers(rows), more, rows

    def _products(self, rows: Iterable[Json]) -> list[UnmappedRecord]:
        reference = self._settings.custom_fields.product
        active = (row for row in rows if row.get("status") in {None, "ACTIVE"})
        remedy = (
            f'Import products, or fill the custom field "Rillet Product ID" ({reference}) on it in Solvimon.'
        )
        return [
            UnmappedRecord(
                "product", str(one.id), one.name or str(one.id), "It has no Rillet product.", remedy
            )
            for one in self._unlinked("product", _readable_rows(active, Product))
        ]

    def _entities(self, rows: Iterable[Json]) -> list[UnmappedRecord]:
        reference, in_settings = self._settings.custom_fields.subsidiary, self._settings.subsidiaries.values()
        remedy = (
            f'Import subsidiaries, fill the custom field "Rillet Subsidiary ID" ({reference}) on it in '
            'Solvimon, or name it in the setting "subsidiaries".'
        )
        return [
            UnmappedRecord(
                "billing entity",
                str(one.id),
                one.legal_name or str(one.id),
                "It has no Rillet subsidiary.",
                remedy,
            )
            for one in self._unlinked("subsidiary", _readable_rows(rows, BillingEntity))
            if one.id not in in_settings
        ]

    def _customers(self, rows: Iterable[Json]) -> list[UnmappedRecord]:
        active = (row for row in rows if row.get("status") in {None, "ACTIVE"})
        unlinked = self._unlinked("customer", _readable_rows(active, Customer))
        return [
            UnmappedRecord("customer", str(one.id), one.name or str(one.id), *why)
            for one in unlinked
            if (why := self._why_unmapped(one, self._settings.custom_fields.customer))
        ]

    def _why_unmapped(self, customer: Customer, reference: str) -> tuple[str, str] | None:
        """The reason why the export cannot create this customer, and the remedy; ``None`` if it can."""
        if not self._settings.create_missing_customers:
            return (
                "It has no Rillet customer, and create_missing_customers is off.",
                f'Fill the custom field "Rillet Customer ID" ({reference}) on it in Solvimon.',
            )
        try:
            to_new_rillet_customer(customer, self._settings)
        except NeedsAttention as error:
            return error.message, error.remedy
        return None

    def _unlinked(self, name: str, records: Iterable[R]) -> list[R]:
        """The records without a Rillet id, neither in their custom field nor in the ledger."""
        reference = str(getattr(self._settings.custom_fields, name))
        unlinked = {
            Document(self._connection, f"link-{name}", str(record.id)): record
            for record in records
            if record.id and not field_value(record.custom_fields, reference)
        }
        links = self._ledger.read_many(unlinked)
        return [record for key, record in unlinked.items() if "rillet_id" not in links.get(key, {})]


def _readable_rows(rows: Iterable[Json], model: type[R]) -> list[R]:
    """The rows that can be read; the export reports the others when an invoice needs them."""
    records = []
    for row in rows:
        with contextlib.suppress(ValidationError):
            records.append(model.model_validate(row))
    return records
