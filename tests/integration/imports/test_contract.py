"""Every request of an import fits the vendors' own OpenAPI documents."""

import pytest

from local.system import LocalSystem
from tests.contract.documents import MISSING, MISSING_REASON
from tests.contract.report import checked_traffic
from tests.contract.scenarios.imports import everything

pytestmark = pytest.mark.skipif(MISSING, reason=MISSING_REASON)
KINDS = {
    *("POST /customers", "PATCH /customers/{resourceIdOrReference}"),
    *("POST /products", "PATCH /products/{resourceIdOrReference}"),
    "POST /products/{resourceIdOrReference}/archive",
    "POST /products/{resourceIdOrReference}/activate",
    *("POST /product-categories", "POST /products/search"),
    *("POST /billing-entities", "PATCH /billing-entities/{resourceIdOrReference}"),
    "POST /custom-fields",
}


def test_every_request_fits_the_vendors_documents(system: LocalSystem) -> None:
    with checked_traffic(system) as report:
        everything(system)

    assert report.violations == []
    asked = {name.removeprefix("solvimon ") for name in report.operations if name.startswith("solvimon")}
    assert {name for name in asked if not name.startswith("GET")} == KINDS
