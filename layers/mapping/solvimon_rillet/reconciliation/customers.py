"""The comparison of a customer on both sides: name, address and e-mail. Pure."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from solvimon_rillet.mapping.customers import rillet_customer_hash, solvimon_customer_hash, to_rillet_customer
from solvimon_rillet.reconciliation.findings import ABOUT_CUSTOMER, Finding, FindingType
from solvimon_rillet.rillet.models import Customer as RilletCustomer
from solvimon_rillet.settings import Settings
from solvimon_rillet.solvimon.master_data import Customer

_UNSENT = "It was edited in Solvimon, and the edit is not in Rillet yet."


@dataclass(frozen=True, slots=True)
class EditedCustomer:
    """A linked customer whose edit in Solvimon went to Rillet in the period, or is still to go.

    Attributes:
        id: Solvimon's id.
        name: its name.
        rillet_id: Rillet's id.
        is_unsent: whether the latest edit is not in Rillet.
        cause: why not, if it was rejected.
        remedy: what to do about it.
    """

    id: str
    name: str
    rillet_id: str
    is_unsent: bool = False
    cause: str = ""
    remedy: str = ""

    def as_row(self) -> dict[str, Any]:
        """The customer as JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class ComparedCustomer:
    """A customer as both sides have it.

    Attributes:
        id: Solvimon's id.
        changed: the fields of Rillet that a synchronisation would change.
        is_late_write: whether Rillet has what a write of ours would leave whose answer was lost.
        other_id: Rillet's id of another customer that refers to it.
    """

    id: str
    changed: tuple[str, ...] = ()
    is_late_write: bool = False
    other_id: str = ""


def changed_fields(
    customer: Customer, in_rillet: Mapping[str, Any], link: Mapping[str, Any], settings: Settings
) -> tuple[str, ...]:
    """The fields of Rillet that a synchronisation would change.

    None if neither side was edited since they last agreed: what an import had to cut is no difference.

    Raises:
        NeedsAttention: the customer cannot be mapped.
    """
    sides = solvimon_customer_hash(customer), rillet_customer_hash(RilletCustomer.model_validate(in_rillet))
    if sides == (link.get("imported_hash"), link.get("synced_hash")):
        return ()
    payload = to_rillet_customer(customer, in_rillet, settings).payload
    return tuple(sorted(name for name, value in payload.items() if in_rillet.get(name) != value))


def customer_finding(edited: EditedCustomer, compared: ComparedCustomer | None) -> Finding | None:
    """The finding about a customer, if both sides differ.

    Args:
        edited: the customer.
        compared: both sides; ``None`` for a customer that has not changed in Rillet since the period began.
    """
    sync = f'Invoke sync_customer with {{"customer_ids": ["{edited.id}"]}}, and read its answer.'
    if compared is None:
        return (
            _new_finding(edited, edited.cause or _UNSENT, edited.remedy or sync) if edited.is_unsent else None
        )
    if not compared.changed:
        return None
    fields = ", ".join(compared.changed)
    if edited.is_unsent:
        return _new_finding(
            edited, edited.cause or f"{_UNSENT} It is about: {fields}.", edited.remedy or sync
        )
    if compared.is_late_write:
        return _new_finding(edited, f"An older write arrived late in Rillet. It is about: {fields}.", sync)
    return _new_finding(
        edited,
        f"Rillet has another {fields} than Solvimon: it was edited there.",
        "Invoke import_customers, which brings Rillet's values to Solvimon; or correct them in Rillet.",
    )


def doubled_finding(edited: EditedCustomer, other_id: str) -> Finding:
    """The finding about a customer that Rillet has twice, as after a creation that arrived late."""
    ids = (edited.rillet_id, other_id)
    cause = f"Rillet has two customers for it: {edited.rillet_id}, which is linked, and {other_id}."
    remedy = f"Move what {other_id} has to {edited.rillet_id} in Rillet, then delete {other_id} there."
    return _new_finding(edited, cause, remedy, FindingType.DOUBLED, ids)


def is_repaired_by_sync(edited: EditedCustomer, compared: ComparedCustomer | None) -> bool:
    """Whether a synchronisation would make both sides the same: not after an edit in Rillet."""
    return edited.is_unsent or bool(compared and compared.changed and compared.is_late_write)


def _new_finding(
    edited: EditedCustomer,
    cause: str,
    remedy: str,
    kind: FindingType = FindingType.CUSTOMER_OUTDATED,
    rillet_ids: tuple[str, ...] = (),
) -> Finding:
    return Finding(
        kind,
        ABOUT_CUSTOMER,
        edited.id,
        edited.name,
        "",
        "",
        "",
        rillet_ids or (edited.rillet_id,),
        cause,
        remedy,
        customer=edited.name,
    )
