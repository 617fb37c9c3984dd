"""The fields of each resource: writable with their rules, read-only, required (OpenAPI and SDK facts)."""

from local.fake_solvimon.field_checks import (
    COUNTRY,
    CURRENCY,
    EMAIL,
    FREE_TEXT,
    ONE_LINE,
    ONE_LINE_PATTERN,
    REFERENCE,
    anything,
    choice,
    flag,
    list_of,
    record,
    text,
    timestamp,
    whole_number,
)
from local.fake_solvimon.resources.payment_definition import PAYMENTS
from local.fake_solvimon.resources.resource import Resource, names

_STATUS_CALLS = {"activate": "ACTIVE", "deprecate": "DEPRECATED", "archive": "ARCHIVED"}
_TAX_CATEGORY = choice("STANDARD", "NO_TAX", "EXEMPT")
_ADDRESS = record(
    line1=FREE_TEXT, line2=FREE_TEXT, city=FREE_TEXT, postal_code=FREE_TEXT, state=FREE_TEXT, country=COUNTRY
)
_TAX_ID = record(
    id=FREE_TEXT,
    type=choice(*names("GENERIC_TAX_ID AU_GST CA_GST_HST CA_PST CA_PST_BC CA_PST_MB CA_PST_SK CA_QST")),
    display_name=anything,
    tax_id_validation_result=anything,
)
_TAX_REGISTRATION = record(
    id=FREE_TEXT,
    description=FREE_TEXT,
    tax_id=FREE_TEXT,
    tax_ids=list_of(_TAX_ID),
    registration_number=FREE_TEXT,
    registered_address=_ADDRESS,
)
_CUSTOM_FIELD_VALUE = record(
    id=FREE_TEXT,
    reference=REFERENCE,
    value=FREE_TEXT,
    values=list_of(FREE_TEXT),
    integration_id=FREE_TEXT,
    integration_details=anything,
)
_LINKED_INTEGRATION = record(
    id=FREE_TEXT, link_details=list_of(record(url=FREE_TEXT, custom_field_name=FREE_TEXT))
)
_CUSTOM_FIELDS = list_of(_CUSTOM_FIELD_VALUE)
_LINKED_INTEGRATIONS = list_of(_LINKED_INTEGRATION)

CUSTOMERS = Resource(
    collection="customers",
    object_type="CUSTOMER",
    prefix="cust",
    writable={
        "type": choice("ORGANIZATION", "INDIVIDUAL"),
        "reference": REFERENCE,
        "status": choice("DRAFT", "ACTIVE", "ARCHIVED", "DEPRECATED", "CLOSED"),
        "email": EMAIL,
        "timezone": FREE_TEXT,
        "locale": FREE_TEXT,
        "organization": record(
            legal_name=text(ONE_LINE_PATTERN, least=1, most=256),
            tax_id=FREE_TEXT,
            tax_ids=list_of(_TAX_ID),
            registration_number=FREE_TEXT,
            tax_exempt=flag,
            tax_exempt_note=FREE_TEXT,
            registered_address=_ADDRESS,
            tax_registrations=list_of(_TAX_REGISTRATION),
        ),
        "individual": record(
            name=record(first_name=FREE_TEXT, last_name=FREE_TEXT, infix=FREE_TEXT),
            residential_address=_ADDRESS,
        ),
        "custom_fields": _CUSTOM_FIELDS,
        "parent_customer_id": FREE_TEXT,
        "parent_customer_ids": list_of(FREE_TEXT),
        "roles": list_of(choice("DEFAULT", "NON_PROCESSING", "SELF_BILLING", "SELLER", "PROCESSING_ONLY")),
        "processing_only": flag,
        "seller_details": record(default_billing_entity_id=FREE_TEXT),
        "notification_preferences": list_of(anything),
        "pricing_plan_subscription_selector": anything,
        "linked_integrations": _LINKED_INTEGRATIONS,
    },
    read_only=frozenset({"object_type", "id", "created_at"}),
    required=("type",),
    defaults={"status": "DRAFT"},
    orderable=frozenset({"reference", "email", "created_at", "status", "name"}),
    filters=frozenset({"reference", "custom_field"}),
    listing="paged",
    transitions=_STATUS_CALLS,
)

PRODUCT_CATEGORIES = Resource(
    collection="product-categories",
    object_type="PRODUCT_CATEGORY",
    prefix="proc",
    writable={
        "name": ONE_LINE,
        "reference": REFERENCE,
        "description": ONE_LINE,
        "tax_category": _TAX_CATEGORY,
        "display_order": whole_number,
        "customer_id": FREE_TEXT,
    },
    read_only=frozenset({"object_type", "id"}),
    required=("name", "reference"),
    filters=frozenset({"customer_id"}),
)

PRODUCTS = Resource(
    collection="products",
    object_type="PRODUCT",
    prefix="prod",
    writable={
        "category_id": FREE_TEXT,
        "parent_product_id": FREE_TEXT,
        "name": ONE_LINE,
        "reference": REFERENCE,
        "description": ONE_LINE,
        "status": choice("DRAFT", "ACTIVE", "ARCHIVED", "DEPRECATED"),
        "product_type": choice("DEFAULT", "ADDON"),
        "tax_category": _TAX_CATEGORY,
        "features": list_of(anything),
        "custom_fields": _CUSTOM_FIELDS,
        "display_order": whole_number,
        "linked_integrations": _LINKED_INTEGRATIONS,
        "billing_entity_id": FREE_TEXT,
        "agent_context": anything,
    },
    read_only=frozenset({"object_type", "id", "category", "customer_id"}),
    defaults={"status": "DRAFT", "product_type": "DEFAULT"},
    filters=frozenset({"statuses[]", "custom_field", "product_category_id", "customer_id"}),
    transitions=_STATUS_CALLS,
)

BILLING_ENTITIES = Resource(
    collection="billing-entities",
    object_type="BILLING_ENTITY",
    prefix="bile",
    writable={
        "reference": REFERENCE,
        "status": FREE_TEXT,
        "timezone": FREE_TEXT,
        "legal_name": FREE_TEXT,
        "tax_id": text(r"[a-zA-Z0-9\-]*", most=256),
        "tax_ids": list_of(_TAX_ID),
        "registration_number": FREE_TEXT,
        "registered_address": _ADDRESS,
        "email": EMAIL,
        "tax_settings": record(apply_local_vat_for_missing_tax_id=flag),
        "tax_registrations": list_of(_TAX_REGISTRATION),
        "custom_fields": _CUSTOM_FIELDS,
        "default_customer_country_selector": list_of(COUNTRY),
        "default_billing_currency_selector": list_of(CURRENCY),
        "linked_integrations": _LINKED_INTEGRATIONS,
    },
    read_only=frozenset({"object_type", "id", "created_at"}),
    required=("reference",),
    defaults={"status": "ACTIVE"},
    orderable=frozenset({"reference", "created_at", "status", "name"}),
    filters=frozenset({"custom_field"}),
    listing="bare",
)

CUSTOM_FIELDS = Resource(
    collection="custom-fields",
    object_type="CUSTOM_FIELD",
    prefix="cufi",
    writable={
        "reference": REFERENCE,
        "name": FREE_TEXT,
        "description": FREE_TEXT,
        "resource_type": choice(
            *names(
                """
                PLATFORM CUSTOMER BILLING_ENTITY METER METER_VALUE METER_PROPERTY METER_VALUE_CALCULATION
                PRODUCT PRODUCT_ITEM PRODUCT_CATEGORY PRICING PRICING_ITEM PRICING_ITEM_CONFIG
                PRICING_ITEM_SUMMARY METER_VALUE_CALCULATION_SUMMARY PRICING_PLAN PRICING_PLAN_VERSION
                PRICING_PLAN_SUBSCRIPTION PRICING_PLAN_SCHEDULE QUOTE QUOTE_VERSION CONTACT CUSTOM_FIELD
                REQUEST_REFERENCE METER_DATA CHARGE_DATA ADJUSTMENT_DATA PERSIST_DATA INVOICE
                INVOICE_PAYMENT_ATTEMPT PAYMENT_ACCEPTOR PAYMENT_SCHEDULE PAYMENT_REQUEST FEATURE ALERT_RULE
                ALERT USER MEMBERSHIP TEAM ENTITY ACCOUNT_GROUP AUDIT WEBHOOK REPORT_SUBSCRIPTION
                REPORT_CONFIGURATION
                """
            )
        ),
        "type": choice("STRING", "NUMBER", "BOOLEAN", "ENUM"),
        "enum_values": list_of(FREE_TEXT),
        "multiple_values": flag,
        "unique_value": flag,
        "copy_value_to_invoice": flag,
        "integration_id": FREE_TEXT,
    },
    read_only=frozenset({"object_type", "id", "integration_reference", "integration_type"}),
    required=("reference", "resource_type"),
    defaults={
        "type": "STRING",
        "multiple_values": False,
        "unique_value": False,
        "copy_value_to_invoice": False,
    },
    filters=frozenset({"resource_type", "reference", "integration_id"}),
    listing="paged",
    announced=False,
)

INVOICES = Resource(
    collection="invoices",
    object_type="INVOICE",
    prefix="invo",
    writable={
        "purchase_order_number": FREE_TEXT,
        "customer_id": FREE_TEXT,
        "customer_reference": REFERENCE,
        "sales_tax_percentage": FREE_TEXT,
        "billing_entity_id": FREE_TEXT,
        "status": FREE_TEXT,
        "on_hold": flag,
        "paid": flag,
        "type": choice("STANDARD", "CREDIT", "ONE_OFF", "ONE_OFF_CREDIT"),
        "invoice_date": timestamp,
        "due_date": timestamp,
        "pricing_amount_type": choice("EXCLUDING_TAX", "INCLUDING_TAX"),
        "periods": list_of(anything),
        "payment_acceptor_ids": list_of(FREE_TEXT),
        "pay_invoice_link": anything,
        "notes": list_of(FREE_TEXT),
        "linked_invoices_ids": list_of(FREE_TEXT),
        "custom_fields": _CUSTOM_FIELDS,
        "reprocess": anything,
        "linked_integrations": _LINKED_INTEGRATIONS,
        "billing_type": choice("DEFAULT", "SELF_BILLING"),
        "payment_status": choice("UNPAID", "PARTIALLY_PAID", "PAID", "OVERPAID"),
    },
    read_only=frozenset(
        names(
            """
            object_type id invoice_number platform_id customer billing_entity created_at updated_at
            delivery_date billing_period_date billing_currency invoice_amount_including_tax
            open_invoice_amount closed_invoice_amount paid_invoice_amount timezone billing_period
            pricing_plan_subscription_ids pricing_plan_schedule_ids closed_periods tax_categories
            tax_summary auto_rescues dunning_actions payment_actions linked_invoices other_custom_fields
            credit e_invoices used_exchange_rates processing_only_customers meter_values credit_types
            meter_property_variables display_invoice_sub_lines_per_processing_only_customer
            show_original_customer_invoice_line show_tax_per_line_item forwarded_from_customers
            validation_result to_be_reprocessed to_be_reprocessed_at used_tax_registration footnote
            approval_status updated_to_final_at has_usage_based_pricing coupons promotion_codes
            """
        )
    ),
    orderable=frozenset(
        {"invoice_number", "invoice_date", "due_date", "invoice_amount_including_tax", "status", "created_at"}
    ),
    listing="paged",
)

CATALOGUE = (CUSTOMERS, PRODUCTS, PRODUCT_CATEGORIES, BILLING_ENTITIES)
ALL = (*CATALOGUE, CUSTOM_FIELDS, INVOICES, PAYMENTS)
WEBHOOKS = Resource(
    collection="webhooks",
    object_type="WEBHOOK",
    prefix="whk",
    writable={
        "url": text(r"https?://\S+"),
        "name": FREE_TEXT,
        "reference": FREE_TEXT,
        "included_actions": list_of(FREE_TEXT),
        "excluded_actions": list_of(FREE_TEXT),
        "active": flag,
        "include_previous_data": flag,
        "authentication_type": choice("PASSWORD", "API_KEY", "NONE"),
        "username": text(r"[a-zA-Z0-9!#$%&-_.*]*", most=256),
        "password": text(r"[a-zA-Z0-9!#$%&-_.*]*", most=256),
        "api_header_field": text(r"[a-zA-Z0-9_\-]*", most=256),
        "api_key": text(r"[a-zA-Z0-9]*", most=256),
        "signing_protocol": FREE_TEXT,
        "previous_signing_protocol": FREE_TEXT,
        "secret_rolled_at": timestamp,
    },
    read_only=frozenset(
        names("object_type id secret_key previous_secret_key penalty_box penalty_box_data disabled_reason")
    ),
    required=("url", "name", "reference"),
    defaults={"active": True, "include_previous_data": False, "authentication_type": "NONE"},
    orderable=frozenset({"name", "reference"}),
    listing="paged",
)
