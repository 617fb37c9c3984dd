"""Products: their category, their status, and the link that an invoice needs."""

import pytest

from local.system import Connection, LocalSystem
from tests.integration.imports.support import (
    Json,
    answer_with_drafts,
    before_create,
    connect,
    counts,
    definition,
    edit,
    forget_calls,
    in_solvimon,
    linked,
    product,
    rillet_id,
    run,
    value,
    writes,
)


def categories(connection: Connection) -> list[Json]:
    return list(connection.platform.records["product-categories"].values())


def test_the_category_and_the_custom_field_are_created_once(system: LocalSystem) -> None:
    connection = connect(system, products=[product(1)])
    run(system, "products")
    connection.organisation.products.add(product(2))

    run(system, "products")

    [field] = connection.platform.records["custom-fields"].values()
    assert len(categories(connection)) == 1
    assert (field["name"], field["reference"], field["resource_type"], field["unique_value"]) == (
        "Rillet Product ID",
        "rillet_product_id",
        "PRODUCT",
        True,
    )
    assert field["copy_value_to_invoice"] is False


def test_a_category_that_is_there_is_used(system: LocalSystem) -> None:
    mine = {"id": "proc_mine", "reference": "rillet_products", "name": "Called otherwise"}
    connection = connect(system, solvimon={"product_categories": [mine]}, products=[product()])

    run(system, "products")

    assert linked(connection, 1, "products")["category_id"] == "proc_mine"
    assert len(categories(connection)) == 1


def test_the_category_is_a_setting(system: LocalSystem) -> None:
    connection = connect(system, settings={"product_category": "erp"}, products=[product()])

    run(system, "products")

    assert [category["reference"] for category in categories(connection)] == ["erp"]


def test_a_category_that_somebody_creates_at_the_same_moment_is_used(
    system: LocalSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = connect(system, products=[product()])
    mine = {"id": "proc_mine", "reference": "rillet_products", "name": "N"}

    def be_faster(collection: str, _payload: Json) -> None:
        if collection == "product-categories":
            connection.platform.load({"product_categories": [mine]})

    before_create(monkeypatch, be_faster)

    run(system, "products")

    assert linked(connection, 1, "products")["category_id"] == "proc_mine"


def test_a_category_that_exists_and_is_never_shown_ends_the_run(system: LocalSystem) -> None:
    connect(system, products=[product()])
    system.solvimon.state.misbehave(
        "status", method="POST", path="/product-categories", status=409, code="RESOURCE_ALREADY_EXISTS"
    )

    answer = run(system, "products")

    assert "does not show it" in answer["error"]
    assert "product_category" in answer["remedy"]


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"type": "NUMBER"}, "does not hold one text"),
        ({"multiple_values": True}, "does not hold one text"),
        ({"resource_type": "INVOICE"}, "another kind of records"),
    ],
)
def test_a_custom_field_that_cannot_hold_an_id_ends_the_run_and_gives_the_lease_back(
    system: LocalSystem, more: Json, why: str
) -> None:
    seed = {"custom_fields": [definition("products", **more)]}
    connect(system, solvimon=seed, products=[product()])

    first, second = run(system, "products"), run(system, "products")
    dry_run = run(system, "products", dry_run=True)

    assert why in first["error"]
    assert "custom_fields.product" in first["remedy"]
    assert second["error"] == first["error"]
    if "resource_type" not in more:  # a dry run does not ask Solvimon whether the reference is free
        assert dry_run["error"] == first["error"]


def test_an_inactive_product_is_not_created(system: LocalSystem) -> None:
    connection = connect(system, products=[product(1, status="INACTIVE"), product(2)])

    first = run(system, "products")
    forget_calls(system)
    second = run(system, "products")

    assert counts(first) == {"created": 1, "skipped": 1}
    assert "skipped 1" in first["summary"]
    assert [record["reference"] for record in in_solvimon(connection, "products")] == [rillet_id(2)]
    assert counts(second) == {"unchanged": 1, "skipped": 1}
    assert not [call for call in system.solvimon.state.calls if "/products" in call.path]


def test_a_product_that_becomes_inactive_is_archived_and_comes_back(system: LocalSystem) -> None:
    connection = connect(system, products=[product()])
    outcomes = [counts(run(system, "products"))]
    statuses = [linked(connection, 1, "products")["status"]]

    for status in ("INACTIVE", "INACTIVE", "ACTIVE", "INACTIVE", "ACTIVE"):
        edit(connection, kind="products", status=status)
        outcomes.append(counts(run(system, "products")))
        statuses.append(linked(connection, 1, "products")["status"])

    assert outcomes == [
        {"created": 1},
        {"archived": 1},
        {"unchanged": 1},
        {"updated": 1},
        {"archived": 1},
        {"updated": 1},
    ]
    assert statuses == ["ACTIVE", "ARCHIVED", "ARCHIVED", "ACTIVE", "ARCHIVED", "ACTIVE"]


def test_a_product_that_a_person_archived_stays_archived(system: LocalSystem) -> None:
    connection = connect(system, products=[product()])
    run(system, "products")
    linked(connection, 1, "products")["status"] = "ARCHIVED"
    edit(connection, kind="products", name="Renamed")

    answer = run(system, "products")

    assert counts(answer) == {"updated": 1}
    assert linked(connection, 1, "products")["status"] == "ARCHIVED"


def test_an_inactive_product_that_is_archived_already_is_left_alone(system: LocalSystem) -> None:
    seed = {
        "custom_fields": [definition("products")],
        "products": [
            {"id": "prod_1", "name": "P", "status": "ARCHIVED", "custom_fields": value(1, "products")}
        ],
    }
    connect(system, solvimon=seed, products=[product(status="INACTIVE")])

    answer = run(system, "products")

    assert counts(answer) == {"unchanged": 1}
    assert [call.path for call in writes(system)] == ["/v1/product-categories"]


def test_a_product_stays_in_the_category_that_a_person_put_it_into(system: LocalSystem) -> None:
    seed = {
        "custom_fields": [definition("products")],
        "product_categories": [{"id": "proc_mine", "reference": "mine", "name": "Mine"}],
        "products": [
            {
                "id": "prod_1",
                "name": "Old name",
                "reference": "mine",
                "category_id": "proc_mine",
                "status": "ACTIVE",
                "custom_fields": value(1, "products"),
            }
        ],
    }
    connection = connect(system, solvimon=seed, products=[product()])

    run(system, "products")

    found = linked(connection, 1, "products")
    assert (found["name"], found["reference"], found["category_id"]) == ("Product 1", "mine", "proc_mine")


def test_a_draft_answer_to_a_create_is_activated(
    system: LocalSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = connect(system, products=[product()])
    answer_with_drafts(monkeypatch, connection)

    answer = run(system, "products")

    assert linked(connection, 1, "products")["status"] == "ACTIVE"
    assert counts(answer) == {"created": 1}


def test_the_link_of_a_product_is_remembered_for_a_day(system: LocalSystem) -> None:
    connection = connect(system, products=[product()])

    run(system, "products")

    link = system.ledger_item(f"default#link-product#{linked(connection, 1, 'products')['id']}", "RECORD")
    assert link is not None
    assert link["rillet_id"] == rillet_id(1)
    assert float(link["expires_at"]) - system.clock.now() == pytest.approx(24 * 3600, abs=60)
