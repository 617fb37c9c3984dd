"""The effect of changed settings in numbers: which documents would be skipped, wait, or can be retried."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import partial
from itertools import islice
from typing import Any

from solvimon_rillet import money
from solvimon_rillet.aws.dynamodb import Item
from solvimon_rillet.errors import Code
from solvimon_rillet.ledger.document_types import CREDIT_MEMO, CUSTOMER, INVOICE, PAYMENT, DocumentType
from solvimon_rillet.ledger.ledger import UNFINISHED, Ledger
from solvimon_rillet.settings import Settings

_MOST = 10_000  # documents of a state that are counted; more are "at least"
_EXPORTED_TYPES = (INVOICE, CREDIT_MEMO)
_DOCUMENT_NOUNS = {INVOICE: "invoice", CREDIT_MEMO: "credit note", CUSTOMER: "customer", PAYMENT: "payment"}
_EVENT_NOUNS = {
    INVOICE: "Invoices that are finalised",
    CREDIT_MEMO: "Credit notes that are finalised",
    CUSTOMER: "Edits of customers that are made",
    PAYMENT: "Payments that Rillet reports",
}
_MAY_SOLVE: dict[str, tuple[Code, ...]] = {
    "fallback_products": (Code.FALLBACK_PRODUCT_MISSING, Code.PRODUCT_NOT_LINKED),
    "create_missing_customers": (Code.CUSTOMER_NOT_LINKED,),
    "matching": (Code.CUSTOMER_NOT_LINKED, Code.PRODUCT_NOT_LINKED),
    "subsidiaries": (Code.SUBSIDIARY_NOT_LINKED,),
    "closed_periods": (Code.RILLET_PERIOD_CLOSED,),
    "negative_invoices": (Code.NEGATIVE_INVOICE,),
    "credit_of_another_entity": (Code.CREDIT_OF_ANOTHER_ENTITY,),
    "tax_country": (Code.TAX_COUNTRY_MISSING,),
    "tax_types": (Code.TAX_RATE_NOT_ACCEPTED, Code.TAX_COUNTRY_MISSING),
    "time_zones": (Code.TIME_ZONE_UNKNOWN,),
    "reference_types": (Code.REFERENCE_TYPE_MISSING, Code.REFERENCE_TYPE_RESTRICTED),
}
"""Causes of rejections that a setting may solve."""


@dataclass(slots=True)
class _Counted:
    """Documents and their money."""

    noun: str
    number: int = 0
    sums: defaultdict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    cut: bool = False

    def add(self, item: Item) -> None:
        self.number += 1
        if "amount" in item:
            self.sums[str(item["currency"])] += Decimal(item["amount"])

    def verb(self, one: str, many: str) -> str:
        """The verb's form for this number."""
        return one if self.number == 1 else many

    def __str__(self) -> str:
        amounts = ", ".join(
            f"{Decimal(money.format_amount(total, currency)):,} {currency}"
            for currency, total in sorted(self.sums.items())
        )
        noun = self.noun if self.number == 1 else f"{self.noun}s"
        return f"{'at least ' if self.cut else ''}{self.number} {noun}{f' ({amounts})' if amounts else ''}"


class Effect:
    """Counts in the ledger what changed settings would do.

    Args:
        connection: its name.
        ledger: the ledger.
    """

    def __init__(self, connection: str, ledger: Ledger) -> None:
        self._connection = connection
        self._ledger = ledger

    def describe(self, old: Settings, new: Settings) -> list[str]:
        """The effect in sentences; empty if the documents that are known are not affected.

        Raises:
            RetryLater: the ledger does not answer.
        """
        return [
            *self._of_switches(old, new),
            *self._of_start_date(old, new),
            *self._of_causes(old, new),
            *self._of_waiting(old, new),
            *self._of_scope(old, new),
        ]

    def _of_switches(self, old: Settings, new: Settings) -> Iterator[str]:
        for kind in (INVOICE, CREDIT_MEMO, CUSTOMER, PAYMENT):
            before, after = (getattr(each.workflows, kind.function) for each in (old, new))
            if before and not after:
                if (waiting := self._count(kind, UNFINISHED)).number:
                    yield f"{waiting} that {waiting.verb('waits', 'wait')} now would be skipped."
                end = " A back-fill books them later." if kind in _EXPORTED_TYPES else ""
                yield f"{_EVENT_NOUNS[kind]} from now on would be skipped, not queued.{end}"
            if after and not before:
                off = f"The workflow {kind.function} is switched off"
                skipped = self._count(kind, ("skipped",), partial(_has, "reason", off))
                if skipped.number:
                    were = skipped.verb("was", "were")
                    yield f"{skipped} {were} skipped while it was off; {_catch_up(kind)} processes them."
                yield f"{_EVENT_NOUNS[kind]} from now on would be processed."
        for plural in ("customers", "products", "subsidiaries"):
            before, after = (getattr(each.workflows, f"import_{plural}") for each in (old, new))
            if before and not after:
                yield f"import_{plural} would refuse to start."

    def _of_start_date(self, old: Settings, new: Settings) -> Iterator[str]:
        if old.start_date == new.start_date:
            return
        for kind in _EXPORTED_TYPES:
            held = self._count(
                kind,
                (*UNFINISHED, "rejected"),
                lambda item: _is_before(item, new.start_date) and not _is_before(item, old.start_date),
            )
            if held.number:
                verbs = held.verb("waits or is", "wait or are")
                yield f"{held} that {verbs} rejected would be skipped: dated before {new.start_date}."
            freed = self._count(
                kind,
                ("skipped",),
                lambda item: _is_before(item, old.start_date) and not _is_before(item, new.start_date),
            )
            if freed.number:
                were = freed.verb("was", "were")
                books = f"{_catch_up(kind)} books them"
                yield f"{freed} that {were} skipped as too old would be eligible; {books}."

    def _of_causes(self, old: Settings, new: Settings) -> Iterator[str]:
        changed = [name for name in _MAY_SOLVE if getattr(old, name) != getattr(new, name)]
        for code in dict.fromkeys(code for name in changed for code in _MAY_SOLVE[name]):
            for kind in _EXPORTED_TYPES:
                rejected = self._count(kind, ("rejected",), partial(_has, "code", code.value))
                if rejected.number:
                    yield (
                        f"{rejected} rejected with {code.value} may be booked then; retry: invoke "
                        f'{kind.function} with {{"retry": {{"code": "{code.value}"}}}}.'
                    )

    def _of_waiting(self, old: Settings, new: Settings) -> Iterator[str]:
        found = [counted for kind in _EXPORTED_TYPES if (counted := self._count(kind, UNFINISHED)).number]
        if new.ledger_restored_to and new.ledger_restored_to != old.ledger_restored_to:
            shown = " and ".join([*map(str, found), "all new ones"])
            yield (f"{shown} would wait until a reconciliation with adopt has taken over what Rillet has.")
        for vendor in ("solvimon", "rillet"):
            address = getattr(new, vendor).base_url
            if address != getattr(old, vendor).base_url:
                shown = "".join(
                    f" {each} that {each.verb('waits', 'wait')} now would go there too." for each in found
                )
                yield f"Everything from now on would be sent to {address}.{shown}"

    def _of_scope(self, old: Settings, new: Settings) -> Iterator[str]:
        if old.invoice_scope == new.invoice_scope:
            return
        booked = sum(
            self._ledger.count(self._connection, INVOICE.name, state) for state in ("exported", "differs")
        )
        yield (
            f"{booked} invoices in Rillet stay as they are; invoices from now on are booked in the scope "
            f"{new.invoice_scope}."
        )

    def _count(
        self,
        kind: DocumentType,
        states: Iterable[str],
        wanted: Callable[[Item], bool] = lambda _item: True,
    ) -> _Counted:
        counted = _Counted(_DOCUMENT_NOUNS[kind])
        for state in states:
            items: Any = self._ledger.in_state(self._connection, kind.name, state)
            for number, (_, item) in enumerate(islice(items, _MOST + 1)):
                if number == _MOST:
                    counted.cut = True
                elif wanted(item):
                    counted.add(item)
        return counted


def _has(name: str, begin: str, item: Item) -> bool:
    return str(item.get(name, "")).startswith(begin)


def _is_before(item: Item, day: date | None) -> bool:
    dated = str(item.get("dated", ""))
    return bool(day and dated and dated < day.isoformat())


def _catch_up(kind: DocumentType) -> str:
    """The act that processes the documents that a setting held back."""
    if kind in _EXPORTED_TYPES:
        return f'a back-fill ({kind.function} with {{"retry": {{"from": …, "to": …}}}})'
    return f"{kind.function} with their ids"
