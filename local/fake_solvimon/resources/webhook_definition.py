"""The fields of a webhook's configuration (OpenAPI and SDK facts)."""

from local.fake_solvimon.field_checks import FREE_TEXT, choice, flag, list_of, text, timestamp
from local.fake_solvimon.resources.resource import Resource, names

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
