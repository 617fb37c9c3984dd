"""Find the Rillet records that a document needs: in the ledger, else by Solvimon's custom fields.

The ledger remembers the links, so that an export usually needs no call for them.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from solvimon_rillet.aws.dynamodb import Item
from solvimon_rillet.connections.connection import Connection
from solvimon_rillet.connections.pairs import claim_pair
from solvimon_rillet.errors import Code, Culprit, NeedsAttention
from solvimon_rillet.ledger.links import LINK_TTL
from solvimon_rillet.mapping.links import Links
from solvimon_rillet.mapping.texts import is_rillet_id
from solvimon_rillet.settings import Settings
from solvimon_rillet.solvimon.master_data import Product, field_value
from solvimon_rillet.solvimon.models import Invoice
from solvimon_rillet.workflows.export.customer_links import CustomerLinks, ResolvedLinks
from solvimon_rillet.workflows.linking.unlinked_records import UnlinkedRecords

PRODUCT_LINK_SECONDS = 60
"""How long a product's link is taken from the ledger; a corrected one takes effect after that."""


@dataclass(frozen=True, slots=True)
class BookedParties:
    """The Rillet ids of the customer and subsidiary of an invoice as it was booked; empty if not known."""

    customer_id: str = ""
    subsidiary_id: str = ""


class LinkResolver:
    """Resolves the links of one connection's documents.

    Args:
        connection: of the documents. Its ledger remembers links, and Solvimon has the custom fields that are
            not on the invoice.
        dry_run: write nothing, neither to Rillet nor to the ledger.
    """

    def __init__(self, connection: Connection, *, dry_run: bool = False) -> None:
        self._unlinked = UnlinkedRecords(connection, dry_run=dry_run)
        self._connection = connection
        self._customers = CustomerLinks(connection, dry_run=dry_run)
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
            customer_id, mailed = self._customers.of_invoice(invoice, resolved)
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
        gone = self._customers.forget_missing(invoice.payer_id) if invoice.payer_id else ""
        return self._customers.merged(self._solvimon.customer(str(invoice.payer_id)), gone) if gone else None

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
            self._remember("product", product_id, {"rillet_id": linked, "read_at": now})
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
            self._remember("subsidiary", entity_id, facts)
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

    def _remember(self, kind: str, solvimon_id: str, facts: Mapping[str, object]) -> None:
        if not self._dry_run:
            self._ledger.store_link(self._name, kind, solvimon_id, facts, LINK_TTL)


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
            f"{what} has a link that is no Rillet id (a UUID).",
            f"Copy the id from Rillet into the custom field {reference} in Solvimon (or the setting that "
            "links it), then retry.",
            quoted=repr(rillet_id[:64]),
        )


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
