"""A preview says what would become of each row, by name; it writes nothing and costs what the lists cost."""

from unittest.mock import Mock

import pytest

from local.system import Connection, LocalSystem
from solvimon_rillet.aws.s3_sns import ReportBucket
from solvimon_rillet.connections import directory
from solvimon_rillet.errors import RetryLater
from tests.integration.imports.support import (
    Json,
    connect,
    counts,
    csv_rows,
    customer,
    customers,
    definition,
    existing,
    forget_calls,
    in_solvimon,
    listings,
    product,
    rillet_id,
    run,
    subsidiary,
    value,
    writes,
)
from tests.support.interposed import before_call


def tenant(system: LocalSystem, count: int) -> Connection:
    """So many Rillet customers, of which each second one is in Solvimon: half of them linked."""
    here = [
        existing(number, **({"custom_fields": value(number)} if number % 4 else {}))
        for number in range(2, count + 1, 2)
    ]
    seed = {"custom_fields": [definition()], "customers": here}
    return connect(system, solvimon=seed, customers=customers(count))


def preview(system: LocalSystem, kind: str = "customers", **event: object) -> Json:
    """A preview, with the calls of an import alone counted."""
    forget_calls(system)
    return run(system, kind, dry_run=True, **event)


def calls_of_solvimon(system: LocalSystem) -> list[str]:
    """The paths that Solvimon was asked for, without its version."""
    return [call.path.removeprefix("/v1") for call in system.solvimon.state.calls]


@pytest.mark.parametrize("count", [250, pytest.param(1000, marks=pytest.mark.slow)])
def test_a_preview_costs_a_call_a_hundred_rows_of_each_vendor_and_no_write(
    system: LocalSystem, count: int
) -> None:
    tenant(system, count)

    answer = preview(system)

    alike = len(range(4, count + 1, 4))
    assert counts(answer) == {"created": count // 2, "updated": count // 2 - alike, "proposed": alike}
    assert (listings(system), len(system.rillet.state.calls)) == (-(-count // 100), -(-count // 100))
    pages = -(-(count // 2) // 100)
    assert calls_of_solvimon(system) == ["/custom-fields", *["/customers"] * pages]
    assert writes(system) == []
    assert not [item for item in system.ledger() if "#match-" in item["pk"] or "#import-" in item["pk"]]


@pytest.mark.parametrize("kind", ["products", "subsidiaries"])
def test_a_preview_of_products_or_subsidiaries_costs_a_call_a_hundred_rows_too(
    system: LocalSystem, kind: str
) -> None:
    products, subsidiaries = [product(n) for n in range(1, 151)], [subsidiary(1), subsidiary(2)]
    connect(system, products=products, subsidiaries=subsidiaries)
    rows = len(products if kind == "products" else subsidiaries)

    answer = preview(system, kind)

    assert answer["created"] == rows
    lists = {"products": "/products/search", "subsidiaries": "/billing-entities"}
    assert calls_of_solvimon(system).count(lists[kind]) == 1
    assert len(calls_of_solvimon(system)) <= 4  # and the custom field, the category, whose platform it is
    assert writes(system) == []
    assert len(csv_rows(system, answer["csv"])) == rows


def test_a_preview_answers_the_first_rows_and_has_all_as_csv_in_the_bucket(system: LocalSystem) -> None:
    tenant(system, 250)

    answer = preview(system)

    rows = csv_rows(system, answer["csv"])
    assert answer["csv"].startswith("lists/default/preview-customers-")
    assert len(answer["rows"]) == 200
    assert [row["rillet_id"] for row in rows] == [rillet_id(number) for number in range(250, 0, -1)]
    assert rows[:200] == [row | _as_in_csv(shown) for row, shown in zip(rows, answer["rows"], strict=False)]
    proposed = rows[246]
    assert (proposed["outcome"], proposed["looks_like"], proposed["same"]) == (
        "proposed",
        "CUSTOMER 4 B.V.",
        "name",
    )
    assert rows[248]["fields"] == "email, organization"


def _as_in_csv(shown: Json) -> Json:
    return {"rillet_id": shown["rillet_id"], "name": shown["name"], "outcome": shown["outcome"]}


def test_a_preview_says_why_a_row_is_left_out(system: LocalSystem) -> None:
    archived = existing(1, custom_fields=value(1), status="ARCHIVED")
    nameless = customer(2, name=" ")
    connect(
        system,
        solvimon={"custom_fields": [definition()], "customers": [archived]},
        customers=[customer(1), nameless],
    )

    answer = preview(system)

    rows = {row["rillet_id"]: row for row in csv_rows(system, answer["csv"])}
    assert rows[rillet_id(1)]["outcome"] == "skipped"
    assert "archived in Solvimon" in rows[rillet_id(1)]["why"]
    assert rows[rillet_id(2)]["outcome"] == "failed"
    assert "has no name" in rows[rillet_id(2)]["why"]
    assert rows[rillet_id(2)]["remedy"]


def test_no_cell_of_a_previews_file_is_computed_by_a_spreadsheet(system: LocalSystem) -> None:
    connect(system, customers=[customer(1, name='=HYPERLINK("http://x.example";"Pay")')])

    [row] = csv_rows(system, preview(system)["csv"])

    assert row["name"] == '\'=HYPERLINK("http://x.example";"Pay")'


def test_a_preview_of_a_large_platform_keeps_no_whole_list_and_looks_its_rows_up(
    system: LocalSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(directory, "MAX_LISTED", 2)
    tenant(system, 12)

    answer = preview(system)

    assert counts(answer) == {"created": 6, "updated": 3, "proposed": 3}
    assert calls_of_solvimon(system).count("/customers") > 1
    assert writes(system) == []


def test_a_preview_waits_for_the_bucket_and_then_goes_on(
    system: LocalSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = tenant(system, 4)
    refuse = Mock(side_effect=RetryLater("The bucket of reports does not answer (ClientError)."))
    before_call(monkeypatch, ReportBucket, "put_part", refuse, call=1)

    answer = preview(system)

    assert refuse.call_args.args[3] == 1, "the first part"
    assert answer["complete"]
    assert len(csv_rows(system, answer["csv"])) == 4
    assert len(in_solvimon(connection)) == 2
