"""Documents of nothing, of less than nothing, and the periods that may be lost (design 4)."""

import pytest

from solvimon_rillet.errors import Code, NeedsAttention, Skip
from solvimon_rillet.mapping.credit_memos import to_rillet_credit_memo
from solvimon_rillet.mapping.eligibility import NOTHING_TO_BOOK, check_eligible
from solvimon_rillet.settings import Settings
from solvimon_rillet.solvimon.models import Invoice
from tests.support.builders import (
    LINKS,
    Json,
    amount,
    group,
    invoice,
    items,
    line,
    mapped,
    nets,
    refusal,
    sent,
    taxed,
)


def eligible(document: Json) -> None:
    """Check an invoice as the export does before it looks for links."""
    check_eligible(Invoice.model_validate(document), Settings(), "export_invoice")


@pytest.mark.parametrize(
    "document",
    [
        pytest.param(invoice(), id="no groups"),
        pytest.param(invoice() | {"periods": []}, id="no periods"),
        pytest.param(invoice(taxed("0.00", "0.00")), id="a free month"),
        pytest.param(invoice(group("0", products=[]), group("0.000")), id="groups of zero"),
        pytest.param(
            invoice(group("0.00")) | {"tax_summary": None, "invoice_amount_including_tax": None},
            id="without totals",
        ),
    ],
)
def test_nothing_to_book_is_skipped_with_the_reason(document: Json) -> None:
    with pytest.raises(Skip, match="nothing to book") as caught:
        eligible(document)

    assert caught.value.rule == NOTHING_TO_BOOK


@pytest.mark.parametrize(
    "document",
    [
        pytest.param(invoice(taxed("100.00", "21.00"), taxed("-100.00", "-21.00")), id="two that cancel out"),
        pytest.param(invoice(taxed("0.00", "0.50")), id="a tax alone"),
        pytest.param(
            invoice(group("0.00", lines=[line(amount_excluding_tax=amount(one)) for one in ("5", "-5")])),
            id="lines that cancel out",
        ),
        pytest.param(
            invoice() | {"periods": [{"amount_excluding_tax": amount("5.00"), "groups": []}]},
            id="a period without groups",
        ),
        pytest.param(
            invoice() | {"closed_periods": [{"groups": [group("5.00")]}]}, id="a closed period alone"
        ),
        pytest.param(
            invoice() | {"tax_summary": None, "invoice_amount_including_tax": None, "periods": []},
            id="a document that says nothing",
        ),
    ],
)
def test_a_document_with_any_amount_is_not_skipped_as_nothing(document: Json) -> None:
    eligible(document)


def test_two_groups_that_cancel_out_are_both_booked() -> None:
    document = invoice(taxed("100.00", "21.00"), taxed("-100.00", "-21.00"))

    assert nets(items(document)) == ["100.00", "-100.00"]


@pytest.mark.parametrize("paid", ["-2.10", "0.00"])
def test_a_negative_invoice_is_refused_with_the_remedy(paid: str) -> None:
    error = refusal(invoice(taxed("-10.00", paid, "21" if paid != "0.00" else "0")))

    assert error.code is Code.NEGATIVE_INVOICE
    assert "EUR, and it is no credit note" in error.message
    assert "set negative_invoices to send" in error.remedy


def test_a_negative_invoice_is_booked_as_it_is_where_the_setting_says_so() -> None:
    found = items(invoice(taxed("-10.00", "-2.10")), negative_invoices="send")

    assert nets(found) == ["-10.00"]


@pytest.mark.parametrize("net", ["0.00", "5.00"])
def test_an_invoice_that_is_not_negative_is_no_matter_for_the_setting(net: str) -> None:
    assert nets(items(invoice(taxed(net, "0.00", "0")))) == [net]


@pytest.mark.parametrize("groups", [(group("10.00"), group("-10.00")), (taxed("0.00", "0.00", "0"),)])
def test_a_credit_note_that_sums_to_zero_is_refused_with_the_reason(groups: tuple[Json, ...]) -> None:
    note = Invoice.model_validate(invoice(*groups, type="CREDIT"))

    with pytest.raises(NeedsAttention) as caught:
        to_rillet_credit_memo(note, LINKS, Settings())

    assert caught.value.code is Code.CREDIT_SUMS_TO_ZERO


def closed(*groups: Json) -> Json:
    """An invoice field with a closed period of these groups."""
    return {"closed_periods": [{"groups": list(groups)}]}


def test_closed_periods_that_the_net_counts_are_booked_with_a_note() -> None:
    document = invoice(taxed("100.00", "21.00"), net="150.00", paid="31.50") | closed(taxed("50.00", "10.50"))

    mapping = mapped(document)

    assert nets(items(document)) == ["100.00", "50.00"]
    assert mapping.origins["items[1].price.amount_per_unit"].startswith("closed_periods[0].groups[0]")
    assert "counts its closed_periods (closed_periods[0].groups[0] 50)" in mapping.warnings[0]


def test_closed_periods_that_the_net_does_not_count_are_left_out_with_a_note() -> None:
    document = invoice(taxed("100.00", "21.00")) | closed(taxed("50.00", "10.50"))

    mapping = mapped(document)

    assert nets(items(document)) == ["100.00"]
    assert "does not count its closed_periods (closed_periods[0].groups[0] 50)" in mapping.warnings[0]


@pytest.mark.parametrize(
    "document",
    [
        pytest.param(
            invoice(taxed()) | closed(group("5.00"), group("-5.00")), id="closed periods that cancel out"
        ),
        pytest.param(
            invoice(taxed()) | closed(group("5.00")) | {"tax_summary": None}, id="no net to compare"
        ),
    ],
)
def test_closed_periods_that_no_figure_explains_are_refused_by_name(document: Json) -> None:
    error = refusal(document)

    assert error.code is Code.CLOSED_PERIODS_UNCLEAR
    assert "closed_periods[0].groups[0] 5" in error.message


def test_closed_periods_that_are_neither_counted_nor_apart_do_not_tie_out() -> None:
    document = invoice(taxed("100.00", "21.00"), net="120.00", paid="25.20") | closed(taxed("50.00", "10.50"))

    assert refusal(document).code is Code.DOES_NOT_TIE_OUT


@pytest.mark.parametrize("old", [False, True])
@pytest.mark.parametrize(
    ("known", "missing", "day"),
    [("start", "end", "2026-01-01T00:00:00Z"), ("end", "start", "2026-02-01T00:00:00Z")],
)
def test_a_half_known_period_is_a_warning(known: str, missing: str, day: str, old: bool) -> None:
    document = invoice(taxed(**{f"{known}_{'date' if old else 'at'}": day}))

    assert "revenue" not in sent(document)["items"][0]
    (warning,) = mapped(document).warnings
    assert f"has a {known} but no {missing}" in warning


def test_a_group_without_any_date_is_no_warning() -> None:
    assert mapped(invoice(taxed())).warnings == ()
