"""Rillet's answers: pages, rejections in plain words, and unreadable answers."""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any

import pytest

from solvimon_rillet.errors import Code, NeedsAttention, OutcomeUnknown, Recoverable, RetryLater
from solvimon_rillet.http.failures import RequestRejected
from solvimon_rillet.rillet.client import MAX_PAGES, PAGE_SIZE, RilletClient
from solvimon_rillet.rillet.listing import ListIncomplete

Json = dict[str, Any]
SOMEBODY = "c0570e12-0000-4000-8000-000000000001"
SINCE = datetime(2026, 11, 1, 8, 0, 0, 999999, tzinfo=UTC)


def money(amount: str) -> Json:
    return {"amount": amount, "currency": "EUR"}


def invoice(number: int, **more: object) -> Json:
    return {
        "id": f"r{number}",
        "invoice_number": f"INV-{number}",
        "total": money("1.21"),
        "net_amount": money("1.00"),
        "taxed_amount": money("0.21"),
        **more,
    }


class Rillet:
    """Answers one after another, or refuses; the last answer again and again."""

    def __init__(self, *answers: object) -> None:
        self.asked: list[tuple[str, str, Any]] = []
        self._answers = list(answers)

    def get(self, path: str, params: Mapping[str, object] | None = None) -> object:
        return self._answer("GET", path, dict(params) if params else None)

    def post(self, path: str, body: object, key: str) -> object:
        return self._answer("POST", path, (body, key))

    def _answer(self, method: str, path: str, what: object) -> object:
        self.asked.append((method, path, what))
        answer = self._answers[0] if len(self._answers) == 1 else self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def client(rillet: Rillet) -> RilletClient:
    return RilletClient(rillet)  # type: ignore[arg-type]


def refused(status: int = 400, **problem: object) -> RequestRejected:
    return RequestRejected("Rillet", status, problem)


def page(*invoices: Json, cursor: str | None = None) -> Json:
    return {"invoices": list(invoices), "pagination": {"next_cursor": cursor}}


def listed(rillet: Rillet) -> list[str]:
    return [found.id for found in client(rillet).invoices_of_customer("c1", SINCE)]


def test_a_list_is_read_page_by_page_to_its_end() -> None:
    top = page(invoice(3), invoice(2), cursor="next")
    rillet = Rillet(top, page(invoice(1)), top)

    assert listed(rillet) == ["r3", "r2", "r1"]

    (_, path, first), (_, _, second), _ = rillet.asked
    assert path == "/invoices"
    assert first == {"customer_id": "c1", "updated.gt": "2026-11-01T08:00:00Z", "limit": PAGE_SIZE}
    assert second == first | {"cursor": "next"}


def test_a_moment_is_asked_for_in_whole_seconds_of_utc() -> None:
    """Rillet refuses milliseconds; cutting them off looks back a little further, never less far."""
    rillet = Rillet(page())

    assert listed(rillet) == []

    assert rillet.asked[0][2]["updated.gt"] == "2026-11-01T08:00:00Z"


def test_a_list_of_several_pages_ends_by_reading_page_one_again() -> None:
    rillet = Rillet(
        page(invoice(3), invoice(2), cursor="next"),
        page(invoice(1)),
        page(invoice(4), invoice(3), cursor="n"),
    )

    assert listed(rillet) == ["r3", "r2", "r1", "r4"]

    assert [what.get("cursor") for _, _, what in rillet.asked] == [None, "next", None]


def test_a_row_that_moves_to_the_top_of_page_one_makes_the_list_no_less_complete() -> None:
    rillet = Rillet(
        page(invoice(4), invoice(3), cursor="next"),
        page(invoice(1)),
        page(invoice(3), invoice(4), cursor="next"),
    )

    assert listed(rillet) == ["r4", "r3", "r1"]


INCOMPLETE: dict[str, list[Json]] = {
    "a cursor expired, and the list starts again": [
        page(invoice(3), invoice(2), cursor="next"),
        page(invoice(3), invoice(2), cursor="next"),
    ],
    "the list starts again with something new on top": [
        page(invoice(3), invoice(2), cursor="expired"),
        page(invoice(4), invoice(3), cursor="again"),
        page(invoice(2), invoice(1)),
    ],
    "a full page of others comes again": [
        page(*map(invoice, range(PAGE_SIZE)), cursor="next"),
        page(*map(invoice, range(PAGE_SIZE)), cursor="other"),
    ],
    "the edge of a page shifts down": [
        page(invoice(3), invoice(2), cursor="next"),
        page(invoice(2), invoice(1)),
    ],
    "a row is deleted, and the edge of a page shifts up": [
        page(invoice(4), invoice(3), cursor="next"),
        page(invoice(1)),
        page(invoice(4), invoice(2), cursor="next"),
    ],
    "the same cursor comes again": [
        page(invoice(3), cursor="next"),
        page(invoice(2), cursor="next"),
        page(invoice(1)),
    ],
}


@pytest.mark.parametrize("how", INCOMPLETE)
def test_a_list_that_was_not_read_completely_decides_nothing(how: str) -> None:
    with pytest.raises(ListIncomplete, match="list of invoices changed while it was read"):
        listed(Rillet(*INCOMPLETE[how]))


def test_a_list_that_is_cut_short_by_an_error_decides_nothing() -> None:
    with pytest.raises(RetryLater, match="does not answer"):
        listed(Rillet(page(invoice(3), cursor="next"), RetryLater("Rillet does not answer.")))


def test_a_list_too_long_for_a_look_up_is_a_case_for_a_person() -> None:
    pages = [page(invoice(number), cursor=f"after {number}") for number in range(MAX_PAGES + 1)]

    with pytest.raises(NeedsAttention, match="more than 1,000 invoices changed") as raised:
        listed(Rillet(*pages))

    assert raised.value.code is Code.POSSIBLY_IN_RILLET


def test_a_read_that_cannot_be_read_has_no_unknown_outcome() -> None:
    with pytest.raises(RetryLater, match="cannot be read"):
        client(Rillet({})).invoice("r1")


def test_unknown_fields_and_absent_ones_that_are_not_needed_do_no_harm() -> None:
    rillet = Rillet(page(invoice(1, brand_new={"a": 1}, external_references=None)))

    assert listed(rillet) == ["r1"]


@pytest.mark.parametrize("status", [400, 404])
def test_a_missing_customer_is_none(status: int) -> None:
    assert client(Rillet(refused(status))).customer(SOMEBODY) is None


@pytest.mark.parametrize("identifier", ["", "c1", "../invoices", f"{SOMEBODY}/..", "?limit=1", "é"])
def test_an_invalid_customer_id_is_none_and_reaches_no_other_path(identifier: str) -> None:
    rillet = Rillet({})

    assert client(rillet).customer(identifier) is None
    assert rillet.asked == []


def test_a_customer_that_may_not_be_read_needs_attention() -> None:
    with pytest.raises(NeedsAttention):
        client(Rillet(refused(422))).customer(SOMEBODY)


def test_an_unknown_reference_finds_no_customer() -> None:
    rillet = Rillet({"customers": []})

    assert client(rillet).customer_by_reference("solvimon_customer_id", "cust_1") is None

    asked = {"external_reference_type": "solvimon_customer_id", "external_reference_id": "cust_1"}
    assert rillet.asked == [("GET", "/customers", asked)]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [({"start": "2026-10-01", "end": "2026-10-31"}, date(2026, 10, 31)), (refused(404), None)],
)
def test_books_are_closed_up_to_a_day_or_never_were(answer: object, expected: date | None) -> None:
    assert client(Rillet(answer)).closed_through() == expected


def test_books_that_may_not_be_read_need_attention() -> None:
    with pytest.raises(NeedsAttention):
        client(Rillet(refused(400))).closed_through()


CALLS: dict[str, Callable[[RilletClient], object]] = {
    "create an invoice": lambda c: c.create_invoice({}, "key-1"),
    "create a customer": lambda c: c.create_customer({}, "key-1"),
    "read a customer": lambda c: c.customer(SOMEBODY),
    "find a customer": lambda c: c.customer_by_reference("t", "i"),
    "list invoices": lambda c: list(c.invoices_of_customer("c1", SINCE)),
    "list subsidiaries": lambda c: c.subsidiaries(),
    "read the books": lambda c: c.closed_through(),
    "read the organisation": lambda c: c.organization(),
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("answer", [None, [], "text", 7, {}, {"id": None}, {"invoices": [{}]}])
def test_an_answer_that_cannot_be_read_is_not_taken_for_a_failure(call: str, answer: object) -> None:
    with pytest.raises(Recoverable, match="cannot be read"):
        CALLS[call](client(Rillet(answer)))


def test_an_answer_that_cannot_be_read_names_the_fields() -> None:
    with pytest.raises(OutcomeUnknown, match=r"total\.amount"):
        client(Rillet(invoice(1, total={"currency": "EUR"}))).create_invoice({}, "key-1")


@pytest.mark.parametrize("call", ["create an invoice", "create a customer"])
def test_a_409_to_a_write_may_stand_for_one_that_is_under_way_or_done(call: str) -> None:
    with pytest.raises(Recoverable, match="409"):
        CALLS[call](client(Rillet(refused(409))))


TYPES = "https://rillet.io/exception/"
MEANINGS: list[tuple[RequestRejected, Code]] = [
    (
        refused(type="https://rillet.io/exception/external_reference_type_not_found"),
        Code.REFERENCE_TYPE_MISSING,
    ),
    (refused(detail="External reference type does not exist: x"), Code.REFERENCE_TYPE_MISSING),
    (refused(detail="x: multiple references of a restricted type"), Code.REFERENCE_TYPE_RESTRICTED),
    (refused(detail="The accounting period of 2026-11-01 is closed"), Code.RILLET_PERIOD_CLOSED),
    (refused(title="Period closed"), Code.RILLET_PERIOD_CLOSED),
    (refused(detail="Customer does not exist: 1"), Code.RILLET_RECORD_MISSING),
    (refused(detail="Product not found"), Code.RILLET_RECORD_MISSING),
    (refused(404), Code.RILLET_RECORD_MISSING),
    (refused(title="Bad Request", detail="No."), Code.REFUSED_BY_RILLET),
    (refused(violations=[{"field": "due_date", "message": "is a Sunday"}]), Code.REFUSED_BY_RILLET),
    (refused(title=None, detail=7, violations="?"), Code.REFUSED_BY_RILLET),
    (refused(422), Code.REFUSED_BY_RILLET),
]


@pytest.mark.parametrize(("problem", "code"), MEANINGS)
@pytest.mark.parametrize("call", ["create an invoice", "list invoices"])
def test_a_refusal_is_told_in_plain_words_with_its_remedy(
    problem: RequestRejected, code: Code, call: str
) -> None:
    with pytest.raises(NeedsAttention) as raised:
        CALLS[call](client(Rillet(problem)))

    assert raised.value.code is code
    assert f"({problem.status})" in raised.value.message
    assert raised.value.remedy.endswith(("retry.", "by hand."))


def test_a_refusal_quotes_all_that_rillet_says() -> None:
    problem = refused(
        title="Bad Request",
        detail="Two things.",
        violations=[{"field": "items[0].price", "message": "is odd"}, {"field": "due_date"}, "?"],
    )

    with pytest.raises(NeedsAttention) as raised:
        client(Rillet(problem)).create_invoice({}, "key-1")

    assert "Bad Request Two things.; items[0].price: is odd; due_date: None" in raised.value.message
