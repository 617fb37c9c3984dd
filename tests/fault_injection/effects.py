"""External effects, as they look where they leave the process, and the faults that can happen at them."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class Fault(StrEnum):
    """What goes wrong at an effect."""

    KILLED_BEFORE = "killed just before"
    KILLED_AFTER = "killed just after"
    LOST = "answer lost"
    LOST_FOR_A_DAY = "answer lost, and 25 hours of silence"
    TIMED_OUT = "timed out without effect"
    FAILED = "500 without effect"
    SLOW_DOWN = "429"
    MALFORMED = "malformed body"
    THROTTLED = "throttled"
    REPEATED = "answer lost, and repeated by the AWS client"
    NOT_DELETED = "message not deleted"
    AGAIN = "a second worker comes while this one stands still"
    OVERTAKEN = "a second worker comes after this one's lease"
    INTERLEAVED = "a second worker begins, stands still, and goes on after this one"
    PAUSED = "this one stands still for longer than its lease, and goes on"
    BY_PERSON = "a person acts"
    LATE_10_S = "carried out 10 s after the answer was given up"
    LATE_70_S = "carried out 70 s after the answer was given up"
    LATE_20_MIN = "carried out 20 min after the answer was given up"
    LATE_25_H = "carried out 25 h after the answer was given up"


LATE_SECONDS = {
    Fault.LATE_10_S: 10,
    Fault.LATE_70_S: 70,
    Fault.LATE_20_MIN: 20 * 60,
    Fault.LATE_25_H: 25 * 3600,
}
TOO_LATE = (Fault.LATE_20_MIN, Fault.LATE_25_H)
"""Later than anybody waits: nothing prevents a double here, so it must be reported."""
BY_TWO_WORKERS = (Fault.AGAIN, Fault.OVERTAKEN, Fault.INTERLEAVED, Fault.PAUSED)


_KILLED = (Fault.KILLED_BEFORE, Fault.KILLED_AFTER)
NO_GOOD_ANSWER = (Fault.TIMED_OUT, Fault.FAILED, Fault.SLOW_DOWN, Fault.MALFORMED)
_READ = (*_KILLED, *NO_GOOD_ANSWER)
_WRITE = (*_KILLED, Fault.LOST, *NO_GOOD_ANSWER)
_AWS = (*_KILLED, Fault.LOST, Fault.REPEATED, Fault.THROTTLED)
_AT_ONCE = (Fault.AGAIN, Fault.OVERTAKEN)


@dataclass(frozen=True, order=True)
class Effect:
    """One external effect of a workflow.

    Attributes:
        workflow: the function that it leaves.
        service: a vendor's name, or an AWS service as its requests name it.
        what: method and path, or operation and key; ids that differ from run to run are left out.
        number: which one it is of those that look the same, from 1.
    """

    workflow: str
    service: str
    what: str
    number: int = 1

    def __str__(self) -> str:
        times = f" (no. {self.number})" if self.number > 1 else ""
        return f"{self.service} {self.what}{times}"

    @property
    def is_http(self) -> bool:
        """Whether it is a call to a vendor."""
        return self.service in VENDORS

    @property
    def is_vendor_write(self) -> bool:
        """Whether it is a call to a vendor that changes something there."""
        return self.is_http and not self.what.startswith("GET ") and "/search" not in self.what

    def faults(self, *, at_once: bool) -> tuple[Fault, ...]:
        """The faults that can happen at it.

        Args:
            at_once: the workflow can be started a second time while it runs.
        """
        if self.service == EVENT_SOURCE:
            return (Fault.NOT_DELETED,)
        together = _AT_ONCE if at_once else ()
        if not self.is_http:
            return (*_AWS, *(together if self.service == "dynamodb" and _DOCUMENT.search(self.what) else ()))
        if self.what.startswith("GET "):
            return _READ
        late = (Fault.LOST_FOR_A_DAY,) if self.what.startswith("POST ") else ()
        return (*_WRITE, *late, *together)


@dataclass
class PlannedFault:
    """One fault at one effect.

    Attributes:
        effect: where.
        fault: what.
        again: starts the workflow a second time.
        act: what a person does; tells whether it could be done.
        stop: the effect before which an interleaved second worker stands still, from 1.
        happened: whether the effect was met.
        acted: whether the person has acted.
    """

    effect: Effect
    fault: Fault
    again: Callable[[], object] = lambda: None
    act: Callable[[], bool] = lambda: True
    stop: int = 0
    happened: bool = False
    acted: bool = False


VENDORS = ("Rillet", "Solvimon")
EVENT_SOURCE = "event source"
_DOCUMENT = re.compile(r"#(invoice|credit_memo|customer|payment)#")
_CHANGING = (
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE), "{id}"),
    (re.compile(r"\b[0-9a-f]{16,64}\b"), "{id}"),
    (re.compile(r"\b(cust|prod|bile|cufi|invo|paym|prca|evnt)_[A-Za-z0-9]{16,}"), r"{\1}"),
    (re.compile(r"-reportbucket-[a-z0-9]+"), "-reportbucket"),
    (re.compile(r"\b\d{8}T\d{6}Z"), "{moment}"),
    (re.compile(r"\d{4}-\d\d-\d\d(T[\d:.]+Z?)?"), "{day}"),
    (re.compile(r"\d{8,}"), "{number}"),
)


def lasting(text: str) -> str:
    """A text without what differs from run to run."""
    for pattern, name in _CHANGING:
        text = pattern.sub(name, text)
    return text
