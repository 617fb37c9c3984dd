"""Before the first row: the custom field for the Rillet id and the category for products, in Solvimon."""

from solvimon_rillet.connections.connection import Connection
from solvimon_rillet.errors import Code, NeedsAttention
from solvimon_rillet.fingerprint import idempotency_key
from solvimon_rillet.mapping.products import CATEGORY_NAME
from solvimon_rillet.solvimon.rejections import AlreadyExists, NotFound
from solvimon_rillet.workflows.imports.context import ImportTarget
from solvimon_rillet.workflows.imports.resource import ImportedResource, Json


class ImportSetup:
    """Finds or creates the custom field and the category.

    Attributes:
        notes: for people.
        writes: requests that change something in Solvimon.
    """

    def __init__(
        self, resource: ImportedResource, run: str, connection: Connection, *, dry_run: bool
    ) -> None:
        self._resource = resource
        self._run = run
        self._settings = connection.settings
        self._solvimon = connection.solvimon
        self._dry_run = dry_run
        self.notes: list[str] = []
        self.writes = 0

    def target(self) -> ImportTarget:
        """The custom field and the category.

        Raises:
            NeedsAttention: the custom field cannot hold a Rillet id, or Solvimon refuses to create it.
            RetryLater, OutcomeUnknown: Solvimon does not answer.
        """
        is_new = self.ensure_custom_field()
        return ImportTarget(is_new, self._ensure_category() if self._resource.categorised else "")

    def ensure_custom_field(self) -> bool:
        """Find or create the definition of the custom field, and return whether it is new.

        Raises:
            NeedsAttention: it cannot hold a Rillet id, or Solvimon refuses to create it.
            RetryLater, OutcomeUnknown: Solvimon does not answer.
        """
        reference = self._resource.reference(self._settings)
        definition: Json = {
            "reference": reference,
            "name": self._resource.field_name,
            "resource_type": self._resource.resource_type,
            "type": "STRING",
            "multiple_values": False,
            "unique_value": True,
            # It links records; a customer must not see it on an invoice.
            "copy_value_to_invoice": False,
        }
        found = self._find_definition(reference)
        if found is None and self._create("custom-fields", definition):
            return True
        found = found or self._find_definition(reference)
        if found is None:
            raise self._unusable(reference, "belongs to another kind of records")
        if found.get("type") not in (None, "STRING") or found.get("multiple_values"):
            raise self._unusable(reference, "does not hold one text")
        if not found.get("unique_value"):
            self.notes.append(
                f"The custom field {self._resource.field_name} is not unique in Solvimon. Make it unique: "
                "then Solvimon itself refuses a second record for the same row."
            )
        return False

    def _find_definition(self, reference: str) -> Json | None:
        identity = {"resource_type": self._resource.resource_type, "reference": reference}
        listed = self._solvimon.find_all("custom-fields", **identity)
        return next((each for each in listed if identity.items() <= each.items()), None)

    def _ensure_category(self) -> str:
        """Find or create the category, and return its id."""
        reference = self._settings.product_category
        category: Json = {"reference": reference, "name": CATEGORY_NAME}
        found = self._solvimon.find("product-categories", reference)
        found = found or self._create("product-categories", category)
        found = found or self._solvimon.find("product-categories", reference)
        if found is None:
            raise NeedsAttention(
                Code.REFUSED_BY_SOLVIMON,
                f"Solvimon says that the category {reference} exists, but does not show it.",
                "Name another reference in the setting product_category, then import again.",
            )
        return str(found["id"])

    def _create(self, collection: str, record: Json) -> Json | None:
        """Create a record; ``None`` if another program created it first."""
        if self._dry_run:
            self.notes.append(f"{record['name']} ({record['reference']}) would be created in Solvimon.")
            return {"id": f"(new {record['reference']})", **record}
        self.writes += 1
        # The key differs by run, so that the next run creates the record again after a deletion.
        key = idempotency_key(self._run, collection, record["reference"])
        try:
            return self._solvimon.create(collection, record, key)
        except AlreadyExists:
            return None
        except NotFound:
            raise NeedsAttention(
                Code.REFUSED_BY_SOLVIMON,
                f"Solvimon answers 404 to the creation of {record['reference']} in {collection}.",
                "Check solvimon.base_url and solvimon.platform_id in the settings, then import again.",
            ) from None

    def _unusable(self, reference: str, why: str) -> NeedsAttention:
        return NeedsAttention(
            Code.CUSTOM_FIELD_UNUSABLE,
            f"Solvimon has a custom field {reference}, but it {why}.",
            f"Name another reference in the setting custom_fields.{self._resource.name}, then import again.",
        )
