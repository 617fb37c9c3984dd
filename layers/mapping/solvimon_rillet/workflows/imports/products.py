"""Rillet products become Solvimon products of one category."""

from solvimon_rillet.mapping.products import to_solvimon_product
from solvimon_rillet.mapping.solvimon_fields import one_line
from solvimon_rillet.rillet.models import Product
from solvimon_rillet.settings import Settings
from solvimon_rillet.workflows.imports.resource import ImportCandidate, ImportedResource, parse_row


def _map_product(row: object, settings: Settings, category_id: str) -> ImportCandidate:
    product = parse_row(row, Product)
    mapped = to_solvimon_product(product, category_id, settings)
    return ImportCandidate(product.id, one_line(product.name), mapped, {"rillet_id": product.id})


PRODUCTS = ImportedResource(
    name="product",
    plural="products",
    collection="products",
    field_name="Rillet Product ID",
    resource_type="PRODUCT",
    list_rows=lambda rillet, cursor, _since: rillet.product_rows(cursor),
    map_row=_map_product,
    categorised=True,
)
