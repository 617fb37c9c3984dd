"""One-off invoices and credit notes from a caller's body (Solvimon, `POST /invoices`)."""

from collections.abc import Callable
from copy import deepcopy

from local.fake_solvimon.errors import Json, invalid_field, missing_field
from local.fake_solvimon.field_checks import AMOUNT
from local.fake_solvimon.money import group_totals, value, with_taxes

ONE_OFF = "ONE_OFF"
ONE_OFF_CREDIT = "ONE_OFF_CREDIT"

FindProduct = Callable[[str], Json]


def check_kind(body: Json) -> str:
    """Return the type of the invoice to create.

    Raises:
        ApiProblem: The type is missing or not a one-off, or linked invoices come with an ordinary one.
    """
    kind = body.get("type")
    if kind is None:
        raise missing_field("type")
    if kind not in (ONE_OFF, ONE_OFF_CREDIT):
        raise invalid_field("type", f"must be {ONE_OFF} or {ONE_OFF_CREDIT}")
    if body.get("linked_invoices_ids") and kind != ONE_OFF_CREDIT:
        raise invalid_field("linked_invoices_ids", f"can only be used for {ONE_OFF_CREDIT}")
    return str(kind)


def completed_periods(
    periods: list[Json], find_product: FindProduct, new_line_id: Callable[[], str]
) -> list[Json]:
    """Return a caller's periods with everything that follows from the lines' net amounts and tax rates.

    What Solvimon requires here is not documented; each line needs `amount_excluding_tax`, and may have
    `tax_categories` with `percentage`, `name` and `category`. Products are named by their ids.

    Raises:
        ApiProblem: A part is missing, or the amounts are in several currencies.
    """
    if not periods:
        raise missing_field("periods")
    builder = _OneOffBuilder(find_product, new_line_id)
    return [builder.period(period, order) for order, period in enumerate(periods, 1)]


def body_of(customer_id: str, lines: list[Json], currency: str, originals: list[str], **more: object) -> Json:
    """Return the body of a one-off credit note, each line a group of its own.

    Args:
        customer_id: Whom to credit.
        lines: `{"description", "amount", "product_id"?, "tax"?, "start_at"?, "end_at"?}`; the amount is a net
            decimal text, the tax `{"percentage", "name", "category"?}`.
        currency: ISO 4217.
        originals: Ids of the invoices it refers to.
        **more: Other fields of the body.
    """
    groups = [_group(line, order, currency) for order, line in enumerate(lines, 1)]
    body = {"type": ONE_OFF_CREDIT, "customer_id": customer_id, "periods": [{"groups": groups}]}
    return body | ({"linked_invoices_ids": originals} if originals else {}) | more


class _OneOffBuilder:
    def __init__(self, find_product: FindProduct, new_line_id: Callable[[], str]) -> None:
        self._find_product = find_product
        self._new_line_id = new_line_id
        self._currency: str | None = None

    def period(self, given: Json, order: int) -> Json:
        path = f"periods.{order - 1}"
        if not given.get("groups"):
            raise missing_field(f"{path}.groups")
        groups = [
            self.group(group, n, f"{path}.groups.{n - 1}") for n, group in enumerate(given["groups"], 1)
        ]
        lines = [line for group in groups for line in group["lines"]]
        totals = group_totals(lines, self._currency or "")
        return given | {"period_order": order, **totals, "groups": groups}

    def group(self, given: Json, order: int, path: str) -> Json:
        if not given.get("lines"):
            raise missing_field(f"{path}.lines")
        lines = [self.line(line, n, f"{path}.lines.{n - 1}") for n, line in enumerate(given["lines"], 1)]
        products = [deepcopy(self._find_product(str(one.get("id")))) for one in given.get("products") or []]
        totals = group_totals(lines, self._currency or "")
        kind = {"type": given.get("type", ONE_OFF), "group_order": order, "products": products}
        return given | kind | totals | {"lines": lines}

    def line(self, given: Json, order: int, path: str) -> Json:
        if given.get("amount_excluding_tax") is None:
            raise missing_field(f"{path}.amount_excluding_tax")
        AMOUNT(given["amount_excluding_tax"], f"{path}.amount_excluding_tax")
        currency = given["amount_excluding_tax"]["currency"]
        if self._currency not in (None, currency):
            raise invalid_field(f"{path}.amount_excluding_tax.currency", f"must be {self._currency}")
        self._currency = currency
        line = given | {"id": self._new_line_id(), "line_order": order, "type": given.get("type", ONE_OFF)}
        categories = [
            _given_category(one, f"{path}.tax_categories") for one in given.get("tax_categories") or []
        ]
        return with_taxes(line, value(given["amount_excluding_tax"]), categories, currency)


def _given_category(given: Json, path: str) -> Json:
    for name in ("percentage", "name"):
        if not given.get(name):
            raise missing_field(f"{path}.{name}")
    return {"category": "STANDARD", **given}


def _group(line: Json, order: int, currency: str) -> Json:
    group: Json = {
        "group_order": order,
        "description": line["description"],
        "products": [{"id": line["product_id"]}] if line.get("product_id") else [],
        "lines": [
            {
                "description": line["description"],
                "amount_excluding_tax": {"quantity": line["amount"], "currency": currency},
                "tax_categories": [line["tax"]] if line.get("tax") else [],
            }
        ],
    }
    return group | {name: line[name] for name in ("start_at", "end_at") if name in line}
