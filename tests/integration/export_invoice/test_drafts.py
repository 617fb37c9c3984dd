"""A dry run of a draft answers as if it were finalised now, so that it can be reviewed before it is final."""

import pytest

from local.system import Connection, LocalSystem
from tests.support.arrange import credit, export, finalise
from tests.support.assertions import ledger_without_rate_limit, rillet_invoices
from tests.support.builders import NOTE, ORIGINAL, credit_note, original


@pytest.mark.parametrize("status", ["DRAFT", "OPEN"])
def test_a_dry_run_of_a_draft_answers_as_if_it_were_finalised_now(
    system: LocalSystem, default: Connection, status: str
) -> None:
    default.platform.load({"invoices": [original()]})
    default.platform.records["invoices"][ORIGINAL]["status"] = status
    [planned] = export(system, ORIGINAL, dry_run=True)
    before = ledger_without_rate_limit(system), len(rillet_invoices(default))
    default.platform.records["invoices"][ORIGINAL]["status"] = "DRAFT"

    finalise(system, default, ORIGINAL)
    [sure] = export(system, ORIGINAL, dry_run=True)

    assert before == ([], 0)
    assert (planned["outcome"], planned["draft"]["status"]) == ("would_export", status)
    assert planned["tie_out"] == sure["tie_out"]
    assert "draft" not in sure
    number = {"invoice_number"}
    expected = {name: value for name, value in sure["payload"].items() if name not in number}
    assert {name: value for name, value in planned["payload"].items() if name not in number} == expected


def test_what_finalising_still_decides_is_a_warning(system: LocalSystem, default: Connection) -> None:
    default.platform.load({"invoices": [original(invoice_date=None, invoice_number=None)]})

    [planned] = export(system, ORIGINAL, dry_run=True)

    assert planned["outcome"] == "would_export"
    assert any("number" in warning for warning in planned["warnings"])
    assert any("dated today" in warning for warning in planned["warnings"])


def test_a_draft_that_could_not_be_booked_says_so_before_it_is_final(
    system: LocalSystem, default: Connection
) -> None:
    default.platform.load({"invoices": [original()]})
    for product in default.platform.records["products"].values():
        product["custom_fields"] = []

    [planned] = export(system, ORIGINAL, dry_run=True)

    assert (planned["outcome"], planned["code"]) == ("would_reject", "product_not_linked")
    assert planned["draft"]["status"] == "DRAFT"


def test_a_draft_credit_note_is_answered_too(system: LocalSystem, default: Connection) -> None:
    default.platform.load({"invoices": [original(), credit_note()]})
    finalise(system, default, ORIGINAL)
    system.settle()

    [planned] = credit(system, NOTE, dry_run=True)

    assert (planned["outcome"], planned["draft"]["status"]) == ("would_export", "DRAFT")


def test_a_draft_is_not_exported(system: LocalSystem, default: Connection) -> None:
    default.platform.load({"invoices": [original()]})

    [result] = export(system, ORIGINAL)

    assert result["outcome"] == "skipped"
    assert rillet_invoices(default) == []
