"""Products of Rillet that a setting names: picked by their names."""

from collections.abc import Mapping

from solvimon_rillet.panel.reading import Json, rows, text

_PICKED = "fallback_products."
"""Settings that name a product of Rillet."""


def products_of(answer: Json) -> dict[str, str]:
    """The products of Rillet in an answer: their names by id."""
    return {text(row, "id"): text(row, "name") for row in rows(answer, "products")}


def options_of(path: str, shown: str, products: Mapping[str, str]) -> list[tuple[str, str]]:
    """The products that a setting may name, id and name; empty for a setting that names none.

    Args:
        path: of the setting.
        shown: the id that its field holds.
        products: those of Rillet, their names by id.
    """
    if not path.startswith(_PICKED) or not products:
        return []
    unknown = [(shown, f"{shown} (not active in Rillet)")] if shown and shown not in products else []
    return [("", "none"), *products.items(), *unknown]
