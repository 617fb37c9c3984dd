"""Credit notes made from an invoice, whole or in part (Solvimon, `POST /invoices/{id}/credit`)."""

from collections.abc import Mapping
from copy import deepcopy
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from local.fake_solvimon.errors import ApiProblem, Json, invalid_field
from local.fake_solvimon.money import amount, rounded, spread, value
from local.fake_solvimon.rules import AMOUNT
from local.fake_solvimon.totals import group_totals, with_taxes

Sign = Literal["negative", "positive"]
LineKey = tuple[int, int, int]
"""Orders of period, group and line."""

Wanted = dict[LineKey, Decimal]
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
        raise ApiProblem(
            400,
            "INVALID_OPERATION",
            "only FINAL invoices that are no credit notes can be credited",
            resource_id=invoice["id"],
            resource_type="INVOICE",
        )


def everything(invoice: Json) -> Wanted:
    """Return what credits the whole invoice."""
    return {
        (period["period_order"], group["group_order"], line["line_order"]): value(
            line["amount_excluding_tax"]
        )
        for period in invoice["periods"]
        for group in period["groups"]
        for line in group["lines"]
    }


def part(invoice: Json, share: str | Decimal | Fraction) -> Wanted:
    """Return what credits a net amount, or a fraction of the invoice, spread over all of its lines."""
    lines, currency = everything(invoice), invoice["billing_currency"]
    net = sum(lines.values(), Decimal(0))
    if isinstance(share, Fraction):
        asked = rounded(net * share.numerator / share.denominator, currency)
    else:
        asked = Decimal(share)
    return spread(asked, lines, currency)


def asked(invoice: Json, body: Json) -> Wanted:
    """Return what a request's periods, groups and lines ask to credit; without any of them it is all.

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
        return _Reader(invoice).groups(body["groups"], (only,), "groups")
    return _Reader(invoice).periods(periods) if periods else everything(invoice)


class _Reader:
    """Reads parts of a request against the lines of the original."""

    def __init__(self, invoice: Json) -> None:
        self._lines = everything(invoice)
        self._currency = invoice["billing_currency"]

    def periods(self, parts: list[Json]) -> Wanted:
        wanted: Wanted = {}
        for index, given in enumerate(parts):
            path = f"periods.{index}"
            prefix = (self._order(given, "period_order", path),)
            children = given.get("groups")
            below = self.groups(children, prefix, f"{path}.groups") if children else None
            wanted |= self._settled(given, prefix, below, path)
        return wanted

    def groups(self, parts: list[Json], prefix: tuple[int, ...], path: str) -> Wanted:
        wanted: Wanted = {}
        for index, given in enumerate(parts):
            here = f"{path}.{index}"
            mine = (*prefix, self._order(given, "group_order", here))
            children = given.get("lines")
            below = self._lines_of(children, mine, f"{here}.lines") if children else None
            wanted |= self._settled(given, mine, below, here)
        return wanted

    def _lines_of(self, parts: list[Json], prefix: tuple[int, ...], path: str) -> Wanted:
        wanted: Wanted = {}
        for index, given in enumerate(parts):
            here = f"{path}.{index}"
            wanted |= self._settled(given, (*prefix, self._order(given, "line_order", here)), None, here)
        return wanted

    def _settled(self, given: Json, prefix: tuple[int, ...], below: Wanted | None, path: str) -> Wanted:
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


def credited_periods(invoice: Json, wanted: Wanted) -> list[Json]:
    """Return the periods of a credit note, before its sign: the original's own, cut to what is wanted."""
    currency, periods = invoice["billing_currency"], []
    for period in invoice["periods"]:
        groups = []
        for group in period["groups"]:
            lines = [
                _credited_line(line, wanted[key], currency)
                for line in group["lines"]
                if (key := (period["period_order"], group["group_order"], line["line_order"])) in wanted
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
