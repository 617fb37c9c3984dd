"""Every request of an import fits the vendors' own OpenAPI documents."""

import pytest

from contracts.documents import MISSING, MISSING_REASON
from contracts.report import overheard
from contracts.scenarios.imports import everything
from local.stack import LocalStack

pytestmark = pytest.mark.skipif(MISSING, reason=MISSING_REASON)
KINDS = {
    *("POST /customers", "PATCH /customers/{resourceIdOrReference}"),
    *("POST /products", "PATCH /products/{resourceIdOrReference}"),
    "POST /products/{resourceIdOrReference}/archive",
    "POST /products/{resourceIdOrReference}/activate",
    "POST /product-categories",
    *("POST /billing-entities", "PATCH /billing-entities/{resourceIdOrReference}"),
    "POST /custom-fields",
}


def test_every_request_fits_the_vendors_documents(stack: LocalStack) -> None:
    with overheard(stack) as report:
        everything(stack)

    assert report.violations == []
    asked = {name.removeprefix("solvimon ") for name in report.operations if name.startswith("solvimon")}
    assert {name for name in asked if not name.startswith("GET")} == KINDS
