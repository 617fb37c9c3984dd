"""The sample data: figures that agree on every level, in the shapes of both vendors."""

import json
from collections import Counter
from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal

import pytest

from local.fake_rillet import FakeRillet
from local.fake_solvimon import FakeSolvimon
from local.fake_vendor.traffic_recorder import Vendor
from local.sample_data import expected, fallback_products, invoice_id, rillet_seed, solvimon_seed
from local.sample_data.rows import rows
from tests.contract.checker import check_record
from tests.contract.documents import MISSING, MISSING_REASON
from tests.fakes.solvimon.support import Json, cent, check_sums, total
from tests.fakes.support import SAMPLES

REAL_INVOICE = SAMPLES / "real-invoice-standard-open-legacy-groups.json"
KEY = "a-key"

INVOICES: dict[str, Json] = {
    expected()[invoice["id"]]["name"]: invoice for invoice in solvimon_seed()["invoices"]
}
each_invoice = pytest.mark.parametrize("name", INVOICES)

SCHEMAS: dict[Vendor, dict[str, str]] = {
    "solvimon": {
        "billing_entities": "BillingEntity",
        "products": "Product",
        "product_categories": "ProductCategory",
        "customers": "Customer",
        "custom_fields": "CustomField",
        "invoices": "Invoice",
    },
    "rillet": {
        "organization": "Organization",
        "subsidiaries": "Subsidiary",
        "products": "Product",
        "customers": "Customer",
        "accounts": "Account",
        "bank_accounts": "BankAccount",
    },
}


def amount(money: Json) -> Decimal:
    return Decimal(money["quantity"])


def taxes(levels: list[Json]) -> Counter[tuple[str, str]]:
    """Return base and tax by category, summed over levels."""
    found: Counter[tuple[str, str]] = Counter()
    for level in levels:
        for category in level["tax_categories"]:
            found[category["name"], "base"] += amount(category["base_amount"])  # type: ignore[assignment]
            found[category["name"], "tax"] += amount(category["tax_amount"])  # type: ignore[assignment]
    return found


def groups(name: str) -> list[Json]:
    return [group for period in INVOICES[name]["periods"] for group in period["groups"]]


def lines(name: str) -> list[Json]:
    return [line for group in groups(name) for line in group["lines"]]


def parts(value: object) -> Iterator[object]:
    """Yield a document and everything inside it."""
    yield value
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from parts(inner)


def currencies(document: object) -> set[str]:
    """Return the currencies of all amounts in a document."""
    found = (part for part in parts(document) if isinstance(part, dict))
    return {part["currency"] for part in found if part.keys() == {"quantity", "currency"}}


@pytest.mark.parametrize("file", ["company", "products", "customers", "invoices", "figures"])
def test_no_row_has_a_float_or_a_date_because_amounts_and_times_are_quoted(file: str) -> None:
    kinds = {type(part) for part in parts(rows(file))} - {dict, list}

    assert str in kinds
    assert kinds <= {str, bool, int, type(None)}


@each_invoice
def test_the_built_header_has_the_figures_calculated_by_hand(name: str) -> None:
    invoice, figures = INVOICES[name], expected()[invoice_id(name)]

    summary = invoice["tax_summary"]
    for field, figure in (("base_amount", "net"), ("tax_amount", "tax"), ("total_amount", "gross")):
        assert summary[field] == {"quantity": figures[figure], "currency": figures["currency"]}
    assert invoice["invoice_amount_including_tax"] == summary["total_amount"]
    assert Decimal(figures["net"]) + Decimal(figures["tax"]) == Decimal(figures["gross"])


@each_invoice
def test_every_level_is_the_sum_of_the_level_below(name: str) -> None:
    invoice = INVOICES[name]

    check_sums(invoice)
    gross = total(invoice["periods"], "amount_including_tax").quantize(cent(invoice), ROUND_HALF_UP)
    assert gross == amount(invoice["invoice_amount_including_tax"])
    levels = [(period, period["groups"]) for period in invoice["periods"]]
    for level, below in [*levels, *((group, group["lines"]) for group in groups(name))]:
        assert not level["tax_categories"] or taxes([level]) == taxes(below)


@each_invoice
def test_header_taxes_are_the_lines_taxes_and_rounded_half_up(name: str) -> None:
    invoice = INVOICES[name]

    for line in lines(name):
        for category in line["tax_categories"]:
            exact = amount(category["base_amount"]) * Decimal(category["percentage"]) / 100
            assert amount(category["tax_amount"]) == exact.quantize(cent(invoice), ROUND_HALF_UP)
    for (category_name, kind), value in taxes([invoice]).items():
        whole = taxes(lines(name))[category_name, kind]
        assert value == Decimal(whole).quantize(cent(invoice), ROUND_HALF_UP)


@each_invoice
def test_invoices_are_drafts_of_october_or_november_2026_in_one_currency_without_a_number(name: str) -> None:
    invoice = INVOICES[name]

    assert currencies(invoice) == {invoice["billing_currency"]}
    assert (invoice["status"], invoice.get("invoice_number")) == ("DRAFT", None)
    assert invoice["invoice_date"][:7] in ("2026-10", "2026-11")
    assert invoice["invoice_date"] <= invoice["due_date"]


def test_the_sample_data_is_the_same_every_time_and_cannot_be_changed() -> None:
    first = solvimon_seed()
    first["invoices"][0]["notes"].append("spoiled")
    first["customers"].clear()

    assert solvimon_seed() == solvimon_seed()
    assert rillet_seed() == rillet_seed()
    assert solvimon_seed()["customers"]
    assert solvimon_seed()["invoices"][0]["notes"] == ["Welcome aboard."]


def test_there_are_enough_invoices_currencies_and_companies() -> None:
    assert list(expected()) == [invoice["id"] for invoice in INVOICES.values()]
    assert len(INVOICES) >= 14
    assert {invoice["billing_currency"] for invoice in INVOICES.values()} == {"EUR", "USD", "CAD", "JPY"}
    assert len({invoice["billing_entity_id"] for invoice in INVOICES.values()}) == 4


@pytest.mark.skipif(
    not REAL_INVOICE.exists(), reason=f"{REAL_INVOICE.name} is not in SAMPLES_DIR ({SAMPLES})"
)
def test_the_first_invoice_has_the_figures_and_structure_of_the_real_sample() -> None:
    real, first = json.loads(REAL_INVOICE.read_text(encoding="utf-8")), INVOICES["first"]

    for field in ("invoice_amount_including_tax", "open_invoice_amount", "tax_categories", "tax_summary"):
        assert first[field] == real[field]
    assert first["timezone"] == real["timezone"]
    for period, outer in zip(first["periods"], real["groups"], strict=True):
        for group, inner in zip(period["groups"], outer["groups"], strict=True):
            assert group["amount_excluding_tax"] == inner["total"]
            assert (group["start_at"] == group["end_at"]) == (inner["start_date"] == inner["end_date"])
            assert not group["tax_categories"]
            for line, old in zip(group["lines"], inner["lines"], strict=True):
                assert line["tax_categories"] == old["tax_categories"]
                assert (line["details"], line["pricing_type"]) == (old["details"], old["pricing_type"])


def test_usage_comes_in_tiers_with_its_volume_on_the_line_and_in_its_details() -> None:
    first, second = groups("usage-tiers")[0]["lines"]

    assert first["meter_value"] == {"reference": "calls", "type": "NUMBER", "number": "1000000"}
    assert second["details"]["meter_value"]["number"] == "250000"
    assert first["details"]["band"]["tier_top_bound"] == second["details"]["band"]["tier_lower_bound"]
    volume, price = Decimal("250000"), amount(second["details"]["band"]["amount"])
    assert volume * price == amount(second["amount_excluding_tax"])


def test_periods_end_at_exclusive_midnight_at_home_and_once_a_second_before() -> None:
    arrears, advance = INVOICES["usage-tiers"]["periods"]

    assert (arrears["end_at"], arrears["end_at"]) == ("2026-10-31T23:00:00Z", advance["start_at"])
    assert groups("untaxed")[0]["end_at"] == "2026-10-31T22:59:59Z"
    assert groups("reverse-charge")[0]["end_at"] == "2027-10-14T22:00:00Z"


def test_some_groups_have_no_product_but_a_type() -> None:
    without = [group for name in INVOICES for group in groups(name) if not group["products"]]

    amounts = {group["type"]: group["amount_excluding_tax"]["quantity"] for group in without}
    assert amounts == {"DISCOUNT": "-150.00", "COMMITMENT": "189.80", "ONE_OFF": "184.60"}
    assert set(fallback_products()) == {"discount", "commitment", "one_off", "default"}


def test_one_embedded_product_lacks_its_link_and_the_product_itself_has_it() -> None:
    embedded = [p for name in INVOICES for group in groups(name) for p in group["products"]]

    unlinked = {product["id"] for product in embedded if "custom_fields" not in product}

    assert len(unlinked) == 1
    [product] = [each for each in solvimon_seed()["products"] if each["id"] in unlinked]
    assert product["custom_fields"][0]["reference"] == "rillet_product_id"


def test_taxes_come_in_every_form() -> None:
    def categories(name: str) -> list[tuple[str, str]]:
        return [(c["percentage"], c["category"]) for c in INVOICES[name]["tax_categories"]]

    assert categories("two-rates") == categories("split-group") == [("21", "STANDARD"), ("9", "STANDARD")]
    assert len(groups("split-group")) == 1
    assert len(groups("split-group")[0]["tax_categories"]) == 2
    assert categories("reverse-charge") == [("0", "NO_TAX")]
    assert [part["tax_categories"] for part in (INVOICES["untaxed"], *groups("untaxed"))] == [[], []]
    assert INVOICES["us-sales-tax"]["sales_tax_percentage"] == "8.25"
    gst, qst = groups("gst-and-qst")[0]["tax_categories"]
    assert gst["base_amount"] == qst["base_amount"]
    (stacked,) = groups("gst-with-pst")[0]["tax_categories"]
    assert [rate["tax_amount"]["quantity"] for rate in stacked["rates"]] == ["43.00", "60.20"]


def test_some_invoices_have_notes_an_order_number_fine_amounts_or_a_rate() -> None:
    notes = INVOICES["long-note"]["notes"]
    order = INVOICES["one-off-order"]
    fine = [Decimal(group["amount_excluding_tax"]["quantity"]).as_tuple() for group in groups("unrounded")]
    (rate,) = INVOICES["exchange-rate"]["used_exchange_rates"]

    assert len(notes) == 3
    assert len(notes[0]) > 700
    assert (order["type"], order["purchase_order_number"]) == ("ONE_OFF", "PO-2026-00417")
    assert {group["start_at"] for group in groups("one-off-order")} == {None}
    assert {parts.exponent for parts in fine} == {-3}
    assert (rate["base_currency"], rate["currency"]) == ("USD", "EUR")


def test_custom_fields_link_everything_but_one_customer_to_what_rillet_has() -> None:
    solvimon, rillet = solvimon_seed(), rillet_seed()
    unlinked = []

    pairs = ("customers", "customers"), ("products", "products"), ("billing_entities", "subsidiaries")
    for ours, theirs in pairs:
        ids = {record["id"] for record in rillet[theirs]}
        for record in solvimon[ours]:
            links = [field["value"] for field in record.get("custom_fields", [])]
            assert set(links) <= ids
            unlinked += [] if links else [record["reference"]]

    assert unlinked == ["zeeland-offshore"]
    assert set(fallback_products().values()) <= {product["id"] for product in rillet["products"]}


@pytest.mark.skipif(MISSING, reason=MISSING_REASON)
@pytest.mark.parametrize("vendor", SCHEMAS)
def test_every_record_has_its_vendors_shape(vendor: Vendor) -> None:
    seed: Json = solvimon_seed() if vendor == "solvimon" else rillet_seed()
    schemas = SCHEMAS[vendor]

    assert seed.keys() - schemas.keys() <= {"external_reference_types"}  # a list of names
    for collection, schema in schemas.items():
        records = seed[collection] if isinstance(seed[collection], list) else [seed[collection]]
        assert records
        for record in records:
            assert check_record(vendor, schema, record) == []


def test_both_fakes_load_the_sample_data() -> None:
    solvimon, rillet = FakeSolvimon(), FakeRillet()

    platform = solvimon.state.add_platform(KEY, solvimon_seed())
    organisation = rillet.state.load(rillet_seed(KEY))

    assert len(platform.records["invoices"]) == len(expected())
    assert len(organisation.customers) == len(platform.records["customers"]) - 1
    assert rillet.state.organisation(KEY) is organisation
