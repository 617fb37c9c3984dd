"""What is missing in Solvimon is called by its name, and the remedy is of its kind."""

from collections.abc import Callable

import pytest

from solvimon_rillet.errors import NeedsAttention
from solvimon_rillet.http.failures import RequestRejected
from solvimon_rillet.solvimon.client import SolvimonClient

Read = Callable[[SolvimonClient, str], object]
READS: dict[str, tuple[Read, str, str]] = {
    "invoice": (SolvimonClient.invoice, "invoice_not_found", "invo_"),
    "customer": (SolvimonClient.customer, "solvimon_record_missing", "cust_"),
    "product": (SolvimonClient.product, "solvimon_record_missing", "prod_"),
    "billing entity": (SolvimonClient.billing_entity, "solvimon_record_missing", "bile_"),
}


class Nothing:
    """A platform without records."""

    def get(self, _path: str) -> object:
        raise RequestRejected("Solvimon", 404, {"code": "RESOURCE_NOT_FOUND"})


@pytest.mark.parametrize("kind", READS)
def test_a_record_that_is_missing_is_named_by_its_kind(kind: str) -> None:
    read, code, _ = READS[kind]

    with pytest.raises(NeedsAttention) as missing:
        read(SolvimonClient(Nothing()), "abc_1")  # type: ignore[arg-type]

    assert missing.value.code == code
    assert f"the {kind} abc_1" in missing.value.message
    assert f"the {kind}'s id" in missing.value.remedy


@pytest.mark.parametrize("kind", READS)
def test_a_text_that_can_be_no_id_is_answered_with_one_of_its_kind(kind: str) -> None:
    read, code, example = READS[kind]

    with pytest.raises(NeedsAttention) as wrong:
        read(SolvimonClient(Nothing()), "../x")  # type: ignore[arg-type]

    assert wrong.value.code == code
    assert f"Solvimon {kind}" in wrong.value.message
    assert example in wrong.value.remedy
