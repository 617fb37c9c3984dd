"""What is sent for a record that Solvimon has already: what differs, with all that a person keeps there."""

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
ADDRESS: Json = WANTED["organization"]["registered_address"]


def there(**more: object) -> Json:
    """The customer in Solvimon as an import left it."""
    return {"id": "cust_1", "object_type": "CUSTOMER", **WANTED, **more}


def test_an_equal_record_needs_no_change() -> None:
    assert patch_body(there(), WANTED) == {}


def test_empty_parts_are_no_difference() -> None:
    organization = {
        **WANTED["organization"],
        "tax_id": "",
        "tax_ids": [],
        "registered_address": {**ADDRESS, "line3": None},
    }

    assert patch_body(there(organization=organization), WANTED) == {}


def test_only_what_differs_is_sent() -> None:
    assert patch_body(there(email="old@x.example"), WANTED) == {"email": "books1@customer.example"}


def test_the_organization_is_sent_whole_with_what_solvimon_alone_knows() -> None:
    own = {
        "tax_ids": [{"id": "t1", "type": "GENERIC_TAX_ID"}],
        "tax_exempt": False,
        "registration_number": "7",
    }

    changed = patch_body(there(organization={"legal_name": "Old", **own}), WANTED)

    assert changed == {"organization": {**WANTED["organization"], **own}}


def test_what_only_solvimon_writes_is_neither_sent_nor_a_difference() -> None:
    tax_id = {"id": "t1", "type": "GENERIC_TAX_ID"}
    organization = {**WANTED["organization"], "tax_ids": [{**tax_id, "display_name": "Tax ID"}]}

    same = patch_body(there(organization=organization), WANTED)
    other = patch_body(there(organization={**organization, "legal_name": "Old"}), WANTED)

    assert same == {}
    assert other["organization"]["tax_ids"] == [tax_id]


def test_another_address_replaces_the_whole_one() -> None:
    old = {"line1": "Old street 1", "line2": "Back door", "city": "Delft", "country": "NL", "state": "ZH"}

    changed = patch_body(there(organization={"legal_name": "Customer 1", "registered_address": old}), WANTED)

    assert changed["organization"]["registered_address"] == ADDRESS


def test_an_address_that_says_more_than_rillets_stays() -> None:
    wanted = {"organization": {"legal_name": "C", "registered_address": {"city": "Delft"}}}
    now = {"organization": {"legal_name": "C", "registered_address": {"city": "Delft", "state": "ZH"}}}

    assert patch_body(now, wanted) == {}


def test_an_address_stays_where_rillet_has_none() -> None:
    wanted = {"organization": {"legal_name": "New"}}

    changed = patch_body(there(organization={"legal_name": "Old", "registered_address": ADDRESS}), wanted)

    assert changed == {"organization": {"legal_name": "New", "registered_address": ADDRESS}}


def test_what_rillet_leaves_empty_stays() -> None:
    wanted = {name: value for name, value in WANTED.items() if name != "email"}

    assert patch_body(there(email="kept@x.example"), wanted) == {}


@pytest.mark.parametrize("field", ["reference", "category_id"])
def test_a_reference_or_category_of_its_own_stays_and_a_missing_one_is_set(field: str) -> None:
    assert patch_body({field: "mine"}, {field: "rillet's"}) == {}
    assert patch_body({}, {field: "rillet's"}) == {field: "rillet's"}


@pytest.mark.parametrize("field", ["type", "status"])
def test_type_and_status_are_never_changed(field: str) -> None:
    assert patch_body({field: "OTHER"}, {field: "ACTIVE"}) == {}
    assert patch_body({}, {field: "ACTIVE"}) == {}


def test_other_custom_fields_are_sent_along_without_what_only_solvimon_writes() -> None:
    other = {"id": "cufi_9", "reference": "crm", "value": "42", "integration_details": {"x": 1}}

    changed = patch_body(there(custom_fields=[other]), WANTED)

    assert changed == {
        "custom_fields": [
            {"id": "cufi_9", "reference": "crm", "value": "42"},
            {"reference": "rillet_customer_id", "value": rillet_id(1)},
        ]
    }


def test_a_custom_field_that_is_there_already_is_no_change() -> None:
    mine = {"id": "cufi_1", "reference": "rillet_customer_id", "value": rillet_id(1)}

    assert patch_body(there(custom_fields=[{"reference": "crm", "value": "42"}, mine]), WANTED) == {}


def test_the_fingerprint_of_the_synced_fields_follows_each_of_them_and_nothing_else() -> None:
    base = rillet_customer_hash(Customer.model_validate(customer()))

    different: list[Json] = [
        {"name": "Other"},
        {"name_on_invoice": "Other"},
        {"address": {**customer()["address"], "city": "Delft"}},
        {"emails": [{"email": "new@x.example", "type": "MAIN_SENDER"}]},
    ]
    same: list[Json] = [
        {"payment_terms": 14},
        {"emails": [*customer()["emails"], {"email": "cc@x.example", "type": "CC"}]},
    ]

    assert all(rillet_customer_hash(Customer.model_validate(customer(**more))) != base for more in different)
    assert all(rillet_customer_hash(Customer.model_validate(customer(**more))) == base for more in same)


def test_the_fingerprint_after_an_import_follows_edits_in_solvimon_and_nothing_else() -> None:
    base = solvimon_customer_hash(SolvimonCustomer.model_validate(there()))

    edited = solvimon_customer_hash(SolvimonCustomer.model_validate(there(email="new@x.example")))
    other = solvimon_customer_hash(SolvimonCustomer.model_validate(there(status="ARCHIVED", timezone="UTC")))

    assert edited != base
    assert other == base
