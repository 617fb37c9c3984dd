"""The safeguards of exactly once, each taken away by a patch."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
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
