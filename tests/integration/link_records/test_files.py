"""Links as CSV, out and in: what people decide in a spreadsheet is done, and what is refused comes back."""

from collections.abc import Sequence
from itertools import cycle
from unittest.mock import Mock

import pytest

from local.system import Connection, LocalSystem
from solvimon_rillet.csv_files import csv_text
from solvimon_rillet.errors import RetryLater
from solvimon_rillet.workflows.linking.link_files import ERROR_COLUMNS
from solvimon_rillet.workflows.linking.link_records import LinkRecords
from solvimon_rillet.workflows.linking.link_writer import LinkWriter
from solvimon_rillet.workflows.linking.request import LINK_COLUMNS
from tests.integration.imports.support import (
    Json,
    connect,
    csv_rows,
    customers,
    existing,
    forget_calls,
    in_solvimon,
    product,
    rillet_id,
    run,
    value,
    writes,
)
from tests.integration.link_records.test_proposals import ask, both_sides
from tests.integration.sync_status.support import finalised, some, unlinked, work_off
from tests.support.arrange import connect_demo
from tests.support.assertions import record, rillet_invoices
from tests.support.interposed import before_call

KEY = "lists/default/decided.csv"


def put(system: LocalSystem, content: bytes | str, key: str = KEY) -> str:
    """Put a file into the bucket, as a person does."""
    body = content.encode() if isinstance(content, str) else content
    system.aws.s3.put_object(Bucket=system.deployment.outputs["ReportBucketName"], Key=key, Body=body)
    return key


def decided(system: LocalSystem, rows: Sequence[Json], columns: Sequence[str] = LINK_COLUMNS) -> str:
    """Give a file back with what a person has decided."""
    return put(system, csv_text(columns, rows))


def pair(act: str, number: int, other: int | None = None, kind: str = "customer") -> Json:
    """A row about the Solvimon customer of a number and the Rillet one of the same or another."""
    there = rillet_id(number if other is None else other)
    return {"act": act, "kind": kind, "solvimon_id": f"cust_{number}", "rillet_id": there}


def tenant(system: LocalSystem, *solvimon: Json, count: int = 3) -> Connection:
    return both_sides(system, *solvimon, customers=customers(count))


def links_in_solvimon(connection: Connection) -> dict[str, str]:
    """The Rillet id that each customer of Solvimon is linked to."""
    return {
        one["id"]: one["custom_fields"][0]["value"]
        for one in in_solvimon(connection)
        if one.get("custom_fields")
    }


def test_the_file_has_all_records_of_both_sides_with_their_state(system: LocalSystem) -> None:
    other = existing(5, organization={"legal_name": "Only here"})
    tenant(system, existing(1), existing(2, custom_fields=value(2)), existing(4), other, count=4)
    ask(system, different={"kind": "customer", "solvimon_id": "cust_4", "rillet_id": rillet_id(4)})
    forget_calls(system)

    answer = ask(system, csv="customers")

    rows = csv_rows(system, answer["csv"])
    states = {(row["solvimon_id"], row["rillet_id"]): row["state"] for row in rows}
    assert states == {
        ("cust_1", rillet_id(1)): "proposed",
        ("cust_2", rillet_id(2)): "linked",
        ("cust_4", rillet_id(4)): "different",
        ("cust_5", ""): "unlinked",
        ("cust_4", ""): "unlinked",
        ("", rillet_id(3)): "unlinked",
        ("", rillet_id(4)): "unlinked",
    }
    assert (rows[0]["solvimon_name"], rows[0]["rillet_name"], rows[0]["same"]) == (
        "CUSTOMER 1 B.V.",
        "Customer 1",
        "name",
    )
    assert answer["by_state"] == {"proposed": 1, "different": 1, "linked": 1, "unlinked": 4}
    assert writes(system) == []


def test_only_one_state_is_written_where_it_is_named(system: LocalSystem) -> None:
    tenant(system, existing(1), existing(2, custom_fields=value(2)))

    answer = ask(system, csv="customers", only="linked")

    assert [row["solvimon_id"] for row in csv_rows(system, answer["csv"])] == ["cust_2"]


def test_a_file_that_is_filled_and_given_back_links_its_pairs(system: LocalSystem) -> None:
    connection = tenant(system, existing(1), existing(2))
    written = csv_rows(system, ask(system, csv="customers")["csv"])
    for row in written:
        row["act"] = "link" if row["state"] == "proposed" else ""

    answer = ask(system, csv_in=decided(system, written), by="ada")
    links = links_in_solvimon(connection)
    imported = run(system)

    assert (answer["linked"], answer["refused"], answer["errors"], answer["complete"]) == (2, 0, None, True)
    assert links == {"cust_1": rillet_id(1), "cust_2": rillet_id(2)}
    assert (imported["updated"], imported["created"], imported["proposed"]) == (2, 1, 0)


def test_the_rows_of_a_file_link_unlink_and_tell_apart(system: LocalSystem) -> None:
    connection = tenant(system, existing(1), existing(2, custom_fields=value(2)), existing(3))
    rows = [pair("Link", 1), pair("unlink", 2) | {"rillet_id": ""}, pair("different", 3), pair("", 3)]

    answer = ask(system, csv_in=decided(system, rows))

    assert (answer["linked"], answer["unlinked"], answer["different"]) == (1, 1, 1)
    assert links_in_solvimon(connection) == {"cust_1": rillet_id(1)}
    assert ask(system, list="customers", only="different")["number"] == 1


REFUSED = {
    "an act that is unknown": ({"act": "merge"}, "merge"),
    "a kind that is none": ({"kind": "vendor"}, "kind"),
    "an id that is none": ({"solvimon_id": "no id!"}, "solvimon_id"),
    "a record that Solvimon lacks": ({"solvimon_id": "cust_9"}, "Solvimon has no customer cust_9"),
    "a record that Rillet lacks": ({"rillet_id": rillet_id(9)}, "Rillet has no customer"),
    "a record that is linked": ({"solvimon_id": "cust_2"}, "is linked to"),
}


def test_what_is_refused_comes_back_in_a_file_with_cause_and_remedy(system: LocalSystem) -> None:
    connection = tenant(system, existing(1), existing(2, custom_fields=value(2)), existing(3))
    rows = [*(pair("link", 1) | changes for changes, _ in REFUSED.values()), pair("link", 3)]

    answer = ask(system, csv_in=decided(system, rows))

    assert (answer["refused"], answer["linked"]) == (len(REFUSED), 1)
    errors = csv_rows(system, answer["errors"])
    assert [row["row"] for row in errors] == [str(number) for number in range(2, 2 + len(REFUSED))]
    for row, (changes, words) in zip(errors, REFUSED.values(), strict=True):
        assert words in row["error"], row
        assert row["remedy"]
        assert row.items() >= changes.items()
    assert links_in_solvimon(connection) == {"cust_2": rillet_id(2), "cust_3": rillet_id(3)}


def test_a_file_of_errors_is_corrected_and_given_back(system: LocalSystem) -> None:
    connection = tenant(system, existing(1))
    errors = ask(system, csv_in=decided(system, [pair("link", 1, other=9)]))["errors"]
    [row] = csv_rows(system, errors)
    row["rillet_id"] = rillet_id(1)

    answer = ask(system, csv_in=put(system, csv_text(ERROR_COLUMNS, [row]), errors))

    assert (answer["linked"], answer["refused"], answer["errors"]) == (1, 0, None)
    assert links_in_solvimon(connection) == {"cust_1": rillet_id(1)}


def test_a_dry_run_of_a_file_checks_each_row_and_writes_nothing(system: LocalSystem) -> None:
    connection = tenant(system, existing(1), existing(3))
    forget_calls(system)

    answer = ask(system, csv_in=decided(system, [pair("link", 1), pair("link", 3, other=9)]), dry_run=True)

    assert (answer["linked"], answer["refused"]) == (1, 1)
    assert writes(system) == []
    assert links_in_solvimon(connection) == {}


FILES: dict[str, tuple[bytes | None, str, str]] = {
    "there is none": (None, KEY, "no such file"),
    "another encoding": ("act,kind,solvimon_id,rillet_id\nlink,é".encode("latin-1"), KEY, "CSV UTF-8"),
    "a missing column": (b"act,kind,solvimon_id\n", KEY, "lacks the column rillet_id"),
    "another folder": (b"act", "reports/default/x.csv", "must be under lists/default/"),
    "another connection's folder": (b"act", "lists/acme/x.csv", "must be under lists/default/"),
    "too large": (b"x" * 5_000_001, KEY, "more than 5 MB"),
}


@pytest.mark.parametrize("why", FILES)
def test_a_file_that_cannot_be_read_is_refused_as_a_whole_with_the_remedy(
    system: LocalSystem, why: str
) -> None:
    content, key, words = FILES[why]
    tenant(system, existing(1))
    if content is not None:
        put(system, content, key)

    answer = ask(system, csv_in=key)

    assert words in answer["error"]
    assert "link_records" in answer["remedy"] or '{"csv"' in answer["remedy"]


def test_a_file_with_more_rows_than_an_invocation_can_do_goes_on_where_it_stopped(
    system: LocalSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = tenant(system, *(existing(number) for number in range(1, 6)), count=5)
    rows = [pair("link", number, other=number if number % 2 else 9) for number in range(1, 6)]
    two_rows_at_a_time = Mock(side_effect=cycle([True, True, False]))
    monkeypatch.setattr(LinkRecords, "_has_time", two_rows_at_a_time)
    answers = list[Json]()
    event: Json = {"csv_in": decided(system, rows)}
    while event:
        answers.append(ask(system, **event))
        event = answers[-1].get("next", {})

    assert [(one["linked"], one["refused"], one["complete"]) for one in answers] == [
        (1, 1, False),
        (1, 1, False),
        (1, 0, True),
    ]
    assert [one["next"]["from_row"] for one in answers[:-1]] == [4, 6]
    assert [row["row"] for row in csv_rows(system, answers[-1]["errors"])] == ["3", "5"]
    assert set(links_in_solvimon(connection)) == {"cust_1", "cust_3", "cust_5"}


def test_a_row_that_must_wait_ends_the_part_and_is_the_first_of_the_next(
    system: LocalSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = tenant(system, existing(1), existing(2))
    used_up = Mock(side_effect=RetryLater("Rillet's rate limit is used up.", after=42))
    before_call(monkeypatch, LinkWriter, "link", used_up, call=2)

    waits = ask(system, csv_in=decided(system, [pair("link", 1), pair("link", 2)]))
    done = ask(system, **waits["next"])

    assert (waits["linked"], waits["next"]["from_row"], waits["after_seconds"]) == (1, 3, 42)
    assert "rate limit" in waits["why"]
    assert (done["linked"], done["complete"]) == (1, True)
    assert set(links_in_solvimon(connection)) == {"cust_1", "cust_2"}


def test_a_part_that_is_done_again_changes_nothing(system: LocalSystem) -> None:
    tenant(system, existing(1), existing(2))
    key = decided(system, [pair("link", 1), pair("link", 2, other=9)])
    ask(system, csv_in=key)
    forget_calls(system)

    answer = ask(system, csv_in=key)

    assert (answer["linked"], answer["refused"]) == (1, 1)
    assert writes(system) == []
    assert len(csv_rows(system, answer["errors"])) == 1


def test_a_document_that_waited_for_a_link_of_a_file_continues(system: LocalSystem) -> None:
    connection = connect_demo(system)
    unlinked(connection)
    [invoice_id] = finalised(system, connection, *some(1))
    written = csv_rows(system, ask(system, csv="products")["csv"])
    rows = [{**row, "act": "link"} for row in written if row["state"] == "proposed"]

    answer = ask(system, csv_in=decided(system, rows))
    work_off(system)

    assert answer["documents_continued"] == 1
    assert record(system, invoice_id)["state"] == "exported"
    assert len(rillet_invoices(connection, invoice_id)) == 1


def test_no_cell_of_the_file_is_computed_by_a_spreadsheet(system: LocalSystem) -> None:
    connect(system, products=[product(1, name="=1+1")])

    [row] = csv_rows(system, ask(system, csv="products")["csv"])

    assert row["rillet_name"] == "'=1+1"
