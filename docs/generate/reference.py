"""The reference pages that are made from the code: settings, field tables and the template's parameters.

``python -m docs.generate.reference`` writes them; a test compares what is committed with what would be
written.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from docs.generate import error_catalog
from docs.generate.parameters import parameters_page
from solvimon_rillet.mapping import customers, products, subsidiaries
from solvimon_rillet.mapping.field_table import Row
from solvimon_rillet.mapping.invoices import HEADER_ROWS, LINE_ROWS
from solvimon_rillet.settings import InvoiceScope, Settings

DOCS = Path(__file__).resolve().parents[2] / "docs"
_SCOPES = (
    (InvoiceScope.FULL, "FULL"),
    (InvoiceScope.REVENUE_RECOGNITION_ONLY, "REVENUE_ RECOGNITION_ ONLY"),
    (InvoiceScope.AR_ONLY, "AR_ONLY"),
)
_TYPES = {
    "str": "text",
    "bool": "true or false",
    "int": "whole number",
    "float": "number",
    "date": "day (YYYY-MM-DD)",
    "NoneType": "null",
}

_SETTINGS_INTRO = """# Settings

One JSON object per connection, in the SSM parameter `/{stack}/{connection}/settings`. An empty `{}` works:
every setting has a default. A change is in force within a minute, without a deployment. Settings that cannot
be used keep the last good ones in force and raise the alarm `SettingsInvalid`; the status of
`connect_rillet` (`{"action": "status"}`) names what is wrong. Unknown names are refused.

This page is made from the code (`make docs`)."""
_FIELDS_INTRO = """# Field tables

What becomes what. The tables are made from the rows that the mapping itself runs on (`make docs`), in the
guide's order; what Rillet or Solvimon needs beyond the guide comes last."""
_EXPORT_INTRO = """Per invoice scope. `group` is `periods[].groups[]` of the Solvimon invoice, `tax` is one
of its `tax_categories[]`."""
_IMPORT_INTRO = """A field that Rillet leaves empty stays as it is in Solvimon. A postal address is one field:
it is replaced whole, unless Solvimon's says the same and more."""


def settings_page() -> str:
    """The page that documents every setting."""
    fallback = {"default": "<uuid>"}
    example = {"invoice_scope": "FULL", "start_date": "2026-01-01", "fallback_products": fallback}
    table = ["| Setting | Value | Default | What it does |", "|---|---|---|---|", *_setting_rows(Settings)]
    json_block = ["```json", json.dumps(example, indent=2), "```"]
    return "\n".join([_SETTINGS_INTRO, "", *table, "", "## Example", "", *json_block, ""])


def fields_page() -> str:
    """The page with the field tables of the mapping."""
    lines = [
        _FIELDS_INTRO,
        "",
        "## Imports, Rillet → Solvimon",
        "",
        _IMPORT_INTRO,
        "",
        *_import_table("Import customers → customer", customers.IMPORT_ROWS),
        *_import_table("Import products → product", products.IMPORT_ROWS),
        *_import_table("Import subsidiaries → billing entity", subsidiaries.IMPORT_ROWS),
        "## Export invoice, Solvimon → Rillet",
        "",
        _EXPORT_INTRO,
        "",
        *_table(HEADER_ROWS),
        "",
        "## Invoice lines → `items[]`",
        "",
        *_table(LINE_ROWS),
        "",
    ]
    return "\n".join(lines)


def _table(rows: Sequence[Row[Any]]) -> Iterator[str]:
    yield "| Solvimon | Rillet | " + " | ".join(name for _, name in _SCOPES) + " |"
    yield "|---|---|" + ":-:|" * len(_SCOPES)
    for row in rows:
        marks = " | ".join("✓" if scope in row.scopes else "" for scope, _ in _SCOPES)
        yield f"| `{row.source}` | `{row.target}` | {marks} |"


def _import_table(title: str, rows: Sequence[Row[Any]]) -> Iterator[str]:
    yield from (f"### {title}", "", "| Solvimon | Rillet | Rule |", "|---|---|---|")
    for row in rows:
        source = row.source if row.source.startswith("(") else f"`{row.source}`"
        yield f"| `{row.target}` | {source} | {row.rule} |"
    yield ""


def _setting_rows(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    for name, field in model.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from _setting_rows(inner, f"{prefix}{name}.")
        else:
            default = json.dumps(field.default, default=str)
            yield f"| `{prefix}{name}` | {_values(field)} | `{default}` | {field.description or ''} |"


def _values(field: FieldInfo) -> str:
    """Return the type of a setting and its limits, in words."""
    limits = {Ge: "at least {0.ge}", Gt: "more than {0.gt}", Le: "at most {0.le}"}
    bounds = [limits[type(part)].format(part) for part in field.metadata if type(part) in limits]
    return ", ".join([_words(field.annotation), *bounds])


def _words(annotation: Any) -> str:  # noqa: ANN401 - any type annotation
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin in {Union, UnionType}:
        return " or ".join(_words(part) for part in parts)
    if origin is Literal:
        return " or ".join(f"`{part}`" for part in parts)
    if origin is dict:
        return f"object of {_words(parts[1])}"
    if origin is list:
        return f"list of {_words(parts[0])}"
    if parts:  # Annotated
        return "address" if parts[0] is str else _words(parts[0])
    if annotation is InvoiceScope:
        return " or ".join(f"`{scope.value}`" for scope in InvoiceScope)
    name = getattr(annotation, "__name__", str(annotation))
    return _TYPES.get(name, name)


PAGES = {"settings.md": settings_page, "fields.md": fields_page, "parameters.md": parameters_page}


def main() -> None:
    """Write the pages, and the catalog of errors that the layer reads."""
    for name, page in PAGES.items():
        (DOCS / name).write_text(page(), encoding="utf-8")
    error_catalog.write()


if __name__ == "__main__":
    main()
