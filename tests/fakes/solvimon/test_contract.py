"""The Solvimon fake held against Solvimon's OpenAPI documents.

All other tests of the fake check their answers against the documents as they go; here is what they miss.
"""

import pytest

from local.fake_solvimon.field_checks import COUNTRIES, CURRENCIES
from local.fake_solvimon.resources.definitions import ALL, INVOICES
from local.fake_solvimon.resources.resource import Resource
from local.sample_data import expected, invoice_id
from tests.contract.checker import check_record
from tests.contract.documents import MISSING, MISSING_REASON, document_of
from tests.fakes.solvimon.support import Json, Solvimon

needs_contracts = pytest.mark.skipif(MISSING, reason=MISSING_REASON)


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
def test_the_check_finds_a_wrong_type_and_an_unknown_field() -> None:
    wrong = {"id": 7, "periods": [{"groups": [{"lines": [{"amount": {}}]}]}], "customer": {"type": "PERSON"}}

    errors = check_record("solvimon", "Invoice", wrong)

    assert {(error.field, error.kind) for error in errors} == {
        ("$.id", "wrong value"),
        ("$.periods[0].groups[0].lines[0].amount", "unknown field"),
        ("$.customer.type", "wrong value"),
    }


def named(name: str) -> Json:
    """A named schema, whichever document has it."""
    found: Json = document_of("solvimon", name).schemas[name]
    return found


@needs_contracts
@pytest.mark.parametrize("resource", ALL, ids=lambda resource: resource.collection)
def test_the_fake_knows_every_field_of_the_vendors_request(resource: Resource) -> None:
    name = "".join(part.capitalize() for part in resource.object_type.split("_"))
    schema = named(f"{name}{'Update' if resource is INVOICES else 'Create'}Request")

    assert set(schema["properties"]) <= resource.writable.keys() | resource.read_only
    assert set(schema.get("required", [])) <= set(resource.required)


@needs_contracts
def test_the_code_lists_are_the_vendors() -> None:
    assert set(named("AddressCountry")["enum"]) == set(COUNTRIES)
    assert set(named("AmountCurrency")["enum"]) == set(CURRENCIES)
