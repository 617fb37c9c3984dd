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
from pydantic.fields import FieldInfo

from docs.generate import error_catalog
from docs.generate.parameters import parameters_page
from solvimon_rillet.mapping import customers, products, subsidiaries
from solvimon_rillet.mapping.field_table import Row
from solvimon_rillet.mapping.invoices import HEADER_ROWS, LINE_ROWS
from solvimon_rillet.settings import InvoiceScope
from solvimon_rillet.workflows.configure.fields import ADVANCED, GROUPS, LABELS, group_of, setting_fields

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
every setting has a default. Change them with `configure`, which checks them first and shows the effect
([connections.md](connections.md)), or edit the parameter by hand. A change is in force within a minute,
without a deployment. Settings that cannot be used keep the last good ones in force and raise the alarm
`SettingsInvalid`; `configure` (`{"show": true}`) and the status of `connect_rillet` name what is wrong.
Unknown names are refused.

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
    json_block = ["```json", json.dumps(example, indent=2), "```"]
    tables = [line for group in (*GROUPS, ADVANCED) for line in _settings_table(group)]
    return "\n".join([_SETTINGS_INTRO, "", *tables, "## Example", "", *json_block, ""])


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


def _settings_table(group: str) -> Iterator[str]:
    """The settings of a group, as the form of ``configure`` shows them."""
    yield from (f"## {group}", "", "| Setting | Value | Default | What it does |", "|---|---|---|---|")
    for path, field in setting_fields():
        if group_of(path) == group:
            default = json.dumps(field.default, default=str)
            label = f"**{LABELS[path]}.** " if path in LABELS else ""
            yield f"| `{path}` | {_values(field)} | `{default}` | {label}{field.description or ''} |"
    yield ""


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
