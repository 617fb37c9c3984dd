"""The settings as a form shows them: group, label, value, default, choices and description."""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from solvimon_rillet.invalid_values import as_group
from solvimon_rillet.settings import Settings

Json = dict[str, Any]
ADVANCED = "Advanced"
GROUPS: dict[str, tuple[str, ...]] = {
    "What is booked": (
        "invoice_scope",
        "start_date",
        "closed_periods",
        "create_missing_customers",
        "send_invoice_number_in_full_scope",
        "mark_as_sent",
        "negative_invoices",
        "credit_of_another_entity",
        "matching",
    ),
    "Products": ("fallback_products", "product_category"),
    "Taxes": ("tax_types", "tax_country", "tax_amount_on"),
    "Payments": ("payments", "credits_in_rillet"),
    "Notifications": ("digest", "outcome_events"),
    "Workflows": ("workflows", "reconcile", "write_back"),
}
"""The groups of settings, by the first part of their path; all others are advanced."""
LABELS = {
    "workflows.export_invoice": "Export Invoices",
    "workflows.mark_invoice_paid": "Mark Invoices as Paid",
    "workflows.sync_customer": "Sync Customer to Rillet",
    "workflows.export_credit_memo": "Export Credit Memos",
    "workflows.import_customers": "Import Customers",
    "workflows.import_products": "Import Products",
    "workflows.import_subsidiaries": "Import Subsidiaries",
}
"""The guide's own names of the switches; another setting's label is its name."""


def setting_fields(model: type[BaseModel] = Settings, prefix: str = "") -> Iterator[tuple[str, FieldInfo]]:
    """All settings by their paths, in the order of the page of settings."""
    for name, field in model.model_fields.items():
        if group := as_group(field.annotation):
            yield from setting_fields(group, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", field


def group_of(path: str) -> str:
    """The group of a setting."""
    first = path.partition(".")[0]
    return next((group for group, names in GROUPS.items() if first in names), ADVANCED)


def label_of(path: str) -> str:
    """The label of a setting: the guide's own name of a switch, else the setting's path in words."""
    if path in LABELS:
        return LABELS[path]
    words = path.replace(".", ": ").replace("_", " ")
    return words[0].upper() + words[1:]


def describe_fields(effective: Mapping[str, Any]) -> list[Json]:
    """The rows of the form.

    Args:
        effective: the values in force, by path.
    """
    defaults = flat(Settings().model_dump(mode="json"))
    return [
        {
            "path": path,
            "label": label_of(path),
            "group": group_of(path),
            "value": effective.get(path),
            "default": defaults[path],
            "changed": effective.get(path) != defaults[path],
            "description": field.description or "",
            "choices": choices_of(field.annotation),
        }
        for path, field in setting_fields()
    ]


def choices_of(annotation: Any) -> list[Any] | None:  # noqa: ANN401 - any type annotation
    """The values that a setting may have; ``None`` if they are not a few."""
    if get_origin(annotation) is Literal:
        return list(get_args(annotation))
    if isinstance(annotation, type) and issubclass(annotation, StrEnum):
        return [each.value for each in annotation]
    return [True, False] if annotation is bool else None


_LEAVES = frozenset(path for path, _ in setting_fields())


def flat(values: Mapping[str, Any], prefix: str = "") -> Json:
    """Nested settings by their paths; an object that is one setting's value, such as ``tax_types``, stays."""
    found: Json = {}
    for name, value in values.items():
        path = f"{prefix}{name}"
        if isinstance(value, Mapping) and path not in _LEAVES:
            found |= flat(value, f"{path}.")
        else:
            found[path] = value
    return found
