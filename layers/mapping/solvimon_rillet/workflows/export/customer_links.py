"""The Rillet customer of a Solvimon customer: linked, found by its reference, or created.

The ledger remembers the link. A new one is checked in Rillet; a customer that Rillet had and lost is not
created again, because a person may have merged it into another one.
"""

from contextlib import nullcontext
from dataclasses import dataclass, field

from solvimon_rillet.connections.connection import Connection
from solvimon_rillet.errors import Code, Culprit, NeedsAttention
from solvimon_rillet.fingerprint import idempotency_key
from solvimon_rillet.mapping.customers import MappedCustomer, solvimon_customer_hash, to_new_rillet_customer
from solvimon_rillet.mapping.links import Links
from solvimon_rillet.solvimon.master_data import Customer, field_value
from solvimon_rillet.solvimon.models import Invoice
from solvimon_rillet.workflows.export.customer_creation import CreationKey, CustomerCreation
from solvimon_rillet.workflows.linking.unlinked_records import UnlinkedRecords

GONE_LINK = "customer-gone"
"""Kind of the links that note which Rillet customer of a customer is gone."""
TO_BE_CREATED = "(created on export)"


@dataclass(slots=True)
class ResolvedLinks:
    """The links of a document, with warnings and the customer that was created for it."""

    links: Links
    warnings: list[str] = field(default_factory=list)
    new_customer: MappedCustomer | None = None


@dataclass(frozen=True, slots=True)
class LinkedCustomer:
    """A customer's link; ``created`` is its payload if this run created it in Rillet."""

    rillet_id: str
    created: MappedCustomer | None = None


class CustomerLinks:
    """Finds, checks and makes the links of one connection's customers.

    Args:
        connection: of the customers.
        dry_run: write nothing, neither to Rillet nor to the ledger.
    """

    def __init__(self, connection: Connection, *, dry_run: bool = False) -> None:
        self._unlinked = UnlinkedRecords(connection, dry_run=dry_run)
        self._creation = CustomerCreation(connection)
        self._name = connection.name
        self._settings = connection.settings
        self._ledger = connection.ledger
        self._solvimon = connection.solvimon
        self._rillet = connection.rillet
        self._dry_run = dry_run

    def of_invoice(self, invoice: Invoice, resolved: ResolvedLinks) -> tuple[str, bool | None]:
        """The Rillet id of an invoice's customer, and whether Rillet mails invoices to it, if that is known.

        Args:
            invoice: the document.
            resolved: takes the warnings and the customer that was created.

        Raises:
            NeedsAttention: the invoice names no customer, or the customer cannot have a link.
            RetryLater, OutcomeUnknown: a vendor or the ledger does not answer.
        """
        customer_id = invoice.payer_id
        if customer_id is None:
            raise NeedsAttention(
                Code.CUSTOMER_NOT_LINKED,
                "The invoice names no customer.",
                "Report the invoice to Solvimon's support, or book it by hand.",
            )
        remembered = self._ledger.find_link(self._name, "customer", customer_id)
        reference = self._settings.custom_fields.customer
        embedded = invoice.customer
        linked = field_value(embedded.custom_fields, reference) if embedded else None
        linked = linked or invoice.copied_field("CUSTOMER", reference)
        if remembered and linked in {None, remembered["rillet_id"]}:
            return str(remembered["rillet_id"]), remembered.get("mailed")
        if linked is None or remembered:  # a document may show a link that was corrected since
            embedded = self._solvimon.customer(customer_id)
            linked = field_value(embedded.custom_fields, reference) or linked
            if remembered and linked == remembered["rillet_id"]:
                return str(remembered["rillet_id"]), remembered.get("mailed")
        if linked:
            return self._check_customer(customer_id, linked)
        return self._missing_customer(embedded or self._solvimon.customer(customer_id), resolved)

    def link(self, customer: Customer, *, create: bool = True) -> LinkedCustomer | None:
        """The link of a customer; a customer without link is created, if the settings allow it.

        The caller holds the customer's lease.

        Args:
            customer: the customer.
            create: whether it may be created.

        Returns:
            ``None`` for a customer without link, if it is not to be created.
        """
        customer_id = str(customer.id)
        remembered = self._ledger.find_link(self._name, "customer", customer_id)
        linked = field_value(customer.custom_fields, self._settings.custom_fields.customer)
        if remembered and linked in {None, remembered["rillet_id"]}:
            return LinkedCustomer(str(remembered["rillet_id"]))
        if linked:
            return LinkedCustomer(self._check_customer(customer_id, linked)[0])
        key = self._creation.key(customer_id)
        if found := self._referring_customer(customer_id):
            return LinkedCustomer(found[0])
        self._check_not_gone(customer)
        if not create or not self._settings.create_missing_customers:
            return None
        resolved = ResolvedLinks(Links("", ""))
        return LinkedCustomer(self._create_customer(customer, key, resolved)[0], resolved.new_customer)

    def remembered(self, customer: Customer) -> str:
        """The Rillet id of a customer, as far as the ledger or its custom field knows it; else empty."""
        remembered = self._ledger.find_link(self._name, "customer", str(customer.id)) or {}
        linked = field_value(customer.custom_fields, self._settings.custom_fields.customer)
        return linked or str(remembered.get("rillet_id", ""))

    def forget_missing(self, customer_id: str) -> str:
        """Forget a customer's link, if Rillet does not have the customer.

        Then the next creation takes another idempotency key: Rillet would answer the used one with the
        customer that is gone.

        Returns:
            The id that Rillet does not have; empty if it has the customer.
        """
        link = self._ledger.find_link(self._name, "customer", customer_id)
        if link is None or self._rillet.customer(str(link["rillet_id"])) is not None:
            return ""
        # In this order: if the process ends in between, the customer is found missing again.
        self._ledger.store_link(self._name, GONE_LINK, customer_id, {"rillet_id": link["rillet_id"]})
        self._creation.use_up_key(customer_id)
        self._ledger.delete_link(self._name, "customer", customer_id)
        return str(link["rillet_id"])

    def merged(self, customer: Customer, gone_id: str) -> NeedsAttention:
        """The error about a customer that Rillet had; it proposes Rillet's customers of the same name."""
        reference = self._settings.custom_fields.customer
        return NeedsAttention(
            Code.CUSTOMER_MERGED,
            f"The customer {customer.id} was {gone_id} in Rillet, which is gone: merged into another one, or "
            f"deleted. {self._proposals(customer)}",
            f'Set the custom field "Rillet Customer ID" ({reference}) on it in Solvimon to the customer that '
            "it was merged into, or to one that you create in Rillet, then retry.",
            about=_culprit(customer),
        )

    def _check_customer(self, customer_id: str, linked: str) -> tuple[str, bool | None]:
        """Check a new link: that Rillet has the customer, and whether Rillet mails invoices to it."""
        reference, found = self._settings.custom_fields.customer, self._rillet.customer(linked)
        if found is None:
            customer = self._solvimon.customer(customer_id)
            current = field_value(customer.custom_fields, reference)
            if current and current != linked:  # the document shows a link that was corrected since
                return self._check_customer(customer_id, current)
            self._check_not_gone(customer, linked)
            raise NeedsAttention(
                Code.RILLET_RECORD_MISSING,
                f"The customer {customer_id} is linked to an id that no customer in Rillet has.",
                f'Correct the custom field "Rillet Customer ID" ({reference}) on the customer in Solvimon, '
                "then retry.",
                quoted=f"{linked}. {self._proposals(customer)}",
                about=_culprit(customer),
            )
        self._remember_customer(customer_id, linked, found.send_invoices_automatically)
        return linked, found.send_invoices_automatically

    def _missing_customer(self, customer: Customer, resolved: ResolvedLinks) -> tuple[str, bool | None]:
        """The Rillet customer that refers to a customer without link, else a new one.

        The key is read before the look-up. Rillet's list may lag: a customer that it does not show yet is
        then created with the key of the first creation, which Rillet answers with that customer.
        """
        customer_id, reference = str(customer.id), self._settings.custom_fields.customer
        with nullcontext() if self._dry_run else self._creation.lease(customer_id):
            if remembered := self._ledger.find_link(self._name, "customer", customer_id):
                return str(remembered["rillet_id"]), remembered.get("mailed")
            key = self._creation.key(customer_id)
            if found := self._referring_customer(customer_id):
                return found
            if not self._settings.create_missing_customers:
                raise NeedsAttention(
                    Code.CUSTOMER_NOT_LINKED,
                    f"The customer {customer_id} has no Rillet customer.",
                    f'Set the custom field "Rillet Customer ID" ({reference}) on it in Solvimon, or switch '
                    "create_missing_customers on, then retry.",
                    about=_culprit(customer),
                )
            self._check_not_gone(customer)
            return self._create_customer(customer, key, resolved)

    def _referring_customer(self, customer_id: str) -> tuple[str, bool | None] | None:
        """The Rillet customer whose external reference is this customer, if there is one."""
        kind = self._settings.reference_types.customer
        found = self._rillet.customer_by_reference(kind, customer_id)
        if found is None:
            return None
        self._remember_customer(customer_id, found.id, found.send_invoices_automatically)
        return found.id, found.send_invoices_automatically

    def _check_not_gone(self, customer: Customer, linked: str = "") -> None:
        """Refuse a customer that Rillet had, and that a person may have merged into another one.

        Args:
            customer: of Solvimon.
            linked: its custom field; empty if it is to be created.

        Raises:
            NeedsAttention: proposes Rillet's customers of the same name.
        """
        gone = self._ledger.find_link(self._name, GONE_LINK, str(customer.id)) or {}
        if gone and linked in {"", gone["rillet_id"]}:
            raise self.merged(customer, str(gone["rillet_id"]))

    def _proposals(self, customer: Customer) -> str:
        """Rillet's customers of the same name, by id: the message may be logged."""
        found = [one.id for one in self._rillet.customers_named(customer.name)] if customer.name else []
        if not found:
            return "Rillet has no customer of the same name."
        return f"Rillet's customers of the same name: {', '.join(found)}."

    def _create_customer(
        self, customer: Customer, key: CreationKey, resolved: ResolvedLinks
    ) -> tuple[str, bool | None]:
        """Create a customer that Rillet's list does not have.

        Args:
            customer: the customer.
            key: read before the look-up.
            resolved: takes the warnings and the new customer.

        Raises:
            RetryLater: an earlier creation may still arrive.
        """
        customer_id = str(customer.id)
        mapped = to_new_rillet_customer(customer, self._settings)
        if linked := self._unlinked.find("customer", customer):
            return self._check_customer(customer_id, linked)
        resolved.new_customer = mapped
        resolved.warnings += mapped.warnings
        if self._dry_run:
            resolved.warnings.append(f"The customer {mapped.payload['name']} would be created in Rillet.")
            return TO_BE_CREATED, False
        created = self._creation.create(
            customer_id,
            mapped.payload,
            key,
            idempotency_key(self._name, "customer", customer_id, str(key.used)),
        )
        self._remember_customer(customer_id, created.id, False, solvimon_customer_hash(customer))
        return created.id, False

    def _remember_customer(
        self, customer_id: str, rillet_id: str, mailed: bool | None, synced: str | None = None
    ) -> None:
        """Remember a link; ``synced`` is the fingerprint of the customer in Rillet, if it is known."""
        facts: dict[str, object] = {"rillet_id": rillet_id}
        if mailed is not None:
            facts["mailed"] = mailed
        if synced is not None:
            facts["imported_hash"] = synced
        if not self._dry_run:
            self._ledger.store_link(self._name, "customer", customer_id, facts)


def _culprit(customer: Customer) -> Culprit:
    return Culprit("customer", str(customer.id), customer.name or "")
