"""The fields of a payment (OpenAPI and SDK facts); there is no call that changes one."""

from local.fake_solvimon.field_checks import AMOUNT, FREE_TEXT, anything, choice, text, timestamp
from local.fake_solvimon.resources.resource import Resource

AUTHORIZED = "AUTHORIZED"
"""The value for success: there is no CAPTURED or SETTLED."""

RESULTS = ("AUTHORIZED", "CANCELLED", "CHARGED_BACK", "ERROR", "PENDING", "REFUSED", "REFUNDED")

PAYMENTS = Resource(
    collection="payments",
    object_type="PAYMENT",
    prefix="paym",
    writable={
        "timestamp": timestamp,
        "customer_id": FREE_TEXT,
        "invoice_id": FREE_TEXT,
        "payment_acceptor_id": FREE_TEXT,
        "payment_acceptor_reference": FREE_TEXT,
        "payment_method_id": FREE_TEXT,
        "payment_method_details": anything,
        "integration_payment_method_reference": FREE_TEXT,
        "external_reference": text(most=256),
        "reference": FREE_TEXT,
        "amount": AMOUNT,
        "result": choice(*RESULTS),
        "result_details": anything,
        "dunning_action_details": anything,
        "context": anything,
    },
    read_only=frozenset({"object_type", "id", "created_at", "customer", "updated_at"}),
    required=("external_reference", "result"),
    orderable=frozenset({"created_at", "timestamp"}),
    filters=frozenset({"external_reference", "invoice_id", "customer_id"}),
    listing="paged",
    announced=False,
)
