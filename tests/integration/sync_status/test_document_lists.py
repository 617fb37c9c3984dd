"""Lists of documents that are filtered by cause, currency and date: what a page costs."""

import pytest

from solvimon_rillet.ledger.ledger import Ledger
from solvimon_rillet.ledger.records import Document
from solvimon_rillet.workflows.status import document_lists
from tests.integration.sync_status.support import Default, some
from tests.support.arrange import ledger_table
from tests.support.builders import Json

MARCH = "2026-03-15"


def ids(page: Json) -> list[str]:
    """The documents of a page."""
    return [row["id"] for row in page["documents"]]


@pytest.fixture
def three(default: Default) -> list[str]:
    """Three invoices that are booked."""
    return default.finalised(*some(3))


FILTERS: list[tuple[Json, int]] = [
    ({}, 3),
    ({"currency": "EUR"}, 3),
    ({"currency": "eur"}, 3),
    ({"currency": "USD"}, 0),
    ({"from": "2026-01-01", "to": "2026-12-31"}, 3),
    ({"from": "2030-01-01"}, 0),
    ({"to": "2020-01-01"}, 0),
    ({"state": "exported", "currency": "EUR"}, 3),
    ({"state": "rejected", "currency": "EUR"}, 0),
    ({"code": "product_not_linked"}, 0),
]


def test_a_list_is_filtered(default: Default, three: list[str]) -> None:
    for wanted, number in FILTERS:
        page = default.ask(documents={"kind": "invoice", **wanted})

        assert len(page["documents"]) == number, wanted
        assert page["next"] is None


def test_the_rejected_of_one_cause_are_listed_in_words(default: Default) -> None:
    default.unlink()
    default.finalised(*some(2))

    page = default.ask(documents={"kind": "invoice", "code": "product_not_linked", "currency": "EUR"})

    assert page["in_words"] == "2 invoices with the cause product_not_linked in EUR."
    assert {row["code"] for row in page["documents"]} == {"product_not_linked"}


@pytest.mark.parametrize("state", [None, "exported"])
def test_a_filter_that_matches_little_ends_a_page_at_its_bound_and_goes_on_with_next(
    default: Default, three: list[str], monkeypatch: pytest.MonkeyPatch, state: str | None
) -> None:
    monkeypatch.setattr(document_lists, "_READ_AT_ONCE", 1)
    monkeypatch.setattr(document_lists, "MOST_READ", 2)
    wanted = {"kind": "invoice", "state": state, "currency": "USD"}

    first = default.ask(documents=wanted)
    last = default.ask(documents={**wanted, "after": first["next"]})

    assert (first["documents"], first["looked_at"]) == ([], 2)
    assert first["in_words"].endswith("of 2 that were looked at; go on with next for the others.")
    assert (last["documents"], last["looked_at"], last["next"]) == ([], 1, None)


def test_pages_of_a_filtered_list_hold_each_document_once(default: Default, three: list[str]) -> None:
    for state, limit in [(None, 1), (None, 2), ("exported", 1), ("exported", 2)]:
        seen, after = list[str](), None
        wanted: Json = {"kind": "invoice", "state": state, "currency": "EUR", "limit": limit}
        while True:
            page = default.ask(documents={**wanted, "after": after})
            seen += ids(page)
            assert len(page["documents"]) <= limit
            if not (after := page["next"]):
                break
        assert sorted(seen) == three


def test_a_page_reads_at_most_a_thousand_documents(
    default: Default, three: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    read, counted = Ledger.read_many, list[int]()

    def noted(ledger: Ledger, documents: object, *more: object) -> object:
        wanted = list(documents)  # type: ignore[call-overload]
        counted.append(len(wanted))
        return read(ledger, wanted, *more)  # type: ignore[arg-type]

    first = Document("default", "invoice", three[0])
    table = ledger_table(default.system)
    record = table.get(first.key) or {}
    kept = {name: value for name, value in record.items() if name not in {"pk", "sk"}}
    for begin in range(0, 1200, 25):
        numbers = range(begin, begin + 25)
        table.put_many({f"default#invoice#invo_old{n:05}": kept for n in numbers})
        table.put_rows(
            [("default#newest#invoice", f"{1_000_000 + n:012}#invo_old{n:05}") for n in numbers], {}
        )
    monkeypatch.setattr(Ledger, "read_many", noted)

    page = default.ask(documents={"kind": "invoice", "currency": "USD"})

    assert page["looked_at"] == sum(counted) == document_lists.MOST_READ
    assert len(counted) == 10
    assert page["next"]


WRONG: list[tuple[Json, str]] = [
    ({"kind": "invoice", "currency": "Euro"}, "documents.currency: should be the code of a currency"),
    ({"kind": "invoice", "from": "1.3.2026"}, "documents.from: should be a day such as 2026-10-01"),
    ({"kind": "invoice", "from": "2026-02-30"}, "documents.from"),
    ({"kind": "invoice", "from": MARCH, "to": "2026-03-14"}, "documents: from should not be later than to"),
    ({"currency": "EUR"}, "documents: kind is missing"),
    ({"kind": "invoice", "curency": "EUR"}, "did you mean documents.currency?"),
]


def test_a_filter_that_is_none_is_refused_by_its_name(default: Default) -> None:
    for listed, said in WRONG:
        assert said in default.ask(documents=listed)["error"]


def test_a_search_is_filtered_and_goes_on_with_next(default: Default) -> None:
    ledger, wanted = Ledger(ledger_table(default.system), default.system.clock.now), list[str]()
    for number in range(4):
        one = Document("default", "invoice", f"invo_maas{number}")
        facts = {"customer": "Maasvlakte B.V.", "number": f"INV-{number}", "amount": "1"}
        ledger.record_first(one, "exported", {**facts, "currency": "EUR" if number else "USD"})
        wanted += [one.id] if number else []
    seen, after = list[str](), None

    while True:
        page = default.ask(documents={"search": "maas", "currency": "EUR", "limit": 1, "after": after})
        seen += ids(page)
        if not (after := page["next"]):
            break

    assert sorted(seen) == wanted
    for text in ("invo_maas0", "INV-0"):
        assert ids(default.ask(documents={"search": text, "currency": "USD"})) == ["invo_maas0"]
        assert ids(default.ask(documents={"search": text, "currency": "EUR"})) == []
