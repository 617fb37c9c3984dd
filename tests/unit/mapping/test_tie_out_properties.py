"""Whatever the invoice: it ties out to the cent, or nothing is sent and the reason names the amounts."""

import re
from collections import Counter
from decimal import Decimal

from hypothesis import event, given
from hypothesis import strategies as st

from local.fake_rillet.document_requests import read_invoice
from local.fake_rillet.documents import invoice_document
from local.fake_rillet.organisation import Organisation
from local.fake_rillet.validation import Checks, Fields
from solvimon_rillet.errors import Code, NeedsAttention
from tests.support.builders import (
    CUSTOMER,
    FALLBACK,
    PLATFORM_FEE,
    SCOPES,
    SUBSIDIARY,
    Json,
    amount,
    items,
    rates,
    refusal,
    sent,
)
from tests.support.examples import examples
from tests.support.random_invoices import (
    DECIMALS,
    STYLES,
    RandomInvoice,
    half_up,
    invoices_rounded_by_line,
    invoices_taxed_by_group,
    invoices_taxed_by_the_header,
    invoices_with_rates_in_the_header,
)

OPTIONS: Json = {"fallback_products": {"discount": FALLBACK}, "negative_invoices": "send"}
TAX_AMOUNT_ON = ("items", "header", "both")


def _rillet() -> Organisation:
    """An organisation of the fake Rillet that knows the customer and products."""
    books = Organisation({"id": SUBSIDIARY, "currency": "EUR", "timezone": "UTC"}, clock=lambda: 0.0)
    books.switches.set(full_scope_number="kept")
    books.customers.add({"id": CUSTOMER, "name": "Acme"})
    for product in (PLATFORM_FEE, FALLBACK):
        books.products.add({"id": product, "revenue_pattern": "DAILY", "account_code": "40000"})
    return books


RILLET = _rillet()


def _booked_by_rillet(payload: Json) -> tuple[Decimal, Decimal, Decimal]:
    """Net, tax and gross as the fake Rillet calculates them, after its own validation."""
    request = read_invoice(Fields(payload, Checks(strict_scale=True)), RILLET.switches)
    document = invoice_document(RILLET, request, str(request.invoice_number), SUBSIDIARY)
    net, tax, gross = (Decimal(document[name]["amount"]) for name in ("net_amount", "taxed_amount", "total"))
    return net, tax, gross


def _amounts(item: Json) -> tuple[str, str]:
    """The texts of an item's net and tax, in any scope."""
    net = item["price"]["amount_per_unit"] if "price" in item else item["total_amount"]
    tax = item.get("tax_rate", {}).get("tax_amount") or item.get("tax_amount") or {"amount": "0"}
    return net["amount"], tax["amount"]


def _check_sent(given_: RandomInvoice, payload: Json) -> None:
    """The payload has the header's totals, to the cent, in items close to their exact shares."""
    currency, unit = given_.currency, Decimal(1).scaleb(-DECIMALS[given_.currency])
    texts = [_amounts(item) for item in payload["items"]]
    nets, taxes = ([Decimal(text) for text in column] for column in zip(*texts, strict=True))
    net, gross = half_up(given_.net, currency), half_up(given_.gross, currency)
    tax_on_items = any(taxes) or "tax_amount" not in payload
    tax = sum(taxes) if tax_on_items else Decimal(payload["tax_amount"]["amount"])

    assert (sum(nets), tax) == (net, gross - net)
    assert _booked_by_rillet(payload) == (net, gross - net, gross)
    if given_.style != "unrounded header":
        assert tax == given_.tax
    scale = rf"-?\d+(\.\d{{{DECIMALS[currency]}}})" + ("?" if currency == "JPY" else "")
    assert all(re.fullmatch(scale, text) for pair in texts for text in pair if text != "0")
    assert "-0" not in {text.rstrip("0").rstrip(".") for pair in texts for text in pair}

    assert len(nets) == len(given_.parts)
    # The tax of an unrounded header lies between two rounded amounts, its net and gross.
    roundings = 2 if given_.style == "unrounded header" else 1
    for sent_net, sent_tax, part in zip(nets, taxes, given_.parts, strict=True):
        assert abs(sent_net - part.net) <= unit
        assert not tax_on_items or abs(sent_tax - part.tax) <= roundings * unit


def _check_refused(given_: RandomInvoice, error: NeedsAttention) -> None:
    """The reason names a group and both amounts."""
    assert error.code is Code.DOES_NOT_TIE_OUT
    assert "periods[0].groups[" in error.message
    assert len(re.findall(rf"-?\d+(?:\.\d+)? {given_.currency}", error.message)) >= 2


def _try(given_: RandomInvoice, scope: str, tax_amount_on: str) -> str:
    try:
        payload = sent(given_.document, invoice_scope=scope, tax_amount_on=tax_amount_on, **OPTIONS)
    except NeedsAttention as error:
        _check_refused(given_, error)
        return "refused"
    _check_sent(given_, payload)
    return "sent"


def test_any_invoice_ties_out_to_the_cent_or_is_refused_with_group_and_amounts() -> None:
    outcomes: Counter[tuple[str, str]] = Counter()

    @examples(200)
    @given(given_=invoices_taxed_by_group(), tax_amount_on=st.sampled_from(TAX_AMOUNT_ON))
    def check(given_: RandomInvoice, tax_amount_on: str) -> None:
        found = {_try(given_, scope, tax_amount_on) for scope in SCOPES}
        assert len(found) == 1
        outcomes[given_.style, found.pop()] += 1
        event(f"{given_.style}")

    check()

    consistent = ("rounded", "unrounded", "unrounded header", "including tax")
    assert {style: outcomes[style, "refused"] for style in consistent} == dict.fromkeys(consistent, 0)
    assert all(outcomes[style, "sent"] > 0 for style in STYLES)


def test_any_invoice_whose_header_alone_states_the_tax_ties_out_to_the_cent() -> None:
    outcomes: Counter[str] = Counter()

    @examples(150)
    @given(given_=invoices_taxed_by_the_header())
    def check(given_: RandomInvoice) -> None:
        for scope in SCOPES:
            outcomes[_try(given_, scope, "items")] += 1

    check()

    assert outcomes["sent"] > 9 * outcomes["refused"]


@examples(150)
@given(given_=invoices_rounded_by_line(), scope=st.sampled_from(SCOPES))
def test_taxes_rounded_on_each_line_and_once_in_the_header_are_booked_as_the_header_says(
    given_: RandomInvoice, scope: str
) -> None:
    payload = sent(given_.document, invoice_scope=scope)

    nets, paid = zip(*(_amounts(item) for item in payload["items"]), strict=True)
    assert list(map(Decimal, nets)) == [part.net for part in given_.parts]
    assert sum(map(Decimal, paid)) == given_.tax
    assert _booked_by_rillet(payload) == (given_.net, given_.tax, given_.gross)


def test_rates_that_only_the_header_states_go_to_their_groups_or_nowhere() -> None:
    outcomes: Counter[str] = Counter()

    @examples(150)
    @given(given_=invoices_with_rates_in_the_header())
    def check(given_: RandomInvoice) -> None:
        try:
            found = items(given_.document)
        except NeedsAttention as error:
            outcomes[error.code] += 1
            return
        outcomes["sent"] += 1
        assert [rate and rate[0] for rate in rates(found)] == [
            Decimal(part.taxes[0][0]) if part.taxes else None for part in given_.parts
        ]

    check()

    ambiguous = outcomes.pop(Code.TAX_NOT_ATTRIBUTABLE, 0)
    assert outcomes.total() == outcomes["sent"] > 3 * ambiguous


HEADERS = {
    "net": ("base_amount",),
    "tax": ("tax_amount",),
    "gross": ("invoice_amount_including_tax",),
    "net and gross": ("base_amount", "invoice_amount_including_tax"),
    "tax and gross": ("tax_amount", "invoice_amount_including_tax"),
}


def _raise(money: Json, by: Decimal) -> Decimal:
    """Change an amount of the document, and return what it is now."""
    now = Decimal(money["quantity"]) + by
    money |= amount(now, money["currency"])
    return now


def _stated_tax(group: Json) -> Decimal:
    """All taxes that a group or its lines state."""
    categories = [
        *group["tax_categories"],
        *(c for line in group.get("lines", ()) for c in line["tax_categories"]),
    ]
    return sum((Decimal(category["tax_amount"]["quantity"]) for category in categories), Decimal())


def _plain(number: Decimal) -> str:
    return f"{number.normalize():f}" if number else "0"


@examples(200)
@given(
    given_=invoices_taxed_by_group(("rounded", "including tax")),
    data=st.data(),
    units=st.integers(1, 10_000),
    sign=st.sampled_from([1, -1]),
    scope=st.sampled_from(SCOPES),
)
def test_a_group_that_is_off_by_more_than_rounding_is_always_refused(
    given_: RandomInvoice, data: st.DataObject, units: int, sign: int, scope: str
) -> None:
    groups = given_.document["periods"][0]["groups"]
    index = data.draw(st.integers(0, len(groups) - 1))
    off = sign * (units + 2 * len(given_.parts) + 2) * Decimal(1).scaleb(-DECIMALS[given_.currency])

    now = _raise(groups[index]["amount_excluding_tax"], off)

    error = refusal(given_.document, invoice_scope=scope, **OPTIONS)
    if error.code is Code.TAX_NOT_ATTRIBUTABLE:  # its taxes' bases fit no group any more
        return
    _check_refused(given_, error)
    # Where the group still fits its taxes' bases, it is its own gross that shows the difference.
    with_tax = now + _stated_tax(groups[index])
    assert f"periods[0].groups[{index}]" in error.message
    assert _plain(now) in error.message or _plain(with_tax) in error.message


@examples(200)
@given(
    given_=invoices_taxed_by_group(("rounded", "including tax")),
    which=st.sampled_from(sorted(HEADERS)),
    units=st.integers(1, 10_000),
    sign=st.sampled_from([1, -1]),
    scope=st.sampled_from(SCOPES),
)
def test_a_header_that_is_off_by_more_than_rounding_is_always_refused(
    given_: RandomInvoice, which: str, units: int, sign: int, scope: str
) -> None:
    off = sign * (units + 2 * len(given_.parts) + 2) * Decimal(1).scaleb(-DECIMALS[given_.currency])
    header = given_.document["tax_summary"] | given_.document

    for name in HEADERS[which]:
        _raise(header[name], off)

    error = refusal(given_.document, invoice_scope=scope, **OPTIONS)
    untaxed = error.code is Code.TAX_NOT_ATTRIBUTABLE and which in {"tax", "tax and gross"}
    assert untaxed or error.code is Code.DOES_NOT_TIE_OUT
    assert "periods[0].groups[" in error.message
    before = {"net": given_.net, "tax": given_.tax, "gross": given_.gross}
    pairs = [(before[name], before[name] + off) for name in before if name in which]
    pairs.append((given_.net + given_.tax + (off if which in {"net", "tax"} else 0), given_.gross))
    assert any(_plain(one) in error.message and _plain(other) in error.message for one, other in pairs)
