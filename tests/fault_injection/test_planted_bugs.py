"""The harness finds what it is there for: each of the safeguards of exactly once, taken away."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import pytest

from solvimon_rillet.aws.dynamodb import Item, Table
from solvimon_rillet.connections.organisations import RilletOrganisations
from solvimon_rillet.connections.token_refresh import TokenRefresh
from solvimon_rillet.connections.token_store import Committed, TokenState, TokenStore
from solvimon_rillet.errors import Code, NeedsAttention, OutcomeUnknown, RetryLater
from solvimon_rillet.http.client import Http
from solvimon_rillet.ledger import ledger
from solvimon_rillet.ledger.ledger import Document, Ledger
from solvimon_rillet.rillet import client as rillet
from solvimon_rillet.rillet.client import RilletClient
from solvimon_rillet.workflows.customers import customer_lease, sync_customer
from solvimon_rillet.workflows.export import export_lease, look_up, send_once
from solvimon_rillet.workflows.export.applications import CreditApplier
from solvimon_rillet.workflows.export.link_resolver import LinkResolver
from solvimon_rillet.workflows.imports import row
from solvimon_rillet.workflows.late_writes import LateWrites
from solvimon_rillet.workflows.payments import mark_invoice_paid
from solvimon_rillet.workflows.sweep import payments as sweep_payments
from tests.fault_injection.acts import ACTS
from tests.fault_injection.effects import Effect, Fault
from tests.fault_injection.harness import Harness
from tests.fault_injection.runs import Run
from tests.fault_injection.scenarios import SCENARIOS

Plant = Callable[[pytest.MonkeyPatch], None]
EXPORT = "export an invoice"
REFRESH = "refresh an expired token in an export"
MEMO = "export a credit memo with its application"
CREATED, MARKED = "POST /invoices", "PUT /invoices/{id}/sent-status"
APPLIED, WRITTEN = "POST /credit-memos/{id}/applications", "PutSecretValue"


def without_key(patch: pytest.MonkeyPatch) -> None:
    """No idempotency key is sent."""
    post: Callable[..., Any] = Http.post
    patch.setattr(Http, "post", lambda self, path, body, _key: post(self, path, body, ""))


def without_lease(patch: pytest.MonkeyPatch) -> None:
    """A claim always succeeds, no matter who holds it and whether it is done."""
    update: Callable[..., Item] = Table.update

    def claiming(self: Table, key: str, change: str, condition: str, *more: Any) -> Item:
        if change.startswith("SET lease_owner"):
            condition = f"attribute_not_exists(nothing) OR ({condition})"
        return update(self, key, change, condition, *more)

    patch.setattr(Table, "update", claiming)


def without_look_up(patch: pytest.MonkeyPatch) -> None:
    """What an earlier attempt left in Rillet is never found."""
    patch.setattr(send_once, "look_up", lambda *_: None)


def forgetting_lost_marks(patch: pytest.MonkeyPatch) -> None:
    """A mark as sent whose outcome is unknown counts as done."""
    mark: Callable[..., bool] = RilletClient.mark_invoice_as_sent

    def marking(client: RilletClient, invoice_id: str) -> bool:
        with contextlib.suppress(OutcomeUnknown):
            return mark(client, invoice_id)
        return True

    patch.setattr(RilletClient, "mark_invoice_as_sent", marking)


def releasing_at_once(patch: pytest.MonkeyPatch) -> None:
    """The lease is released although a write of ours may still arrive."""
    patch.setattr(ledger, "_may_still_arrive", lambda _why: False)


def not_looking_again(patch: pytest.MonkeyPatch) -> None:
    """After a lost write the lease is released, and nobody looks again whether it came after all."""
    releasing_at_once(patch)
    for module in (customer_lease, sync_customer, mark_invoice_paid):
        patch.setattr(module, "may_arrive_late", lambda _error: False)
    patch.setattr(LateWrites, "check_settled", lambda *_: None)
    patch.setattr(LateWrites, "plus", lambda self, *_: self)


def believing_cut_lists(patch: pytest.MonkeyPatch) -> None:
    """A list ends with a page that shows nothing new, and is not read from its beginning again."""

    def pages(
        _what: str,
        read: Callable[[str | None], tuple[Sequence[Any], str | None]],
        id_of: Callable[[Any], str],
    ) -> Iterator[Sequence[Any]]:
        seen, cursor = set[str](), None
        while True:
            rows, cursor = read(cursor)
            new = [row for row in rows if id_of(row) not in seen]
            seen |= {id_of(row) for row in new}
            yield new
            if not cursor or not new:
                return

    patch.setattr(rillet, "complete_pages", pages)


def believing_cut_lists_of_the_customer(patch: pytest.MonkeyPatch) -> None:
    """As above, and a second list, in which a row that has moved would stand at the top, is not read."""
    believing_cut_lists(patch)
    by_customer_alone(patch)


def not_waiting(patch: pytest.MonkeyPatch) -> None:
    """A call is repeated, or replaced, a minute after its answer was given up."""
    releasing_at_once(patch)
    patch.setattr(send_once, "SETTLE_SECONDS", 1)
    patch.setattr(look_up, "LIST_LAG_SECONDS", 0)
    patch.setattr(look_up, "wait_until_settled", lambda *_: None)
    patch.setattr(export_lease, "wait_until_settled", lambda *_: None)


def by_reference_alone(patch: pytest.MonkeyPatch) -> None:
    """An invoice is found by our reference only."""
    patch.setattr(look_up, "_has_same_day_and_amounts", lambda *_: False)


def by_customer_alone(patch: pytest.MonkeyPatch) -> None:
    """An invoice is looked for among those of its customer only."""
    patch.setattr(RilletClient, "invoices", lambda *_: [])


def ignoring_doubles(patch: pytest.MonkeyPatch) -> None:
    """A second document with our reference counts as none of ours."""
    mark: Callable[..., bool] = Ledger.mark_mismatch

    def marking(self: Ledger, document: Document, why: NeedsAttention) -> bool:
        return why.code is Code.EXPORTED_TWICE or mark(self, document, why)

    patch.setattr(Ledger, "mark_mismatch", marking)


def writing_tokens_over_newer_ones(patch: pytest.MonkeyPatch) -> None:
    """What a slow worker was granted counts, whatever a person has decided in the meantime."""

    def put(self: TokenStore, committed: Committed, _base: Committed) -> None:
        facts = {name: value for name, value in asdict(committed).items() if value}
        self._table.put(self._key, facts)

    patch.setattr(TokenStore, "_put", put)
    patch.setattr(TokenStore, "check", lambda *_: None)


def losing_unwritten_tokens(patch: pytest.MonkeyPatch) -> None:
    """Tokens are granted before it is sure that they can be written, and what cannot be written is lost."""
    prove: Callable[..., Any] = TokenStore.prove_writable
    write: Callable[..., Any] = TokenRefresh._write
    stored: list[TokenState] = []

    def prove_and_write(self: TokenRefresh, unwritten: Any) -> Any:  # noqa: ANN401
        try:
            prove(self._store, stored[-1])
            return write(self, unwritten)
        except RetryLater:
            self._unwritten = None
            raise

    patch.setattr(TokenStore, "prove_writable", lambda _self, state: stored.append(state))
    patch.setattr(TokenRefresh, "_write", prove_and_write)


def wiping_applications(patch: pytest.MonkeyPatch) -> None:
    """An application in doubt is sent again without a look at the memo."""
    patch.setattr(CreditApplier, "_with_existing_applications", lambda _self, _claim, plan: plan)


def believing_the_last_report(patch: pytest.MonkeyPatch) -> None:
    """Of two payment states of the same moment the one that is reported last counts."""
    for module in (mark_invoice_paid, sweep_payments):
        patch.setattr(module, "is_order_unknown", lambda *_: False)


def forgetting_what_is_there(patch: pytest.MonkeyPatch) -> None:
    """A customer is forgotten without a look whether Rillet has it, and created with another key."""

    def forget(self: LinkResolver, customer_id: str) -> None:
        self._creation.use_up_key(customer_id)
        self._ledger.delete_link(self._name, "customer", customer_id)

    patch.setattr(LinkResolver, "forget_missing_customer", forget)


def taking_late_imports_for_edits(patch: pytest.MonkeyPatch) -> None:
    """What an import wrote late is sent to Rillet like an edit of a person."""
    patch.setattr(sync_customer, "with_late_imports_undone", lambda _connection, customer, *_: customer)
    patch.setattr(row, "late_parts", lambda *_: [])


def importing_without_lease(patch: pytest.MonkeyPatch) -> None:
    """An import writes a customer while its synchronisation reads and writes it too."""
    patch.setattr(row, "customer_lease", lambda *_, **__: contextlib.nullcontext())


def rejecting_at_the_second_refusal(patch: pytest.MonkeyPatch) -> None:
    """An application whose second plan is refused is rejected, whatever has changed meanwhile."""

    def reject(*_: object) -> None:
        raise NeedsAttention(Code.REFUSED_BY_RILLET, "Rillet refused it.", "Apply it by hand.")

    patch.setattr(CreditApplier, "record_refusal", reject)


def with_a_budget_for_each_connection(patch: pytest.MonkeyPatch) -> None:
    """Each connection counts its own calls, although the organisation takes 60 a minute in all."""
    patch.setattr(RilletOrganisations, "window", lambda _self, connection: connection)


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
        scenario = next(each for each in SCENARIOS if each.name == self.scenario)
        effects = [each for each in harness.record(scenario) if each.what.startswith(self.what)]
        return Run(self.scenario, effects[self.number], self.fault, self.act)


QUICK = [
    Planted(without_key, EXPORT, CREATED, Fault.LOST, "", "duplicate", "invo_faultssecond"),
    Planted(not_waiting, EXPORT, CREATED, Fault.LATE_70_S, "", "duplicate"),
    Planted(believing_cut_lists, EXPORT, CREATED, Fault.LOST_FOR_A_DAY, "lists restart", "duplicate"),
]
SLOW = [
    Planted(without_key, EXPORT, CREATED, Fault.KILLED_AFTER, "", "duplicate"),
    Planted(without_lease, EXPORT, "DeleteMessageBatch", Fault.NOT_DELETED, "", "stuck", "lease until"),
    Planted(without_look_up, EXPORT, CREATED, Fault.LOST_FOR_A_DAY, "", "duplicate"),
    Planted(forgetting_lost_marks, EXPORT, MARKED, Fault.TIMED_OUT, "", "different", "UNBILLED"),
    Planted(
        not_looking_again,
        "sync a customer",
        "PUT /customers",
        Fault.LATE_70_S,
        "rename the customer",
        "lost",
        "Renamed",
    ),
    Planted(
        believing_cut_lists_of_the_customer, EXPORT, CREATED, Fault.LOST_FOR_A_DAY, "lists shift", "duplicate"
    ),
    Planted(without_look_up, EXPORT, CREATED, Fault.LATE_70_S, "refuse", "duplicate"),
    Planted(not_waiting, EXPORT, CREATED, Fault.LATE_70_S, "change the settings", "duplicate"),
    Planted(by_reference_alone, EXPORT, CREATED, Fault.LOST_FOR_A_DAY, "drop the reference", "duplicate"),
    Planted(by_customer_alone, EXPORT, CREATED, Fault.LOST_FOR_A_DAY, "move", "duplicate"),
    Planted(ignoring_doubles, EXPORT, CREATED, Fault.LATE_25_H, "", "unnoticed"),
    Planted(writing_tokens_over_newer_ones, REFRESH, WRITTEN, Fault.BY_PERSON, "reconnect", "lost", "grant"),
    Planted(
        believing_the_last_report,
        "mark an invoice partly paid",
        "PATCH /invoices",
        Fault.BY_PERSON,
        "pay twice at once",
        "different",
        "wrong payment state",
    ),
    Planted(
        forgetting_what_is_there,
        "export two invoices of a new customer, the first of an unknown product",
        "GET /invoices",
        Fault.BY_PERSON,
        "lists lag",
        "duplicate",
        "Zeeland",
        number=0,
    ),
    Planted(
        taking_late_imports_for_edits,
        "import a customer that a person renames",
        "PATCH /customers",
        Fault.LATE_20_MIN,
        "rename the customer",
        "lost",
        "Renamed",
    ),
    Planted(
        importing_without_lease,
        "import and synchronise a customer at once",
        "PATCH /customers",
        Fault.AGAIN,
        "",
        "different",
        "in Solvimon and",
    ),
    Planted(
        rejecting_at_the_second_refusal,
        "apply a credit memo to an invoice that is paid between its plans",
        "UpdateItem default#credit_memo",
        Fault.REPEATED,
        "",
        "different",
        "rejected",
        number=0,
    ),
    Planted(
        with_a_budget_for_each_connection,
        "export from two connections of one organisation",
        "POST /invoices",
        Fault.AGAIN,
        "",
        "duplicate",
        "refused for their pace",
        number=0,
    ),
    Planted(losing_unwritten_tokens, REFRESH, WRITTEN, Fault.THROTTLED, "", "lost", "grant", number=0),
    Planted(wiping_applications, MEMO, APPLIED, Fault.TIMED_OUT, "apply", "lost", "by hand"),
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
    scenario = next(each for each in SCENARIOS if each.name == planted.scenario)
    planted.plant(monkeypatch)

    differences = harness.replay(scenario, run).differences

    assert planted.found in {each.kind for each in differences}
    assert any(planted.said in each.what for each in differences)


def test_a_run_can_be_replayed_from_its_schedule() -> None:
    run = Run(EXPORT, Effect("export_invoice", "Rillet", CREATED), Fault.LATE_70_S, "move")

    assert Run.of(run.schedule) == run
    assert str(run).endswith(
        "export_invoice: Rillet POST /invoices | carried out 70 s after the answer was given up | move"
    )


POINTS: dict[int, tuple[Plant, ...]] = {
    1: (releasing_at_once, not_looking_again),
    2: (believing_cut_lists, believing_cut_lists_of_the_customer),
    3: (without_look_up,),
    4: (not_waiting,),
    5: (without_key, not_waiting),
    6: (by_reference_alone, by_customer_alone),
    7: (ignoring_doubles,),
    8: (believing_the_last_report,),
    9: (importing_without_lease, taking_late_imports_for_edits),
    10: (forgetting_what_is_there,),
    11: (writing_tokens_over_newer_ones,),
    12: (losing_unwritten_tokens,),
    13: (wiping_applications,),
    14: (rejecting_at_the_second_refusal,),
    15: (with_a_budget_for_each_connection,),
}
"""The safeguards against what comes late, by the interleavings that were found (docs/develop.md)."""


def test_each_interleaving_has_a_planted_version() -> None:
    planted = {each.plant for each in (*QUICK, *SLOW)} | {releasing_at_once}

    assert sorted(POINTS) == list(range(1, 16))
    assert {plant for plants in POINTS.values() for plant in plants} <= planted


def test_each_act_of_a_person_is_tried_in_a_scenario() -> None:
    tried = {act for scenario in SCENARIOS for act in scenario.acts}

    assert tried == ACTS.keys()
