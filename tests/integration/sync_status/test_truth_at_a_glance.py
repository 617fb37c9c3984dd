"""The headline, what waits and what fails, the lists and the search: what a controller reads first."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from local.system import LocalSystem
from solvimon_rillet.aws.dynamodb import Table
from solvimon_rillet.ledger.ledger import Document, Ledger
from tests.integration.sync_status.support import Default, some
from tests.support.arrange import ledger_table
from tests.support.builders import ORIGINAL, SECOND, Json, credit_note, document, original

READ_ONLY = {"title": "Forbidden", "status": 403}


def forbid_writes(default: Default) -> None:
    """Rillet's key may only read."""
    default.system.rillet.state.misbehave("status", "POST", status=403, body=READ_ONLY, times=99)


def embedded(default: Default, **facts: Any) -> Json:
    """An invoice that carries its customer, as Solvimon sends it."""
    customer = next(iter(default.platform.records["customers"].values()))
    return document("invo_embedded", "100.00", "21.00", customer=customer, **facts)


@contextmanager
def index_reads(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The reads of the table's index, and those of its rows."""
    reads, pages, rows = list[str](), Table._pages, Table.rows

    def counted_pages(self: Table, *args: Any, **options: Any) -> Iterator[Any]:
        for page in pages(self, *args, **options):
            reads.append("index")
            yield page

    def counted_rows(self: Table, *args: Any, **options: Any) -> list[Json]:
        reads.append("rows")
        return rows(self, *args, **options)

    monkeypatch.setattr(Table, "_pages", counted_pages)
    monkeypatch.setattr(Table, "rows", counted_rows)
    yield reads


def test_an_invoice_that_waits_for_a_read_only_key_is_counted_from_its_first_try(default: Default) -> None:
    forbid_writes(default)
    default.finalised(original())

    answer, story = default.ask(), default.ask(invoice_id=ORIGINAL)

    [group] = answer["waiting"]
    assert answer["headline"]["state"] == "stopped"
    assert "403" in answer["headline"]["text"]
    assert "1 invoice (121.00 EUR) waits for that." in answer["headline"]["text"]
    assert (group["documents"], group["amounts"], group["needs_person"]) == (1, {"EUR": "121.00"}, True)
    assert group["oldest"]["number"] == story["number"]
    assert group["oldest"]["since"] == story["known_since"]
    assert "solvimon-rillet/default/rillet" in group["what_to_do"]
    assert group["act"]["function"] == "connect_rillet"
    assert story["what_to_do"] == group["what_to_do"]
    assert story["act"] == group["act"]


def test_a_wait_that_ends_by_time_needs_nobody_and_is_not_green(default: Default) -> None:
    default.system.rillet.state.misbehave("status", "POST", status=503, times=99)
    default.finalised(original())

    answer = default.ask()

    assert answer["headline"]["state"] == "waiting"
    [group] = answer["waiting"]
    assert (group["needs_person"], group["act"]) == (False, None)


def test_a_customer_that_was_synchronised_and_waits_again_is_not_green(default: Default) -> None:
    customer = next(iter(default.platform.records["customers"]))
    default.system.invoke("sync_customer", {"customer_ids": [customer]})
    default.system.rillet.state.misbehave("status", "PUT", "/customers", status=403, body=READ_ONLY, times=99)
    default.platform.edit_customer(customer, email="new@example.com")
    default.system.deliver_webhooks()
    default.system.settle()

    answer = default.ask()

    assert answer["headline"]["state"] == "stopped"
    assert [(group["kind"], group["documents"]) for group in answer["waiting"]] == [("customer", 1)]


def test_documents_whose_settings_cannot_be_read_wait_in_the_books(default: Default) -> None:
    default.system.put_settings("default", {"invoice_scope": "everything"})
    default.system.runtime.reset()
    default.finalised(original())

    answer = default.ask()

    assert answer["headline"]["state"] == "stopped"
    assert "invoice_scope" in answer["headline"]["text"]
    assert [group["ids"] for group in answer["waiting"]] == [[ORIGINAL]]


def test_failures_are_grouped_by_cause_and_culprit(default: Default) -> None:
    default.unlink()
    ids = default.finalised(*some(3))

    answer = default.ask()

    assert sum(group["documents"] for group in answer["failures"]) == 3
    for group in answer["failures"]:
        assert group["culprit"]["kind"] == "product"
        assert group["title"] == f"{group['culprit']['name']} has no Rillet product"
        assert len(group["numbers"]) == group["documents"]
    assert {each for group in answer["failures"] for each in group["ids"]} == set(ids)


def test_everything_booked_is_the_only_green(default: Default) -> None:
    empty = default.ask()["headline"]
    default.finalised(original(), credit_note())

    full = default.ask()["headline"]

    assert empty == {"state": "booked", "text": "Nothing waits: no document yet."}
    assert full == {"state": "booked", "text": "Nothing waits: 1 invoice and 1 credit note are booked."}


def test_recent_documents_come_first_with_all_that_a_list_shows(default: Default) -> None:
    default.finalised(embedded(default), original(SECOND))

    newest, _ = default.ask()["recent"]
    [found] = default.ask(search=newest["number"])["documents"]

    assert found == newest
    assert found.keys() == {
        "kind", "id", "number", "customer", "date", "amount", "currency", "state", "state_text",
        "code", "message", "rillet_id", "rillet_number", "updated_at",
    }  # fmt: skip
    assert (found["state"], found["state_text"]) == ("exported", "Booked")


@pytest.mark.parametrize("by", ["number", "rillet_number", "id", "rillet_id", "customer"])
def test_a_document_is_found_by_what_a_person_has_of_it(default: Default, by: str) -> None:
    default.configure(invoice_scope="FULL")
    default.finalised(embedded(default), original(SECOND))
    row = next(row for row in default.ask()["recent"] if row["id"] == "invo_embedded")
    text = row[by].upper()[:9] if by == "customer" else row[by]

    found = default.ask(search=text)

    assert [each["id"] for each in found["documents"]] == ["invo_embedded"]


def test_an_exact_number_costs_one_read(default: Default, monkeypatch: pytest.MonkeyPatch) -> None:
    default.finalised(original())
    number = default.record()["number"]
    with index_reads(monkeypatch) as reads:
        found = default.ask(search=number)

    assert [each["id"] for each in found["documents"]] == [ORIGINAL]
    assert reads == ["rows"]


def test_what_nobody_knows_is_said(default: Default) -> None:
    found = default.ask(search="INV-1999-01-000001")

    assert (found["documents"], found["next"]) == ([], None)
    assert "INV-1999-01-000001" in found["in_words"]


def test_a_wrong_token_and_a_wrong_state_are_refused_with_a_remedy(default: Default) -> None:
    token = default.ask(documents={"kind": "invoice", "after": "nonsense"})
    state = default.ask(documents={"kind": "invoice", "state": "lost"})

    assert token["error"].startswith("after:")
    assert "rejected" in state["error"]


def write_records(system: LocalSystem, count: int, *, indexed: bool = True) -> Ledger:
    """Records of invoices as this version writes them, or as an earlier one did."""
    ledger = Ledger(ledger_table(system), system.clock.now)
    for number in range(count):
        one = Document("default", "invoice", f"invo_old{number:05}")
        facts = {"number": f"OLD-{number:05}", "amount": "121", "currency": "EUR", "rillet_id": f"r-{number}"}
        if indexed:
            ledger.record_first(one, "exported", facts)
        else:
            item = {"state": "exported", "listed": one.index_key("exported"), "updated_at": 1000 + number}
            ledger._table.put(one.key, {**item, **facts, "schema_version": 2, "created_at": 1000})
    return ledger


@pytest.mark.parametrize("state", [None, "exported"])
@pytest.mark.parametrize("indexed", [True, False])
def test_a_page_of_fifty_takes_at_most_two_reads_of_the_index(
    default: Default, monkeypatch: pytest.MonkeyPatch, state: str | None, indexed: bool
) -> None:
    write_records(default.system, 130, indexed=indexed)
    seen, after, pages = list[str](), None, list[list[str]]()
    while True:
        with index_reads(monkeypatch) as reads:
            page = default.ask(documents={"kind": "invoice", "state": state, "after": after, "limit": 50})
        monkeypatch.undo()
        seen += [row["id"] for row in page["documents"]]
        pages.append([read for read in reads if read == "index"])
        if not (after := page["next"]):
            break

    assert len(seen) == len(set(seen)) == 130
    if indexed:
        assert [len(reads) for reads in pages[:2]] == [int(state is not None)] * 2


def test_records_of_an_earlier_version_are_listed_after_the_newer_ones(default: Default) -> None:
    write_records(default.system, 3, indexed=False)
    default.finalised(original())

    page = default.ask(documents={"kind": "invoice"})
    again = default.ask(documents={"kind": "invoice"})

    assert [row["id"] for row in page["documents"]] == [
        ORIGINAL, "invo_old00002", "invo_old00001", "invo_old00000",
    ]  # fmt: skip
    assert again == page


def test_an_erased_customer_is_not_named_any_more(default: Default) -> None:
    customer = next(iter(default.platform.records["customers"]))
    name = default.platform.records["customers"][customer]["organization"]["legal_name"]
    default.finalised(embedded(default))
    before = default.ask(search=name)["documents"]
    found = default.platform.records["customers"][customer]
    for field in ("organization", "individual", "email"):
        found.pop(field, None)

    default.system.invoke("sync_customer", {"customer_ids": [customer]})

    assert [row["customer"] for row in before] == [name]
    assert default.ask(search=name)["documents"] == []
    assert name not in str(default.system.ledger_item("default#invoice#invo_embedded", "RECORD"))


def test_the_last_reconciliation_is_in_the_status(default: Default) -> None:
    default.finalised(original())
    default.system.invoke("reconcile", {"connection": "default", "from": "2026-01-01", "to": "2026-01-31"})

    last = default.ask()["last_reconciliation"]

    assert (last["period"], last["tied_out"], last["differences"]) == ("2026-01", True, 0)
    assert last["report"].startswith("reports/default/")


def test_the_used_budget_is_in_the_status(default: Default) -> None:
    default.finalised(original())

    used = default.ask()["budget"]

    assert used["limit"] == 60
    assert 0 < used["used"] <= 60


@pytest.mark.slow
def test_a_page_of_fifty_of_ten_thousand_documents_takes_at_most_two_reads_of_the_index(
    default: Default, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = write_records(default.system, 1)
    one = Document("default", "invoice", "invo_old00000")
    record, table = ledger.read(one) or {}, ledger._table
    kept = {name: value for name, value in record.items() if name not in {"pk", "sk"}}
    for first in range(1, 10_000, 25):
        numbers = range(first, min(first + 25, 10_000))
        records = {f"{one.key[:-5]}{n:05}": {**kept, "number": f"OLD-{n:05}"} for n in numbers}
        table.put_many(records)
        table.put_rows(
            [("default#newest#invoice", f"{1_000_000 + n:012}#invo_old{n:05}") for n in numbers], {}
        )
        table.put_rows([(f"default#number#OLD-{n:05}", f"invoice#invo_old{n:05}") for n in numbers], {})
    reads = dict[str, list[str]]()
    questions: dict[str, Json] = {
        "all": {"documents": {"kind": "invoice"}},
        "booked": {"documents": {"kind": "invoice", "state": "exported"}},
        "search": {"search": "OLD-07777"},
    }
    for name, question in questions.items():
        with index_reads(monkeypatch) as counted:
            found = default.ask(**question)
        monkeypatch.undo()
        reads[name] = counted
        assert len(found["documents"]) == (1 if name == "search" else 50)

    assert {name: counted.count("index") for name, counted in reads.items()} == {
        "all": 0, "booked": 1, "search": 0,
    }  # fmt: skip
    assert len(reads["search"]) == 1


def test_a_story_leads_to_the_document_on_both_sides(default: Default) -> None:
    rillet = {**default.settings["rillet"], "invoice_url": "https://rillet.example/invoices/{id}"}
    default.system.put_settings("default", {**default.settings, "rillet": rillet})
    default.finalised(original())

    story = default.ask(invoice_id=ORIGINAL)

    assert story["links"]["rillet"] == f"https://rillet.example/invoices/{story['rillet_id']}"
    assert ORIGINAL in story["links"]["desk"]
