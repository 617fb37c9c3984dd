"""What has to be in Solvimon before the first row: the custom field for the Rillet id, and the category."""

from solvimon_rillet.errors import Code, NeedsAttention
from solvimon_rillet.mapping.products import CATEGORY_NAME
from solvimon_rillet.settings import Settings
from solvimon_rillet.solvimon.client import AlreadyExists, SolvimonClient
from solvimon_rillet.workflows.export.link_resolver import idempotency_key
from solvimon_rillet.workflows.imports.resource import ImportedResource, Json
from solvimon_rillet.workflows.imports.row import ImportTarget


class ImportSetup:
    """Finds what is there and creates what is missing, once.

    Attributes:
        notes: what a person should know.
        writes: calls that were to change something in Solvimon.
    """

    def __init__(
        self, kind: ImportedResource, run: str, settings: Settings, solvimon: SolvimonClient, *, dry_run: bool
    ) -> None:
        self._kind = kind
        self._run = run
        self._settings = settings
        self._solvimon = solvimon
        self._dry_run = dry_run
        self.notes: list[str] = []
        self.writes = 0

    def target(self) -> ImportTarget:
        """The custom field and the category, both there from now on.

        Raises:
            NeedsAttention: the custom field cannot hold a Rillet id, or Solvimon refuses to create it.
            RetryLater, OutcomeUnknown: Solvimon does not answer.
        """
        is_new = self._custom_field()
        return ImportTarget(is_new, self._category_id() if self._kind.categorised else "")

    def _custom_field(self) -> bool:
        """Find or create the definition, and say whether it is new."""
        reference = self._kind.reference(self._settings)
        wanted: Json = {
            "reference": reference,
            "name": self._kind.field_name,
            "resource_type": self._kind.resource_type,
            "type": "STRING",
            "multiple_values": False,
            "unique_value": True,
            # It links records; it has no business on an invoice that a customer sees.
            "copy_value_to_invoice": False,
        }
        found = self._definition(reference)
        if found is None and self._created("custom-fields", wanted):
            return True
        found = found or self._definition(reference)
        if found is None:
            raise self._unusable(reference, "belongs to another kind of records")
        if found.get("type") not in (None, "STRING") or found.get("multiple_values"):
            raise self._unusable(reference, "does not hold one text")
        if not found.get("unique_value"):
            self.notes.append(
                f"The custom field {self._kind.field_name} is not unique in Solvimon. Make it unique: then "
                "Solvimon itself refuses a second record for the same row."
            )
        return False

    def _definition(self, reference: str) -> Json | None:
        kind = self._kind.resource_type
        listed = self._solvimon.find_all("custom-fields", resource_type=kind, reference=reference)
        right = (
            each for each in listed if (each.get("resource_type"), each.get("reference")) == (kind, reference)
        )
        return next(right, None)

    def _category_id(self) -> str:
        reference = self._settings.product_category
        wanted: Json = {"reference": reference, "name": CATEGORY_NAME}
        found = self._solvimon.find("product-categories", reference)
        found = found or self._created("product-categories", wanted)
        found = found or self._solvimon.find("product-categories", reference)
        if found is None:
            raise NeedsAttention(
                Code.REFUSED_BY_SOLVIMON,
                f"Solvimon says that the category {reference} exists, but does not show it.",
                "Name another reference in the setting product_category, then import again.",
            )
        return str(found["id"])

    def _created(self, collection: str, wanted: Json) -> Json | None:
        """A new record, or ``None`` where somebody else was faster."""
        if self._dry_run:
            self.notes.append(f"{wanted['name']} ({wanted['reference']}) would be created in Solvimon.")
            return {"id": f"(new {wanted['reference']})", **wanted}
        self.writes += 1
        # A key of the run's own: what a person deletes is to come back with the next run.
        key = idempotency_key(self._run, collection, wanted["reference"])
        try:
            return self._solvimon.create(collection, wanted, key)
        except AlreadyExists:
            return None

    def _unusable(self, reference: str, why: str) -> NeedsAttention:
        return NeedsAttention(
            Code.CUSTOM_FIELD_UNUSABLE,
            f"Solvimon has a custom field {reference}, but it {why}.",
            f"Name another reference in the setting custom_fields.{self._kind.name}, then import again.",
        )
