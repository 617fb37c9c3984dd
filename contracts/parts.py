"""The parts of `make contracts`, in their order; each answers what is wrong beside the violations."""

from collections.abc import Callable, Mapping

from contracts import payloads
from contracts.reach import calls_of
from contracts.report import Report
from contracts.scenarios import SCENARIOS
from contracts.sdk import sdk, unreadable, use
from local import demo_data
from local.solvimon_twin import SolvimonTwin
from local.stack import LocalStack
from solvimon_rillet.rillet.client import RilletClient
from solvimon_rillet.solvimon.client import SolvimonClient
from tests.twins import rillet_tour
from tests.twins.rillet_twin_support import Rillet

_EXAMPLES = 60
_KEY = "key-of-the-sdk"


def workflows(report: Report) -> list[str]:
    """Everything that the functions send, on the local system."""
    with calls_of(RilletClient, SolvimonClient) as left, LocalStack(quiet=True) as stack:
        for run in SCENARIOS.values():
            stack.reset()
            with report.listening(stack.rillet.witness, stack.solvimon.witness):
                run(stack)
            report.webhooks(stack)
    return [f"no scenario calls {name}, so what it sends was not checked" for name in sorted(left)]


def random_documents(report: Report) -> list[str]:
    """What the mapping makes of the demo's invoices and of random ones, in every scope and setting."""
    payloads.demo_documents(report)
    payloads.random_documents(report, _EXAMPLES)
    return []


def rillet_twin(report: Report) -> list[str]:
    """Every operation of the Rillet twin, those that we do not use included."""
    with Rillet() as rillet:
        rillet.renew()
        with report.listening(rillet.twin.witness):
            rillet_tour.everything(rillet)
        with report.listening(rillet.twin.witness, requests=False):
            rillet_tour.refuse_something_everywhere(rillet)
    return []


def solvimon_sdk(report: Report) -> list[str]:
    """Solvimon's own SDK on the Solvimon twin, and its models as readers of all that was said so far."""
    with SolvimonTwin() as twin:
        twin.state.add_platform(_KEY, demo_data.solvimon_seed())
        with report.listening(twin.witness), sdk(twin.origin, _KEY) as loaded:
            use(loaded, twin, _KEY)
            return unreadable(loaded, report.bodies)


PARTS: Mapping[str, Callable[[Report], list[str]]] = {
    "Workflows on the local system": workflows,
    "Payloads of random documents": random_documents,
    "The Rillet twin's operations": rillet_twin,
    "Solvimon's SDK on the Solvimon twin": solvimon_sdk,
}
