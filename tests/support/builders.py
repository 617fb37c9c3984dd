"""Solvimon invoices as its API sends them, a few words each, and what they are mapped to."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import pytest
import simplejson

from local import sample_data
from local.sample_data.identity import rillet_id, solvimon_id
from solvimon_rillet.errors import Code, NeedsAttention
from solvimon_rillet.mapping.document_fields import MappedDocument
from solvimon_rillet.mapping.invoices import to_rillet_invoice
from solvimon_rillet.mapping.links import Links
from solvimon_rillet.settings import Settings
from solvimon_rillet.solvimon.models import Invoice

Json = dict[str, Any]
Check = Callable[[], None]
"""A case of a table, ready to be checked."""
Mapped = MappedDocument

SCOPES = ("FULL", "REVENUE_RECOGNITION_ONLY", "AR_ONLY")
CUSTOMER = "c0000000-0000-4000-8000-000000000001"
SUBSIDIARY = "5b000000-0000-4000-8000-000000000002"
PLATFORM_FEE = "90000000-0000-4000-8000-000000000003"
API_CALLS = "90000000-0000-4000-8000-000000000004"
FALLBACK = "fa000000-0000-4000-8000-000000000005"
LINKS = Links(CUSTOMER, SUBSIDIARY, products={"prod_fee": PLATFORM_FEE, "prod_calls": API_CALLS})
GROUP = "periods[0].groups[0]"

FIRST = sample_data.invoice_id("first")
ORIGINAL, SECOND, NOTE, OTHER_NOTE = "invo_original", "invo_second", "invo_note", "invo_othernote"
DEMO_CUSTOMER = solvimon_id("cust", "maasvlakte-quay")
DEMO_CUSTOMER_IN_RILLET = rillet_id("customer", "maasvlakte-quay")
DEMO_PERSON = solvimon_id("cust", "marina-de-boer")
DEMO_PERSON_IN_RILLET = rillet_id("customer", "marina-de-boer")
STATELESS = solvimon_id("cust", "straits-bunker")
STATELESS_IN_RILLET = rillet_id("customer", "straits-bunker")
UNLINKED = solvimon_id("cust", "zeeland-offshore")
DEMO_PRODUCT = {"id": solvimon_id("prod", "harbour-planner"), "name": "Harbour Planner"}


def amount(quantity: str | Decimal, currency: str = "EUR") -> Json:
    """Money as Solvimon writes it."""
    return {"quantity": f"{Decimal(quantity):f}", "currency": currency}


def tax(base: str, paid: str, percentage: str | None = "21", name: str = "BTW", **more: object) -> Json:
    """A tax category: what is paid on a base, in euros unless ``currency`` says otherwise."""
    currency = str(more.pop("currency", "EUR"))
    return {
        "base_amount": amount(base, currency),
        "tax_amount": amount(paid, currency),
        "percentage": percentage,
        "name": name,
        "category": "STANDARD",
        **more,
    }


def canadian(net: str = "100.00", gst: str = "5.00", pst: str = "7.00") -> Json:
    """A group with two taxes on the same base."""
    return group(net, tax(net, gst, "5", "GST"), tax(net, pst, "7", "PST"))


def product(product_id: str = "prod_fee", name: str = "Platform fee") -> Json:
    """A product as an invoice embeds it."""
    return {"id": product_id, "name": name}


def group(net: str, *taxes: Json, currency: str = "EUR", **more: object) -> Json:
    """A group of one linked product, without dates unless given."""
    return {
        "amount_excluding_tax": amount(net, currency),
        "tax_categories": list(taxes),
        "products": [product()],
        **more,
    }


def taxed(net: str = "100.00", paid: str = "21.00", percentage: str = "21", **more: object) -> Json:
    """A group under one tax rate on the whole of it."""
    currency = str(more.get("currency", "EUR"))
    return group(net, tax(net, paid, percentage, currency=currency), **more)  # type: ignore[arg-type]


def line(**fields: object) -> Json:
    """A line of revenue inside a group."""
    return {"type": "REVENUE", **fields}


def invoice(*groups: Json, **more: object) -> Json:
    """A finalised invoice of 31 January 2026, whose header is the sum of its groups.

    Give ``net``, ``paid`` (the tax) and ``gross`` for another header.
    """
    amounts = [found for each in groups if (found := each["amount_excluding_tax"])]
    currency = amounts[0]["currency"] if amounts else "EUR"
    net = Decimal(str(more.pop("net", sum(map(_quantity, amounts)))))
    taxes = [category["tax_amount"] for each in groups for category in each["tax_categories"]]
    paid = Decimal(str(more.pop("paid", sum(_quantity(each) for each in taxes if each))))
    gross = Decimal(str(more.pop("gross", net + paid)))
    return {
        "id": "invo_1",
        "invoice_number": "INV-2026-01-000001",
        "status": "FINAL",
        "type": "STANDARD",
        "invoice_date": "2026-01-31T09:00:00Z",
        "due_date": "2026-02-14T09:00:00Z",
        "timezone": "Europe/Amsterdam",
        "billing_currency": currency,
        "invoice_amount_including_tax": amount(gross, currency),
        "tax_summary": {
            "base_amount": amount(net, currency),
            "tax_amount": amount(paid, currency),
            "total_amount": amount(gross, currency),
            "country_code": "NL",
        },
        "customer_id": "cust_1",
        "billing_entity_id": "bile_1",
        "periods": [{"groups": list(groups)}],
        **more,
    }


def document(document_id: str, net: str, tax: str, **more: object) -> Json:
    """A draft invoice to the demo's customer: one line at 21 %, of 31 January 2026, without a number."""
    currency = more.pop("currency", "EUR")
    one = taxed(net, tax, currency=currency, products=[DEMO_PRODUCT], type=more.pop("kind", "PRICING"))
    return invoice(one) | {
        "id": document_id,
        "status": "DRAFT",
        "invoice_number": None,
        "customer_id": DEMO_CUSTOMER,
        "billing_entity_id": solvimon_id("bile", "tideway-nl"),
        **more,
    }


def original(document_id: str = ORIGINAL, net: str = "100.00", tax: str = "21.00", **more: object) -> Json:
    """A draft invoice that is to be credited."""
    return document(document_id, net, tax, **more)


def credit_note(
    note_id: str = NOTE, net: str = "-100.00", tax: str = "-21.00", of: str = ORIGINAL, **more: object
) -> Json:
    """A draft CREDIT note of an invoice, one day younger than it."""
    credit = {"credit": {"original_invoice_id": of}} if of else {}
    return document(
        note_id, net, tax, **{"type": "CREDIT", "invoice_date": "2026-02-01T09:00:00Z", **credit, **more}
    )


def one_off(*linked: Json, net: str = "-100.00", tax: str = "-21.00", **more: object) -> Json:
    """A draft ONE_OFF_CREDIT note, linked to some invoices or none."""
    return credit_note(NOTE, net, tax, "", type="ONE_OFF_CREDIT", linked_invoices=list(linked), **more)


def organization(address: Json | None = None, **changes: object) -> Json:
    """A change of the demo customer's organisation; ``address`` changes parts of its registered one."""
    parts: Json = {
        "line1": "Amaliahavenweg 12",
        "city": "Rotterdam",
        "postal_code": "3199 KD",
        "state": "Zuid-Holland",
        "country": "NL",
        **(address or {}),
    }
    registered = {name: value for name, value in parts.items() if value is not None}
    legal_name = "Maasvlakte Quay Services B.V."
    return {"organization": {"legal_name": legal_name, "registered_address": registered, **changes}}


def named(name: str) -> Json:
    """A change of the demo customer's legal name."""
    return organization(legal_name=name)


def bus_event(
    document_id: str = FIRST, connection: str = "default", detail_type: str = "Invoice Finalised"
) -> Json:
    """An event as EventBridge puts it on a queue."""
    return {
        "source": "solvimon",
        "detail-type": detail_type,
        "detail": {"connection": connection, "id": document_id, "event_id": "e", "occurred_at": ""},
    }


def mapped(document: Json, links: Links = LINKS, **settings: object) -> Mapped:
    """What the product would send for an invoice, under these settings."""
    return to_rillet_invoice(Invoice.model_validate(document), links, Settings.model_validate(settings))


def sent(document: Json, links: Links = LINKS, **settings: object) -> Json:
    """The request body as it goes over the wire, its numbers exact."""
    body = simplejson.dumps(mapped(document, links, **settings).payload, use_decimal=True)
    payload: Json = simplejson.loads(body, use_decimal=True)
    return payload


def items(document: Json, links: Links = LINKS, **settings: object) -> list[Json]:
    """The items of the request body."""
    found: list[Json] = sent(document, links, **settings)["items"]
    return found


def refusal(document: Json, links: Links = LINKS, **settings: object) -> NeedsAttention:
    """Why an invoice cannot be booked."""
    with pytest.raises(NeedsAttention) as caught:
        mapped(document, links, **settings)
    return caught.value


def nets(found: list[Json]) -> list[str]:
    """The net amounts of items of ``FULL`` scope."""
    return [item["price"]["amount_per_unit"]["amount"] for item in found]


def taxes(found: list[Json]) -> list[str | None]:
    """The tax amounts of items of ``FULL`` scope; ``None`` where an item has no tax rate."""
    return [item["tax_rate"]["tax_amount"]["amount"] if "tax_rate" in item else None for item in found]


def rates(found: list[Json]) -> list[tuple[Decimal | int, str] | None]:
    """Percentage and description of each item's tax rate; ``None`` where an item has none."""
    given = [item.get("tax_rate") for item in found]
    return [(rate["percentage"], rate["description"]) if rate else None for rate in given]


def expect(document: Json, links: Links = LINKS, settings: Json | None = None, **expected: object) -> Check:
    """A case for ``each_case``: an invoice is mapped to these values.

    Args:
        document: the invoice.
        links: what is known of its links.
        settings: of the connection.
        expected: some of ``nets``, ``taxes``, ``rates``, ``currency``, ``totals`` and ``warnings``.
    """

    def check() -> None:
        mapping, found = mapped(document, links, **settings or {}), items(document, links, **settings or {})
        totals = mapping.totals.as_text()
        read = {"nets": nets, "taxes": taxes, "rates": rates}
        known = {name: column(found) for name, column in read.items() if name in expected}
        known["currency"] = totals["currency"]
        known |= {"totals": [totals[name] for name in ("net", "tax", "gross")], "warnings": mapping.warnings}
        assert {name: known[name] for name in expected} == expected

    return check


def refuse(
    document: Json,
    code: Code,
    *parts: str,
    message: str = "",
    ends: str = "",
    remedy: str = "",
    scopes: tuple[str, ...] = ("FULL",),
    **settings: object,
) -> Check:
    """A case for ``each_case``: an invoice is refused.

    Args:
        document: the invoice.
        code: of the refusal.
        parts: what its message contains.
        message: the whole message; not compared if empty.
        ends: how its message ends.
        remedy: what its remedy contains.
        scopes: the invoice scopes in which this is so.
        settings: of the connection.
    """

    def check() -> None:
        for scope in scopes:
            error = refusal(document, LINKS, invoice_scope=scope, **settings)
            assert error.code is code, error
            assert message in ("", error.message)
            assert error.message.endswith(ends)
            assert [part for part in parts if part not in error.message] == [], error.message
            assert remedy in error.remedy

    return check


def each_case(cases: Mapping[str, Check]) -> pytest.MarkDecorator:
    """Run a test with each case of a table; the names are sentences."""
    return pytest.mark.parametrize("check", cases.values(), ids=cases)


def _quantity(money: Json) -> Decimal:
    return Decimal(money["quantity"])
