"""Counts, failures by cause with the money behind them, and what is stuck."""

import pytest

from docs.generate import error_catalog
from local.system import Connection, LocalSystem
from solvimon_rillet.errors import Code
from solvimon_rillet.workflows.status.error_catalog import entry_for
from tests.integration.sync_status.support import (
    ask,
    finalised,
    killed_in_the_middle,
    mended,
    some,
    unlinked,
    work_off,
)
from tests.support.builders import ORIGINAL, credit_note, document, original


def test_an_overview_counts_by_kind_and_state_and_sums_the_money_behind_each_cause(
    system: LocalSystem, default: Connection
) -> None:
    taken = unlinked(default)
    finalised(system, default, *some(1))
    system.advance(2)
    finalised(system, default, *some(11)[1:])
    finalised(system, default, document("invo_dollars", "10.00", "2.10", currency="USD"))
    mended(default, taken)
    wrong = {"invoice_amount_including_tax": {"quantity": "999.00", "currency": "EUR"}}
    finalised(system, default, document("invo_total", "100.00", "21.00", **wrong))
    finalised(system, default, document("invo_good", "100.00", "21.00"))

    answer = ask(system)

    assert answer["counts"] == {"invoice": {"exported": 1, "rejected": 13}}
    assert answer["summary"] == "13 rejected."
    products, totals = answer["failures"]
    assert (products["code"], products["kind"], products["documents"]) == (
        "product_not_linked",
        "invoice",
        12,
    )
    assert products["amounts"] == {"EUR": "1331.00", "USD": "12.10"}
    assert len(set(products["ids"])) == 10
    assert products["oldest"]["invoice_id"] == "invo_many000"
    assert (totals["code"], totals["documents"], totals["amounts"]) == (
        "does_not_tie_out",
        1,
        {"EUR": "999.00"},
    )
    assert products["meaning"] == entry_for("product_not_linked").meaning
    assert "Import the products" in products["remedy"]


def test_the_retry_of_a_cause_works_as_it_is_written(system: LocalSystem, default: Connection) -> None:
    taken = unlinked(default)
    finalised(system, default, *some(2))
    finalised(system, default, credit_note(of="invo_many000"))
    mended(default, taken)

    failures = ask(system)["failures"]
    for failure in failures:
        system.invoke(failure["retry"]["function"], failure["retry"]["event"])
    work_off(system)

    assert {failure["retry"]["function"] for failure in failures} == {"export_invoice", "export_credit_memo"}
    after = ask(system)
    assert after["failures"] == []
    assert after["counts"] == {"invoice": {"exported": 2}, "credit_memo": {"exported": 1}}
    assert after["summary"] == "Nothing needs attention."


def test_failures_of_payments_stand_for_their_invoices_amounts(
    system: LocalSystem, default: Connection
) -> None:
    finalised(system, default, original())
    system.rillet.state.misbehave("status", status=404, path="/invoices/", method="GET")
    system.invoke("mark_invoice_paid", {"invoice_ids": [ORIGINAL]})

    failures = {failure["kind"]: failure for failure in ask(system)["failures"]}

    assert failures["payment"]["amounts"] == {"EUR": "121.00"}
    assert failures["payment"]["retry"]["event"]["invoice_ids"] == [ORIGINAL]
    assert (failures["invoice"]["state"], failures["invoice"]["code"]) == ("differs", "deleted_in_rillet")
    assert "retry" not in failures["invoice"], "what was deleted is not created again"


def test_what_is_begun_and_silent_for_an_hour_is_stuck(
    system: LocalSystem, default: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    default.platform.load({"invoices": [original()]})
    default.platform.finalise(ORIGINAL)
    killed_in_the_middle(system, monkeypatch)
    system.advance(3500)
    early = ask(system)
    system.advance(200)

    late = ask(system)

    assert (early["stuck"], early["summary"]) == ([], "Nothing needs attention.")
    [stuck] = late["stuck"]
    assert (stuck["invoice_id"], stuck["state"]) == (ORIGINAL, "sending")
    answer = system.invoke(stuck["retry"]["function"], stuck["retry"]["event"])
    assert answer["summary"] == {"exported": 1}


@pytest.mark.slow
def test_the_dead_letters_are_counted(system: LocalSystem, default: Connection) -> None:
    url = system.deployment.queues["export_invoice"].dead_letters_url
    for _ in range(3):
        system.aws.sqs.send_message(QueueUrl=url, MessageBody="{}")

    counted = ask(system)["dead_letters_of_all_connections"]
    with system.aws.outage("sqs"):
        unknown = ask(system)["dead_letters_of_all_connections"]

    assert counted == {
        "solvimon-rillet-export-invoice-dead-letters": 3,
        "solvimon-rillet-export-credit-memo-dead-letters": 0,
        "solvimon-rillet-sync-customer-dead-letters": 0,
        "solvimon-rillet-mark-invoice-paid-dead-letters": 0,
        "solvimon-rillet-execution-dead-letters": 0,
    }
    assert all("does not answer" in str(told) for told in unknown.values())


def test_the_causes_in_answers_are_those_of_the_documentation() -> None:
    committed = error_catalog.TARGET.read_text(encoding="utf-8")

    assert committed == error_catalog.catalog(), "run `make docs` and commit the result"
    for code in Code:
        assert "this version does not know" not in entry_for(code.value).meaning


def test_a_cause_of_another_version_is_still_told() -> None:
    assert "does not know" in entry_for("from_the_future").meaning
