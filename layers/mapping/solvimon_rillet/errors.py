"""Errors, typed by what recovers them.

::

    Recoverable
    ├── RetryLater            the call had no effect; the same message is retried later
    │   └── ConnectionBroken  a user must fix the connection; messages wait
    └── OutcomeUnknown        the call may have had its effect; the next attempt looks it up
        └── Conflict          answered 409; repeated conflicts are investigated
    NeedsAttention            a user must fix the document or its mapping; recorded, redriven later
    Skip                      not eligible for Rillet, by rule; recorded

An error has its own words, and what it quotes of a vendor, a record or a request, in separate fields, because
a quotation may name people. ``str`` gives the own words, so logs, tracebacks, metrics and SNS show nothing
else. The ledger and answers show ``message``, which has both.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Self


class Code(StrEnum):
    """The cause for which a document needs attention. Each code has its row in ``docs/errors.md``."""

    BILLING_ENTITY_EXISTS = "billing_entity_exists"
    CONNECTION_UNKNOWN = "connection_unknown"
    CLOSED_PERIODS_UNCLEAR = "closed_periods_unclear"
    CREDIT_OF_ANOTHER_ENTITY = "credit_of_another_entity"
    CREDIT_SUMS_TO_ZERO = "credit_sums_to_zero"
    CURRENCY_MIXED = "currency_mixed"
    CUSTOM_FIELD_UNUSABLE = "custom_field_unusable"
    CUSTOMER_INCOMPLETE = "customer_incomplete"
    CUSTOMER_MERGED = "customer_merged"
    CUSTOMER_NOT_LINKED = "customer_not_linked"
    DATE_MISSING = "date_missing"
    DELETED_IN_RILLET = "deleted_in_rillet"
    DOES_NOT_TIE_OUT = "does_not_tie_out"
    EXPORTED_TWICE = "exported_twice"
    FALLBACK_PRODUCT_MISSING = "fallback_product_missing"
    FILE_UNREADABLE = "file_unreadable"
    INVOICE_NOT_FOUND = "invoice_not_found"
    INVOICE_NUMBER_MISSING = "invoice_number_missing"
    INVOICE_UNREADABLE = "invoice_unreadable"
    LINKED_ELSEWHERE = "linked_elsewhere"
    NEGATIVE_INVOICE = "negative_invoice"
    ORIGINAL_NOT_EXPORTED = "original_not_exported"
    PERIOD_REVERSED = "period_reversed"
    POSSIBLY_IN_RILLET = "possibly_in_rillet"
    PRODUCT_NOT_ATTRIBUTABLE = "product_not_attributable"
    PRODUCT_NOT_LINKED = "product_not_linked"
    REFERENCE_TYPE_MISSING = "reference_type_missing"
    REFERENCE_TYPE_RESTRICTED = "reference_type_restricted"
    REFUSED_BY_RILLET = "refused_by_rillet"
    REFUSED_BY_SOLVIMON = "refused_by_solvimon"
    RILLET_ID_INVALID = "rillet_id_invalid"
    RILLET_PERIOD_CLOSED = "rillet_period_closed"
    RILLET_RECORD_MISSING = "rillet_record_missing"
    ROW_INCOMPLETE = "row_incomplete"
    ROW_UNREADABLE = "row_unreadable"
    SOLVIMON_RECORD_MISSING = "solvimon_record_missing"
    SOLVIMON_UNAVAILABLE = "solvimon_unavailable"
    SUBSIDIARY_NOT_LINKED = "subsidiary_not_linked"
    TAX_COUNTRY_MISSING = "tax_country_missing"
    TAX_NOT_ATTRIBUTABLE = "tax_not_attributable"
    TAX_RATE_NOT_ACCEPTED = "tax_rate_not_accepted"
    TIME_ZONE_UNKNOWN = "time_zone_unknown"
    TOTAL_DIFFERS = "total_differs"


class Message(str):
    """A text for the ledger and for answers that knows which words of it are our own.

    Another text (read from a record, or put together of others) is no ``Message``, and no log shows it.

    Attributes:
        own_words: the text without quotations.
    """

    own_words: str

    def __new__(cls, text: str, own_words: str | None = None) -> Self:
        """Make it; without ``own_words`` the whole text is our own."""
        made = super().__new__(cls, text)
        made.own_words = text if own_words is None else own_words
        return made


def own_words(text: object) -> str:
    """The words of a text that may be logged; empty if nothing says which these are."""
    return text.own_words if isinstance(text, Message) else ""


@dataclass(frozen=True, slots=True)
class Culprit:
    """The record that is to be fixed, so that several documents fail for one reason.

    Attributes:
        kind: ``product``, ``customer``, ``subsidiary``, ``group`` or ``setting``.
        id: Solvimon's id, or the setting's name.
        name: as people know it; may be personal data, so no log shows it.
    """

    kind: str
    id: str
    name: str = ""

    def as_item(self) -> dict[str, str]:
        """The culprit as JSON."""
        return {"kind": self.kind, "id": self.id, "name": self.name or self.id}


class SolvimonRilletError(Exception):
    """Base of all errors that this package raises intentionally.

    Attributes:
        own_words: the problem in our own words, with ids, codes and amounts.
        quoted: what it quotes of a vendor, a record or a request; empty if it quotes nothing.
    """

    def __init__(self, own_words: str = "", *, quoted: str = "") -> None:
        super().__init__(own_words)
        self.own_words = own_words
        self.quoted = quoted

    @property
    def message(self) -> Message:
        """Both, for the ledger and for answers."""
        if not self.quoted:
            return Message(self.own_words)
        return Message(f"{self.own_words.rstrip('.')}: {self.quoted.rstrip('.')}.", self.own_words)


class Recoverable(SolvimonRilletError):
    """An error that the same message overcomes later: after a while, or when the connection is fixed.

    Attributes:
        after: seconds to wait before the next attempt; ``None`` uses the queue's back-off.
        needs_person: whether time alone does not overcome it.
    """

    def __init__(
        self, own_words: str, *, after: float | None = None, quoted: str = "", needs_person: bool = False
    ) -> None:
        super().__init__(own_words, quoted=quoted)
        self.after = after
        self.needs_person = needs_person


class RetryLater(Recoverable):
    """A call that had no effect; a retry may succeed."""


class ConnectionBroken(RetryLater):
    """A credential that is missing, wrong or revoked. Messages wait until a user fixes it."""

    def __init__(self, own_words: str, *, after: float | None = 300, quoted: str = "") -> None:
        super().__init__(own_words, after=after, quoted=quoted, needs_person=True)


class OutcomeUnknown(Recoverable):
    """A write whose answer was lost: it may or may not have taken effect.

    Attributes:
        key_spent: whether the idempotency key will keep answering this failure. Then the next attempt needs a
            new key, once a look-up has shown that the write had no effect.
        over: whether the vendor has ended the call: what it did not do by now, it will not do later. A lease
            is kept while a call may still take effect.
    """

    def __init__(
        self, message: str, *, after: float | None = None, key_spent: bool = False, over: bool = False
    ) -> None:
        super().__init__(message, after=after)
        self.key_spent = key_spent
        self.over = over


class Conflict(OutcomeUnknown):
    """A write that was answered 409: it is in progress, it is done, or another record is in its place."""


class NeedsAttention(SolvimonRilletError):
    """A document that cannot be booked until a user acts.

    Attributes:
        code: the cause, a row of ``docs/errors.md``.
        remedy: the act that solves it; it may quote too.
        about: the record that is to be fixed, where it is another one than the document.
    """

    def __init__(
        self, code: Code, own_words: str, remedy: str, *, quoted: str = "", about: Culprit | None = None
    ) -> None:
        super().__init__(own_words, quoted=quoted)
        self.code = code
        self.remedy = remedy
        self.about = about


class Skip(SolvimonRilletError):
    """A document that is not eligible for Rillet, by a rule.

    Attributes:
        rule: the rule's name.
    """

    def __init__(self, own_words: str, rule: str = "", *, quoted: str = "") -> None:
        super().__init__(own_words, quoted=quoted)
        self.rule = rule

    @property
    def reason(self) -> Message:
        """The reason, for users."""
        return self.message


class SettingsInvalid(ValueError):
    """Invalid settings; the message names each wrong value by its path."""
