"""Synchronise a Solvimon customer's edits to Rillet, and keep the fields that only Rillet has."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from solvimon_rillet.connections.connection import Connection
from solvimon_rillet.errors import Code, NeedsAttention, OutcomeUnknown, Skip, SolvimonRilletError
from solvimon_rillet.ledger.ledger import Claim, Document
from solvimon_rillet.mapping.customers import (
    MappedCustomer,
    rillet_customer_hash,
    solvimon_customer_hash,
    to_rillet_customer,
)
from solvimon_rillet.rillet.models import Customer as RilletCustomer
from solvimon_rillet.solvimon.master_data import Customer
from solvimon_rillet.workflows.customers.erasures import Erasures, is_erased
from solvimon_rillet.workflows.customers.late_imports import with_late_imports_undone
from solvimon_rillet.workflows.export.customer_links import CustomerLinks, LinkedCustomer
from solvimon_rillet.workflows.late_writes import LATE_IMPORTS, LateWrites, may_arrive_late
from solvimon_rillet.workflows.lease import under_lease
from solvimon_rillet.workflows.outcome import Result, error_fields


class SyncCustomer:
    """Synchronises the customers of one connection.

    Rillet's customers have no version, so of two runs at once the slower could write older data. A lease lets
    one run at a time read, merge and write; the next one reads the newer edit. A write whose answer was lost
    may arrive after a later one: the link remembers it, and the message stays on the queue until both sides
    have been compared again.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._settings = connection.settings
        self._ledger = connection.ledger

    def run(self, customer_id: str, owner: str, *, on_request: bool = False) -> Result:
        """Synchronise one customer.

        Args:
            customer_id: Solvimon's id.
            owner: names this run; it holds the lease.
            on_request: a person asked for it, so that a customer without link is created; an edit or
                archiving of a customer that was never billed creates none.

        Raises:
            RetryLater: another run holds the lease, a service does not answer, or an earlier write may still
                arrive.
            OutcomeUnknown: the write may have happened; a later run repeats it without harm.
        """
        document = Document(self._connection.name, "customer", customer_id)
        work = partial(self._sync, create=on_request)
        return under_lease(self._ledger, document, owner, work, on_request=on_request)

    def dry_run(self, customer_id: str) -> Result:
        """The changes that ``run`` would make; writes nothing anywhere."""
        try:
            customer, linked = self._read_linked(customer_id, dry_run=True)
            rillet_id = linked.rillet_id
            payload, current, warnings = self._preview(customer, linked)
        except NeedsAttention as why:
            return Result(customer_id, "would_reject", error_fields(why))
        except Skip as why:
            return Result(customer_id, "would_skip", {"reason": why.reason})
        changes = {
            name: [current.get(name), value] for name, value in payload.items() if current.get(name) != value
        }
        outcome = "would_sync" if changes else "unchanged"
        return Result(
            customer_id, outcome, {"rillet_id": rillet_id, "changes": changes, "warnings": warnings}
        )

    def _sync(self, claim: Claim, *, create: bool) -> Result:
        """Synchronise, and forget a link to a customer that Rillet does not have."""
        try:
            return self._synchronize(claim, create=create)
        except NeedsAttention as why:
            if why.code is Code.RILLET_RECORD_MISSING:
                CustomerLinks(self._connection).forget_missing(claim.document.id)
            raise

    def _synchronize(self, claim: Claim, *, create: bool) -> Result:
        """The steps in order: read, compare with the last synchronisation, merge, write, remember."""
        customer_id = claim.document.id
        customer, linked = self._read_linked(customer_id, create=create)
        claim.document_facts["payer_id"] = customer_id
        if customer.name:
            claim.document_facts["customer"] = customer.name
        rillet_id = linked.rillet_id
        if linked.created:
            return self._record_created(claim, rillet_id, linked.created)
        remembered = self._ledger.find_link(self._connection.name, "customer", customer_id) or {}
        customer = with_late_imports_undone(self._connection, customer, remembered, rillet_id)
        fingerprint = solvimon_customer_hash(customer)
        late = LateWrites.of(remembered, self._connection.clock())
        is_edited = remembered.get("imported_hash") != fingerprint
        if not is_edited and not late.entries:
            self._ledger.finish(claim, "synced", {"rillet_id": rillet_id})
            return Result(customer_id, "unchanged", {"rillet_id": rillet_id})
        payload, current, warnings = self._merge(customer, rillet_id)
        changed = sorted(name for name, value in payload.items() if current.get(name) != value)
        if not is_edited and not late.would_leave(_synced_state(current)):
            changed = []  # a person has edited it in Rillet since
        link = {**self._other_link_facts(remembered), "rillet_id": rillet_id}
        updated_at = str(current.get("updated_at") or "")
        if changed:
            updated_at = self._replace(customer_id, remembered, link, payload, late)
        after = _synced_state({"id": rillet_id, **payload} if changed else current)
        sides = {"imported_hash": fingerprint, "synced_hash": after, "rillet_updated_at": updated_at}
        self._store_link(customer_id, {**link, **sides}, late)
        if late.entries:
            self._ledger.record_step(claim, {"step": "written", "rillet_id": rillet_id})
            late.check_settled(self._connection.clock())
        facts = {"rillet_id": rillet_id, "changed": changed, "warnings": warnings}
        self._ledger.finish(claim, "synced", {**facts, "synced_at": int(self._connection.clock())})
        return Result(customer_id, "synced" if changed else "unchanged", facts)

    def _replace(
        self,
        customer_id: str,
        before: Mapping[str, Any],
        link: Mapping[str, Any],
        payload: Mapping[str, object],
        late: LateWrites,
    ) -> str:
        """Replace the customer in Rillet, and return the time of the change.

        The link remembers the write before it is sent, and not the fingerprint of the state before. So the
        next run looks again where the answer is lost, or where the process ends here.
        """
        sent = late.plus(_synced_state({"id": link["rillet_id"], **payload}), self._connection.clock())
        self._ledger.store_link(self._connection.name, "customer", customer_id, {**link, **sent.as_facts()})
        try:
            return self._connection.rillet.replace_customer(str(link["rillet_id"]), payload)
        except OutcomeUnknown as error:
            if not may_arrive_late(error):
                facts = {**link, **late.as_facts()}
                self._ledger.store_link(self._connection.name, "customer", customer_id, facts)
            raise
        except SolvimonRilletError:  # Rillet has not changed it
            self._ledger.store_link(
                self._connection.name, "customer", customer_id, _facts_before(before, link)
            )
            raise

    def _store_link(self, customer_id: str, link: Mapping[str, Any], late: LateWrites) -> None:
        self._ledger.store_link(
            self._connection.name, "customer", customer_id, {**link, **late.facts_if_any()}
        )

    def _other_link_facts(self, link: Mapping[str, Any]) -> dict[str, Any]:
        """The facts of a link that a synchronisation keeps."""
        late_imports = LateWrites.of(link, self._connection.clock(), LATE_IMPORTS)
        return {name: link[name] for name in ("mailed",) if name in link} | late_imports.facts_if_any()

    def _record_created(self, claim: Claim, rillet_id: str, mapped: MappedCustomer) -> Result:
        """Record a customer that this run created; its link has the fingerprint already."""
        facts = {"rillet_id": rillet_id, "created": True, "changed": sorted(mapped.payload)}
        facts["warnings"] = list(mapped.warnings)
        self._ledger.finish(claim, "synced", {**facts, "synced_at": int(self._connection.clock())})
        return Result(claim.document.id, "synced", facts)

    def _read_linked(
        self, customer_id: str, *, create: bool = True, dry_run: bool = False
    ) -> tuple[Customer, LinkedCustomer]:
        """The customer and its link.

        Raises:
            Skip: the workflow is off, the customer is erased, or it is not linked and not to be created.
        """
        if not self._settings.workflows.sync_customer:
            raise Skip("The workflow sync_customer is switched off in the settings.")
        customer = self._connection.solvimon.customer(customer_id)
        links = CustomerLinks(self._connection, dry_run=dry_run)
        if is_erased(customer):
            if not dry_run:
                erasures = Erasures(self._connection)
                erasures.remember(customer_id, links.remembered(customer))
                erasures.forget_name(customer_id)
            raise Skip("The customer is erased in Solvimon; erase it in Rillet by hand as well.", "erased")
        linked = links.link(customer, create=create)
        if linked is None:
            raise Skip(
                "The customer is not linked to a Rillet customer; one is created when it is first billed, "
                "unless create_missing_customers is off."
            )
        return customer, linked

    def _preview(
        self, customer: Customer, linked: LinkedCustomer
    ) -> tuple[dict[str, object], Mapping[str, Any], list[str]]:
        """As ``_merge``; for a customer that is to be created, the payload of its creation."""
        if linked.created:
            return linked.created.payload, {}, list(linked.created.warnings)
        return self._merge(customer, linked.rillet_id)

    def _merge(
        self, customer: Customer, rillet_id: str
    ) -> tuple[dict[str, object], Mapping[str, Any], list[str]]:
        """The payload with the edits, the customer as Rillet has it, and warnings."""
        current = self._connection.rillet.customer_json(rillet_id)
        if current is None:
            reference = self._settings.custom_fields.customer
            raise NeedsAttention(
                Code.RILLET_RECORD_MISSING,
                f"The customer {customer.id} is linked to {rillet_id}, which Rillet does not have.",
                f"Correct the custom field {reference} on the customer in Solvimon; the sync follows.",
            )
        mapped = to_rillet_customer(customer, current, self._settings)
        return mapped.payload, current, list(mapped.warnings)


def _facts_before(before: Mapping[str, Any], link: Mapping[str, Any]) -> Mapping[str, Any]:
    """The facts of the link before a write, or of the new one if there was none."""
    keys = {"pk", "sk", "schema_version", "expires_at"}
    return {name: value for name, value in before.items() if name not in keys} or link


def _synced_state(customer: Mapping[str, Any]) -> str:
    """Fingerprint of the synchronised fields of a customer in Rillet's JSON."""
    return rillet_customer_hash(RilletCustomer.model_validate(customer))
