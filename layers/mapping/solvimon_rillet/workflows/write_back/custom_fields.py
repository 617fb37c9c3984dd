"""The custom fields of Solvimon's invoices that show Rillet's id and number: found, or created once."""

from solvimon_rillet.connections.connection import Connection
from solvimon_rillet.errors import Code, NeedsAttention
from solvimon_rillet.fingerprint import idempotency_key
from solvimon_rillet.mapping.write_back import ID_NAME, NUMBER_NAME
from solvimon_rillet.solvimon.rejections import AlreadyExists

_COLLECTION = "custom-fields"
_FIELD_LINK = "invoice-field"
"""Kind of the ledger's links that remember a field."""


class InvoiceFields:
    """The two custom fields of one connection's invoices; the ledger remembers that they exist."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        fields = connection.settings.custom_fields
        self._names = {
            fields.invoice: ("invoice", ID_NAME),
            fields.invoice_number: ("invoice_number", NUMBER_NAME),
        }

    def ensure(self, run: str) -> None:
        """Find or create the fields that are not known yet.

        Args:
            run: names this run; Solvimon answers a creation of the same run from its store.

        Raises:
            NeedsAttention: a field cannot hold one text, or Solvimon refuses to create it.
            RetryLater, OutcomeUnknown: Solvimon or the ledger does not answer.
        """
        ledger, known = self._connection.ledger, self._connection.known_fields
        for reference in self._names.keys() - known:
            if not ledger.find_link(self._connection.name, _FIELD_LINK, reference):
                self._find_or_create(reference, run)
                ledger.store_link(self._connection.name, _FIELD_LINK, reference, {})
            known.add(reference)

    def forget(self) -> None:
        """Forget the fields, because Solvimon refuses values of them; a user may have deleted one."""
        for reference in self._names:
            self._connection.ledger.delete_link(self._connection.name, _FIELD_LINK, reference)
        self._connection.known_fields.clear()

    def _find_or_create(self, reference: str, run: str) -> None:
        found = self._find(reference)
        if found is None:
            definition = {
                "reference": reference,
                "name": self._names[reference][1],
                "resource_type": "INVOICE",
                "type": "STRING",
                "multiple_values": False,
                # Solvimon may copy the value with an invoice; the copy must not be refused for it.
                "unique_value": False,
                # It is for the Desk; a customer must not see it on an invoice.
                "copy_value_to_invoice": False,
            }
            try:
                self._connection.solvimon.create(
                    _COLLECTION, definition, idempotency_key(run, _COLLECTION, reference)
                )
                return
            except AlreadyExists:  # another worker created it a moment ago, or it is one of other records
                found = self._find(reference)
        if found is None:
            raise self._unusable(reference, "belongs to another kind of records")
        if found.get("type") not in (None, "STRING") or found.get("multiple_values"):
            raise self._unusable(reference, "does not hold one text")

    def _find(self, reference: str) -> dict[str, object] | None:
        identity = {"resource_type": "INVOICE", "reference": reference}
        listed = self._connection.solvimon.find_all(_COLLECTION, **identity)
        return next((each for each in listed if identity.items() <= each.items()), None)

    def _unusable(self, reference: str, why: str) -> NeedsAttention:
        return NeedsAttention(
            Code.CUSTOM_FIELD_UNUSABLE,
            f"Solvimon has a custom field {reference}, but it {why}.",
            f"Name another reference in the setting custom_fields.{self._names[reference][0]}.",
        )
