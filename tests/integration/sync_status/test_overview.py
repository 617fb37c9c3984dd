"""Counts, failures by cause with the money behind them, and what is stalled."""

import pytest

from docs.generate import error_catalog
from solvimon_rillet.errors import Code
from solvimon_rillet.workflows.status.error_catalog import entry_for
from tests.integration.sync_status.support import Default, some
from tests.support.builders import ORIGINAL, credit_note, document, original


def test_an_overview_counts_by_kind_and_state_and_sums_the_money_behind_each_cause(default: Default) -> None:
    taken = default.unlink()
    default.finalised(*some(1))
    default.system.advance(2)
    default.finalised(*some(11)[1:])
    default.finalised(document("invo_dollars", "10.00", "2.10", currency="USD"))
    default.relink(taken)
    wrong = {"invoice_amount_including_tax": {"quantity": "999.00", "currency": "EUR"}}
    default.finalised(document("invo_total", "100.00", "21.00", **wrong))
    default.finalised(document("invo_good", "100.00", "21.00"))

    answer = default.ask()

    assert answer["counts"] == {"invoice": {"exported": 1, "rejected": 13}}
    assert answer["headline"] == {
        "state": "needs_you",
        "text": "13 invoices (2,330.00 EUR and 12.10 USD) need you.",
    }
    assert answer["summary"] == answer["headline"]["text"]
    products, totals = answer["failures"]
    assert products.items() >= {"code": "product_not_linked", "kind": "invoice", "documents": 12}.items()
    assert products["amounts"] == {"EUR": "1331.00", "USD": "12.10"}
    assert len(set(products["ids"])) == 10
    assert products["oldest"]["invoice_id"] == "invo_many000"
    assert (totals["code"], totals["documents"]) == ("does_not_tie_out", 1)
    assert totals["amounts"] == {"EUR": "999.00"}
    assert products["meaning"] == entry_for("product_not_linked").meaning
    assert "import the products" in products["remedy"]


def test_the_retry_of_a_cause_works_as_it_is_written(default: Default) -> None:
    taken = default.unlink()
    default.finalised(*some(2))
    default.finalised(credit_note(of="invo_many000"))
    default.relink(taken)

    failures = default.ask()["failures"]
    for failure in failures:
        default.system.invoke(failure["retry"]["function"], failure["retry"]["event"])
    default.work_off()

    assert {failure["retry"]["function"] for failure in failures} == {"export_invoice", "export_credit_memo"}
    after = default.ask()
    assert after["failures"] == []
    assert after["counts"] == {"invoice": {"exported": 2}, "credit_memo": {"exported": 1}}
    assert after["summary"] == "Nothing waits: 2 invoices and 1 credit note are booked."


def test_failures_of_payments_stand_for_their_invoices_amounts(default: Default) -> None:
    default.finalised(original())
    default.system.rillet.state.misbehave("status", "GET", "/invoices/", status=404)
    default.system.invoke("mark_invoice_paid", {"invoice_ids": [ORIGINAL]})

    failures = {failure["kind"]: failure for failure in default.ask()["failures"]}

    assert failures["payment"]["amounts"] == {"EUR": "121.00"}
    assert failures["payment"]["retry"]["event"]["invoice_ids"] == [ORIGINAL]
    assert (failures["invoice"]["state"], failures["invoice"]["code"]) == ("differs", "deleted_in_rillet")
    assert "retry" not in failures["invoice"], "what was deleted is not created again"


def test_an_export_without_progress_for_an_hour_is_stalled(default: Default) -> None:
    default.killed_in_the_middle()
    default.system.advance(3500)
    early = default.ask()
    default.system.advance(200)

    late = default.ask()

    assert (early["stuck"], early["headline"]["state"]) == ([], "waiting")
    [stalled] = late["stuck"]
    assert (stalled["invoice_id"], stalled["state"]) == (ORIGINAL, "sending")
    answer = default.system.invoke(stalled["retry"]["function"], stalled["retry"]["event"])
    assert answer["summary"] == {"exported": 1}


@pytest.mark.slow
def test_the_dead_letters_are_counted(default: Default) -> None:
    url = default.system.deployment.queues["export_invoice"].dead_letters_url
    for _ in range(3):
        default.system.aws.sqs.send_message(QueueUrl=url, MessageBody="{}")

    counted = default.ask()["dead_letters_of_all_connections"]
    with default.system.aws.outage("sqs"):
        unknown = default.ask()["dead_letters_of_all_connections"]

    assert counted == {
        "solvimon-rillet-export-invoice-dead-letters": 3,
        "solvimon-rillet-export-credit-memo-dead-letters": 0,
        "solvimon-rillet-sync-customer-dead-letters": 0,
        "solvimon-rillet-mark-invoice-paid-dead-letters": 0,
        "solvimon-rillet-sweep-dead-letters": 0,
        "solvimon-rillet-execution-dead-letters": 0,
    }
    assert all("does not answer" in str(count) for count in unknown.values())


def test_the_causes_in_answers_are_those_of_the_documentation() -> None:
    committed = error_catalog.TARGET.read_text(encoding="utf-8")

    assert committed == error_catalog.catalog(), "run `make docs` and commit the result"
    for code in Code:
        assert "this version does not know" not in entry_for(code.value).meaning


def test_a_cause_of_another_version_has_an_explanation() -> None:
    assert "does not know" in entry_for("from_the_future").meaning
