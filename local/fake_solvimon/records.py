"""The records of one Solvimon platform, with its keys, ids and webhooks, apart from every other platform."""

import hashlib
import pickle
import threading
from collections.abc import Callable, Mapping
from copy import deepcopy

from local.fake_solvimon import custom_values, timestamps
from local.fake_solvimon.calls import SolvimonAnswers
from local.fake_solvimon.errors import Json, already_exists, invalid_field, not_found
from local.fake_solvimon.resources.definitions import ALL, INVOICES, PRODUCT_CATEGORIES, PRODUCTS, WEBHOOKS
from local.fake_solvimon.resources.resource import Resource
from local.fake_solvimon.webhooks import Delivery, Webhook, Webhooks

_RESOURCES = {resource.collection: resource for resource in ALL}


class Records:
    """All that a platform holds.

    Attributes:
        id: Its Solvimon id.
        roles: Role by API key: ADMINISTRATOR or READ_ONLY.
        records: Records by collection and id, as the API shows them. Tests may read and change them; the
            API's own changes take `lock`.
        made_at: When each record was made by a call or finalised, in Unix seconds.
        integrations: Ids of the integrations that a user has set up in Desk.
        put_replaces: Whether PUT clears the fields it leaves out. Solvimon does not say; true is the
            reading that punishes a careless caller.
    """

    def __init__(
        self, ordinal: int, roles: dict[str, str], clock: Callable[[], float], webhooks_on: Callable[[], bool]
    ) -> None:
        self._ordinal = ordinal
        self._clock = clock
        self._made = 0
        self.roles = roles
        self.lock = threading.RLock()
        self.id = self.new_id("plat")
        self.records: dict[str, dict[str, Json]] = {name: {} for name in _RESOURCES}
        self.made_at: dict[str, float] = {}
        self.idempotency = SolvimonAnswers(clock)
        self.webhooks = Webhooks(clock, webhooks_on)
        self.integrations: set[str] = set()
        self.put_replaces = True

    def load(self, seed: Mapping[str, list[Json]]) -> None:
        """Add a seed's records as they are, without events.

        Raises:
            ValueError: A collection does not exist, or an id or reference comes twice.
        """
        with self.lock:
            for name, records in seed.items():
                collection = name.replace("_", "-")
                if collection not in self.records:
                    raise ValueError(f"{name} is not one of {', '.join(self.records)}")
                for record in records:
                    self._load(_RESOURCES[collection], pickle.loads(pickle.dumps(record)))  # noqa: S301 - a copy of ours

    def _load(self, resource: Resource, record: Json) -> None:
        kept = self.records[resource.collection]
        references = {other.get("reference") for other in kept.values()} - {None}
        if record.get("id") in kept or record.get("reference") in references:
            raise ValueError(f"{resource.object_type} {record.get('id')} comes twice")
        record.setdefault("id", self.new_id(resource.prefix))
        record.setdefault("object_type", resource.object_type)
        if resource is INVOICES:
            record.setdefault("platform_id", self.id)
        kept[record["id"]] = record

    def new_id(self, prefix: str) -> str:
        """Return a new id such as `cust_…`; the same calls give the same ids in every run."""
        self._made += 1
        digest = hashlib.sha256(f"{self._ordinal}/{prefix}/{self._made}".encode()).hexdigest()
        return f"{prefix}_{digest[:20]}"

    def find(self, resource: Resource, key: str, *, by_reference: bool = True) -> Json:
        """Return the record of an id or, case-sensitive, of a reference.

        Raises:
            ApiProblem: 404 RESOURCE_NOT_FOUND.
        """
        kept = self.records[resource.collection]
        if key in kept:
            return kept[key]
        for record in kept.values() if by_reference else ():
            if record.get("reference") == key:
                return record
        raise not_found(resource.object_type, key)

    def create(self, resource: Resource, body: Json, request_id: str | None = None) -> Json:
        """Add a new record from a caller's body and send its event.

        Raises:
            ApiProblem: The body is refused.
        """
        with self.lock:
            values = self.checked(resource, body, new=True, own_id=None)
            record: Json = {"object_type": resource.object_type, "id": self.new_id(resource.prefix)}
            if "created_at" in resource.read_only:
                record["created_at"] = timestamps.to_text(self._clock())
            record |= deepcopy(dict(resource.defaults)) | without_nulls(values)
            self.records[resource.collection][record["id"]] = record
            self.made_at[record["id"]] = self._clock()
            if resource.announced:
                self.webhooks.emit(f"{resource.object_type}.CREATED", record, request_id)
            return record

    def change(
        self,
        resource: Resource,
        record: Json,
        body: Json,
        request_id: str | None = None,
        *,
        upsert: bool = False,
    ) -> Json:
        """Change a record and announce it; nested objects and lists are replaced whole, a null clears.

        Args:
            resource: What kind of record it is.
            record: The record, changed in place.
            body: The caller's body.
            request_id: The request behind it.
            upsert: The body came by PUT: it must be complete, and what it leaves out is cleared (but the
                status) where `put_replaces` says so.

        Raises:
            ApiProblem: The body is refused.
        """
        with self.lock:
            values = self.checked(resource, body, new=upsert, own_id=record["id"])
            if upsert and self.put_replaces:
                for name in resource.writable.keys() - {"status"}:
                    record.pop(name, None)
                record |= {n: deepcopy(v) for n, v in resource.defaults.items() if n not in record}
            apply(record, values)
            self.webhooks.emit(f"{resource.object_type}.UPDATED", record, request_id)
            return record

    def checked(self, resource: Resource, body: Json, *, new: bool, own_id: str | None) -> Json:
        """Return the writable part of a body once it obeys the rules that need the other records.

        Raises:
            ApiProblem: The body is refused.
        """
        values = resource.accept(body, new=new)
        reference = values.get("reference")
        if reference is not None:
            for other in self.records[resource.collection].values():
                if other.get("reference") == reference and other["id"] != own_id:
                    raise already_exists(resource.object_type, reference, other["id"])
        if values.get("custom_fields"):
            values["custom_fields"] = custom_values.resolve(
                resource.object_type,
                values["custom_fields"],
                list(self.records["custom-fields"].values()),
                [r for r in self.records[resource.collection].values() if r["id"] != own_id],
            )
        self._check_integrations(values.get("linked_integrations") or [])
        category = values.get("category_id") if resource is PRODUCTS else None
        if category is not None and category not in self.records[PRODUCT_CATEGORIES.collection]:
            raise not_found(PRODUCT_CATEGORIES.object_type, category, "category_id")
        return values

    def _check_integrations(self, linked: list[Json]) -> None:
        """Refuse a link to what is no integration of the platform, and a link without one.

        Solvimon requires no field of it (OpenAPI `LinkedIntegrationUpdateRequest`); the fake is stricter.
        """
        for index, each in enumerate(linked):
            if each.get("id") not in self.integrations:
                raise invalid_field(f"linked_integrations.{index}.id", "there is no such integration")

    def add_webhook(self, url: str, secret: str | None, actions: list[str] | None = None) -> Webhook:
        """Configure a receiver, as a user does in Desk; without actions it gets every event."""
        number = len(self.webhooks.webhooks) + 1
        body: Json = {"url": url, "name": f"Webhook {number}", "reference": f"webhook-{number}"}
        if actions is not None:
            body["included_actions"] = actions
        return self.webhooks.add(self.new_webhook(body), secret)

    def new_webhook(self, body: Json) -> Json:
        """Return a webhook's record from a caller's body.

        Raises:
            ApiProblem: The body is refused.
        """
        values = WEBHOOKS.accept(body, new=True)
        for webhook in self.webhooks.webhooks.values():
            if webhook.record["reference"] == values["reference"]:
                raise already_exists("WEBHOOK", values["reference"], webhook.record["id"])
        identity = {"object_type": "WEBHOOK", "id": self.new_id(WEBHOOKS.prefix)}
        return identity | dict(WEBHOOKS.defaults) | without_nulls(values)

    def deliver_webhooks(self) -> list[Delivery]:
        """Send every event that is due by the clock and return the attempts."""
        return self.webhooks.deliver()

    def sign(self, body: bytes, at: float | None = None, webhook_id: str | None = None) -> dict[str, str]:
        """Return the headers a delivery of this body carries (see `Webhooks.sign`)."""
        return self.webhooks.sign(body, at, webhook_id)


def apply(record: Json, values: Json) -> None:
    """Write values into a record, in place; a null takes a field away."""
    for name, value in values.items():
        if value is None:
            record.pop(name, None)
        else:
            record[name] = value


def without_nulls(values: Json) -> Json:
    """Return the values that are there."""
    return {name: value for name, value in values.items() if value is not None}
