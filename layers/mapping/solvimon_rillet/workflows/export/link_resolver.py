"""Find the Rillet records that a document needs: in the ledger, else by Solvimon's custom fields.

The ledger remembers the links, so that an export usually needs no call for them.
"""

import uuid
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field

from solvimon_rillet.aws.dynamodb import Item
from solvimon_rillet.connections.connection import Connection
from solvimon_rillet.connections.pairs import claim_pair
from solvimon_rillet.errors import Code, Culprit, NeedsAttention
from solvimon_rillet.mapping.customers import MappedCustomer, solvimon_customer_hash, to_new_rillet_customer
from solvimon_rillet.mapping.links import Links
from solvimon_rillet.mapping.texts import is_rillet_id
from solvimon_rillet.settings import Settings
from solvimon_rillet.solvimon.master_data import Customer, Product, field_value
from solvimon_rillet.solvimon.models import Invoice
from solvimon_rillet.workflows.export.customer_creation import CreationKey, CustomerCreation
from solvimon_rillet.workflows.linking.unlinked_records import UnlinkedRecords

LINK_TTL = 24 * 3600
PRODUCT_LINK_SECONDS = 60
"""How long a product's link is taken from the ledger; a corrected one takes effect after that."""
GONE_LINK = "customer-gone"
"""Kind of the links that note which Rillet customer of a customer is gone."""
TO_BE_CREATED = "(created on export)"
_KEY_NAMESPACE = uuid.UUID("6b0f3c0e-8a53-5b0f-9c3a-1f7d1a2f4a10")


def idempotency_key(*parts: str) -> str:
    """An idempotency key; the same parts give the same key, on any machine and after any crash."""
    return str(uuid.uuid5(_KEY_NAMESPACE, "/".join(parts)))


@dataclass(slots=True)
class ResolvedLinks:
    """The links of a document, with warnings and the customer that was created for it."""

    links: Links
    warnings: list[str] = field(default_factory=list)
    new_customer: MappedCustomer | None = None


@dataclass(frozen=True, slots=True)
class BookedParties:
    """The Rillet ids of the customer and subsidiary of an invoice as it was booked; empty if not known."""

    customer_id: str = ""
    subsidiary_id: str = ""


@dataclass(frozen=True, slots=True)
class LinkedCustomer:
    """A customer's link; ``created`` is its payload if this run created it in Rillet."""

    rillet_id: str
    created: MappedCustomer | None = None


class LinkResolver:
    """Resolves the links of one connection's documents.

    Args:
        connection: of the documents. Its ledger remembers links, Solvimon has the custom fields that are not
            on the invoice, and in Rillet a new link is checked and a missing customer created.
        dry_run: write nothing, neither to Rillet nor to the ledger.
    """

    def __init__(self, connection: Connection, *, dry_run: bool = False) -> None:
        self._unlinked = UnlinkedRecords(connection, dry_run=dry_run)
        self._connection = connection
        self._creation = CustomerCreation(connection)
        self._name = connection.name
        self._settings = connection.settings
        self._ledger = connection.ledger
        self._solvimon = connection.solvimon
        self._rillet = connection.rillet
        self._dry_run = dry_run

    def resolve(self, invoice: Invoice, booked: BookedParties | None = None) -> ResolvedLinks:
        """The links of an invoice.

        Args:
            invoice: the document.
            booked: the parties of the invoice that it credits; they win over links that changed since.

        Raises:
            NeedsAttention: a product or the billing entity has no link, or the customer cannot have one.
            RetryLater, OutcomeUnknown: a vendor or the ledger does not answer.
        """
        products, booked = self._product_links(invoice), booked or BookedParties()
        subsidiary_id, currency = self._subsidiary_and_currency(invoice)
        if booked.subsidiary_id and booked.subsidiary_id != subsidiary_id:
            subsidiary_id = booked.subsidiary_id
            currency = self._subsidiary_currency(subsidiary_id) if invoice.used_exchange_rates else None
        resolved = ResolvedLinks(Links("", subsidiary_id, currency, products))
        customer_id, mailed = booked.customer_id, None
        if not customer_id:
            customer_id, mailed = self._customer_link(invoice, resolved)
        resolved.links = Links(customer_id, subsidiary_id, currency, products, mailed)
        return resolved

    def explain(self, why: NeedsAttention, invoice: Invoice, links: Links) -> NeedsAttention:
        """The error of an invoice that cannot be mapped; for a product without link, the one it is like."""
        unlinked = [product for product in _billed_products(invoice) if product.id not in links.products]
        return self._unlinked.explain(why, unlinked)

    def subsidiary(self, document: Invoice) -> str:
        """The Rillet subsidiary of a document's billing entity.

        Raises:
            NeedsAttention: the billing entity has no link.
            RetryLater: Solvimon or the ledger does not answer.
        """
        return self._subsidiary_and_currency(document)[0]

    def forget(self, invoice: Invoice) -> NeedsAttention | None:
        """Forget those links of an invoice whose ids Rillet may not have, because it refused one of them.

        Links of products and subsidiaries only repeat Solvimon's custom fields and the settings, so they are
        read there again. A customer's link may be all that says that we created it; it is forgotten only
        where Rillet does not have the customer.

        Returns:
            The error that says more than Rillet's refusal, if it is the customer that Rillet has no more.
        """
        ids = {
            "subsidiary": [invoice.biller_id],
            "product": [product.id for product in _billed_products(invoice)],
        }
        for kind, identifiers in ids.items():
            for identifier in filter(None, identifiers):
                self._ledger.delete_link(self._name, kind, identifier)
        gone = self.forget_missing_customer(invoice.payer_id) if invoice.payer_id else ""
        return self._merged(self._solvimon.customer(str(invoice.payer_id)), gone) if gone else None

    def forget_missing_customer(self, customer_id: str) -> str:
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
            raise self._merged(customer, str(gone["rillet_id"]))

    def _merged(self, customer: Customer, gone_id: str) -> NeedsAttention:
        reference = self._settings.custom_fields.customer
        return NeedsAttention(
            Code.CUSTOMER_MERGED,
            f"The customer {customer.id} was {gone_id} in Rillet, which is gone: merged into another one, or "
            f"deleted. {self._proposals(customer)}",
            f'Set the custom field "Rillet Customer ID" ({reference}) on it in Solvimon to the customer that '
            "it was merged into, or to one that you create in Rillet, then retry.",
            about=_culprit(customer),
        )

    def _proposals(self, customer: Customer) -> str:
        """Rillet's customers of the same name, by id: the message may be logged."""
        found = [one.id for one in self._rillet.customers_named(customer.name)] if customer.name else []
        if not found:
            return "Rillet has no customer of the same name."
        return f"Rillet's customers of the same name: {', '.join(found)}."

    def remembered_customer(self, customer: Customer) -> str:
        """The Rillet id of a customer, as far as the ledger or its custom field knows it; else empty."""
        remembered = self._ledger.find_link(self._name, "customer", str(customer.id)) or {}
        linked = field_value(customer.custom_fields, self._settings.custom_fields.customer)
        return linked or str(remembered.get("rillet_id", ""))

    def link_customer(self, customer: Customer, *, create: bool = True) -> LinkedCustomer | None:
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

    def _product_links(self, invoice: Invoice) -> Mapping[str, str]:
        found: dict[str, str] = {}
        for product in _billed_products(invoice):
            if linked := self._product_link(str(product.id), product):
                found[str(product.id)] = linked
        return found

    def _product_link(self, product_id: str, embedded: Product) -> str | None:
        """A product's link: on the embedded product, else on the product itself.

        No event says that a product's link was corrected, so the ledger's is taken for a minute only.
        """
        reference, now = self._settings.custom_fields.product, int(self._connection.clock())
        remembered = self._ledger.find_link(self._name, "product", product_id) or {}
        linked = field_value(embedded.custom_fields, reference)
        if linked is None and now - int(remembered.get("read_at", 0)) < PRODUCT_LINK_SECONDS:
            return str(remembered["rillet_id"])
        read = linked is None
        if read:
            product = self._solvimon.product(product_id)
            linked = field_value(product.custom_fields, reference)
            if linked is None and self._unlinked.links_by_name():
                linked = self._unlinked.find("product", product)
        _check_form(linked, f"The product {embedded.name or 'unnamed'} ({product_id})", reference)
        if linked and (read or linked != remembered.get("rillet_id")):
            self._remember("product", product_id, {"rillet_id": linked, "read_at": now}, LINK_TTL)
        return linked

    def _subsidiary_and_currency(self, invoice: Invoice) -> tuple[str, str | None]:
        entity_id = invoice.biller_id
        if entity_id is None:
            raise _no_subsidiary("The invoice names no billing entity.", self._settings)
        remembered = self._ledger.find_link(self._name, "subsidiary", entity_id)
        linked = self._subsidiary_link(invoice, entity_id, remembered)
        if linked is None:
            linked = self._unlinked.find("subsidiary", self._solvimon.billing_entity(entity_id))
        if linked is None:
            entity = invoice.billing_entity
            name = (entity.legal_name if entity else None) or "unnamed"
            raise _no_subsidiary(
                f"The billing entity {entity_id} has no Rillet subsidiary.", self._settings, name, entity_id
            )
        up_to_date = remembered is not None and remembered["rillet_id"] == linked
        _check_form(linked, f"The billing entity {entity_id}", self._settings.custom_fields.subsidiary)
        currency = None
        if remembered and up_to_date and "currency" in remembered:
            currency = str(remembered["currency"])
        if currency is None and invoice.used_exchange_rates:
            currency = self._subsidiary_currency(linked)
            up_to_date = False
        if not up_to_date:
            claim_pair(
                self._connection.table,
                self._connection.exists,
                self._name,
                invoice.platform_id,
                linked,
                dry_run=self._dry_run,
            )
            facts = {"rillet_id": linked} | ({"currency": currency} if currency else {})
            self._remember("subsidiary", entity_id, facts, LINK_TTL)
        return linked, currency

    def _subsidiary_link(self, invoice: Invoice, entity_id: str, remembered: Item | None) -> str | None:
        configured = {solvimon: rillet for rillet, solvimon in self._settings.subsidiaries.items()}
        if entity_id in configured:
            return configured[entity_id]
        reference = self._settings.custom_fields.subsidiary
        embedded = invoice.billing_entity
        linked = field_value(embedded.custom_fields, reference) if embedded else None
        linked = linked or invoice.copied_field("BILLING_ENTITY", reference)
        if linked is None and remembered:
            linked = str(remembered["rillet_id"])
        return linked or field_value(self._solvimon.billing_entity(entity_id).custom_fields, reference)

    def _subsidiary_currency(self, subsidiary_id: str) -> str | None:
        """Currency of a subsidiary's books; needed only where Solvimon states exchange rates."""
        return next((s.currency for s in self._rillet.subsidiaries() if s.id == subsidiary_id), None)

    def _customer_link(self, invoice: Invoice, resolved: ResolvedLinks) -> tuple[str, bool | None]:
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
                f"The customer {customer_id} is linked to what is not a customer in Rillet.",
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
        self._remember("customer", customer_id, facts)

    def _remember(
        self, kind: str, solvimon_id: str, facts: Mapping[str, object], seconds: int | None = None
    ) -> None:
        if not self._dry_run:
            self._ledger.store_link(self._name, kind, solvimon_id, facts, seconds)


def _billed_products(invoice: Invoice) -> list[Product]:
    """The products that an invoice bills, each once: its groups', and those that only their lines name."""
    products: dict[str, Product] = {}
    for _, group in invoice.billed_groups():
        items = [item for line in group.lines for item in line.product_items] if group.products else []
        for product in (*group.products, *(Product(id=item.product_id, name=item.name) for item in items)):
            if product.id:
                products.setdefault(product.id, product)
    return list(products.values())


def _check_form(rillet_id: str | None, what: str, reference: str) -> None:
    """Raise ``NeedsAttention`` for an id that Rillet cannot have."""
    if rillet_id and not is_rillet_id(rillet_id):
        raise NeedsAttention(
            Code.RILLET_ID_INVALID,
            f"{what} is linked to what is no Rillet id (a UUID).",
            f"Copy the id from Rillet into the custom field {reference} in Solvimon (or the setting that "
            "links it), then retry.",
            quoted=repr(rillet_id[:64]),
        )


def _culprit(customer: Customer) -> Culprit:
    return Culprit("customer", str(customer.id), customer.name or "")


def _no_subsidiary(own_words: str, settings: Settings, name: str = "", entity: str = "") -> NeedsAttention:
    return NeedsAttention(
        Code.SUBSIDIARY_NOT_LINKED,
        own_words,
        f'Import the subsidiaries from Rillet, or set the custom field "Rillet Subsidiary ID" '
        f"({settings.custom_fields.subsidiary}) on the billing entity in Solvimon, or the setting "
        "subsidiaries, then retry.",
        quoted=name,
        about=Culprit("subsidiary", entity, name) if entity else None,
    )
