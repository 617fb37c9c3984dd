"""The Rillet product of a group: its products' one, else the fallback that the settings have for its kind."""

from collections.abc import Sequence

from solvimon_rillet.errors import Code, Culprit, NeedsAttention
from solvimon_rillet.mapping.descriptions import describe
from solvimon_rillet.mapping.links import Links
from solvimon_rillet.mapping.product_split import KINDS_WITHOUT_PRODUCT
from solvimon_rillet.mapping.tax_rates import TaxedGroup
from solvimon_rillet.mapping.texts import is_rillet_id
from solvimon_rillet.settings import Settings
from solvimon_rillet.solvimon.invoice_groups import Group


def drop_empty_groups(
    groups: Sequence[TaxedGroup], links: Links, settings: Settings
) -> tuple[list[TaxedGroup], list[str]]:
    """The groups without those of zero that have no product: they need no line and block nothing."""
    kept, warnings = list[TaxedGroup](), list[str]()
    for group in groups:
        taxed = any(tax.amount for tax in group.taxes)
        if group.net or taxed or _find_product(group.group, links, settings)[0]:
            kept.append(group)
        else:
            warnings.append(f"The group {group.path} is zero and has no Rillet product; it was left out.")
    return kept, warnings


def _find_product(group: Group, links: Links, settings: Settings) -> tuple[str | None, str]:
    """The Rillet product of a group, and its source."""
    if group.products:
        linked = {links.products.get(product.id or "") for product in group.products}
        return linked.pop() if len(linked) == 1 else None, "products (Rillet Product ID)"
    products, kind = settings.fallback_products, fallback_kind(group)
    by_kind = {"discount": products.discount, "commitment": products.commitment, "one_off": products.one_off}
    name = kind if by_kind.get(kind) else "default"
    return (
        by_kind.get(kind) or products.default or ""
    ).strip() or None, f"(setting fallback_products.{name})"


def fallback_kind(group: Group) -> str:
    """The kind of a group without product: ``discount``, ``commitment``, ``one_off`` or ``other``.

    Solvimon's line types are REVENUE, COMMITMENT, DISCOUNT and ONE_OFF (dossier 2.6).
    """
    line_types = {line.type for line in group.lines}
    for kind in (group.type, line_types.pop() if len(line_types) == 1 else None):
        if kind in KINDS_WITHOUT_PRODUCT:
            return kind.lower()
    amount = group.amount_excluding_tax or group.total
    return "discount" if amount and amount.quantity < 0 else "other"


def required_product(group: TaxedGroup, links: Links, settings: Settings) -> tuple[str, str]:
    """The Rillet product of a group, and its source.

    Raises:
        NeedsAttention: it has none, or what stands for one is no Rillet id.
    """
    product, source = _find_product(group.group, links, settings)
    if product and not is_rillet_id(product):
        raise NeedsAttention(
            Code.RILLET_ID_INVALID,
            f"The group {group.path} is to be booked under what its {source} holds, which is no Rillet "
            "id (a UUID).",
            "Copy the product's id from Rillet into the custom field or the setting, then retry.",
            quoted=repr(product[:64]),
        )
    if product:
        return product, source
    if group.group.products:
        names = ", ".join(f"{p.name or 'unnamed'} ({p.id})" for p in group.group.products)
        unlinked = [p for p in group.group.products if (p.id or "") not in links.products]
        first = (unlinked or group.group.products)[0]
        raise NeedsAttention(
            Code.PRODUCT_NOT_LINKED,
            f"The group {group.path} bills a product that has no Rillet product.",
            f'Import the products from Rillet, or set the custom field "Rillet Product ID" '
            f"({settings.custom_fields.product}) on it in Solvimon, then retry.",
            quoted=names,
            about=Culprit("product", first.id or "", first.name or ""),
        )
    kind = fallback_kind(group.group)
    name = kind if kind != "other" else "default"
    raise NeedsAttention(
        Code.FALLBACK_PRODUCT_MISSING,
        f"The group {group.path} has no product, and no fallback is set.",
        f"Set fallback_products.{name} (or fallback_products.default) to a Rillet product id in the "
        "settings, then retry.",
        quoted=describe(group.group).text,
        about=Culprit("setting", f"fallback_products.{name}"),
    )
