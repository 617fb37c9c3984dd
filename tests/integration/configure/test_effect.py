"""The effect of a change in numbers, counted in the ledger before it is written."""

import pytest

from local.system import Connection, LocalSystem
from tests.integration.configure.support import Json, ask
from tests.integration.sync_status.support import finalised, some, unlinked
from tests.support.arrange import configure


def effect(system: LocalSystem, changes: Json) -> str:
    """The sentences of a dry run."""
    answer = ask(system, set=changes, dry_run=True)
    assert "error" not in answer, answer
    return "\n".join(answer["effect"])


@pytest.fixture
def rejected(default: Connection, system: LocalSystem) -> list[str]:
    """Three invoices of 121.00 EUR that wait for a product's link."""
    unlinked(default)
    return finalised(system, default, *some(3))


@pytest.fixture
def waiting(default: Connection, system: LocalSystem) -> list[str]:
    """Two invoices that wait because Rillet is down."""
    system.rillet.state.misbehave("down")
    return finalised(system, default, *some(2))


def test_a_later_start_date_names_the_documents_that_would_be_skipped(
    rejected: list[str], system: LocalSystem
) -> None:
    text = effect(system, {"start_date": "2027-06-01"})

    assert (
        "3 invoices (363.00 EUR) that wait or are rejected would be skipped: dated before 2027-06-01." in text
    )


def test_an_earlier_start_date_names_the_documents_that_a_back_fill_would_book(
    default: Connection, system: LocalSystem
) -> None:
    configure(system, default, start_date="2027-06-01")
    finalised(system, default, *some(2))

    text = effect(system, {"start_date": None})

    assert "2 invoices (242.00 EUR) that were skipped as too old would be eligible; a back-fill" in text


def test_a_switch_that_goes_off_names_the_documents_that_wait(
    waiting: list[str], system: LocalSystem
) -> None:
    text = effect(system, {"workflows.export_invoice": False})

    assert "2 invoices (242.00 EUR) that wait now would be skipped." in text
    assert "from now on would be skipped, not queued. A back-fill books them later." in text


def test_a_switch_that_goes_on_names_the_documents_that_were_skipped_meanwhile(
    default: Connection, system: LocalSystem
) -> None:
    configure(system, default, workflows={"export_invoice": False})
    finalised(system, default, *some(1))

    text = effect(system, {"workflows.export_invoice": True})

    assert "1 invoice (121.00 EUR) was skipped while it was off; a back-fill (export_invoice" in text


@pytest.mark.parametrize(
    ("workflow", "words"),
    [
        ("sync_customer", "Edits of customers that are made from now on would be skipped"),
        ("mark_invoice_paid", "Payments that Rillet reports from now on would be skipped"),
        ("export_credit_memo", "Credit notes that are finalised from now on would be skipped"),
        ("import_products", "import_products would refuse to start."),
    ],
)
def test_every_switch_says_what_stops(
    default: Connection, system: LocalSystem, workflow: str, words: str
) -> None:
    assert words in effect(system, {f"workflows.{workflow}": False})


def test_a_setting_that_may_solve_a_cause_names_what_to_retry(
    rejected: list[str], system: LocalSystem
) -> None:
    text = effect(system, {"matching.products": "link"})

    assert (
        "3 invoices (363.00 EUR) rejected with product_not_linked may be booked then; retry: invoke " in text
    )
    assert 'export_invoice with {"retry": {"code": "product_not_linked"}}' in text


def test_a_restored_ledger_names_the_documents_that_would_wait(
    waiting: list[str], system: LocalSystem
) -> None:
    text = effect(system, {"ledger_restored_to": "2026-01-01T00:00:00Z"})

    assert "2 invoices (242.00 EUR) and all new ones would wait until a reconciliation with adopt" in text


def test_another_address_names_what_would_go_there(waiting: list[str], system: LocalSystem) -> None:
    text = effect(system, {"rillet.base_url": "http://127.0.0.1:9"})

    assert "Everything from now on would be sent to http://127.0.0.1:9." in text
    assert "2 invoices (242.00 EUR) that wait now would go there too." in text


def test_another_scope_says_that_what_is_booked_stays(default: Connection, system: LocalSystem) -> None:
    finalised(system, default, *some(2))

    text = effect(system, {"invoice_scope": "AR_ONLY"})

    assert (
        "2 invoices in Rillet stay as they are; invoices from now on are booked in the scope AR_ONLY." in text
    )


def test_a_change_that_affects_no_document_says_only_when_it_is_in_force(
    default: Connection, system: LocalSystem
) -> None:
    assert effect(system, {"address_state": "ZH"}) == "In force within a minute, for all functions."


def test_settings_that_become_valid_again_say_so(default: Connection, system: LocalSystem) -> None:
    system.put_settings("default", {**default.settings, "invoice_scope": "HALF"})

    assert "are invalid now; with this change they are valid" in effect(system, {"invoice_scope": "FULL"})
