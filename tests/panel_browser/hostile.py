"""A connection whose people, products and companies have names that would break a careless page."""

import itertools
from typing import Any

from local import sample_data
from local.demo.new_customers import UNLINKED_PRODUCT
from local.playground.drafts import UNLINKED, add_draft
from local.system import LocalSystem

CONNECTION = "hostile"
MARKUP = "<img src=x onerror=\"document.title='run'\">"
NAMES = (
    MARKUP,
    "שלום \u202eevil\u202c ltd",
    "W" * 255,
    "🚢🧾👩🏽‍💻 </td></table><script>document.title='run'</script>",
    "{{ 7 * 7 }} & \"quoted\" 'single' %00 ../..",
)
_NAMED = {"legal_name", "last_name", "trade_name", "name", "title"}
"""Fields whose text people write."""
_KEPT = {"tax_categories", "custom_fields", "external_reference_types", "taxes", "accounts", "bank_accounts"}


def add_hostile(system: LocalSystem) -> None:
    """Connect a platform and an organisation full of such names, and let some invoices be booked."""
    rillet = sample_data.rillet_seed()
    rillet["organization"] |= {"id": f"org-{CONNECTION}"}
    connection = system.connect(
        CONNECTION,
        {"fallback_products": sample_data.fallback_products()},
        solvimon={name: _renamed(rows) for name, rows in sample_data.solvimon_seed().items()},
        rillet={name: _renamed(rows) for name, rows in rillet.items()},
    )
    system.add_rillet_webhook(connection)
    connection.platform.load({"products": [{**UNLINKED_PRODUCT.solvimon(with_link=False), "name": MARKUP}]})
    for name in ("first", "discount", "two-rates", UNLINKED):
        invoice = add_draft(connection, name, system.clock.now())
        record = connection.platform.records["invoices"][invoice]
        record["customer"] = connection.platform.records["customers"][record["customer_id"]]
        connection.platform.finalise(invoice)


def _renamed(value: Any) -> Any:  # noqa: ANN401 - JSON of any shape
    names = itertools.cycle(NAMES)
    return _walk(value, names)


def _walk(value: Any, names: Any) -> Any:  # noqa: ANN401
    if isinstance(value, list):
        return [_walk(inner, names) for inner in value]
    if not isinstance(value, dict):
        return value
    return {
        name: inner
        if name in _KEPT
        else next(names)
        if name in _NAMED and isinstance(inner, str)
        else _walk(inner, names)
        for name, inner in value.items()
    }
