"""A person's edit of a customer is not undone by an import: which side of a row is newer.

A customer goes both ways: its edits in Solvimon go to Rillet (``sync_customer``), and Rillet's rows come to
Solvimon by an import. The link has what both sides were when they last agreed. It is compared under the
customer's lease, so that no synchronisation reads or writes the customer meanwhile.
"""

from collections.abc import Mapping
from typing import Any

from solvimon_rillet.connections.connection import Connection
from solvimon_rillet.mapping.customers import solvimon_customer_hash
from solvimon_rillet.rillet.models import UNREADABLE_TIMESTAMP, parse_rillet_timestamp
from solvimon_rillet.solvimon.master_data import Customer
from solvimon_rillet.workflows.imports.resource import ImportCandidate, Json
from solvimon_rillet.workflows.late_writes import LATE_IMPORTS, LATE_WRITES, LateWrites, has_unsent_edit

EDITED = (
    "It was edited in Solvimon, and the edit is not in Rillet yet: name, address and e-mail in Solvimon are "
    "kept. The edit goes to Rillet first."
)


def is_edited(connection: Connection, link: Mapping[str, Any], current: Json) -> bool:
    """Whether Solvimon has an edit that is not in Rillet yet.

    Without a link that was synchronised or imported, this is not known, and Rillet's row is taken.
    """
    if not connection.settings.workflows.sync_customer:
        return False  # no edit goes to Rillet
    return has_unsent_edit(link, solvimon_customer_hash(Customer.model_validate(current)))


def is_outdated(link: Mapping[str, Any], candidate: ImportCandidate) -> bool:
    """Whether a row is older than what a synchronisation has written to Rillet since it was listed."""
    written, listed = (
        parse_rillet_timestamp(str(facts.get("rillet_updated_at", ""))) for facts in (link, candidate.link)
    )
    if UNREADABLE_TIMESTAMP in (written, listed) or written < listed:
        return False
    return written > listed or link.get("synced_hash") != candidate.link.get("synced_hash")


def late_write_facts(link: Mapping[str, Any], now: float) -> Json:
    """The writes of both directions that may still arrive, as facts of the link."""
    of_imports = LateWrites.of(link, now, LATE_IMPORTS).facts_if_any()
    return {LATE_WRITES: link[LATE_WRITES], **of_imports} if LATE_WRITES in link else of_imports
