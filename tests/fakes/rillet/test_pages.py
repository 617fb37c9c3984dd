"""Listings of the Rillet fake: filters, order, pages and cursors."""

import pytest

from tests.fakes.rillet.support import CUSTOMER, SECOND_SUBSIDIARY, Rillet, names, reference


def add_customers(rillet: Rillet, count: int) -> list[str]:
    """Create customers a second apart and return their names, newest first."""
    created = []
    for number in range(count):
        rillet.clock.advance(1)
        created.append(rillet.create("/customers", {"name": f"Customer {number}"})["name"])
    return created[::-1]


def test_customers_are_searched_by_part_of_the_name(rillet: Rillet) -> None:
    rillet.create("/customers", {"name": "Carol"})

    assert names(rillet.get("/customers", search="bOB ind")) == ["Bob Industries"]


def test_customers_are_found_by_external_reference_of_type_and_id(rillet: Rillet) -> None:
    for name, slug in (("A", "solvimon_customer_id"), ("B", "restricted_id")):
        rillet.create("/customers", {"name": name, "external_references": [reference("1", slug)]})

    found = rillet.get(
        "/customers", external_reference_id="1", external_reference_type="solvimon_customer_id"
    )

    assert names(found) == ["A"]


@pytest.mark.parametrize("parameter", ["external_reference_id", "external_reference_type"])
def test_reference_id_and_type_need_each_other(rillet: Rillet, parameter: str) -> None:
    response = rillet.get("/customers", **{parameter: "1"})

    assert response.status_code == 400
    assert parameter in response.json()["detail"]


def test_updated_gt_is_strict(rillet: Rillet) -> None:
    moment = rillet.create("/customers", {"name": "First"})["updated_at"]
    rillet.clock.advance(0.001)
    rillet.create("/customers", {"name": "Second"})

    found = rillet.get("/customers", **{"updated.gt": moment})

    assert names(found) == ["Second"]


def test_customers_are_sorted_by_creation_or_by_update(rillet: Rillet) -> None:
    add_customers(rillet, 2)
    rillet.clock.advance(1)
    rillet.put(f"/customers/{CUSTOMER}", {"name": "Bob"})

    assert names(rillet.get("/customers")) == ["Customer 1", "Customer 0", "Bob"]
    assert names(rillet.get("/customers", sort_by="updated")) == ["Bob", "Customer 1", "Customer 0"]


def test_pages_follow_each_other_newest_first_until_there_is_no_cursor(rillet: Rillet) -> None:
    expected = [*add_customers(rillet, 4), "Bob Industries"]
    seen: list[str] = []
    cursor: dict[str, str] = {}

    while True:
        response = rillet.get("/customers", limit="2", **cursor)
        seen += names(response)
        pagination = response.json()["pagination"]
        if not pagination:
            break
        cursor = {"cursor": pagination["next_cursor"]}

    assert seen == expected
    assert pagination == {}


def test_rows_of_the_same_moment_are_neither_repeated_nor_lost(rillet: Rillet) -> None:
    for number in range(5):
        rillet.create("/customers", {"name": f"Fake {number}"})

    first = rillet.read("/customers", limit="3")
    second = rillet.read("/customers", limit="3", cursor=first["pagination"]["next_cursor"])

    ids = [customer["id"] for customer in first["customers"] + second["customers"]]
    assert len(set(ids)) == len(ids) == 6


def test_a_row_created_during_the_listing_does_not_shift_the_next_page(rillet: Rillet) -> None:
    expected = add_customers(rillet, 3)
    first = rillet.read("/customers", limit="2")
    rillet.clock.advance(1)
    rillet.create("/customers", {"name": "Late"})

    second = rillet.get("/customers", limit="2", cursor=first["pagination"]["next_cursor"])

    assert names(second) == [expected[2], "Bob Industries"]


def test_an_expired_cursor_silently_restarts_at_page_one(rillet: Rillet) -> None:
    newest = add_customers(rillet, 3)
    cursor = rillet.read("/customers", limit="1")["pagination"]["next_cursor"]
    rillet.clock.advance(2 * 60 * 60 - 1)
    valid = names(rillet.get("/customers", limit="1", cursor=cursor))
    rillet.clock.advance(1)

    expired = names(rillet.get("/customers", limit="1", cursor=cursor))

    assert (valid, expired) == ([newest[1]], [newest[0]])


def test_a_cursor_can_be_told_to_lead_to_page_one(rillet: Rillet) -> None:
    newest = add_customers(rillet, 2)
    rillet.state.misbehave("restart", "GET", "/customers", times=1)
    cursor = rillet.read("/customers", limit="1")["pagination"]["next_cursor"]

    pages = [names(rillet.get("/customers", limit="1", cursor=cursor)) for _ in range(2)]

    assert pages == [[newest[0]], [newest[1]]]


def test_a_page_edge_can_be_told_to_shift(rillet: Rillet) -> None:
    newest = add_customers(rillet, 3)
    rillet.state.misbehave("shift", "GET", "/customers", times=1)
    cursor = rillet.read("/customers", limit="1")["pagination"]["next_cursor"]

    second = names(rillet.get("/customers", limit="1", cursor=cursor))

    assert second == [newest[2]]
    assert names(rillet.get("/customers", limit="2")) == [newest[1], newest[0]]


def test_a_page_can_have_fewer_rows_than_its_limit(rillet: Rillet) -> None:
    newest = add_customers(rillet, 2)
    rillet.state.most_rows = 2

    page = rillet.read("/customers", limit="100")

    assert [row["name"] for row in page["customers"]] == newest
    assert page["pagination"]


@pytest.mark.parametrize("listing", ["/customers", "/products"])
def test_an_invalid_cursor_or_one_of_another_listing_restarts_at_page_one(
    rillet: Rillet, listing: str
) -> None:
    add_customers(rillet, 2)
    foreign = rillet.read("/customers", limit="1", sort_by="updated")["pagination"]["next_cursor"]

    for cursor in ("nonsense", foreign):
        page = rillet.get(listing, cursor=cursor)
        assert page.json() == rillet.read(listing)


@pytest.mark.parametrize(
    ("path", "name", "values"),
    [
        ("/customers", "limit", ["0", "101", "-1", "many"]),
        ("/customers", "sort_by", ["name"]),
        ("/customers", "updated.gt", ["yesterday", "2026-03-01", "2026-03-01T00:00:00"]),
        ("/invoices", "updated.gt", ["now"]),
        ("/invoices", "customer_id", ["cust_1"]),
        ("/invoices", "overdue", ["maybe"]),
        ("/invoices", "status", ["OPEN"]),
    ],
)
def test_a_wrong_query_parameter_is_refused(rillet: Rillet, path: str, name: str, values: list[str]) -> None:
    assert {rillet.get(path, **{name: value}).status_code for value in values} == {400}


def test_a_page_has_25_rows_by_default(rillet: Rillet) -> None:
    for number in range(30):
        rillet.organisation.customers.add({"name": str(number)})

    assert len(rillet.read("/customers")["customers"]) == 25
    assert len(rillet.read("/customers", limit="100")["customers"]) == 31


def test_invoices_are_listed_by_each_filter(rillet: Rillet) -> None:
    other = rillet.create("/customers", {"name": "Carol"})["id"]
    first = rillet.invoice(due_date="2026-03-20")
    rillet.clock.advance(1)
    second = rillet.invoice(customer_id=other, subsidiary_id=SECOND_SUBSIDIARY, due_date="2026-03-09")
    rillet.organisation.invoices.get(second["id"]).document["status"] = "PARTIALLY_PAID"

    def listed(**query: str) -> list[str]:
        return [invoice["id"] for invoice in rillet.read("/invoices", **query)["invoices"]]

    assert listed() == [second["id"], first["id"]]
    assert listed(customer_id=CUSTOMER) == [first["id"]]
    assert listed(subsidiary_id=SECOND_SUBSIDIARY) == [second["id"]]
    assert listed(status="UNBILLED") == [first["id"]]
    assert listed(overdue="true") == [second["id"]]
    assert listed(overdue="false") == [first["id"]]
    assert listed(**{"updated.gt": first["updated_at"]}) == [second["id"]]


def test_an_invoice_becomes_overdue_the_day_after_its_due_date_in_the_organisations_zone(
    rillet: Rillet,
) -> None:
    created = rillet.invoice(due_date="2026-03-10")
    rillet.clock.advance(11 * 60 * 60)

    after_midnight_in_amsterdam = rillet.read(f"/invoices/{created['id']}")

    assert created["overdue"] is False
    assert after_midnight_in_amsterdam["overdue"] is True
