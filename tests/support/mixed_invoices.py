"""Random invoices that mix all that billing systems do in one document, with the items that are right.

Every document is consistent: each tax is the rounded percentage of what it is on, and the header sums it all.
Amounts are of at least a hundred units and random, so that no two sums are alike by chance: a document whose
figures can be read in two ways is refused by design, and is no case for these.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from hypothesis import strategies as st

from tests.support.builders import (
    API_CALLS,
    FALLBACK,
    PLATFORM_FEE,
    Json,
    amount,
    group,
    invoice,
    line,
    product,
    tax,
)
from tests.support.random_invoices import DECIMALS, half_up

RATES = ("5", "7", "9", "9.975", "13", "21")
ABROAD = "GBP"
KINDS = (
    "one rate",
    "stacked",
    "beside",
    "partly",
    "nested",
    "tax on tax",
    "fixed fee",
    "no tax",
    "lines of their own taxes",
    "products",
    "products of one tax",
)
HEADERS = ("sums", "only the header", "a discount over two rates")
LEVY = "Levy"


@dataclass(frozen=True)
class Item:
    """An item that is right: its product, its net, its tax, and the percentage; ``None`` without a rate."""

    product_id: str
    net: Decimal
    tax: Decimal = Decimal()
    percentage: Decimal | None = None


@dataclass
class MixedInvoice:
    """A document and what is right for it.

    Attributes:
        document: the invoice as Solvimon sends it.
        currency: its currency.
        items: what is booked, in the order of the groups; within a group in any order.
        rate: the exchange rate that its local amounts prove; ``None`` if it states none.
        kinds: what was mixed.
    """

    document: Json
    currency: str
    items: list[list[Item]]
    rate: Decimal | None
    kinds: list[str] = field(default_factory=list)


class _Maker:
    """Makes groups in one currency, with random amounts."""

    def __init__(self, seed: int, currency: str) -> None:
        self.random = random.Random(seed)  # noqa: S311 - test data
        self.currency = currency
        self.exact: dict[str, Decimal] = {}
        self.taxes: dict[str, list[Json]] = {}

    def net(self, sign: int = 1) -> Decimal:
        """A random amount of at least a hundred units."""
        unit = Decimal(1).scaleb(-DECIMALS[self.currency])
        return sign * self.random.randint(10_007, 9_999_991) * unit

    def rates(self, count: int) -> list[str]:
        """Different rates."""
        return self.random.sample(RATES, count)

    def tax(self, base: Decimal, rate: str | None, name: str = "", fee: Decimal | None = None) -> Json:
        """A tax category, and its part of the header's."""
        name = name or f"Tax {rate}"
        exact = fee if fee is not None else base * Decimal(rate or 0) / 100
        paid = half_up(exact, self.currency)
        made = tax(f"{base:f}", f"{paid:f}", rate, name, currency=self.currency, category=f"C {name}")
        self.taxes.setdefault(name, []).append(made)
        self.exact[name] = self.exact.get(name, Decimal()) + exact
        return made

    def group(self, kind: str, sign: int) -> tuple[Json, list[Item]]:
        """A group of a kind, and its items."""
        if kind.startswith("products"):
            return self._of_products(kind, sign)
        if kind == "lines of their own taxes":
            return self._of_lines(sign)
        net, part = self.net(sign), self.net(sign)
        one, other = self.rates(2)
        if kind == "one rate":
            parts = [(net, [self.tax(net, one)])]
        elif kind == "stacked":
            parts = [(net, [self.tax(net, one), self.tax(net, other)])]
        elif kind == "beside":
            parts = [(net, [self.tax(net, one)]), (part, [self.tax(part, other)])]
        elif kind == "partly":
            parts = [(net, [self.tax(net, one)]), (part, [])]
        elif kind == "nested":
            return self._nested(net, part, one, other)
        elif kind == "tax on tax":
            first = self.tax(net, one)
            base = net + Decimal(first["tax_amount"]["quantity"])
            return self._item(net, [first, self.tax(base, "1", LEVY)], Decimal(one) + base / net)
        elif kind == "fixed fee":
            unit = Decimal(1).scaleb(-DECIMALS[self.currency])
            fee = abs(net) * unit // 100 * unit + 3 * unit
            return self._item(net, [self.tax(net, None, "Fee", sign * fee)], fee / abs(net) * 100)
        else:
            parts = [(net, [])]
        whole = sum((each for each, _ in parts), Decimal())
        categories = [category for _, stated in parts for category in stated]
        return self._group(whole, categories), [self.item(each, stated) for each, stated in parts]

    def item(self, net: Decimal, stated: Sequence[Json], product_id: str = PLATFORM_FEE) -> Item:
        """The item of a net amount under the taxes that are stated for it."""
        if not stated:
            return Item(product_id, net)
        paid = sum((Decimal(each["tax_amount"]["quantity"]) for each in stated), Decimal())
        percentage = sum((Decimal(each["percentage"]) for each in stated), Decimal())
        return Item(product_id, net, paid, percentage)

    def _item(self, net: Decimal, stated: list[Json], percentage: Decimal) -> tuple[Json, list[Item]]:
        paid = sum((Decimal(each["tax_amount"]["quantity"]) for each in stated), Decimal())
        return self._group(net, stated), [Item(PLATFORM_FEE, net, paid, percentage)]

    def _group(self, net: Decimal, categories: Sequence[Json], **more: object) -> Json:
        return group(f"{net:f}", *categories, currency=self.currency, **more)

    def _nested(self, net: Decimal, part: Decimal, one: str, other: str) -> tuple[Json, list[Item]]:
        """One tax on all, another on a part of it."""
        whole = net + part
        on_all, on_part = self.tax(whole, one), self.tax(part, other)
        share = Decimal(on_all["tax_amount"]["quantity"]) * part / whole
        inner = share + Decimal(on_part["tax_amount"]["quantity"])
        outer = Decimal(on_all["tax_amount"]["quantity"]) - share
        both = Decimal(one) + Decimal(other)
        items = [Item(PLATFORM_FEE, net, outer, Decimal(one)), Item(PLATFORM_FEE, part, inner, both)]
        return self._group(whole, [on_all, on_part]), items

    def _of_lines(self, sign: int) -> tuple[Json, list[Item]]:
        """Lines of one rate, rounded each, of another, and one without."""
        one, other = self.rates(2)
        found: dict[str, Item] = {}
        lines = []
        for rate in self.random.sample([one, one, one, other, ""], 5):
            net = self.net(sign)
            stated = [self.tax(net, rate)] if rate else []
            lines.append(self._line(net, stated))
            before, own = found.get(rate, Item(PLATFORM_FEE, Decimal())), self.item(net, stated)
            found[rate] = Item(PLATFORM_FEE, before.net + net, before.tax + own.tax, own.percentage)
        whole = sum((item.net for item in found.values()), Decimal())
        return self._group(whole, [], lines=lines), list(found.values())

    def _of_products(self, kind: str, sign: int) -> tuple[Json, list[Item]]:
        """Several products in one group: each with its own tax, or all under one."""
        names = {"prod_fee": PLATFORM_FEE, "prod_calls": API_CALLS}
        nets = {name: self.net(sign) for name in names}
        whole = sum(nets.values(), Decimal())
        shared = [] if kind == "products" else [self.tax(whole, self.rates(1)[0])]
        lines, items = [], []
        for (name, net), rate in zip(nets.items(), self.rates(2), strict=True):
            stated = [] if shared else [self.tax(net, rate)]
            lines.append(self._line(net, stated, product_items=[{"product_id": name, "name": name}]))
            item = self.item(net, stated or shared, names[name])
            share = item.tax * net / whole if shared else item.tax
            items.append(Item(names[name], net, share, item.percentage))
        products = [product(name, name) for name in names]
        return self._group(whole, shared, lines=lines, products=products), items

    def _line(self, net: Decimal, stated: list[Json], **more: object) -> Json:
        return line(amount_excluding_tax=amount(net, self.currency), tax_categories=stated, **more)

    def header(self, *, rounded_once: bool) -> list[Json]:
        """The header's categories: those of all groups, summed; the tax rounded once or as summed."""
        result = []
        for name, stated in self.taxes.items():
            base, paid = (
                sum((Decimal(each[what]["quantity"]) for each in stated), Decimal())
                for what in ("base_amount", "tax_amount")
            )
            paid = half_up(self.exact[name], self.currency) if rounded_once else paid
            result.append(
                stated[0]
                | {"base_amount": amount(base, self.currency), "tax_amount": amount(paid, self.currency)}
            )
        return result


@st.composite
def mixed_invoices(draw: st.DrawFn) -> MixedInvoice:
    """An invoice of several groups, each of a kind of its own, and a header that sums them."""
    currency = draw(st.sampled_from(sorted(DECIMALS)))
    made = _Maker(draw(st.integers(0, 2**64)), currency)
    kinds = draw(st.lists(st.sampled_from(KINDS), min_size=1, max_size=5))
    header = draw(st.sampled_from(HEADERS))
    groups, items = list[Json](), list[list[Item]]()
    for kind in kinds:
        made_group, its_items = made.group(kind, draw(st.sampled_from([1, 1, 1, -1])))
        groups.append(made_group)
        items.append(its_items)
    if header == "only the header":
        net = made.net()
        rate = made.rates(1)[0]
        groups.append(group(f"{net:f}", currency=currency))
        items.append([made.item(net, [made.tax(net, rate)])])
    if header == "a discount over two rates":
        over = made.rates(2)
        for rate in over:
            net = made.net()
            groups.append(group(f"{net:f}", made.tax(net, rate), currency=currency))
            items.append([made.item(net, [made.taxes[f"Tax {rate}"][-1]])])
        off = [made.net(-1) for _ in over]
        groups.append(group(f"{sum(off, Decimal()):f}", currency=currency, products=[]))
        bearing = zip(off, over, strict=True)
        items.append([made.item(net, [made.tax(net, rate)], FALLBACK) for net, rate in bearing])
    categories = made.header(rounded_once=draw(st.booleans()))
    net = sum((Decimal(each["amount_excluding_tax"]["quantity"]) for each in groups), Decimal())
    paid = sum((Decimal(each["tax_amount"]["quantity"]) for each in categories), Decimal())
    document = invoice(*groups, net=net, paid=paid)
    if header != "sums" or draw(st.booleans()):
        document["tax_categories"] = categories
    proven = draw(st.sampled_from([None, Decimal("0.8123"), Decimal("1.2071")]))
    if proven is not None:
        document["used_exchange_rates"] = [
            {"base_currency": currency, "currency": ABROAD, "rate": f"{each}"}
            for each in draw(st.permutations([proven, proven + Decimal("0.05"), -proven]))
        ]
        local = amount(half_up(net * proven, "EUR"), ABROAD)
        document["tax_summary"]["local_amounts"] = {"base_amount": local}
    return MixedInvoice(document, currency, items, proven, [*kinds, header])
