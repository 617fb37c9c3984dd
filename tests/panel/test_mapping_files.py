"""Links as CSV: the whole list is saved as a file, and a file with decisions is checked before it is done."""

import csv
import io

import pytest
import requests

from local.system import Connection, LocalSystem
from solvimon_rillet.panel.functions import Answered, Functions, Invocation, InvocationFailed
from solvimon_rillet.panel.pages.mapping_files import MAX_DECIDED_ROWS, MAX_FILE_BYTES
from tests.integration.sync_status.support import finalised, some, unlinked
from tests.panel.answers import AnswerWith
from tests.panel.visitor import CONNECTION, Markup, Visitor, csv_rows, signed_in, visible
from tests.support.assertions import record
from tests.support.builders import Json

PAGE = "/mappings/products"
HEADER = "act,kind,solvimon_id,rillet_id"
PAIR = "link,product,prod_1,0198c1d2-0000-4000-8000-000000000001"


def checked(visitor: Visitor, content: str | bytes) -> str:
    """Choose a file, and return the page that says what came of its check."""
    form = visitor.form(visitor.page(PAGE), "/check")
    body = content.encode() if isinstance(content, str) else content
    answer = visitor.post(form.action, form.fields, files={"file": ("links.csv", body, "text/csv")})
    assert answer.status_code == 303, answer.text[-2000:]
    return visitor.get(answer.headers["location"]).text


def saved(visitor: Visitor, page: str) -> list[dict[str, str]]:
    """The rows of the file that a page leads to."""
    [path] = {part.partition('"')[0] for part in page.split(f'href="{CONNECTION}/lists/')[1:]}
    address = visitor.get(f"{CONNECTION}/lists/{path}").headers["location"]
    file = requests.get(address, timeout=30)
    assert file.headers["content-disposition"].startswith("attachment")
    return csv_rows(file)


def test_the_whole_list_is_saved_filled_given_back_checked_and_done(
    system: LocalSystem, default: Connection, operator: Visitor
) -> None:
    unlinked(default)
    [invoice] = finalised(system, default, *some(1))
    viewer = signed_in(system, "viewer")

    rows = saved(viewer, viewer.send(viewer.page(PAGE), "/file"))
    proposed = [{**row, "act": "link"} if row["state"] == "proposed" else row for row in rows]
    filled = io.StringIO()
    table = csv.DictWriter(filled, rows[0])
    table.writeheader()
    table.writerows([*proposed, {**proposed[0], "act": "unite"}])
    before = checked(operator, filled.getvalue())
    untouched = record(system, invoice)["state"]
    after = operator.send(before, "/rows")
    system.settle()

    number = sum(bool(row["act"]) for row in proposed)
    assert number
    assert f"{number} rows of {number + 1} can be done, 1 would be refused" in visible(before)
    assert "The act &#39;unite&#39; is unknown." in visible(before)
    assert proposed[0]["solvimon_name"] in visible(before)
    assert untouched == "rejected"
    assert f"{number} rows done, 1 refused" in visible(after)
    assert "1 document that waited is tried again." in visible(after)
    assert record(system, invoice)["state"] == "exported"


def test_a_list_that_takes_longer_than_a_page_waits_can_be_saved_later(
    operator: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    invoke, page = Functions.invoke, operator.page(PAGE)

    def slow(functions: Functions, invocation: Invocation, execution: str = "") -> Answered:
        answered = invoke(functions, invocation, execution)
        if "csv" in invocation.event:
            raise InvocationFailed(invocation, "gave no answer within 20 seconds", unknown=True)
        return answered

    monkeypatch.setattr(Functions, "invoke", slow)

    result = operator.send(page, "/file")

    assert "is still being written" in visible(result)
    assert saved(operator, result)


def test_refused_rows_are_a_file_that_can_be_corrected_and_given_back(
    operator: Visitor, answered: AnswerWith
) -> None:
    refused = {"row": 2, "act": "link", "solvimon_id": "prod_1", "error": "Why", "remedy": "Do"}
    answered({"link_records": {"rows": [], "results": [refused], "complete": True}})

    page = checked(operator, f"{HEADER}\n{PAIR}\n")
    [address] = [each for each in Markup(page).addresses if "as=csv" in each]
    found = csv_rows(operator.get(address))

    said = [(row["act"], row["row"], row["error"], row["remedy"]) for row in found]
    assert said == [("link", "2", "Why", "Do")]


def test_what_no_time_was_left_for_is_gone_on_with(operator: Visitor, answered: AnswerWith) -> None:
    def answer(event: Json) -> Json:
        rows = event.get("rows", [])
        left = {"left": len(rows) - 1, "next": {"rows": rows[1:]}} if len(rows) > 1 else {}
        return {"linked": 1, "results": [], "complete": not left, **left}

    asked = answered({"link_records": answer})

    first = operator.send(checked(operator, f"{HEADER}\n{PAIR}\n{PAIR}\n"), "/rows")
    last = operator.send(first, "/rows")

    sent = [each for each in asked if "rows" in each]
    assert [len(each["rows"]) for each in sent] == [2, 2, 1]
    assert [bool(each.get("dry_run")) for each in sent] == [True, False, False]
    assert all(each["within_seconds"] < 20 for each in sent)
    assert "1 row done, 1 left" in visible(first)
    assert "1 row done" in visible(last)
    assert "Go on with" not in last


UNTAKEN: list[tuple[str | bytes, str]] = [
    ("", "Choose a file first."),
    ("act,kind\nlink,product\n", "lacks the column solvimon_id"),
    (f"{HEADER}\n,product,prod_1,\n", "No row of it has anything in the column act"),
    (b"\xff\xfe", "It is not in UTF-8."),
    (
        f"{HEADER}\n" + f"{PAIR}\n" * (MAX_DECIDED_ROWS + 1),
        f"{MAX_DECIDED_ROWS + 1} rows; {MAX_DECIDED_ROWS} are taken at once",
    ),
    ("x" * (MAX_FILE_BYTES + 1), "524,288 are taken here. Split it, or put it into the folder lists/"),
]


def test_a_file_that_cannot_be_taken_says_why_and_what_to_do(operator: Visitor, answered: AnswerWith) -> None:
    asked = answered({"link_records": {"rows": []}})

    for content, problem in UNTAKEN:
        page = visible(checked(operator, content))

        assert problem in page
        assert "Nothing was changed." in page
    assert not [each for each in asked if "rows" in each]


def test_a_list_that_is_not_there_or_is_none_of_ours_is_not_found(operator: Visitor) -> None:
    names = ["links-products-20260101T000000Z.csv", "decided.csv", "..%2Facme%2Flinks.csv", "links-x.csv"]
    for name in names:
        answer = operator.get(f"{CONNECTION}/lists/{name}")

        assert answer.status_code == 404, name
        assert "location" not in answer.headers


def test_a_list_of_links_is_searched_by_name(operator: Visitor, answered: AnswerWith) -> None:
    asked = answered({"link_records": {"rows": [], "number": 0}})

    page = operator.page(f"{PAGE}?only=linked&find=moor")

    assert {"connection": "default", "list": "products", "only": "linked", "page": 1, "find": "moor"} in [
        {name: value for name, value in each.items() if name != "function"} for each in asked
    ]
    assert "No record in this list has “moor” in its name." in visible(page)


def test_the_control_of_a_customer_that_rillet_does_not_have_lets_it_be_created(
    operator: Visitor, answered: AnswerWith
) -> None:
    alike = {"rillet_id": "0198c1d2-0000-4000-8000-000000000001", "rillet_name": "Maas", "alike": ["name"]}
    answers = {"suggested": [alike], "rows": [], "may_be_created": True, "documents_continued": 2}
    asked = answered({"link_records": answers})

    page = operator.page("/needs-attention?fix=customer:cust_1")
    result = operator.send(page, "/needs-attention/link", rillet_id="create")

    assert "None of these: create it in Rillet" in visible(page)
    assert asked[-1]["different"] == {"kind": "customer", "solvimon_id": "cust_1"}
    assert "is created in Rillet with its next document" in visible(result)
    assert "2 documents that waited are tried again." in visible(result)


def test_the_records_of_rillet_are_searched_in_the_control(operator: Visitor, answered: AnswerWith) -> None:
    rows = [{"rillet_id": f"r-{number}", "rillet_name": f"Maas {number}"} for number in range(20)]
    asked = answered({"link_records": {"rows": rows, "number": 120, "next_page": 3, "suggested": []}})

    page = operator.page("/needs-attention?fix=customer:cust_1&find=maas&page=2")

    record = {"kind": "customer", "solvimon_id": "cust_1"}
    assert [each for each in asked if each["function"] == "link_records"] == [
        {"function": "link_records", "connection": "default", "candidates": record, "find": "maas", "page": 2}
    ]
    assert "fix=customer%3Acust_1&amp;find=maas&amp;page=3#fix" in page
    assert operator.form(page, "#fix").fields["find"] == "maas"
