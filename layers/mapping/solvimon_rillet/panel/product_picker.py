"""Products of Rillet that a setting names: picked by their names."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from solvimon_rillet.panel.reading import Json, rows, text

if TYPE_CHECKING:
    from solvimon_rillet.panel.settings_form import SettingField

_PICKED = "fallback_products."
"""Settings that name a product of Rillet."""


def products_of(answer: Json) -> dict[str, str]:
    """The products of Rillet in an answer: their names by id."""
    return {text(row, "id"): text(row, "name") for row in rows(answer, "products")}


def picker(field: "SettingField", products: Mapping[str, str]) -> "SettingField":
    """A field whose value is picked by name, where it names a product."""
    if not field.path.startswith(_PICKED) or not products:
        return field
    options = [("", "none"), *products.items()]
    if field.shown and field.shown not in products:
        options.append((field.shown, f"{field.shown} (not active in Rillet)"))
    return replace(field, kind="choice", options=options)
