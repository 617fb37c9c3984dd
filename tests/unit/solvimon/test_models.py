"""What Solvimon's documents answer about themselves, and how one that is missing is named."""

from collections.abc import Callable, Sequence
from unittest.mock import Mock

import pytest

from solvimon_rillet.errors import NeedsAttention
from solvimon_rillet.http.failures import RequestRejected
from solvimon_rillet.solvimon.client import SolvimonClient
from solvimon_rillet.solvimon.master_data import CustomFieldValue, field_value
from solvimon_rillet.solvimon.models import Invoice

Json = dict[str, object]


def invoice(**fields: object) -> Invoice:
    """An invoice with these fields and an id."""
    return Invoice.model_validate({"id": "invo_1"} | fields)


@pytest.mark.parametrize(
    ("kind", "credit"),
    [("CREDIT", True), ("ONE_OFF_CREDIT", True), ("STANDARD", False), ("ONE_OFF", False), (None, False)],
)
def test_credit_notes_are_told_by_their_type(kind: str | None, credit: bool) -> None:
    assert invoice(type=kind).is_credit_note is credit


def test_parties_are_named_by_id_or_embedded() -> None:
    by_id = invoice(customer_id="cust_1", billing_entity_id="bile_1", customer={"id": "cust_9"})
    embedded = invoice(customer={"id": "cust_2"}, billing_entity={"id": "bile_2"})
    nobody = invoice()

    assert [each.payer_id for each in (by_id, embedded, nobody)] == ["cust_1", "cust_2", None]
    assert [each.biller_id for each in (by_id, embedded, nobody)] == ["bile_1", "bile_2", None]


@pytest.mark.parametrize(
    ("fields", "value"),
    [
        ([], None),
        ([{"reference": "rillet_id", "value": "r-1"}], "r-1"),
        ([{"reference": "other", "value": "x"}, {"reference": "rillet_id", "values": ["r-2", "r-3"]}], "r-2"),
        ([{"reference": "rillet_id", "value": "", "values": ["r-4"]}], "r-4"),
        ([{"reference": "rillet_id"}], None),
        ([{"id": "cufi_1", "value": "r-5"}], None),
        ([{"reference": "rillet_id", "value": "r-6"}, {"reference": "rillet_id", "value": "r-7"}], "r-6"),
    ],
)
def test_a_custom_field_is_found_by_its_reference(fields: Sequence[Json], value: str | None) -> None:
    values = [CustomFieldValue.model_validate(field) for field in fields]

    assert field_value(values, "rillet_id") == value


def test_a_copied_custom_field_is_found_by_the_kind_of_its_owner() -> None:
    def copied(kind: str | None, value: str) -> Json:
        return {"resource": kind and {"type": kind}, "reference": "rillet_id", "value": value}

    document = invoice(
        other_custom_fields=[copied(None, "x"), copied("CUSTOMER", "c"), copied("BILLING_ENTITY", "b")]
    )

    assert document.copied_field("CUSTOMER", "rillet_id") == "c"
    assert document.copied_field("BILLING_ENTITY", "rillet_id") == "b"
    assert document.copied_field("PRODUCT", "rillet_id") is None
    assert document.copied_field("CUSTOMER", "other_id") is None


def test_documents_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        invoice().status = "OPEN"  # type: ignore[misc]


Read = Callable[[SolvimonClient, str], object]
READS: dict[str, tuple[Read, str, str]] = {
    "invoice": (SolvimonClient.invoice, "invoice_not_found", "invo_"),
    "customer": (SolvimonClient.customer, "solvimon_record_missing", "cust_"),
    "product": (SolvimonClient.product, "solvimon_record_missing", "prod_"),
    "billing entity": (SolvimonClient.billing_entity, "solvimon_record_missing", "bile_"),
}


@pytest.mark.parametrize("kind", READS)
def test_an_id_that_is_unknown_or_can_be_none_is_answered_by_its_kind(kind: str) -> None:
    read, code, example = READS[kind]
    absent = RequestRejected("Solvimon", 404, {"code": "RESOURCE_NOT_FOUND"})
    client = SolvimonClient(Mock(get=Mock(side_effect=absent)))

    with pytest.raises(NeedsAttention) as missing:
        read(client, "abc_1")
    with pytest.raises(NeedsAttention) as wrong:
        read(client, "../x")

    assert (missing.value.code, wrong.value.code) == (code, code)
    assert f"the {kind} abc_1" in missing.value.message
    assert f"the {kind}'s id" in missing.value.remedy
    assert f"Solvimon {kind}" in wrong.value.message
    assert example in wrong.value.remedy
