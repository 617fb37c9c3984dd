"""Credit notes made from an invoice, whole or in part (Solvimon, `POST /invoices/{id}/credit`)."""

from collections.abc import Mapping
from copy import deepcopy
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from local.fake_solvimon.errors import Json, impossible, invalid_field
from local.fake_solvimon.field_checks import AMOUNT
from local.fake_solvimon.money import amount, group_totals, rounded, spread, value, with_taxes

Sign = Literal["negative", "positive"]
LineKey = tuple[int, int, int]
"""Orders of period, group and line."""

LineAmounts = dict[LineKey, Decimal]
"""The net amount to credit of each line, with the sign it has on the original."""

_COPIED = (
    *("customer_id", "billing_entity_id", "purchase_order_number", "sales_tax_percentage", "timezone"),
    *("billing_period", "pricing_plan_subscription_ids", "payment_acceptor_ids", "pricing_amount_type"),
    *("used_exchange_rates", "notes", "billing_type"),
)


def check_creditable(invoice: Json) -> None:
    """Check that there can be a credit note for an invoice.

    Raises:
        ApiProblem: It is not FINAL, or a credit note itself.
    """
    if invoice.get("status") != "FINAL" or invoice.get("type") in ("CREDIT", "ONE_OFF_CREDIT"):
        raise impossible(invoice, "only FINAL invoices that are no credit notes can be credited")


def all_lines(invoice: Json) -> LineAmounts:
    """Return the amounts that credit the whole invoice."""
    return {
        (period["period_order"], group["group_order"], line["line_order"]): value(
            line["amount_excluding_tax"]
        )
        for period in invoice["periods"]
        for group in period["groups"]
        for line in group["lines"]
    }


def share_of(invoice: Json, share: str | Decimal | Fraction) -> LineAmounts:
    """Return the amounts that credit a net amount or a fraction of the invoice, spread over all lines."""
    lines, currency = all_lines(invoice), invoice["billing_currency"]
    net = sum(lines.values(), Decimal(0))
    if isinstance(share, Fraction):
        total = rounded(net * share.numerator / share.denominator, currency)
    else:
        total = Decimal(share)
    return spread(total, lines, currency)


def requested_amounts(invoice: Json, body: Json) -> LineAmounts:
    """Return the amounts that a request's periods, groups and lines credit; all without any of them.

    Solvimon does not say whether the amounts are net or gross: here they are net, with the signs of the
    original. An amount of a period or group without parts is spread over its lines; with parts, it must be
    their sum.

    Raises:
        ApiProblem: INVALID_FIELD for a part that does not exist or an amount that is not in it.
    """
    periods = body.get("periods") or []
    if not periods and body.get("groups"):
        if len(invoice["periods"]) != 1:
            raise invalid_field("groups", "the invoice has several periods; name them")
        only = invoice["periods"][0]["period_order"]
        return _CreditReader(invoice).groups(body["groups"], (only,), "groups")
    return _CreditReader(invoice).periods(periods) if periods else all_lines(invoice)


class _CreditReader:
    """Reads parts of a request against the lines of the original."""

    def __init__(self, invoice: Json) -> None:
        self._lines = all_lines(invoice)
        self._currency = invoice["billing_currency"]

    def periods(self, parts: list[Json]) -> LineAmounts:
        amounts: LineAmounts = {}
        for index, given in enumerate(parts):
            path = f"periods.{index}"
            prefix = (self._order(given, "period_order", path),)
            children = given.get("groups")
            below = self.groups(children, prefix, f"{path}.groups") if children else None
            amounts |= self._amounts_of(given, prefix, below, path)
        return amounts

    def groups(self, parts: list[Json], prefix: tuple[int, ...], path: str) -> LineAmounts:
        amounts: LineAmounts = {}
        for index, given in enumerate(parts):
            here = f"{path}.{index}"
            mine = (*prefix, self._order(given, "group_order", here))
            children = given.get("lines")
            below = self._lines_of(children, mine, f"{here}.lines") if children else None
            amounts |= self._amounts_of(given, mine, below, here)
        return amounts

    def _lines_of(self, parts: list[Json], prefix: tuple[int, ...], path: str) -> LineAmounts:
        amounts: LineAmounts = {}
        for index, given in enumerate(parts):
            here = f"{path}.{index}"
            amounts |= self._amounts_of(given, (*prefix, self._order(given, "line_order", here)), None, here)
        return amounts

    def _amounts_of(
        self, given: Json, prefix: tuple[int, ...], below: LineAmounts | None, path: str
    ) -> LineAmounts:
        lines = {key: net for key, net in self._lines.items() if key[: len(prefix)] == prefix}
        if not lines:
            raise invalid_field(path, "the invoice has no such part")
        if given.get("amount") is None:
            return lines if below is None else below
        net = self._amount(given["amount"], lines, f"{path}.amount")
        if below is None:
            return spread(net, lines, self._currency)
        if sum(below.values(), Decimal(0)) != net:
            raise invalid_field(f"{path}.amount", "must be the sum of its parts")
        return below

    def _amount(self, given: object, lines: Mapping[LineKey, Decimal], path: str) -> Decimal:
        AMOUNT(given, path)
        if not isinstance(given, dict) or given.get("currency") != self._currency:
            raise invalid_field(f"{path}.currency", f"must be {self._currency}")
        net, whole = value(given), sum(lines.values(), Decimal(0))
        if not (0 < net <= whole or whole <= net < 0):
            raise invalid_field(path, f"must be a part of {whole}")
        return net

    def _order(self, given: object, name: str, path: str) -> int:
        order = given.get(name) if isinstance(given, dict) else None
        if not isinstance(order, int):
            raise invalid_field(f"{path}.{name}", "must be an integer")
        return order


def credited_periods(invoice: Json, amounts: LineAmounts) -> list[Json]:
    """Return the periods of a credit note, before its sign: the original's, cut to the amounts."""
    currency, periods = invoice["billing_currency"], []
    for period in invoice["periods"]:
        groups = []
        for group in period["groups"]:
            lines = [
                _credited_line(line, amounts[key], currency)
                for line in group["lines"]
                if (key := (period["period_order"], group["group_order"], line["line_order"])) in amounts
            ]
            if lines:
                groups.append(_with_totals(group, "lines", lines, currency))
        if groups:
            periods.append(_with_totals(period, "groups", groups, currency))
    return periods


def copied_header(invoice: Json) -> Json:
    """Return what a credit note has in common with its original."""
    return {name: deepcopy(invoice[name]) for name in _COPIED if name in invoice}


def link_to(invoice: Json) -> Json:
    """Return an entry of `linked_invoices`; the values of `link_type` are not documented."""
    link = {
        "id": invoice["id"],
        "link_type": "UNKNOWN_VALUE",
        "invoice_number": invoice.get("invoice_number"),
        "amount": deepcopy(invoice["invoice_amount_including_tax"]),
        "invoice_date": invoice["invoice_date"],
    }
    return {name: one for name, one in link.items() if one is not None}


def _with_totals(whole: Json, name: str, parts: list[Json], currency: str) -> Json:
    """Put parts into a copy of a group or period and add them up; one without own taxes stays without."""
    totals = group_totals([line for one in parts for line in one.get("lines", [one])], currency)
    if not whole.get("tax_categories"):
        totals["tax_categories"] = []
    kept = {key: deepcopy(one) for key, one in whole.items() if key != name}
    return kept | totals | {name: parts}


def _credited_line(line: Json, net: Decimal, currency: str) -> Json:
    copy = deepcopy(line)
    if net == value(line["amount_excluding_tax"]):
        return copy
    credited = with_taxes(copy, net, copy.get("tax_categories") or [], currency)
    for name in ("amount", "pricing_amount"):
        if name in credited.get("details", {}):
            credited["details"][name] = amount(net, currency)
    return credited
