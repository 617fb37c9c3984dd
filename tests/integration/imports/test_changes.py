"""What is sent for a record that Solvimon has already: what differs, with all that a person keeps there."""

from collections.abc import Callable
from typing import Any

import pytest

from solvimon_rillet.mapping.customers import (
    rillet_customer_hash,
    solvimon_customer_hash,
    to_solvimon_customer,
)
from solvimon_rillet.mapping.solvimon_fields import patch_body
from solvimon_rillet.rillet.models import Customer
from solvimon_rillet.solvimon.master_data import Customer as SolvimonCustomer
from tests.integration.imports.support import Json, customer, rillet_id

WANTED: Json = to_solvimon_customer(Customer.model_validate(customer())).payload
ORGANIZATION: Json = WANTED["organization"]
ADDRESS: Json = ORGANIZATION["registered_address"]
OLD_ADDRESS = {"line1": "Old street 1", "line2": "Back door", "city": "Delft", "country": "NL", "state": "ZH"}
OWN = {"tax_ids": [{"id": "t1", "type": "GENERIC_TAX_ID"}], "tax_exempt": False, "registration_number": "7"}
TAX_ID = {"id": "t1", "type": "GENERIC_TAX_ID"}
SHOWN_TAX_ID = {**TAX_ID, "display_name": "Tax ID"}
LINK = {"reference": "rillet_customer_id", "value": rillet_id(1)}
CRM = {"id": "cufi_9", "reference": "crm", "value": "42"}


def there(**more: object) -> Json:
    """The customer in Solvimon as an import left it."""
    return {"id": "cust_1", "object_type": "CUSTOMER", **WANTED, **more}


EMPTY_PARTS = {**ORGANIZATION, "tax_id": "", "tax_ids": [], "registered_address": {**ADDRESS, "line3": None}}
CUSTOMER: dict[str, tuple[Json, Json]] = {
    "an equal record needs no change": (there(), {}),
    "empty parts are no difference": (there(organization=EMPTY_PARTS), {}),
    "only what differs is sent": (there(email="old@x.example"), {"email": "books1@customer.example"}),
    "the organization is sent whole with what Solvimon alone knows": (
        there(organization={"legal_name": "Old", **OWN}),
        {"organization": {**ORGANIZATION, **OWN}},
    ),
    "what only Solvimon writes is no difference": (
        there(organization={**ORGANIZATION, "tax_ids": [SHOWN_TAX_ID]}),
        {},
    ),
    "what only Solvimon writes is not sent": (
        there(organization={**ORGANIZATION, "legal_name": "Old", "tax_ids": [SHOWN_TAX_ID]}),
        {"organization": {**ORGANIZATION, "tax_ids": [TAX_ID]}},
    ),
    "another address replaces the whole one": (
        there(organization={"legal_name": "Customer 1", "registered_address": OLD_ADDRESS}),
        {"organization": ORGANIZATION},
    ),
    "other custom fields are sent along without what only Solvimon writes": (
        there(custom_fields=[{**CRM, "integration_details": {"x": 1}}]),
        {"custom_fields": [CRM, LINK]},
    ),
    "a custom field that is there already is no change": (
        there(custom_fields=[{"reference": "crm", "value": "42"}, {"id": "cufi_1", **LINK}]),
        {},
    ),
}


@pytest.mark.parametrize("case", CUSTOMER)
def test_the_customer_is_changed_where_it_differs(case: str) -> None:
    now, sent = CUSTOMER[case]

    assert patch_body(now, WANTED) == sent


KEPT: dict[str, tuple[Json, Json, Json]] = {
    "an address that says more than Rillet's": (
        {"organization": {"legal_name": "C", "registered_address": {"city": "Delft", "state": "ZH"}}},
        {"organization": {"legal_name": "C", "registered_address": {"city": "Delft"}}},
        {},
    ),
    "an address where Rillet has none": (
        there(organization={"legal_name": "Old", "registered_address": ADDRESS}),
        {"organization": {"legal_name": "New"}},
        {"organization": {"legal_name": "New", "registered_address": ADDRESS}},
    ),
    "what Rillet leaves empty": (
        there(email="kept@x.example"),
        {name: value for name, value in WANTED.items() if name != "email"},
        {},
    ),
    "a reference of its own": ({"reference": "mine"}, {"reference": "rillet's"}, {}),
    "not a missing reference": ({}, {"reference": "rillet's"}, {"reference": "rillet's"}),
    "a category of its own": ({"category_id": "mine"}, {"category_id": "rillet's"}, {}),
    "not a missing category": ({}, {"category_id": "rillet's"}, {"category_id": "rillet's"}),
    "the type": ({"type": "OTHER"}, {"type": "ACTIVE"}, {}),
    "a missing type": ({}, {"type": "ACTIVE"}, {}),
    "the status": ({"status": "OTHER"}, {"status": "ACTIVE"}, {}),
    "a missing status": ({}, {"status": "ACTIVE"}, {}),
}


@pytest.mark.parametrize("case", KEPT)
def test_what_a_person_keeps_in_solvimon_stays(case: str) -> None:
    now, wanted, sent = KEPT[case]

    assert patch_body(now, wanted) == sent


def of_rillet(**more: Any) -> str:
    """The fingerprint of the synced fields of Rillet's customer."""
    return rillet_customer_hash(Customer.model_validate(customer(**more)))


def of_solvimon(**more: object) -> str:
    """The fingerprint after an import, of the customer in Solvimon."""
    return solvimon_customer_hash(SolvimonCustomer.model_validate(there(**more)))


@pytest.mark.parametrize(
    ("fingerprint", "more", "differs"),
    [
        (of_rillet, {"name": "Other"}, True),
        (of_rillet, {"name_on_invoice": "Other"}, True),
        (of_rillet, {"address": {**customer()["address"], "city": "Delft"}}, True),
        (of_rillet, {"emails": [{"email": "new@x.example", "type": "MAIN_SENDER"}]}, True),
        (of_rillet, {"payment_terms": 14}, False),
        (of_rillet, {"emails": [*customer()["emails"], {"email": "cc@x.example", "type": "CC"}]}, False),
        (of_solvimon, {"email": "new@x.example"}, True),
        (of_solvimon, {"status": "ARCHIVED", "timezone": "UTC"}, False),
    ],
)
def test_a_fingerprint_follows_each_field_that_it_is_about_and_nothing_else(
    fingerprint: Callable[..., str], more: Json, differs: bool
) -> None:
    assert (fingerprint(**more) != fingerprint()) is differs
