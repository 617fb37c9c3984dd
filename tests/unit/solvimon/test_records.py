"""What is missing in Solvimon is called by its name, and the remedy is of its kind."""

from collections.abc import Callable
from unittest.mock import Mock

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
