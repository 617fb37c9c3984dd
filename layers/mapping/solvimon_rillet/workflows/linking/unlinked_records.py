"""Records of a document that have no link: does Rillet probably have them already?"""

from collections.abc import Iterable

from pydantic import BaseModel

from solvimon_rillet.connections.connection import Connection
from solvimon_rillet.errors import Code, NeedsAttention
from solvimon_rillet.mapping.likeness import solvimon_record
from solvimon_rillet.solvimon.master_data import Product
from solvimon_rillet.workflows.linking.matching import MatchFinder, link_proposed


class UnlinkedRecords:
    """Compares the records of one connection's documents with Rillet's.

    Args:
        connection: of the documents.
        dry_run: store no proposal.
    """

    def __init__(self, connection: Connection, *, dry_run: bool = False) -> None:
        self._name = connection.name
        self._settings = connection.settings
        self._matching = MatchFinder(connection, dry_run=dry_run)

    def find(self, kind: str, record: BaseModel) -> str | None:
        """The Rillet id of a record's only pair, where the settings link it; ``None`` if none is alike.

        Args:
            kind: ``customer``, ``product`` or ``subsidiary``.
            record: as Solvimon has it.

        Raises:
            NeedsAttention: a user must say whether the two are the same.
            RetryLater: Rillet's list cannot be read completely now.
        """
        reference = str(getattr(self._settings.custom_fields, kind))
        matches = self._matching.in_rillet(kind, solvimon_record(kind, record.model_dump(), reference))
        if not matches:
            return None
        if match := self._matching.to_be_linked(matches):
            return match.rillet_id
        raise link_proposed(self._name, matches)

    def links_by_name(self) -> bool:
        """Whether the settings link products without asking."""
        return self._settings.matching.products == "link"

    def explain(self, why: NeedsAttention, unlinked: Iterable[Product]) -> NeedsAttention:
        """The error of a document whose products have no link: the proposal, where there is one."""
        if why.code is not Code.PRODUCT_NOT_LINKED:
            return why
        try:
            for product in unlinked:
                self.find("product", product)
        except NeedsAttention as proposed:
            return proposed
        return why
