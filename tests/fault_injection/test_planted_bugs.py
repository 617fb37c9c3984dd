"""The harness finds what it is there for: each of the safeguards of exactly once, taken away."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from tests.fault_injection import planted_bugs as bugs
from tests.fault_injection.acts import ACTS
from tests.fault_injection.effects import Effect, Fault
from tests.fault_injection.harness import Harness
from tests.fault_injection.runs import Run
from tests.fault_injection.scenarios import SCENARIOS

SITUATIONS = {scenario.name: scenario for scenario in SCENARIOS}
Plant = Callable[[pytest.MonkeyPatch], None]
EXPORT = "export an invoice"
REFRESH = "refresh an expired token in an export"
MEMO = "export a credit memo with its application"
SYNC = "sync a customer"
PAID = "mark an invoice partly paid"
UNKNOWN_PRODUCT = "export two invoices of a new customer, the first of an unknown product"
RENAMED = "import a customer that a person renames"
AT_ONCE = "import and synchronise a customer at once"
PAID_BETWEEN = "apply a credit memo to an invoice that is paid between its plans"
TWO_CONNECTIONS = "export from two connections of one organisation"
RENAME = "rename the customer"
CREATED, MARKED = "POST /invoices", "PUT /invoices/{id}/sent-status"
APPLIED, WRITTEN = "POST /credit-memos/{id}/applications", "PutSecretValue"


@dataclass(frozen=True)
class Planted:
    """A safeguard that is taken away, and the run that shows it.

    Attributes:
        plant: takes it away.
        scenario: the situation.
        what: the effect.
        fault: what goes wrong there.
        act: what a person does.
        found: the kind of difference that the run must show.
        said: what one of the differences must name.
        number: which of the effects of this name, from 0; by default the last one.
    """

    plant: Plant
    scenario: str
    what: str
    fault: Fault
    act: str
    found: str
    said: str = ""
    number: int = -1

    def run_in(self, harness: Harness) -> Run:
        """The run, in a scenario that is recorded with the safeguard in its place."""
        effects = [
            each for each in harness.record(SITUATIONS[self.scenario]) if each.what.startswith(self.what)
        ]
        return Run(self.scenario, effects[self.number], self.fault, self.act)


QUICK = [
    Planted(bugs.without_key, EXPORT, CREATED, Fault.LOST, "", "duplicate", "invo_faultssecond"),
    Planted(bugs.not_waiting, EXPORT, CREATED, Fault.LATE_70_S, "", "duplicate"),
    Planted(bugs.believing_cut_lists, EXPORT, CREATED, Fault.LOST_FOR_A_DAY, "lists restart", "duplicate"),
]
SLOW = [
    Planted(bugs.without_key, EXPORT, CREATED, Fault.KILLED_AFTER, "", "duplicate"),
    Planted(bugs.without_lease, EXPORT, "DeleteMessageBatch", Fault.NOT_DELETED, "", "stuck", "lease until"),
    Planted(bugs.without_look_up, EXPORT, CREATED, Fault.LOST_FOR_A_DAY, "", "duplicate"),
    Planted(bugs.forgetting_lost_marks, EXPORT, MARKED, Fault.TIMED_OUT, "", "different", "UNBILLED"),
    Planted(bugs.not_looking_again, SYNC, "PUT /customers", Fault.LATE_70_S, RENAME, "lost", "Renamed"),
    Planted(
        bugs.believing_cut_lists_of_the_customer,
        EXPORT,
        CREATED,
        Fault.LOST_FOR_A_DAY,
        "lists shift",
        "duplicate",
    ),
    Planted(bugs.without_look_up, EXPORT, CREATED, Fault.LATE_70_S, "refuse", "duplicate"),
    Planted(bugs.not_waiting, EXPORT, CREATED, Fault.LATE_70_S, "change the settings", "duplicate"),
    Planted(
        bugs.by_reference_alone, EXPORT, CREATED, Fault.LOST_FOR_A_DAY, "drop the reference", "duplicate"
    ),
    Planted(bugs.by_customer_alone, EXPORT, CREATED, Fault.LOST_FOR_A_DAY, "move", "duplicate"),
    Planted(bugs.ignoring_doubles, EXPORT, CREATED, Fault.LATE_25_H, "", "unnoticed"),
    Planted(
        bugs.writing_tokens_over_newer_ones, REFRESH, WRITTEN, Fault.BY_PERSON, "reconnect", "lost", "grant"
    ),
    Planted(
        bugs.believing_the_last_report,
        PAID,
        "PATCH /invoices",
        Fault.BY_PERSON,
        "pay twice at once",
        "different",
        "wrong payment state",
    ),
    Planted(
        bugs.forgetting_what_is_there,
        UNKNOWN_PRODUCT,
        "GET /invoices",
        Fault.BY_PERSON,
        "lists lag",
        "duplicate",
        "Zeeland",
        number=0,
    ),
    Planted(
        bugs.taking_late_imports_for_edits,
        RENAMED,
        "PATCH /customers",
        Fault.LATE_20_MIN,
        RENAME,
        "lost",
        "Renamed",
    ),
    Planted(
        bugs.importing_without_lease,
        AT_ONCE,
        "PATCH /customers",
        Fault.AGAIN,
        "",
        "different",
        "in Solvimon and",
    ),
    Planted(
        bugs.rejecting_at_the_second_refusal,
        PAID_BETWEEN,
        "UpdateItem default#credit_memo",
        Fault.REPEATED,
        "",
        "different",
        "rejected",
        number=0,
    ),
    Planted(
        bugs.with_a_budget_for_each_connection,
        TWO_CONNECTIONS,
        "POST /invoices",
        Fault.AGAIN,
        "",
        "duplicate",
        "refused for their pace",
        number=0,
    ),
    Planted(bugs.losing_unwritten_tokens, REFRESH, WRITTEN, Fault.THROTTLED, "", "lost", "grant", number=0),
    Planted(bugs.wiping_applications, MEMO, APPLIED, Fault.TIMED_OUT, "apply", "lost", "by hand"),
]


def name_of(planted: Planted) -> str:
    return f"{planted.plant.__name__}: {planted.fault.name.lower()} {planted.act}".strip()


@pytest.mark.parametrize(
    "planted",
    [
        *(pytest.param(each, id=name_of(each)) for each in QUICK),
        *(pytest.param(each, id=name_of(each), marks=pytest.mark.slow) for each in SLOW),
    ],
)
def test_without_a_safeguard_the_harness_finds_what_it_prevents(
    harness: Harness, monkeypatch: pytest.MonkeyPatch, planted: Planted
) -> None:
    run = planted.run_in(harness)
    planted.plant(monkeypatch)

    differences = harness.replay(SITUATIONS[planted.scenario], run).differences

    assert planted.found in {each.kind for each in differences}
    assert any(planted.said in each.what for each in differences)


def test_a_run_can_be_replayed_from_its_schedule() -> None:
    run = Run(EXPORT, Effect("export_invoice", "Rillet", CREATED), Fault.LATE_70_S, "move")

    assert Run.of(run.schedule) == run
    assert str(run).endswith(
        "export_invoice: Rillet POST /invoices | carried out 70 s after the answer was given up | move"
    )


POINTS: dict[int, tuple[Plant, ...]] = {
    1: (bugs.releasing_at_once, bugs.not_looking_again),
    2: (bugs.believing_cut_lists, bugs.believing_cut_lists_of_the_customer),
    3: (bugs.without_look_up,),
    4: (bugs.not_waiting,),
    5: (bugs.without_key, bugs.not_waiting),
    6: (bugs.by_reference_alone, bugs.by_customer_alone),
    7: (bugs.ignoring_doubles,),
    8: (bugs.believing_the_last_report,),
    9: (bugs.importing_without_lease, bugs.taking_late_imports_for_edits),
    10: (bugs.forgetting_what_is_there,),
    11: (bugs.writing_tokens_over_newer_ones,),
    12: (bugs.losing_unwritten_tokens,),
    13: (bugs.wiping_applications,),
    14: (bugs.rejecting_at_the_second_refusal,),
    15: (bugs.with_a_budget_for_each_connection,),
}
"""The safeguards against what comes late, by the interleavings that were found (docs/develop.md)."""


def test_each_interleaving_has_a_planted_version() -> None:
    planted = {each.plant for each in (*QUICK, *SLOW)} | {bugs.releasing_at_once}

    assert sorted(POINTS) == list(range(1, 16))
    assert {plant for plants in POINTS.values() for plant in plants} <= planted


def test_each_act_of_a_person_is_tried_in_a_scenario() -> None:
    tried = {act for scenario in SCENARIOS for act in scenario.acts}

    assert tried == ACTS.keys()
