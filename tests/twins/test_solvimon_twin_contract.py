"""The Solvimon twin held against Solvimon's OpenAPI documents and its official Python SDK.

All other tests of the twin check their answers against the documents as they go; here is what they miss.
"""

import importlib
import importlib.util
import sys
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest

from local.demo_data import expected, invoice_id
from local.solvimon_twin.iso import COUNTRIES, CURRENCIES
from local.solvimon_twin.resources.resource import Resource
from local.solvimon_twin.resources.shapes import ALL, INVOICES
from tests.twins import solvimon_contract
from tests.twins.solvimon_twin_support import KEY, Solvimon

needs_contracts = pytest.mark.skipif(solvimon_contract.MISSING, reason=solvimon_contract.MISSING_REASON)


@pytest.fixture(scope="module")
def running() -> Iterator[Solvimon]:
    solvimon = Solvimon()
    with solvimon.twin:
        yield solvimon


@pytest.fixture
def solvimon(running: Solvimon) -> Solvimon:
    return running.renew()


@needs_contracts
@pytest.mark.parametrize("name", [entry["name"] for entry in expected().values()])
def test_every_demo_invoice_is_answered_in_the_vendors_shape_before_and_after_final(
    solvimon: Solvimon, name: str
) -> None:
    draft = solvimon.get(f"/invoices/{invoice_id(name)}").json()
    solvimon.platform.finalise(draft["id"])

    final = solvimon.get(f"/invoices/{invoice_id(name)}").json()

    assert (draft["status"], final["status"]) == ("DRAFT", "FINAL")
    assert final["periods"] == draft["periods"]


@needs_contracts
def test_every_demo_record_is_listed_in_the_vendors_shape(solvimon: Solvimon) -> None:
    for path in ("/customers", "/products", "/product-categories", "/billing-entities", "/custom-fields"):
        assert solvimon.get(path).json()["data"]
    invoices = solvimon.get("/invoices", include_periods="true", include_lines="true").json()["data"]

    assert len(invoices) == len(expected())


@needs_contracts
def test_the_judge_notices_a_wrong_type_and_an_unknown_field() -> None:
    wrong = {"id": 7, "periods": [{"groups": [{"lines": [{"amount": {}}]}]}], "customer": {"type": "PERSON"}}

    errors = solvimon_contract.errors_in(wrong, "Invoice")

    assert len(errors) == 3
    assert any("lines[0].amount" in error for error in errors)


@needs_contracts
@pytest.mark.parametrize("resource", ALL, ids=lambda resource: resource.collection)
def test_the_twin_knows_every_field_of_the_vendors_request(resource: Resource) -> None:
    name = "".join(part.capitalize() for part in resource.object_type.split("_"))
    schema = solvimon_contract.schema(f"{name}{'Update' if resource is INVOICES else 'Create'}Request")

    assert set(schema["properties"]) <= resource.writable.keys() | resource.read_only
    assert set(schema.get("required", [])) <= set(resource.required)


@needs_contracts
def test_the_code_lists_are_the_vendors() -> None:
    assert set(solvimon_contract.schema("AddressCountry")["enum"]) == set(COUNTRIES)
    assert set(solvimon_contract.schema("AmountCurrency")["enum"]) == set(CURRENCIES)


@pytest.fixture
def sdk_module(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Any]:
    """Import from the SDK past its `__init__`, which loads all 900 models and takes ten seconds."""
    spec = importlib.util.find_spec("solvimon_python_sdk")
    if spec is None or not spec.submodule_search_locations:
        pytest.skip("solvimon_python_sdk is not installed")
    packages = {}
    for package in ("", ".api", ".models"):
        packages[package] = module = ModuleType(f"{spec.name}{package}")
        module.__path__ = [spec.submodule_search_locations[0] + package.replace(".", "/")]
        monkeypatch.setitem(sys.modules, module.__name__, module)

    def load(name: str) -> Any:  # noqa: ANN401
        return importlib.import_module(f"{spec.name}.{name}")

    # Its client looks for the classes of answers here.
    packages[""].models = packages[".models"]  # type: ignore[attr-defined]
    for file, name in (("invoice", "Invoice"), ("invoice_response_wrapper", "InvoiceResponseWrapper")):
        setattr(packages[".models"], name, getattr(load(f"models.{file}"), name))
    return load


@pytest.mark.filterwarnings("ignore::ImportWarning", "ignore::DeprecationWarning")
def test_the_vendors_own_sdk_reads_every_invoice(
    solvimon: Solvimon, sdk_module: Callable[[str], Any]
) -> None:
    for identifier in expected():
        solvimon.platform.finalise(identifier)
    notes = [solvimon.platform.credit(identifier)["id"] for identifier in expected()]
    configuration = sdk_module("configuration").Configuration(
        host=solvimon.twin.origin, api_key={"API-Key": KEY}
    )

    with sdk_module("api_client").ApiClient(configuration) as client:
        api = sdk_module("api.invoices_api").InvoicesApi(client)
        listed = api.get_invoices(version="1", limit=100)
        read = [api.get_invoices_by_resource_id(version="1", resource_id=i.id) for i in listed.data]

    assert len(read) == 2 * len(expected())
    assert {note.id for note in read if note.type == "CREDIT"} == set(notes)
    for invoice in read:
        if invoice.type == "CREDIT":
            assert invoice.credit.original_invoice_id in expected()
            continue
        figures = expected()[invoice.id]
        assert invoice.invoice_amount_including_tax.quantity == figures["gross"]
        assert invoice.tax_summary.base_amount.quantity == figures["net"]
        assert invoice.periods[0].groups[0].lines[0].amount_excluding_tax.quantity
