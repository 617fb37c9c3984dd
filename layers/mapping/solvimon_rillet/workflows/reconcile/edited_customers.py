"""Customers that were edited in the period: chosen from Solvimon's list, compared with Rillet's."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from solvimon_rillet.connections.connection import Connection
from solvimon_rillet.errors import NeedsAttention
from solvimon_rillet.ledger.document_types import CUSTOMER
from solvimon_rillet.ledger.ledger import Document
from solvimon_rillet.mapping.customers import rillet_customer_hash, solvimon_customer_hash
from solvimon_rillet.reconciliation.customers import ComparedCustomer, EditedCustomer, changed_fields
from solvimon_rillet.rillet.models import Customer as RilletCustomer
from solvimon_rillet.solvimon.master_data import Customer, field_value
from solvimon_rillet.solvimon.rejections import NotFound
from solvimon_rillet.workflows.customers.erasures import is_erased
from solvimon_rillet.workflows.durable.steps import Json
from solvimon_rillet.workflows.export.customer_creation import CREATION_KEY
from solvimon_rillet.workflows.late_writes import LateWrites, has_unsent_edit


class EditedCustomers:
    """Chooses and compares the customers of one connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._name = connection.name
        self._settings = connection.settings
        self._ledger = connection.ledger

    def choose(self, rows: Iterable[Json], since: str) -> list[EditedCustomer]:
        """The linked customers of a page whose edits went to Rillet since a time, or are still to go.

        And those whose creation there was repeated lately: the first one may have arrived after all.

        Args:
            rows: of Solvimon's list.
            since: RFC 3339.
        """
        if not self._settings.workflows.sync_customer:
            return []
        # What an erasure took away stays in Rillet until a person erases it there as well.
        customers = {str(one.id): one for one in _parsed_customers(rows) if not is_erased(one)}
        links = self._read("link-customer", customers)
        records = self._read(CUSTOMER.name, links)
        keys = self._read(f"link-{CREATION_KEY}", links)
        begin = datetime.fromisoformat(since).timestamp()
        chosen = []
        for customer_id, link in links.items():
            customer, record = customers[customer_id], records.get(customer_id, {})
            edited = self._edited(customer, link, record)
            late = LateWrites.of(link, self._connection.clock())
            is_synced = int(record.get("synced_at", 0)) >= begin
            if edited and (edited.is_unsent or late.entries or is_synced or was_repeated(keys, customer_id)):
                chosen.append(edited)
        return chosen

    def _edited(
        self, customer: Customer, link: Mapping[str, Any], record: Mapping[str, Any]
    ) -> EditedCustomer | None:
        linked = field_value(customer.custom_fields, self._settings.custom_fields.customer)
        rillet_id = linked or link.get("rillet_id")
        if not rillet_id:
            return None
        is_unsent = has_unsent_edit(link, solvimon_customer_hash(customer))
        is_rejected = is_unsent and record.get("state") == "rejected"
        return EditedCustomer(
            str(customer.id),
            customer.name or str(customer.id),
            str(rillet_id),
            is_unsent,
            str(record.get("message", "")) if is_rejected else "",
            str(record.get("remedy", "")) if is_rejected else "",
        )

    def compare(self, rows: Iterable[Any], edited: Mapping[str, EditedCustomer]) -> list[ComparedCustomer]:
        """Compare rows of Rillet's list with Solvimon; ``edited`` has the chosen customers by Rillet id."""
        linked, compared = {customer.id: each for each, customer in edited.items()}, []
        for row in rows:
            customer = edited.get(str(row.get("id"))) if isinstance(row, dict) else None
            if customer and (found := self._compare(customer.id, row)):
                compared.append(found)
            elif customer is None:
                compared += [
                    ComparedCustomer(each, other_id=str(row["id"]))
                    for each in self._references(row)
                    if each in linked
                ]
        return compared

    def _references(self, row: object) -> list[str]:
        """The Solvimon customers to which a row of Rillet refers."""
        try:
            references = RilletCustomer.model_validate(row).external_references
        except ValidationError:
            return []
        return [each.id for each in references if each.type == self._settings.reference_types.customer]

    def _compare(self, customer_id: str, row: Json) -> ComparedCustomer | None:
        link = self._ledger.find_link(self._name, "customer", customer_id) or {}
        late = LateWrites.of(link, self._connection.clock())
        try:
            customer = self._connection.solvimon.customer(customer_id)
            changed = changed_fields(customer, row, link, self._settings)
            left = rillet_customer_hash(RilletCustomer.model_validate(row))
        except (NeedsAttention, NotFound, ValidationError):
            return None  # its synchronisation reports it
        return ComparedCustomer(customer_id, changed, late.would_leave(left))

    def _read(self, kind: str, ids: Iterable[str]) -> dict[str, Mapping[str, Any]]:
        found = self._ledger.read_many(Document(self._name, kind, each) for each in ids)
        return {document.id: item for document, item in found.items()}


def was_repeated(keys: Mapping[str, Mapping[str, Any]], customer_id: str) -> bool:
    """Whether a customer's creation was sent again, after the answer to the first one was lost."""
    key = keys.get(customer_id, {})
    return int(key.get("last_sent_at", 0)) > int(key.get("first_sent_at", 0)) > 0


def _parsed_customers(rows: Iterable[Json]) -> Iterable[Customer]:
    for row in rows:
        try:
            customer = Customer.model_validate(row)
        except ValidationError:
            continue
        if customer.id:
            yield customer
