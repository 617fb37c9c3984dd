"""What would stop the next invoices: found before they are finalised."""

from collections.abc import Callable, Iterable
from typing import TypeVar

from pydantic import ValidationError

from solvimon_rillet.errors import NeedsAttention
from solvimon_rillet.ledger.ledger import Document, Ledger
from solvimon_rillet.mapping.customers import to_new_rillet_customer
from solvimon_rillet.reconciliation.report.report import UnmappedRecord
from solvimon_rillet.settings import Settings
from solvimon_rillet.solvimon.client import SolvimonClient
from solvimon_rillet.solvimon.master_data import BillingEntity, Customer, Product, field_value
from solvimon_rillet.workflows.durable_steps import Json

T = TypeVar("T")
R = TypeVar("R", Product, BillingEntity, Customer)


class UnmappedRecords:
    """Looks at one connection's products, billing entities and customers."""

    def __init__(self, connection: str, settings: Settings, solvimon: SolvimonClient, ledger: Ledger) -> None:
        self._connection = connection
        self._settings = settings
        self._solvimon = solvimon
        self._ledger = ledger

    def page(self, what: str, number: int) -> tuple[list[UnmappedRecord], bool]:
        """One page of ``products``, ``billing-entities`` or ``customers``.

        Returns:
            What is not ready, and whether there is another page.
        """
        if what == "products":
            rows, more = self._solvimon.search("products", number)
            return self._products(rows), more
        if what == "billing-entities":
            return self._entities(self._solvimon.find_all("billing-entities")), False
        rows, more = self._solvimon.page("customers", number, order_by="created_at", order_direction="asc")
        return self._customers(rows), more

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
            for one in self._unlinked("product", _read(active, Product.model_validate))
        ]

    def _entities(self, rows: Iterable[Json]) -> list[UnmappedRecord]:
        reference, by_hand = self._settings.custom_fields.subsidiary, self._settings.subsidiaries.values()
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
            for one in self._unlinked("subsidiary", _read(rows, BillingEntity.model_validate))
            if one.id not in by_hand
        ]

    def _customers(self, rows: Iterable[Json]) -> list[UnmappedRecord]:
        active = (row for row in rows if row.get("status") in {None, "ACTIVE"})
        unlinked = self._unlinked("customer", _read(active, Customer.model_validate))
        return [
            UnmappedRecord("customer", str(one.id), one.name or str(one.id), *why)
            for one in unlinked
            if (why := self._stops(one, self._settings.custom_fields.customer))
        ]

    def _stops(self, customer: Customer, reference: str) -> tuple[str, str] | None:
        """Why a customer without link would stop its invoice: cause and remedy, or ``None``."""
        if not self._settings.create_missing_customers:
            return (
                "It has no Rillet customer, and create_missing_customers is off.",
                f'Fill the custom field "Rillet Customer ID" ({reference}) on it in Solvimon.',
            )
        try:
            to_new_rillet_customer(customer, self._settings)
        except NeedsAttention as why:
            return why.message, why.remedy
        return None

    def _unlinked(self, kind: str, records: Iterable[R]) -> list[R]:
        """Those without a Rillet id, neither in their custom field nor remembered in the ledger."""
        reference = str(getattr(self._settings.custom_fields, kind))
        bare = {
            str(one.id): one for one in records if one.id and not field_value(one.custom_fields, reference)
        }
        keys = {Document(self._connection, f"link-{kind}", each): each for each in bare}
        known = {keys[key] for key, item in self._ledger.read_many(keys).items() if "rillet_id" in item}
        return [one for each, one in bare.items() if each not in known]


def _read(rows: Iterable[Json], model: Callable[[Json], T]) -> list[T]:
    """Rows that can be read; the export names the others when it meets them."""
    found = []
    for row in rows:
        try:
            found.append(model(row))
        except ValidationError:
            continue
    return found
