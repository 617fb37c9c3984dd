"""Records of two systems are alike by exact values in uniform spelling, and never by a guess."""

import pytest

from solvimon_rillet.mapping.likeness import (
    Records,
    rillet_record,
    solvimon_record,
    uniform_name,
    uniform_text,
)
from tests.support.builders import Json

FIELD, TYPE = "rillet_customer_id", "solvimon_customer_id"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Mooring Sensors B.V.", "MOORING SENSORS BV"),
        ("Société Générale S.A.", "Societe Generale"),
        ("Müller & Söhne GmbH & Co. KG", "Muller and Sohne"),
        ("Acme, Inc.", "ACME Incorporated"),
        ("  Quay   11 Ltd. ", "quay-11 limited"),
        ("O’Brien Sp. z o.o.", "O'BRIEN"),
    ],
)
def test_a_legal_name_is_compared_without_form_case_accents_and_punctuation(one: str, other: str) -> None:
    assert uniform_name(one) == uniform_name(other) != ""


@pytest.mark.parametrize(
    ("one", "other"),
    [("Mooring Sensors", "Mooring Sensor"), ("Quay 11", "Quay 12"), ("Acme Holding", "Acme Trading")],
)
def test_names_that_differ_by_a_letter_are_not_alike(one: str, other: str) -> None:
    assert uniform_name(one) != uniform_name(other)


def test_a_name_that_is_only_a_legal_form_is_compared_as_it_is() -> None:
    assert uniform_name("Co.") == "co"


def test_a_products_name_keeps_words_that_look_like_a_legal_form() -> None:
    assert uniform_text("Sensor AG") != uniform_text("Sensor SA")


def ours(identifier: str, name: str = "Acme", **more: object) -> Json:
    return {"id": identifier, "organization": {"legal_name": name}, **more}


def theirs(name: str = "ACME Ltd", mail: str = "books@acme.example", **more: object) -> Json:
    return {"id": "r1", "name": name, "emails": [{"email": mail, "type": "MAIN_SENDER"}], **more}


@pytest.mark.parametrize(
    ("in_solvimon", "alike"),
    [
        ([ours("cust_1")], ["cust_1"]),
        ([ours("cust_1", "Other", email="info@x.example; Books@ACME.example")], ["cust_1"]),
        ([ours("cust_1", "Other", email="cfo@acme.example")], []),
        ([ours("cust_1"), ours("cust_2", "acme gmbh")], ["cust_1", "cust_2"]),
        ([ours("cust_1", status="ARCHIVED")], []),
        ([ours("cust_1", custom_fields=[{"reference": FIELD, "value": "r7"}])], []),
        ([{"id": "cust_1", "individual": {"name": {"first_name": "Ac", "last_name": "Me"}}}], []),
    ],
    ids=[
        "the same name",
        "one of several e-mail addresses",
        "an address of the same host",
        "several",
        "an archived one",
        "one that is linked to another record",
        "a person",
    ],
)
def test_a_customer_is_like_those_without_link_that_share_its_name_or_an_address(
    in_solvimon: list[Json], alike: list[str]
) -> None:
    records = Records(solvimon_record("customer", row, FIELD) for row in in_solvimon)

    found = records.alike(rillet_record("customer", theirs(), TYPE))

    assert [record.id for record in found] == alike


def test_a_rillet_customer_that_refers_to_solvimon_is_linked() -> None:
    references = [{"type": "hubspot", "id": "7"}, {"type": TYPE, "id": "cust_1"}]

    assert rillet_record("customer", theirs(external_references=references), TYPE).linked == "cust_1"


def test_subsidiaries_are_compared_by_trade_name_and_legal_name() -> None:
    entity = solvimon_record("subsidiary", {"id": "bile_1", "legal_name": "Tideway B.V."}, FIELD)
    subsidiary = rillet_record("subsidiary", {"id": "s1", "trade_name": "Tideway"}, TYPE)

    assert subsidiary.alike_by(entity) == ["name"]


@pytest.mark.parametrize(
    "row", [{"id": "x"}, {"id": "x", "email": 7, "organization": "Acme", "custom_fields": None}]
)
def test_a_row_of_another_form_is_like_nothing(row: Json) -> None:
    record = solvimon_record("customer", row, FIELD)

    assert (record.values, record.linked, record.name) == ({}, None, "x")


def test_tax_ids_show_two_records_of_solvimon_that_are_alike() -> None:
    one = solvimon_record("customer", {"id": "c1", "organization": {"tax_id": "NL 8001.23"}}, FIELD)
    two = solvimon_record("customer", {"id": "c2", "organization": {"tax_ids": [{"id": "nl800123"}]}}, FIELD)

    assert one.alike_by(two) == ["tax id"]
