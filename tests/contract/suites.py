"""The suites of `make contracts`, in their order; each returns what is wrong beside the violations."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import pytest

from local import sample_data
from local.fake_solvimon import FakeSolvimon
from local.system import LocalSystem
from solvimon_rillet.rillet.client import RilletClient
from solvimon_rillet.solvimon.client import SolvimonClient
from tests.contract import payloads
from tests.contract.report import Report
from tests.contract.scenarios import WORKFLOW_SCENARIOS
from tests.contract.sdk import sdk, unreadable, use
from tests.fakes.rillet import every_operation
from tests.fakes.rillet.support import Rillet
from tests.support.interposed import before_call

_EXAMPLES = 60
_KEY = "key-of-the-sdk"


@contextmanager
def uncalled_methods(*clients: type) -> Iterator[set[str]]:
    """The public methods of some classes; each leaves the set when it is called.

    Args:
        clients: the classes.
    """
    uncalled: set[str] = set()

    def called(full_name: str) -> Callable[..., None]:
        return lambda *_, **__: uncalled.discard(full_name)

    with pytest.MonkeyPatch.context() as patch:
        for client in clients:
            for name, method in list(vars(client).items()):
                if callable(method) and not name.startswith("_"):
                    full_name = f"{client.__name__}.{name}"
                    uncalled.add(full_name)
                    before_call(patch, client, name, called(full_name))
        yield uncalled


def workflows(report: Report) -> list[str]:
    """Everything that the functions send, on the local system."""
    with uncalled_methods(RilletClient, SolvimonClient) as uncalled, LocalSystem(quiet=True) as system:
        for run in WORKFLOW_SCENARIOS.values():
            system.reset()
            with report.recording(system.rillet.recorder, system.solvimon.recorder):
                run(system)
            report.webhooks(system)
    return [f"no scenario calls {name}, so what it sends was not checked" for name in sorted(uncalled)]


def random_payloads(report: Report) -> list[str]:
    """Payloads of the demo's invoices and of random ones, in every scope and setting."""
    payloads.demo_documents(report)
    payloads.random_documents(report, _EXAMPLES)
    return []


def rillet_operations(report: Report) -> list[str]:
    """Every operation of the fake Rillet, those that we do not use included."""
    with Rillet() as rillet:
        rillet.reset()
        with report.recording(rillet.fake.recorder):
            every_operation.call_every_operation(rillet)
        with report.recording(rillet.fake.recorder, requests=False):
            every_operation.send_refused_requests(rillet)
    return []


def solvimon_sdk(report: Report) -> list[str]:
    """Solvimon's own SDK on the fake Solvimon, and its models as readers of all bodies so far."""
    with FakeSolvimon() as fake:
        fake.state.add_platform(_KEY, sample_data.solvimon_seed())
        with report.recording(fake.recorder), sdk(fake.origin, _KEY) as loaded:
            use(loaded, fake, _KEY)
            return unreadable(loaded, report.bodies)


SUITES: Mapping[str, Callable[[Report], list[str]]] = {
    "Workflows on the local system": workflows,
    "Payloads of random documents": random_payloads,
    "The fake Rillet's operations": rillet_operations,
    "Solvimon's SDK on the fake Solvimon": solvimon_sdk,
}
