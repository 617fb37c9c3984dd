"""The settings of a connection: ``{}`` works, a slip is noticed and named."""

import json

import pytest
from pydantic import ValidationError

from solvimon_rillet.errors import SettingsInvalid
from solvimon_rillet.http.allowed_hosts import AllowedHosts
from solvimon_rillet.settings import InvoiceScope, Settings


def refused(**values: object) -> str:
    """What is said about settings that cannot be used."""
    with pytest.raises(SettingsInvalid) as caught:
        Settings.parse(json.dumps(values))
    return str(caught.value)


@pytest.mark.parametrize("text", ["{}", "", " {} "])
def test_no_settings_at_all_work(text: str) -> None:
    settings = Settings.parse(text)

    assert settings == Settings()
    assert settings.invoice_scope is InvoiceScope.FULL
    assert settings.workflows.export_invoice is True
    assert settings.create_missing_customers is True
    assert settings.start_date is None
    assert settings.solvimon.base_url == "https://api.solvimon.com/v1"
    assert settings.solvimon.webhook_max_age_seconds == 300
    assert settings.rillet.base_url == "https://api.rillet.com"
    assert settings.reference_types.invoice == "solvimon_invoice_id"
    assert settings.custom_fields.product == "rillet_product_id"


def test_settings_are_read_from_json() -> None:
    settings = Settings.parse(
        '{"invoice_scope": "AR_ONLY", "start_date": "2026-01-01", "tax_types": {"NL:STANDARD": "VAT"},'
        ' "fallback_products": {"default": "p"}}'
    )

    assert settings.invoice_scope is InvoiceScope.AR_ONLY
    assert str(settings.start_date) == "2026-01-01"
    assert settings.tax_types == {"NL:STANDARD": "VAT"}
    assert settings.fallback_products.default == "p"


@pytest.mark.parametrize(
    ("values", "path", "allowed"),
    [
        ({"invoice_scope": "PARTIAL"}, "invoice_scope", "FULL, REVENUE_RECOGNITION_ONLY or AR_ONLY"),
        ({"tax_amount_on": "lines"}, "tax_amount_on", "items, header or both"),
        ({"tax_types": {"NL": "BTW"}}, "tax_types.NL", "VAT, SALES_TAX or none"),
        ({"workflows": {"export_invoice": "perhaps"}}, "workflows.export_invoice", "true or false"),
        ({"start_date": "soon"}, "start_date", "a day such as 2026-01-31"),
        ({"tax_country": "Netherlands"}, "tax_country", "two capital letters such as NL"),
        ({"solvimon": {"webhook_max_age_seconds": -1}}, "solvimon.webhook_max_age_seconds", "at least 0"),
        ({"solvimon": {"base_url": "ftp://x"}}, "solvimon.base_url", "https://"),
        ({"fallback_products": {"discount": 7}}, "fallback_products.discount", "a text in quotes"),
        ({"time_zones": {"PST": None}}, "time_zones.PST", "a text in quotes"),
    ],
)
def test_a_bad_value_names_its_path_and_what_is_allowed(
    values: dict[str, object], path: str, allowed: str
) -> None:
    message = refused(**values)

    assert message.startswith(f"{path}: ")
    assert allowed in message


@pytest.mark.parametrize(
    ("values", "path", "meant"),
    [
        ({"invoice_scop": "FULL"}, "invoice_scop", "invoice_scope"),
        ({"workflows": {"export_invoices": True}}, "workflows.export_invoices", "workflows.export_invoice"),
        ({"fallback_products": {"Default": "p"}}, "fallback_products.Default", "fallback_products.default"),
        ({"export_invoice": False}, "export_invoice", "workflows.export_invoice"),
        ({"colour": "red"}, "colour", None),
    ],
)
def test_a_name_that_does_not_exist_is_refused_with_what_was_probably_meant(
    values: dict[str, object], path: str, meant: str | None
) -> None:
    suggestion = f" – did you mean {meant}?" if meant else ""

    assert refused(**values) == f"{path}: there is no such setting{suggestion}"


def test_all_slips_are_named_at_once() -> None:
    message = refused(invoice_scope="X", colour="red", tax_country="nl")

    assert {part.split(":")[0] for part in message.split("; ")} == {"invoice_scope", "tax_country", "colour"}


@pytest.mark.parametrize("text", ["[]", "null", "7", '"FULL"', "{", "not json", "{'a': 1}", "[" * 5000])
def test_what_is_no_json_object_is_refused(text: str) -> None:
    with pytest.raises(SettingsInvalid, match=r"^settings: "):
        Settings.parse(text)


@pytest.mark.parametrize("vendor", ["solvimon", "rillet"])
@pytest.mark.parametrize(
    ("address", "kept"),
    [
        ("https://acme.solvimon.com/v1", "https://acme.solvimon.com/v1"),
        ("https://acme.solvimon.com/v1/", "https://acme.solvimon.com/v1"),
        ("https://test.api.solvimon.com:443/v1", "https://test.api.solvimon.com:443/v1"),
        ("https://sandbox.api.rillet.com", "https://sandbox.api.rillet.com"),
    ],
)
def test_addresses_are_https_on_hosts_of_the_vendors(vendor: str, address: str, kept: str) -> None:
    settings = Settings.parse(json.dumps({vendor: {"base_url": address}}))

    assert getattr(settings, vendor).base_url == kept


@pytest.mark.parametrize("vendor", ["solvimon", "rillet"])
@pytest.mark.parametrize(
    "address",
    [
        "http://api.rillet.com",
        "https://api.rillet.com:8443",
        "https://api.rillet.com@evil.example",
        "https://user:pass@api.rillet.com",
        "https://@api.rillet.com",
        "https://api.rillet.com?x",
        "https://api.rillet.com/#x",
        "https://api.rillet.com/a b",
        "https://api.rillet.com\n",
        "\thttps://api.rillet.com",
        "https://api.rillet.com\\@evil.example",
        "https://evil.example\\.rillet.com",
        "https://api.rillet.com.evil.example",
        "https://evilrillet.com",
        "https://rillet.com",
        "https://api.rillet.com:x",
        "https://аpi.rillet.com",
        "https://127.0.0.1",
        "http://127.0.0.1:8080/v1",
        "http://[::1]:8080",
        "http://127.0.0.1.example.com",
        "http://localhost@example.com",
        "http://example.com/127.0.0.1",
        "http://10.0.0.1",
        "http://0.0.0.0",
        "ftp://127.0.0.1",
        "//api.rillet.com",
        "api.rillet.com",
        "https://",
        "https://[::1",
        "file:///etc/passwd",
        "",
    ],
)
def test_other_addresses_are_refused(vendor: str, address: str) -> None:
    assert refused(**{vendor: {"base_url": address}}).startswith(f"{vendor}.base_url: ")


def test_settings_cannot_be_changed() -> None:
    settings = Settings()

    with pytest.raises(ValidationError, match="frozen"):
        settings.invoice_scope = InvoiceScope.AR_ONLY  # type: ignore[misc]
    with pytest.raises(ValidationError, match="frozen"):
        settings.solvimon.base_url = "https://evil.example"  # type: ignore[misc]


def test_two_connections_do_not_share_their_tables() -> None:
    one, other = Settings(), Settings()

    assert one.tax_types is not other.tax_types
    assert one.time_zones is not other.time_zones


def test_every_setting_says_what_it_is() -> None:
    parts = [Settings, *(field.annotation for field in Settings.model_fields.values())]
    models = [part for part in parts if isinstance(part, type) and hasattr(part, "model_fields")]

    silent = [
        f"{model.__name__}.{name}"
        for model in models
        for name, field in model.model_fields.items()
        if not field.description
    ]

    assert len(models) > 5
    assert silent == []


def test_the_deployment_says_where_credentials_may_be_sent() -> None:
    environment = {"VENDOR_HOSTS": "billing.example,*.books.example"}
    hosts = AllowedHosts.from_environment(environment)

    settings = Settings.parse('{"solvimon": {"base_url": "https://billing.example/v1"}}', hosts)

    assert settings.solvimon.base_url == "https://billing.example/v1"
    with pytest.raises(SettingsInvalid, match="parameter VendorHosts"):
        Settings.parse('{"rillet": {"base_url": "https://api.rillet.com"}}', hosts)
    with pytest.raises(SettingsInvalid, match="https://"):
        Settings.parse('{"solvimon": {"base_url": "http://billing.example"}}', hosts)


def test_http_is_for_the_local_system_alone_by_a_flag_of_its_own() -> None:
    local = AllowedHosts.from_environment({"VENDOR_HOSTS": "127.0.0.1", "LOCAL_SYSTEM_ALLOWS_HTTP": "true"})

    settings = Settings.parse('{"rillet": {"base_url": "http://127.0.0.1:8080"}}', local)

    assert settings.rillet.base_url == "http://127.0.0.1:8080"
    with pytest.raises(SettingsInvalid):
        Settings.parse('{"rillet": {"base_url": "http://127.0.0.2:8080"}}', local)


@pytest.mark.parametrize("link", ["javascript:alert(1)", "http://desk.example/{id}", "https://a b/{id}", "x"])
def test_a_link_is_an_https_address(link: str) -> None:
    with pytest.raises(SettingsInvalid, match=r"solvimon\.desk_invoice_url"):
        Settings.parse(json.dumps({"solvimon": {"desk_invoice_url": link}}))


@pytest.mark.parametrize(("vendor", "days"), [("solvimon", 7), ("rillet", 14)])
def test_the_accepted_age_of_a_webhook_is_bounded(vendor: str, days: int) -> None:
    Settings.parse(json.dumps({vendor: {"webhook_max_age_seconds": days * 86_400}}))

    with pytest.raises(SettingsInvalid, match=f"{vendor}.webhook_max_age_seconds"):
        Settings.parse(json.dumps({vendor: {"webhook_max_age_seconds": days * 86_400 + 1}}))
