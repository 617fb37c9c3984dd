"""Every checked call, counted, and the violations among them."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from local.fake_vendor.traffic_recorder import RecordedCall, TrafficRecorder, Vendor
from local.system import LocalSystem
from tests.contract import oauth
from tests.contract.checker import (
    Violation,
    check_answer,
    check_payload,
    check_record,
    check_request,
    check_webhook,
    operation_name,
    schema_names,
)
from tests.contract.exceptions import EXCEPTIONS, Excused


class Report:
    """Calls that were checked, and the violations found.

    Args:
        exceptions: violations that are allowed.

    Attributes:
        operations: how often each was used.
        requests: how many were checked, webhooks and payloads that were not sent included.
        responses: how many were checked.
        used: how often each exception was needed.
        bodies: accepted requests to Solvimon and their answers, by the name of the schema.
    """

    def __init__(self, exceptions: Sequence[Excused] = EXCEPTIONS) -> None:
        self.exceptions = exceptions
        self.operations: Counter[str] = Counter()
        self.requests = 0
        self.responses = 0
        self.used: Counter[str] = Counter()
        self.bodies: dict[str, set[bytes]] = {}
        self._found: Counter[Violation] = Counter()

    @property
    def violations(self) -> list[Violation]:
        """Violations that no exception allows, each once."""
        return list(self._found)

    @property
    def unused(self) -> list[str]:
        """Exceptions that nothing needed."""
        return [each.name for each in self.exceptions if not self.used[each.name]]

    def check(self, call: RecordedCall, *, request: bool = True) -> None:
        """Check a request and its answer.

        Args:
            call: both.
            request: False where the request is wrong on purpose.
        """
        self.responses += call.status is not None
        self.requests += request
        if oauth.is_oauth(call):
            self._add(oauth.check_oauth(call))
            return
        self.operations[operation_name(call)] += 1
        self._add(check_request(call) if request else [])
        self._add(check_answer(call))
        if call.vendor == "solvimon":
            for name, body in zip(schema_names(call), (call.body, call.answer), strict=True):
                if name and body and (call.status or 500) < 400:
                    self.bodies.setdefault(name, set()).add(body)

    def payload(self, vendor: Vendor, method: str, path: str, payload: object) -> None:
        """Check the body of a request that is not sent."""
        self.requests += 1
        self._add(check_payload(vendor, method, path, payload))

    def webhooks(self, system: LocalSystem) -> None:
        """Check the events that both fakes have published so far."""
        for connection in system.connections.values():
            organisation = connection.organisation
            if not organisation.webhooks.webhooks:
                organisation.add_webhook("https://nobody.example/")  # for the headers
            for event in organisation.announced():
                headers = organisation.webhooks.sign(event.body, event.entity, event.event, event_id=event.id)
                self._add(check_webhook(event.name, headers, json.loads(event.body)))
                self.requests += 1
            for published in connection.platform.webhooks.events:
                record = json.loads(published.body)["data"]
                name = record["object_type"].title().replace("_", "")  # PRODUCT_CATEGORY is a ProductCategory
                self._add(check_record("solvimon", name, record))
                self.requests += 1

    @contextmanager
    def recording(self, *recorders: TrafficRecorder, requests: bool = True) -> Iterator[None]:
        """Check all requests to the fakes and their answers meanwhile, at the end of it.

        Args:
            recorders: of the fakes.
            requests: False where they are wrong on purpose; then only the answers are checked.
        """
        calls: list[RecordedCall] = []
        for recorder in recorders:
            recorder.listeners.append(calls.append)
        try:
            yield
        finally:
            for recorder in recorders:
                recorder.listeners.remove(calls.append)
            for call in calls:
                self.check(call, request=requests)

    def _add(self, violations: Iterable[Violation]) -> None:
        for violation in violations:
            excuse = next((each for each in self.exceptions if each.covers(violation)), None)
            if excuse:
                self.used[excuse.name] += 1
            else:
                self._found[violation] += 1


@contextmanager
def checked_traffic(system: LocalSystem) -> Iterator[Report]:
    """A report of what a local system's functions send to both vendors meanwhile; complete at the end."""
    report = Report()
    with report.recording(system.rillet.recorder, system.solvimon.recorder):
        yield report
