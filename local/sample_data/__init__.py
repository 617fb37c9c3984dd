"""The demo's world: Tideway, a company that sells port software, with its customers and their invoices.

Plain dicts in the shapes both vendors' APIs answer with, the same in every run. What there is stands in the
YAML files; `figures.yaml` has the figures to expect, apart from the invoices that the builder makes.
"""

import pickle
from functools import cache

from local.sample_data import world
from local.sample_data.builder import build
from local.sample_data.drafts import drafts
from local.sample_data.identity import Json, rillet_id, solvimon_id
from local.sample_data.rows import rows

__all__ = [
    "credits_to_expect",
    "expected",
    "fallback_products",
    "invoice_id",
    "rillet_id",
    "rillet_seed",
    "solvimon_seed",
]

EXTERNAL_REFERENCE_TYPES = ("solvimon_invoice_id", "solvimon_customer_id", "hubspot_company_id")
_FIGURES = rows("figures")
"""Figures that were worked out by hand, and not by the builder."""


def solvimon_seed() -> dict[str, list[Json]]:
    """Return Solvimon's side: the catalogue, customers, custom fields and DRAFT invoices without a number."""
    seed: dict[str, list[Json]] = pickle.loads(_solvimon())  # noqa: S301 - our own, and quicker than `deepcopy`
    return seed


@cache
def _solvimon() -> bytes:
    return pickle.dumps(
        {
            "custom_fields": world.DEMO_CUSTOM_FIELDS,
            "billing_entities": [entity.solvimon() for entity in world.ENTITIES.values()],
            "product_categories": list(world.CATEGORIES.values()),
            "products": [product.solvimon() for product in world.DEMO_PRODUCTS.values()],
            "customers": [customer.solvimon() for customer in world.DEMO_CUSTOMERS.values()],
            "invoices": [build(draft) for draft in drafts()],
        }
    )


def rillet_seed(api_key: str | None = None) -> Json:
    """Return Rillet's side: the organisation, subsidiaries, products, customers, accounts, banks, types.

    Args:
        api_key: A key for the organisation, which the fake Rillet reads from the seed.
    """
    seed: Json = pickle.loads(_rillet())  # noqa: S301
    seed["organization"] |= {"api_key": api_key} if api_key else {}
    return seed


@cache
def _rillet() -> bytes:
    return pickle.dumps(
        {
            "organization": world.ORGANIZATION,
            "subsidiaries": [entity.rillet() for entity in world.ENTITIES.values()],
            "products": [
                *(product.rillet() for product in world.DEMO_PRODUCTS.values()),
                *world.FALLBACK_PRODUCTS.values(),
            ],
            "customers": [c.rillet() for c in world.DEMO_CUSTOMERS.values() if c.in_rillet],
            "accounts": world.ACCOUNTS,
            "bank_accounts": world.BANK_ACCOUNTS,
            "external_reference_types": list(EXTERNAL_REFERENCE_TYPES),
        }
    )


def fallback_products() -> dict[str, str]:
    """Return the Rillet product for groups without one, by kind: the setting `fallback_products`."""
    return {kind: product["id"] for kind, product in world.FALLBACK_PRODUCTS.items()}


def invoice_id(name: str) -> str:
    """Return the Solvimon id of a demo invoice, such as `usage-tiers`; `figures.yaml` lists the names."""
    return solvimon_id("invo", name)


def expected() -> dict[str, dict[str, str]]:
    """Return net, tax, gross, currency, name and feature of every demo invoice, by its Solvimon id."""
    return {
        solvimon_id("invo", name): figures | {"name": name} for name, figures in _FIGURES["invoices"].items()
    }


def credits_to_expect() -> dict[str, dict[str, str | None]]:
    """Return amount, net, tax, gross, currency and feature of each credit, by the name of its invoice.

    Each is what `fake_solvimon.Platform.credit` makes of the invoice and the net amount.
    """
    return {name: dict(figures) for name, figures in _FIGURES["credits"].items()}
