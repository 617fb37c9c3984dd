"""What all people of the soak have in common: they act in both systems, and remember what is stated then."""

from collections.abc import Callable
from copy import deepcopy

from local.books_check.checks import StatedResult
from local.books_check.records import solvimon_ids
from local.fake_rillet.store import Record
from local.sample_data.identity import Json
from tests.soak.company_simulation import NOT_YET, Company, asked


class People:
    """Acts on the records of a company.

    Args:
        company: whose records these are.
    """

    def __init__(self, company: Company) -> None:
        self._company = company
        self._platform, self._books = company.platform, company.books
        self._expected = company.expected

    def _memo(self, name: str) -> tuple[str, Record | None]:
        """Return a credit note's id, and its memo in Rillet."""
        note = self._company.notes.get(name, "")
        found = (memo for memo in self._books.credit_memos if note in solvimon_ids(memo.document))
        return note, next(found, None)

    def _on_invoice(self, invoice: object, act: Callable[[str], object], result: StatedResult | None) -> bool:
        booked = self._company.in_rillet(invoice)
        if booked is None:
            return NOT_YET
        act(booked)
        return self._lives_on(self._company.invoices[invoice], result)

    def _lives_on(self, solvimon_id: str, result: StatedResult | None) -> bool:
        """Note what the audit and the reconciliation must say about a document from now on."""
        self._company.changed_at[solvimon_id] = self._company.system.clock.now()
        if result:
            self._expected.stated[solvimon_id] = result
        else:
            self._expected.stated.pop(solvimon_id, None)
        self._company.counts["lived_on"] += 1
        return True

    def _asks(self, function: str, event: Json, expected: Json) -> bool:
        """Invoke a function as a person does; false if it fails, so that the person asks again later."""
        answer = asked(self._company.system, function, {"connection": "default", **event})
        if not answer or "error" in answer:
            return False
        return {name: answer.get(name) for name in expected} == expected


def copied(record: Record) -> Json:
    """Return a copy of what Rillet shows of a record, to be entered once more."""
    return deepcopy(
        {name: value for name, value in record.document.items() if name not in ("id", "updated_at")}
    )
