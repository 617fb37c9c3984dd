"""Import products: Solvimon's request for a Rillet product (Solvimon API v1, Create a product)."""

from dataclasses import dataclass

from solvimon_rillet.errors import Code, NeedsAttention
from solvimon_rillet.mapping.field_table import Row, fill
from solvimon_rillet.mapping.solvimon_fields import MappedRecord, custom_field, one_line, truncate
from solvimon_rillet.rillet.models import Product
from solvimon_rillet.settings import Settings

CATEGORY_NAME = "Rillet Products"
INACTIVE = "INACTIVE"


@dataclass(frozen=True, slots=True)
class _ProductImport:
    """The input of the import rows: a Rillet product with its cleaned texts."""

    product: Product
    category_id: str
    settings: Settings
    name: str
    description: str


# The guide's table "Import Products", row by row.
IMPORT_ROWS: tuple[Row[_ProductImport], ...] = (
    Row("name", "name", lambda i: i.name, rule="one line, at most 256 characters"),
    Row("id", "reference", lambda i: i.product.id, rule="an existing reference stays"),
    Row(
        "description", "description", lambda i: i.description or None, rule="one line, at most 256 characters"
    ),
    Row(
        "id",
        "custom_fields",
        lambda i: custom_field(i.settings.custom_fields.product, i.product.id),
        rule='the custom field "Rillet Product ID"; other fields stay',
    ),
    # Beyond the guide: other fields that Solvimon needs.
    Row(
        "(category Rillet Products)",
        "category_id",
        lambda i: i.category_id,
        rule="found by its reference (setting `product_category`) or created; a product stays in its own",
    ),
    Row("status", "status", lambda _: "ACTIVE", rule="INACTIVE products are archived, not created"),
)


def to_solvimon_product(product: Product, category_id: str, settings: Settings | None = None) -> MappedRecord:
    """Map a Rillet product to the request that creates it in Solvimon.

    Args:
        product: the product as Rillet has it.
        category_id: Solvimon's id of the category of imported products.
        settings: the connection's settings.

    Raises:
        NeedsAttention: it has no name.
    """
    name, description = one_line(product.name), one_line(product.description)
    if not name:
        raise NeedsAttention(
            Code.ROW_INCOMPLETE,
            f"The product {product.id} has no name.",
            "Name it in Rillet, then import again.",
        )
    notes = [
        f"The {field} is longer than the 256 characters that Solvimon takes, and was cut."
        for field, text in (("name", name), ("description", description))
        if text != truncate(text)
    ]
    subject = _ProductImport(
        product, category_id, settings or Settings(), truncate(name), truncate(description)
    )
    return MappedRecord(fill(IMPORT_ROWS, subject)[0], tuple(notes), active=product.status != INACTIVE)
