"""The Solvimon fake's API: keys, platforms, reading, lists and searches."""

import pytest

from local.sample_data import expected, invoice_id, solvimon_seed
from tests.fakes.solvimon.support import KEY, OTHER_KEY, READ_ONLY_KEY, Solvimon, error_of


def test_a_read_only_key_reads_and_searches_but_does_not_write(solvimon: Solvimon) -> None:
    read = solvimon.call("GET", "/customers", api_key=READ_ONLY_KEY)
    searched = solvimon.call("POST", "/customers/search", {}, api_key=READ_ONLY_KEY)
    written = solvimon.call("POST", "/customers", {"type": "ORGANIZATION"}, api_key=READ_ONLY_KEY)

    assert (read.status_code, searched.status_code) == (200, 200)
    assert error_of(written) == (403, "USER_NOT_ALLOWED", None)


def test_platforms_see_nothing_of_each_other(solvimon: Solvimon) -> None:
    other = solvimon.state.add_platform(OTHER_KEY)
    customer = solvimon.post("/customers", {"type": "ORGANIZATION", "reference": "kaap"}).json()

    missing = solvimon.call("GET", f"/customers/{customer['id']}", api_key=OTHER_KEY)
    same_reference = solvimon.call(
        "POST", "/customers", {"type": "ORGANIZATION", "reference": "kaap"}, api_key=OTHER_KEY
    )

    assert error_of(missing)[:2] == (404, "RESOURCE_NOT_FOUND")
    assert same_reference.status_code == 201
    assert other is solvimon.state.platform(OTHER_KEY)
    with pytest.raises(ValueError, match="another platform"):
        solvimon.state.add_platform(KEY)


def test_an_invoice_comes_with_periods_and_lines_and_only_by_id(solvimon: Solvimon) -> None:
    final = solvimon.platform.finalise(invoice_id("first"))

    answered = solvimon.get(f"/invoices/{final['id']}").json()
    by_number = solvimon.get(f"/invoices/{final['invoice_number']}")

    assert answered == final
    assert answered["periods"][0]["groups"][0]["lines"][0]["amount_excluding_tax"]["quantity"] == "75.00"
    assert error_of(by_number)[:2] == (404, "RESOURCE_NOT_FOUND")


@pytest.mark.parametrize(
    ("flags", "periods", "lines"),
    [
        ({}, False, False),
        ({"include_lines": "true"}, False, False),
        ({"include_periods": "true"}, True, False),
        ({"include_periods": "true", "include_lines": "true"}, True, True),
    ],
)
@pytest.mark.parametrize("search", [False, True])
def test_lists_leave_out_periods_and_lines_unless_asked(
    solvimon: Solvimon, flags: dict[str, str], periods: bool, lines: bool, search: bool
) -> None:
    if search:
        response = solvimon.call("POST", "/invoices/search", {}, **flags)  # type: ignore[arg-type]
    else:
        response = solvimon.get("/invoices", **flags)

    for invoice in response.json()["data"]:
        assert ("periods" in invoice) == periods
        if periods:
            assert all(("lines" in g) == lines for p in invoice["periods"] for g in p["groups"])


def test_pages_follow_each_other_by_their_links(solvimon: Solvimon) -> None:
    seen: list[str] = []
    url: str | None = f"{solvimon.fake.url}/invoices?limit=7&order_by=invoice_date&order_direction=asc"

    while url:
        page = solvimon.session.get(url, headers={"X-API-KEY": KEY}, timeout=10).json()
        seen += [invoice["id"] for invoice in page["data"]]
        url = page["links"]["next"]

    assert sorted(seen) == sorted(expected())
    assert (page["page"], page["limit"], page["total_number_of_pages"]) == (3, 7, 3)
    assert "page=2" in page["links"]["previous"]


def test_links_can_leave_out_the_host_and_a_large_limit_is_cut_down(solvimon: Solvimon) -> None:
    solvimon.state.absolute_links = False

    page = solvimon.get("/customers", limit=5000).json()

    assert page["limit"] == 100
    assert page["links"]["first"] == "/v1/customers?page=1&limit=100"
    assert page["links"]["next"] is None


def test_invoices_are_filtered(solvimon: Solvimon) -> None:
    solvimon.platform.finalise(invoice_id("yen"))
    solvimon.patch(f"/invoices/{invoice_id('yen')}", {"paid": True})
    solvimon.patch(f"/invoices/{invoice_id('first')}", {"on_hold": True})
    customer = solvimon.platform.invoice(invoice_id("discount"))["customer_id"]

    def ids(**query: object) -> set[str]:
        return {invoice["id"] for invoice in solvimon.get("/invoices", limit=100, **query).json()["data"]}

    def named(*names: str) -> set[str]:
        return {invoice_id(name) for name in names}

    assert ids(customer_id=customer) == named("discount", "split-group", "unrounded")
    assert ids(**{"statuses[]": ["FINAL", "OPEN"]}) == named("yen")
    assert ids(**{"statuses[]": ["FINAL", "DRAFT"]}) == set(expected())
    assert ids(paid="true") == named("yen")
    assert ids(on_hold="true") == named("first")
    october = ids(invoice_date="[2026-10-01T00:00:00Z,2026-10-31T00:00:00Z]")
    assert october == named("one-off-order", "reverse-charge")


def test_invoices_are_ordered_by_amount_as_numbers(solvimon: Solvimon) -> None:
    page = solvimon.get("/invoices", order_by="invoice_amount_including_tax", order_direction="asc").json()

    amounts = [float(invoice["invoice_amount_including_tax"]["quantity"]) for invoice in page["data"]]
    assert amounts == sorted(amounts)


@pytest.mark.parametrize(
    ("collection", "key"),
    [
        ("customers", "maasvlakte-quay"),
        ("products", "vessel-tracking"),
        ("product-categories", "print"),
        ("billing-entities", "tideway-nl"),
    ],
)
def test_the_catalogue_is_read_by_id_or_by_exact_reference(
    solvimon: Solvimon, collection: str, key: str
) -> None:
    by_reference = solvimon.get(f"/{collection}/{key}").json()
    by_id = solvimon.get(f"/{collection}/{by_reference['id']}").json()
    other_case = solvimon.get(f"/{collection}/{key.upper()}")

    assert by_id == by_reference
    assert error_of(other_case)[:2] == (404, "RESOURCE_NOT_FOUND")


def test_each_list_has_its_own_wrapper(solvimon: Solvimon) -> None:
    customers = solvimon.get("/customers", limit=5).json()
    # Its document knows no such parameter, so it changes nothing.
    products = solvimon.call("GET", "/products", checked=False, limit=2).json()
    entities = solvimon.get("/billing-entities").json()

    assert (len(customers["data"]), customers["total_number_of_pages"]) == (5, 3)
    assert (len(products["data"]), products["links"]["next"], "page" in products) == (6, None, False)
    assert list(entities) == ["data"]


def test_lists_and_searches_find_by_custom_field(solvimon: Solvimon) -> None:
    customer = solvimon.get("/customers/hansekontor").json()
    value = customer["custom_fields"][0]["value"]
    condition = {"name": "custom_fields", "reference": "rillet_customer_id", "value": value}

    listed = solvimon.get("/customers", custom_field=f"rillet_customer_id:{value}").json()["data"]
    searched = solvimon.post("/customers/search", {"filter_fields": [condition]}).json()["data"]

    assert listed == searched == [customer]


def test_a_search_matches_with_wildcards_and_without_case(solvimon: Solvimon) -> None:
    def found(**condition: object) -> list[str]:
        body = {"search_fields": [{"name": "organization.legal_name", **condition}]}
        return [customer["reference"] for customer in solvimon.post("/customers/search", body).json()["data"]]

    assert found(value="hansekontor", wildcard_end=True, ignore_case=True) == ["hansekontor"]
    assert found(value="B.V.", wildcard_start=True) == ["maasvlakte-quay", "waddenveer", "zeeland-offshore"]
    assert found(value="hansekontor") == []
    unknown = solvimon.post("/customers/search", {"search_fields": [{"name": "shoe_size", "value": "44"}]})
    assert error_of(unknown) == (400, "INVALID_FIELD", "search_fields.0.name")


def test_products_nest_their_category_only_when_it_is_expanded(solvimon: Solvimon) -> None:
    plain = solvimon.get("/products/pilot-handbook").json()
    expanded = solvimon.get("/products/pilot-handbook", **{"expand[]": "category_id"}).json()

    assert "category" not in plain
    assert expanded["category"]["reference"] == "print"


def test_a_seed_that_contradicts_itself_is_not_loaded(solvimon: Solvimon) -> None:
    product = solvimon_seed()["products"][0]

    with pytest.raises(ValueError, match="comes twice"):
        solvimon.platform.load({"products": [product]})
    with pytest.raises(ValueError, match="is not one of"):
        solvimon.platform.load({"parrots": []})
