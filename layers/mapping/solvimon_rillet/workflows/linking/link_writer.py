"""Write a link into both systems and the ledger, or remove it."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from solvimon_rillet.connections.connection import Connection
from solvimon_rillet.connections.directory import COLLECTIONS
from solvimon_rillet.errors import Code, NeedsAttention
from solvimon_rillet.ledger.import_state import ImportState
from solvimon_rillet.ledger.matches import Match, MatchStore
from solvimon_rillet.mapping.customers import with_references
from solvimon_rillet.mapping.solvimon_fields import (
    custom_field,
    custom_value,
    patch_body,
    without_custom_field,
)
from solvimon_rillet.solvimon.rejections import AlreadyExists, NotFound
from solvimon_rillet.workflows.customers.customer_lease import customer_lease
from solvimon_rillet.workflows.imports.customers import CUSTOMERS
from solvimon_rillet.workflows.imports.products import PRODUCTS
from solvimon_rillet.workflows.imports.setup import ImportSetup
from solvimon_rillet.workflows.imports.subsidiaries import SUBSIDIARIES
from solvimon_rillet.workflows.late_writes import LATE_IMPORTS, LATE_WRITES
from solvimon_rillet.workflows.linking.merged_customers import MergedCustomers

Json = dict[str, Any]
RESOURCES = {resource.name: resource for resource in (CUSTOMERS, PRODUCTS, SUBSIDIARIES)}


class LinkWriter:
    """Writes the links of one connection.

    Args:
        connection: the connection.
        owner: names this run; it holds the leases on customers.
        store: keeps who linked and unlinked a pair.
    """

    def __init__(self, connection: Connection, owner: str, store: MatchStore) -> None:
        self._connection = connection
        self._store = store
        self._solvimon = connection.solvimon
        self._rillet = connection.rillet
        self._ledger = connection.ledger
        self._owner = owner

    def link(self, match: Match, *, dry_run: bool) -> list[str]:
        """Link a pair: the custom field in Solvimon, for a customer its reference in Rillet, the ledger.

        Returns:
            Warnings; the pair is linked all the same.

        Raises:
            NeedsAttention: one of the two is linked to another record, or a vendor refuses.
            RetryLater: a function works on the customer, or a service does not answer.
            OutcomeUnknown: an answer was lost; the same request completes the link.
        """
        with self._customer_lease(match.kind, match.solvimon_id, dry_run=dry_run):
            ours = self._read(match.kind, match.solvimon_id)
            ours = self._checked(match, ours)
            customer = self._rillet.customer_json(match.rillet_id) if match.kind == "customer" else None
            if customer is not None:
                self._check_rillet(match, customer)
            if dry_run:
                return []
            self._patch(match.kind, ours, match.rillet_id)
            warnings = self._refer(match, customer) if customer is not None else []
            self._remember(match, customer)
            return warnings

    def unlink(self, kind: str, solvimon_id: str, by: str, *, dry_run: bool) -> list[str]:
        """Remove the link of a Solvimon record: its custom field, the reference in Rillet, the ledger.

        Who removes it is recorded first: a crash after it leaves a link whose removal can be repeated, while
        a removal without a record could not be found any more.

        Args:
            kind: of the record.
            solvimon_id: its id.
            by: who removes the link.
            dry_run: check, and write nothing.

        Returns:
            What a user must still do by hand.

        Raises:
            NeedsAttention: Solvimon does not have the record, or a vendor refuses.
            RetryLater: a function works on the customer, or a service does not answer.
        """
        with self._customer_lease(kind, solvimon_id, dry_run=dry_run):
            ours = self._read(kind, solvimon_id)
            rillet_id = self._linked(kind, ours)
            remembered = self._ledger.find_link(self._connection.name, kind, solvimon_id) or {}
            rillet_id = rillet_id or remembered.get("rillet_id")
            if dry_run:
                return []
            if rillet_id:
                self._store.answer(Match(kind, solvimon_id, str(rillet_id)), "unlinked", by)
            reference, warnings = self._reference(kind), []
            if self._linked(kind, ours):
                body = {"custom_fields": without_custom_field(ours.get("custom_fields") or [], reference)}
                self._write(kind, lambda: self._solvimon.update(COLLECTIONS[kind], solvimon_id, body))
                if self._linked(kind, self._read(kind, solvimon_id)):
                    warnings.append(
                        f"Solvimon kept the custom field {reference}; clear it by hand in the Desk."
                    )
            if kind == "customer" and rillet_id:
                warnings += self._remove_reference(str(rillet_id), solvimon_id)
            self._ledger.delete_link(self._connection.name, kind, solvimon_id)
            if rillet_id:
                self._imports(kind).forget_row(str(rillet_id))
            return warnings

    def _customer_lease(
        self, kind: str, solvimon_id: str, *, dry_run: bool
    ) -> AbstractContextManager[object]:
        """No synchronisation of the customer runs meanwhile: Rillet's customers have no version."""
        if kind != "customer" or dry_run:
            return nullcontext()
        return customer_lease(self._connection, solvimon_id, self._owner)

    def _read(self, kind: str, solvimon_id: str) -> Json:
        found = self._solvimon.find(COLLECTIONS[kind], solvimon_id)
        if found is None:
            raise NeedsAttention(
                Code.SOLVIMON_RECORD_MISSING,
                f"Solvimon has no {kind} {solvimon_id}.",
                "Give the id that Solvimon's Desk shows in the record's address.",
            )
        return found

    def _checked(self, match: Match, ours: Json) -> Json:
        """Solvimon's record of a pair, without a link to a customer that was merged away.

        Raises:
            NeedsAttention: Solvimon links one of the two records to another.
        """
        remembered = self._ledger.find_link(self._connection.name, match.kind, match.solvimon_id) or {}
        linked = self._linked(match.kind, ours) or str(remembered.get("rillet_id", ""))
        is_other = linked and linked.casefold() != match.rillet_id.casefold()
        if is_other and not MergedCustomers(self._rillet).is_gone(match.kind, linked):
            raise linked_elsewhere(match.kind, match.solvimon_id, linked)
        filters = {"custom_field": f"{self._reference(match.kind)}:{match.rillet_id}"}
        for other in self._solvimon.find_all(COLLECTIONS[match.kind], **filters):
            if other["id"] != match.solvimon_id and self._linked(match.kind, other) == match.rillet_id:
                raise linked_elsewhere(match.kind, str(other["id"]), match.rillet_id)
        if not is_other:
            return ours
        fields = without_custom_field(ours.get("custom_fields") or [], self._reference(match.kind))
        return {**ours, "custom_fields": fields}

    def _check_rillet(self, match: Match, customer: Json) -> None:
        """Refuse a customer whose reference in Rillet names another customer of Solvimon."""
        kind = self._connection.settings.reference_types.customer
        for each in customer.get("external_references") or []:
            if each.get("type") == kind and each.get("id") != match.solvimon_id:
                raise linked_elsewhere("customer", str(each.get("id")), match.rillet_id)

    def _patch(self, kind: str, ours: Json, rillet_id: str) -> None:
        body = patch_body(ours, {"custom_fields": custom_field(self._reference(kind), rillet_id)})
        if body:
            setup = ImportSetup(RESOURCES[kind], self._owner, self._connection, dry_run=False)
            setup.ensure_custom_field()
            self._write(kind, lambda: self._solvimon.update(COLLECTIONS[kind], str(ours["id"]), body))

    def _write(self, kind: str, call: Callable[[], object]) -> None:
        try:
            call()
        except AlreadyExists as other:
            taken = str(other.resource_id or "another record")
            raise linked_elsewhere(kind, taken, "this Rillet id") from None
        except NotFound:
            raise NeedsAttention(
                Code.SOLVIMON_RECORD_MISSING,
                "The record was deleted in Solvimon a moment ago.",
                "List the records again.",
            ) from None

    def _refer(self, match: Match, customer: Json) -> list[str]:
        """Add our reference to the customer in Rillet; a type that Rillet does not know is a warning."""
        kind = self._connection.settings.reference_types.customer
        references = [dict(each) for each in customer.get("external_references") or []]
        if any(each.get("type") == kind for each in references):
            return []
        return self._replace(customer, [*references, {"type": kind, "id": match.solvimon_id}])

    def _remove_reference(self, rillet_id: str, solvimon_id: str) -> list[str]:
        customer = self._rillet.customer_json(rillet_id)
        if customer is None:
            return []
        own = {"type": self._connection.settings.reference_types.customer, "id": solvimon_id}
        references = [dict(each) for each in customer.get("external_references") or []]
        kept = [each for each in references if {name: each.get(name) for name in own} != own]
        return self._replace(customer, kept) if kept != references else []

    def _replace(self, customer: Json, references: list[Json]) -> list[str]:
        """Replace a customer's references in Rillet; a refusal is a warning, which the link survives."""
        mapped = with_references(customer, references, self._connection.settings)
        try:
            self._rillet.replace_customer(str(customer["id"]), mapped.payload)
        except NeedsAttention as why:
            return [f"Rillet did not take the change of the customer's references. {why.message}"]
        return list(mapped.warnings)

    def _remember(self, match: Match, customer: Json | None) -> None:
        """Store the link, and let the next import compare the row again."""
        facts: Json = {"rillet_id": match.rillet_id}
        if customer is not None:
            facts["mailed"] = bool(customer.get("send_invoices_automatically"))
            before = self._ledger.find_link(self._connection.name, match.kind, match.solvimon_id) or {}
            facts |= {name: before[name] for name in (LATE_WRITES, LATE_IMPORTS) if name in before}
            self._ledger.store_link(self._connection.name, match.kind, match.solvimon_id, facts)
        else:  # products and subsidiaries are read again from the custom field, which has the link now
            self._ledger.delete_link(self._connection.name, match.kind, match.solvimon_id)
        self._imports(match.kind).forget_row(match.rillet_id)

    def _imports(self, kind: str) -> ImportState:
        return ImportState(self._connection.name, kind, self._connection.table, self._connection.clock)

    def _linked(self, kind: str, record: Json) -> str | None:
        return custom_value(record, self._reference(kind))

    def _reference(self, kind: str) -> str:
        return str(getattr(self._connection.settings.custom_fields, kind))


def linked_elsewhere(kind: str, solvimon_id: str, rillet_id: str) -> NeedsAttention:
    """The error of a record that is linked to another one."""
    return NeedsAttention(
        Code.LINKED_ELSEWHERE,
        f"The {kind} {solvimon_id} of Solvimon is linked to {rillet_id} already.",
        f'If that link is wrong, invoke link_records with {{"unlink": {{"kind": "{kind}", "solvimon_id": '
        f'"{solvimon_id}"}}}} first.',
    )
