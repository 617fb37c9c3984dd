"""Whatever a document mixes: a consistent one is booked as it is meant, an inconsistent one is refused."""

import re
from decimal import Decimal

from hypothesis import event, given
from hypothesis import strategies as st

from solvimon_rillet.mapping.links import Links
from tests.support.builders import CUSTOMER, FALLBACK, LINKS, SUBSIDIARY, Json, amount, refusal, sent
from tests.support.examples import examples
from tests.support.mixed_invoices import ABROAD, Item, MixedInvoice, mixed_invoices
from tests.support.random_invoices import DECIMALS

OPTIONS: Json = {"fallback_products": {"discount": FALLBACK}, "negative_invoices": "send"}
BOOKS = Links(CUSTOMER, SUBSIDIARY, ABROAD, LINKS.products)


def booked(payload: Json) -> list[Item]:
    """The items of a request in ``FULL`` scope."""
    found = []
    for item in payload["items"]:
        rate = item.get("tax_rate")
        paid = Decimal(rate["tax_amount"]["amount"]) if rate else Decimal()
        net = Decimal(item["price"]["amount_per_unit"]["amount"])
        percentage = Decimal(rate["percentage"]) if rate else None
        found.append(Item(item["price"]["product_id"], net, paid, percentage))
    return found


def in_order(items: list[Item]) -> list[Item]:
    """The items of a group, in an order of their own."""
    return sorted(items, key=lambda item: (item.product_id, item.percentage or Decimal(-1), item.net))


@examples(100)
@given(mixed=mixed_invoices())
def test_no_consistent_document_is_refused_and_each_item_bears_the_tax_that_is_meant(
    mixed: MixedInvoice,
) -> None:
    for kind in mixed.kinds:
        event(kind)

    payload = sent(mixed.document, BOOKS, **OPTIONS)

    found, unit = booked(payload), Decimal(1).scaleb(-DECIMALS[mixed.currency])
    for meant in mixed.items:
        own, found = in_order(found[: len(meant)]), found[len(meant) :]
        for item, right in zip(own, in_order(meant), strict=True):
            assert item.product_id == right.product_id
            assert abs(item.net - right.net) <= unit
            assert (item.percentage is None) == (right.percentage is None)
            assert abs((item.percentage or Decimal()) - (right.percentage or Decimal())) < Decimal("0.00001")
            # A header that rounds once moves a unit for each rounded amount of the others at most.
            assert abs(item.tax - right.tax) <= 3 * unit
    assert found == []
    summary = mixed.document["tax_summary"]
    total = [sum(each, Decimal()) for each in zip(*((i.net, i.tax) for i in booked(payload)), strict=True)]
    assert total == [Decimal(summary[name]["quantity"]) for name in ("base_amount", "tax_amount")]
    assert payload.get("exchange_rate", {}).get("rate") == (str(mixed.rate) if mixed.rate else None)


def amounts_of(document: Json) -> dict[str, Json]:
    """The amounts of which one alone can be wrong, by name."""
    found = {
        "header's net": document["tax_summary"]["base_amount"],
        "header's tax": document["tax_summary"]["tax_amount"],
        "gross": document["invoice_amount_including_tax"],
    }
    for index, each in enumerate(document["periods"][0]["groups"]):
        found[f"group {index}"] = each["amount_excluding_tax"]
        for place, category in enumerate(each["tax_categories"]):
            found[f"tax {place} of group {index}"] = category["tax_amount"]
        for place, one in enumerate(each.get("lines", ())):
            found[f"line {place} of group {index}"] = one["amount_excluding_tax"]
    return found


@examples(100)
@given(mixed=mixed_invoices(), data=st.data(), sign=st.sampled_from([1, -1]))
def test_an_inconsistent_document_is_always_refused_with_both_amounts(
    mixed: MixedInvoice, data: st.DataObject, sign: int
) -> None:
    amounts = amounts_of(mixed.document)
    wrong = data.draw(st.sampled_from(sorted(amounts)))
    event(re.sub(r" \d+", "", wrong))
    off = sign * data.draw(st.integers(100, 5_000)) * Decimal(1).scaleb(-DECIMALS[mixed.currency])
    holder = amounts[wrong]
    holder |= amount(Decimal(holder["quantity"]) + off, mixed.currency)

    error = refusal(mixed.document, BOOKS, **OPTIONS)

    assert len(set(re.findall(r"-?\d+(?:\.\d+)?(?= |,|\))", error.message))) >= 2, error.message
    assert mixed.currency in error.message
