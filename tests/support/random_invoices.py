"""Random invoices as a billing system may send them, with totals calculated without the product."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal, get_args

from hypothesis import strategies as st

from tests.support.builders import Json, amount, group, invoice, line, tax

DECIMALS = {"EUR": 2, "USD": 2, "JPY": 0, "BHD": 3}
RATES = ("0", "5", "7", "9", "9.975", "8.875", "13", "21")
Style = Literal[
    "rounded", "rounded apart", "unrounded", "unrounded, gross apart", "unrounded header", "including tax"
]
STYLES: tuple[Style, ...] = get_args(Style)
"""How the amounts were rounded. A header of "unrounded, gross apart" rounds net, tax and gross each, so that
they need not add up; then, and where "rounded apart" strays too far, the document is refused by design."""


def half_up(exact: Decimal, currency: str) -> Decimal:
    """Rounded to the currency's decimals, halves away from zero."""
    return exact.quantize(Decimal(1).scaleb(-DECIMALS[currency]), rounding=ROUND_HALF_UP)


@dataclass(frozen=True)
class Part:
    """A part of a group under one tax, or under several that stack: one item in Rillet.

    Attributes:
        net: as the invoice states it.
        taxes: percentage and tax, as the invoice states them.
        exact_net: before any rounding.
        exact_tax: before any rounding.
    """

    net: Decimal
    taxes: tuple[tuple[str, Decimal], ...]
    exact_net: Decimal
    exact_tax: Decimal

    @property
    def tax(self) -> Decimal:
        """All taxes of the part, as stated."""
        return sum((paid for _, paid in self.taxes), Decimal())


@dataclass(frozen=True)
class RandomInvoice:
    """An invoice and the totals it must have.

    Attributes:
        document: the invoice as Solvimon sends it.
        style: how it was rounded.
        currency: its currency.
        net: the header's net, as stated.
        tax: the header's tax, as stated.
        gross: the header's gross, as stated.
        parts: what the items must be close to, in their order.
    """

    document: Json
    style: Style
    currency: str
    net: Decimal
    tax: Decimal
    gross: Decimal
    parts: tuple[Part, ...] = field(repr=False)


def _part(exact: Decimal, rates: tuple[str, ...], style: Style, currency: str) -> Part:
    """One price under these rates, rounded in this style."""
    percent = sum(map(Decimal, rates), Decimal())
    if style.startswith("unrounded"):
        taxes = tuple((rate, exact * Decimal(rate) / 100) for rate in rates)
        return Part(exact, taxes, exact, exact * percent / 100)
    if style == "including tax":
        gross = half_up(exact, currency)
        net = half_up(gross / (1 + percent / 100), currency)
        paid = [half_up(net * Decimal(rate) / 100, currency) for rate in rates[1:]]
        if rates:
            paid.insert(0, gross - net - sum(paid, Decimal()))
        return Part(net, tuple(zip(rates, paid, strict=True)), net, gross - net)
    net = half_up(exact, currency)
    taxes = tuple((rate, half_up(exact * Decimal(rate) / 100, currency)) for rate in rates)
    return Part(net, taxes, exact, exact * percent / 100)


@st.composite
def _parts(draw: st.DrawFn, style: Style, currency: str) -> tuple[Part, ...]:
    """The parts of one group: untaxed, under one rate, a stack, two rates, a rate on a part, nested rates."""
    kind = draw(
        st.sampled_from(["one rate", "one rate", "stack", "split", "untaxed", "nothing", "partly", "nested"])
    )
    some = st.integers(-2_000_000, 8_000_000).filter(bool)
    price = st.builds(
        lambda digits, places: Decimal(digits).scaleb(-places), some, st.sampled_from([0, 1, 2, 3, 4, 6])
    )
    rates = draw(st.permutations(RATES))
    if kind == "nothing":
        return (_part(Decimal(), tuple(rates[:1]), style, currency),)
    if kind == "split":
        one, other = (_part(draw(price), (rate,), style, currency) for rate in rates[:2])
        # Two categories on nothing may as well be a stack: nobody can tell.
        return (
            (one, other) if one.net or other.net else (_part(Decimal(), tuple(rates[:2]), style, currency),)
        )
    if kind in {"partly", "nested"}:
        sign = draw(st.sampled_from([1, -1]))
        sizes = st.builds(
            lambda digits, places: Decimal(sign * digits).scaleb(-places),
            st.integers(10_000, 8_000_000),
            st.integers(0, 3),
        )
        under = (rates[:1], ()) if kind == "partly" else (rates[:1], rates[:2])
        return tuple(_part(draw(sizes), tuple(each), style, currency) for each in under)
    count = {"untaxed": 0, "one rate": 1, "stack": 2}[kind]
    return (_part(draw(price), tuple(rates[:count]), style, currency),)


def _categories(parts: Sequence[Part], currency: str) -> list[Json]:
    """The taxes on some parts, summed by rate."""
    return _written(_bases(parts), currency)


def _bases(parts: Sequence[Part]) -> dict[str, tuple[Decimal, Decimal]]:
    """What is taxed and what is paid, by rate."""
    bases: dict[str, tuple[Decimal, Decimal]] = {}
    for part in parts:
        for rate, paid in part.taxes:
            net, total = bases.get(rate, (Decimal(), Decimal()))
            bases[rate] = (net + part.net, total + paid)
    return bases


def _written(bases: dict[str, tuple[Decimal, Decimal]], currency: str) -> list[Json]:
    return [
        tax(f"{net:f}", f"{paid:f}", rate, f"Tax {rate}", currency=currency, category=f"C{rate}")
        for rate, (net, paid) in bases.items()
    ]


def _group(
    parts: tuple[Part, ...],
    currency: str,
    *,
    on_lines: bool,
    line_nets: bool,
    with_gross: bool,
    linked: bool,
) -> Json:
    net = sum((part.net for part in parts), Decimal())
    paid = sum((part.tax for part in parts), Decimal())
    fields: Json = {}
    if on_lines:
        nets = [{"amount_excluding_tax": amount(part.net, currency)} if line_nets else {} for part in parts]
        fields["lines"] = [
            line(tax_categories=_categories([part], currency), **own)
            for part, own in zip(parts, nets, strict=True)
        ]
    if with_gross:
        fields["amount_including_tax"] = amount(net + paid, currency)
    if not linked:
        fields["products"] = []
    own = [] if on_lines else _categories(parts, currency)
    return group(f"{net:f}", *own, currency=currency, **fields)


def _header(parts: list[Part], style: Style, currency: str) -> tuple[Decimal, Decimal, Decimal]:
    """Net, tax and gross of the header."""
    net, paid = (sum(each, Decimal()) for each in zip(*((p.net, p.tax) for p in parts), strict=True))
    exact_net, exact_tax = (
        sum(each, Decimal()) for each in zip(*((p.exact_net, p.exact_tax) for p in parts), strict=True)
    )
    if style == "unrounded header":
        return net, paid, net + paid
    if style == "unrounded, gross apart":
        return half_up(net, currency), half_up(paid, currency), half_up(net + paid, currency)
    if style in {"unrounded", "rounded apart"}:
        net, paid = half_up(exact_net, currency), half_up(exact_tax, currency)
    return net, paid, net + paid


def _header_categories(parts: list[Part], style: Style, currency: str) -> list[Json]:
    """The header's own categories: per rate, what all groups have under it."""
    bases = _bases(parts)
    if style.startswith("unrounded") and style != "unrounded header":
        bases = {
            rate: (half_up(net, currency), half_up(paid, currency)) for rate, (net, paid) in bases.items()
        }
    return _written(bases, currency)


@st.composite
def invoices_taxed_by_group(draw: st.DrawFn, styles: tuple[Style, ...] = STYLES) -> RandomInvoice:
    """An invoice in which every group, or line, states its own tax."""
    currency, style = draw(st.sampled_from(sorted(DECIMALS))), draw(st.sampled_from(styles))
    groups, parts, all_parts = list[Json](), list[Part](), list[Part]()
    for position in range(draw(st.integers(1, 6))):
        own = draw(_parts(style, currency))
        net = sum((part.net for part in own), Decimal())
        linked = position == 0 or net > 0 or draw(st.booleans())
        groups.append(
            _group(
                own,
                currency,
                on_lines=draw(st.booleans()),
                line_nets=draw(st.booleans()) and all(part.net for part in own),
                with_gross=draw(st.booleans()),
                linked=linked,
            )
        )
        all_parts += own
        if linked or net or any(part.tax for part in own):
            parts += own
    net, paid, gross = _header(all_parts, style, currency)
    document = invoice(*groups, net=net, paid=paid, gross=gross)
    if draw(st.booleans()):
        document["tax_categories"] = _header_categories(all_parts, style, currency)
    return RandomInvoice(document, style, currency, net, paid, gross, tuple(parts))


@st.composite
def invoices_taxed_by_the_header(draw: st.DrawFn) -> RandomInvoice:
    """An invoice whose header alone states the tax, one rate or a stack."""
    currency = draw(st.sampled_from(sorted(DECIMALS)))
    style: Style = draw(st.sampled_from(["rounded", "unrounded", "unrounded header"]))
    rates = tuple(draw(st.permutations(RATES))[: draw(st.integers(1, 2))])
    nets = st.builds(
        lambda digits, places: Decimal(digits).scaleb(-places),
        st.integers(-(10**5), 10**6),
        st.integers(0, 4),
    )
    bare = [_part(exact, (), style, currency) for exact in draw(st.lists(nets, min_size=1, max_size=6))]
    net = sum((part.net for part in bare), Decimal())
    paid = [net * Decimal(rate) / 100 for rate in rates]
    if style != "unrounded header":
        net, paid = half_up(net, currency), [half_up(each, currency) for each in paid]
    total = sum(paid, Decimal())
    groups = [group(f"{part.net:f}", currency=currency) for part in bare]
    document = invoice(*groups, net=net, paid=total, gross=net + total)
    document["tax_categories"] = [
        tax(f"{net:f}", f"{each:f}", rate, f"Tax {rate}", currency=currency)
        for rate, each in zip(rates, paid, strict=True)
    ]
    stated = sum((part.net for part in bare), Decimal())
    parts = [
        Part(part.net, (("", total * part.net / stated if stated else Decimal()),), part.net, Decimal())
        for part in bare
    ]
    return RandomInvoice(document, style, currency, net, total, net + total, tuple(parts))


@st.composite
def invoices_rounded_by_line(draw: st.DrawFn) -> RandomInvoice:
    """An invoice of groups with many lines, whose taxes are rounded on each line and once in the header."""
    currency = draw(st.sampled_from(sorted(DECIMALS)))
    unit = Decimal(1).scaleb(-DECIMALS[currency])
    groups, parts, exact = list[Json](), list[Part](), dict[str, Decimal]()
    for rate in draw(st.permutations(RATES))[: draw(st.integers(1, 3))]:
        nets = [each * unit for each in draw(st.lists(st.integers(100, 10**6), min_size=1, max_size=12))]
        lines = [_part(each, (rate,), "rounded", currency) for each in nets]
        net, paid = sum(nets, Decimal()), sum((each.tax for each in lines), Decimal())
        groups.append(
            group(
                f"{net:f}",
                currency=currency,
                lines=[
                    line(
                        amount_excluding_tax=amount(each.net, currency),
                        tax_categories=_categories([each], currency),
                    )
                    for each in lines
                ],
            )
        )
        exact[rate] = net * Decimal(rate) / 100
        parts.append(Part(net, ((rate, paid),), net, exact[rate]))
    net = sum((part.net for part in parts), Decimal())
    paid = sum((half_up(each, currency) for each in exact.values()), Decimal())
    document = invoice(*groups, net=net, paid=paid, gross=net + paid)
    document["tax_categories"] = [
        tax(f"{part.net:f}", f"{half_up(exact[rate], currency):f}", rate, f"Tax {rate}", currency=currency)
        | {"category": f"C{rate}"}
        for part in parts
        for rate, _ in part.taxes
    ]
    return RandomInvoice(document, "rounded", currency, net, paid, net + paid, tuple(parts))


@st.composite
def invoices_with_rates_in_the_header(draw: st.DrawFn) -> RandomInvoice:
    """An invoice of groups under different rates that only the header states, and perhaps one without tax."""
    rates = [
        *draw(st.permutations(RATES[1:]))[: draw(st.integers(1, 3))],
        *draw(st.sampled_from([(), ("",)])),
    ]
    bearing = [rate for rate in rates for _ in range(draw(st.integers(1, 2)))]
    cents = st.lists(st.integers(100, 10**6), min_size=len(bearing), max_size=len(bearing), unique=True)
    parts = [
        _part(Decimal(each).scaleb(-2), (rate,) if rate else (), "rounded", "EUR")
        for rate, each in zip(bearing, draw(cents), strict=True)
    ]
    parts = draw(st.permutations(parts))
    net, paid = (sum(each, Decimal()) for each in zip(*((p.net, p.tax) for p in parts), strict=True))
    document = invoice(*(group(f"{part.net:f}") for part in parts), net=net, paid=paid)
    document["tax_categories"] = _categories(parts, "EUR")
    return RandomInvoice(document, "rounded", "EUR", net, paid, net + paid, tuple(parts))
