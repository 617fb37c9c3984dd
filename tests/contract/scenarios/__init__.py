"""Scenarios in which the functions send everything they can; each starts from an empty system."""

from collections.abc import Callable, Mapping

from local.system import LocalSystem
from tests.contract.scenarios import access, demo_scenario, documents, guarantee, master_data, payments

WORKFLOW_SCENARIOS: Mapping[str, Callable[[LocalSystem], None]] = {
    "exports in every scope": documents.every_scope,
    "exports in a closed period": documents.a_closed_period,
    "exports that need a second look": documents.a_second_look,
    "credit memos and applications": documents.credits_of_every_kind,
    "customers that are created and edited": master_data.created_and_edited,
    "payments as a state": payments.as_a_state,
    "payments recorded one by one": payments.one_by_one,
    "imports": master_data.everything,
    "sweep and payments without webhooks": guarantee.sweep,
    "reconciliation": guarantee.reconcile,
    "documents booked by hand": guarantee.booked_by_hand,
    "OAuth, status and disconnecting": access.connect_and_disconnect,
    "the demo": demo_scenario.run,
}
