"""The workflows, each in a small setup: how it begins, what starts it, and how a person or AWS goes on."""

from tests.fault_injection.scenarios import customers_and_payments, exports
from tests.fault_injection.scenarios.access import ACCESS
from tests.fault_injection.scenarios.imports import IMPORTS
from tests.fault_injection.scenarios.scenario import Scenario

__all__ = ["SCENARIOS", "Scenario"]

SCENARIOS: tuple[Scenario, ...] = (
    exports.SOLVIMON_WEBHOOK,
    customers_and_payments.RILLET_WEBHOOK,
    *exports.EXPORTS,
    *customers_and_payments.CUSTOMERS_AND_PAYMENTS,
    *IMPORTS,
    *ACCESS,
    customers_and_payments.SWEEP,
    *exports.REQUESTED,
)
