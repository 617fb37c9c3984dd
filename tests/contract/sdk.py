"""Solvimon's official Python SDK, pointed at the fake Solvimon, and its models as readers of our payloads."""

import importlib
import importlib.util
import json
import re
import sys
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from local.fake_solvimon import FakeSolvimon
from local.sample_data import expected

Json = dict[str, Any]

PACKAGE = "solvimon_python_sdk"
VERSION = "1"
INSTALLED = importlib.util.find_spec(PACKAGE) is not None


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


class _Package(ModuleType):
    """A package of the SDK without its `__init__`, which loads 900 models and takes ten seconds.

    A class comes from the module of its name when it is asked for.
    """

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - a class of the SDK
        if name.startswith("__"):
            raise AttributeError(name)
        found = getattr(importlib.import_module(f"{self.__name__}.{_snake(name)}"), name)
        setattr(self, name, found)
        return found


class Sdk:
    """The SDK with a client for one platform.

    Args:
        models: its package of models.
        client: its client.
    """

    def __init__(self, models: Any, client: Any) -> None:  # noqa: ANN401 - of the SDK
        self.models = models
        self._client = client

    def api(self, name: str) -> Any:  # noqa: ANN401 - a class of the SDK
        """One of its APIs, such as `customers`."""
        module = importlib.import_module(f"{PACKAGE}.api.{name}_api")
        cls = "".join(part.capitalize() for part in name.split("_")) + "Api"
        return getattr(module, cls)(self._client)

    def model(self, schema: str) -> Any:  # noqa: ANN401 - a class of the SDK
        """The model of a schema; where both APIs have one, the Transaction API's has its name after it."""
        try:
            return getattr(self.models, f"{schema}Transaction")
        except ModuleNotFoundError:
            return getattr(self.models, schema)

    def body(self, model: str, /, **fields: Any) -> Json:
        """A request's body as one of its models, named as its methods expect it."""
        return {_snake(model): getattr(self.models, model).from_dict(fields)}


@contextmanager
def sdk(origin: str, api_key: str) -> Iterator[Sdk]:
    """Load the SDK and point it at a host."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(f"{PACKAGE} is not installed", name=PACKAGE)
    before = {name: module for name, module in sys.modules.items() if name.split(".")[0] == PACKAGE}
    root = spec.submodule_search_locations[0]
    packages: dict[str, ModuleType] = {"": ModuleType(PACKAGE), ".models": _Package(f"{PACKAGE}.models")}
    packages[".api"] = ModuleType(f"{PACKAGE}.api")
    for name, module in packages.items():
        module.__path__ = [root + name.replace(".", "/")]
        sys.modules[module.__name__] = module
    packages[""].models = packages[".models"]  # type: ignore[attr-defined]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            configuration = importlib.import_module(f"{PACKAGE}.configuration").Configuration
            client = importlib.import_module(f"{PACKAGE}.api_client").ApiClient
            with client(configuration(host=origin, api_key={"API-Key": api_key})) as opened:
                yield Sdk(packages[".models"], opened)
    finally:
        for name in [name for name in sys.modules if name.split(".")[0] == PACKAGE]:
            del sys.modules[name]
        sys.modules.update(before)


def use(sdk: Sdk, fake: FakeSolvimon, api_key: str) -> None:
    """Do what the SDK's users do with a platform that has the demo's data.

    Raises:
        ApiException, ValidationError: of the SDK: the fake refuses a call, or answers what it cannot read.
        RuntimeError: what came back is not what was written.
    """
    _fields_and_catalogue(sdk)
    _customers(sdk)
    _billing_entities(sdk)
    _invoices(sdk, fake, api_key)
    _webhooks(sdk)


def _fields_and_catalogue(sdk: Sdk) -> None:
    fields = sdk.api("custom_fields")
    request: Json = {
        "reference": "sdk_field",
        "resource_type": "PRODUCT",
        "name": "A field",
        "type": "STRING",
    }
    made = fields.post_custom_fields(VERSION, **sdk.body("CustomFieldCreateRequest", **request))
    _same(fields.get_custom_fields_by_resource_id(VERSION, made.id).reference, "sdk_field")
    _same([each.id for each in fields.get_custom_fields(VERSION, reference="sdk_field").data], [made.id])
    categories, products = sdk.api("product_categories"), sdk.api("products")
    request = {"reference": "sdk-category", "name": "Category"}
    category = _written_twice(sdk, "product_categories", "ProductCategory", request, name="Renamed")
    request = {
        "reference": "sdk-product",
        "name": "Product",
        "category_id": category.id,
        "custom_fields": [{"reference": "sdk_field", "value": "1"}],
    }
    product = _written_twice(sdk, "products", "Product", request, name="Renamed")
    products.post_products_by_resource_id_or_reference_activate(VERSION, product.id)
    products.post_products_by_resource_id_or_reference_archive(VERSION, product.id)
    _same(products.get_products_by_resource_id_or_reference(VERSION, "sdk-product").name, "Renamed")
    changed = sdk.body("ProductUpdateRequest", description="New")
    products.update_products_by_resource_id_or_reference(VERSION, product.id, **changed)
    _has(products.get_products(VERSION).data, product.id)
    everything = sdk.body("SearchCreateRequest")
    _has(products.post_products_search(VERSION, **everything, limit=100).data, product.id)
    _has(categories.post_product_categories_search(VERSION, **everything, limit=100).data, category.id)


def _customers(sdk: Sdk) -> None:
    customers = sdk.api("customers")
    request: Json = {
        "type": "ORGANIZATION",
        "reference": "sdk-customer",
        "email": "books@sdk.example",
        "organization": {"legal_name": "SDK B.V.", "registered_address": {"city": "Hoorn", "country": "NL"}},
    }
    made = _written_twice(sdk, "customers", "Customer", request, email="ap@sdk.example")
    _same(
        customers.get_customers_by_resource_id_or_reference(VERSION, "sdk-customer").email, "ap@sdk.example"
    )
    _same([each.id for each in customers.get_customers(VERSION, reference="sdk-customer").data], [made.id])
    changed = sdk.body("CustomerUpdateRequest", type="ORGANIZATION", locale="nl-NL")
    customers.update_customers_by_resource_id_or_reference(VERSION, made.id, **changed)
    customers.post_customers_by_resource_id_or_reference_activate(VERSION, made.id)
    _has(customers.post_customers_search(VERSION, **sdk.body("SearchCreateRequest"), limit=100).data, made.id)


def _billing_entities(sdk: Sdk) -> None:
    entities = sdk.api("billing_entities")
    request = {"reference": "sdk-entity", "legal_name": "SDK Holding", "timezone": "Europe/Amsterdam"}
    made = _written_twice(sdk, "billing_entities", "BillingEntity", request, legal_name="SDK Group")
    _same(entities.get_billing_entities_by_resource_id_or_reference(VERSION, made.id).legal_name, "SDK Group")
    _has(entities.get_billing_entities(VERSION).data, made.id)


def _invoices(sdk: Sdk, fake: FakeSolvimon, api_key: str) -> None:
    invoices, payments = sdk.api("invoices"), sdk.api("payments")
    platform = fake.state.platform(api_key)
    ids = [each["id"] for each in list(platform.records["invoices"].values())]
    for identifier in ids:
        platform.finalise(identifier)
    listed = invoices.get_invoices(
        VERSION, statuses=["FINAL"], include_periods=True, include_lines=True, limit=100
    )
    _same({each.id for each in listed.data}, set(ids))
    _same(len(invoices.post_invoices_search(VERSION, **sdk.body("SearchCreateRequest"), limit=5).data), 5)
    for identifier in ids:
        read, figures = invoices.get_invoices_by_resource_id(VERSION, identifier), expected()[identifier]
        _same(read.invoice_amount_including_tax.quantity, figures["gross"])
        _same(read.tax_summary.base_amount.quantity, figures["net"])
    for identifier in (ids[0], *ids[3:]):
        body = sdk.body("InvoiceActionCreditCreateRequest", note="A mistake")
        note = invoices.post_invoices_by_resource_id_credit(VERSION, identifier, **body)
        _same(invoices.get_invoices_by_resource_id(VERSION, note.id).credit.original_invoice_id, identifier)
    paid = {
        "external_reference": "sdk1",
        "result": "AUTHORIZED",
        "invoice_id": ids[1],
        "amount": {"quantity": "1.00", "currency": "EUR"},
    }
    made = payments.post_payments(VERSION, **sdk.body("PaymentCreateRequestTransaction", **paid))
    _has(invoices.get_invoices_by_resource_id_payments(VERSION, ids[1]).data, made.id)
    _has(payments.get_payments(VERSION, external_reference="sdk1").data, made.id)
    _same(payments.post_payments_by_resource_id_reverse(VERSION, made.id).status, "SUCCESS")
    changed = sdk.body("InvoiceUpdateRequest", paid=True, payment_status="PAID")
    _same(invoices.update_invoices_by_resource_id(VERSION, ids[2], **changed).paid, True)


def _webhooks(sdk: Sdk) -> None:
    webhooks = sdk.api("webhooks")
    request = {
        "reference": "sdk-webhook",
        "name": "A webhook",
        "url": "https://sdk.example/hook",
        "included_actions": ["INVOICE.STATUS_TO_FINAL"],
        "active": True,
    }
    made = webhooks.post_webhooks(VERSION, **sdk.body("WebhookCreateRequest", **request))
    webhooks.update_webhooks_by_resource_id_secret_key(VERSION, made.id)
    _same(webhooks.get_webhooks_by_resource_id(VERSION, made.id).url, request["url"])
    _has(webhooks.get_webhooks(VERSION).data, made.id)
    webhooks.get_webhooks_actions(VERSION)


def unreadable(sdk: Sdk, bodies: Mapping[str, Iterable[bytes]]) -> list[str]:
    """Load bodies into the SDK's models; return what cannot be loaded, and why.

    Args:
        sdk: the SDK.
        bodies: JSON by the name of its schema, which is the model's name too.
    """
    wrong = []
    for name, texts in bodies.items():
        model = sdk.model(name)
        for text in texts:
            try:
                model.from_dict(json.loads(text))
            except ValueError as error:  # pydantic's ValidationError is one
                wrong.append(f"{name}: {' '.join(str(error).split())[:300]}")
    return wrong


def _written_twice(sdk: Sdk, collection: str, model: str, request: Json, **changes: str) -> Any:  # noqa: ANN401 - of the SDK
    """Create a record by POST and change it by PUT, which finds it by its reference."""
    api = sdk.api(collection)
    create, update = getattr(api, f"post_{collection}"), getattr(api, f"update_{collection}")
    made = create(VERSION, **sdk.body(f"{model}CreateRequest", **request))
    again = update(VERSION, **sdk.body(f"{model}CreateRequest", **{**request, **changes}))
    _same(again.id, made.id)
    return made


def _same(found: object, expected: object) -> None:
    if found != expected:
        raise RuntimeError(f"the SDK reads {found!r} instead of {expected!r}")


def _has(rows: Iterable[Any], identifier: str) -> None:
    _same(identifier in {row.id for row in rows}, True)
