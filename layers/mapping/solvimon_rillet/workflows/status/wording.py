"""Short texts of the status: titles of failures, numbers of documents with their money, states in a word."""

from collections.abc import Iterable, Mapping
from decimal import Decimal

from solvimon_rillet import money

DOCUMENT_NOUNS = {
    "invoice": ("invoice", "invoices"),
    "credit_memo": ("credit note", "credit notes"),
    "customer": ("customer", "customers"),
    "payment": ("payment", "payments"),
}
STATE_WORDS = {
    "exported": "Booked",
    "synced": "Booked",
    "marked": "Booked",
    "differs": "Differs",
    "rejected": "Needs you",
    "skipped": "Skipped",
    "rehearsed": "Rehearsed",
}
_WITH_CULPRIT = {
    "credit_of_another_entity": "{} is billed by another entity than its credit note",
    "customer_incomplete": "{} has no name",
    "customer_merged": "{} is gone in Rillet: merged or deleted",
    "customer_not_linked": "{} has no Rillet customer",
    "fallback_product_missing": "The setting {} is empty",
    "original_not_exported": "{} is not booked, so its credit note has to wait",
    "product_not_linked": "{} has no Rillet product",
    "rillet_record_missing": "{} is linked to a record that Rillet does not have",
    "subsidiary_not_linked": "{} has no Rillet subsidiary",
}
_CODE_TITLES = {
    "billing_entity_exists": "A billing entity of this name is not linked",
    "closed_periods_unclear": "Closed periods do not fit the net amount",
    "connection_unknown": "There is no such connection",
    "credit_of_another_entity": "Another entity billed the credited invoice",
    "credit_sums_to_zero": "The lines of the credit note cancel each other out",
    "currency_mixed": "Amounts in several currencies",
    "custom_field_unusable": "The custom field for the Rillet id cannot be used",
    "customer_incomplete": "A customer has no name",
    "customer_merged": "A customer is gone in Rillet",
    "customer_not_linked": "A customer has no Rillet customer",
    "date_missing": "The invoice has no date",
    "deleted_in_rillet": "Deleted in Rillet",
    "does_not_tie_out": "Groups, taxes and total do not sum to each other",
    "exported_twice": "Rillet has it more than once",
    "fallback_product_missing": "A group has no product and no fallback",
    "invoice_not_found": "Solvimon does not have it",
    "invoice_number_missing": "The invoice has no number",
    "invoice_unreadable": "Solvimon's document cannot be read",
    "linked_elsewhere": "The record is linked to another one",
    "negative_invoice": "An invoice with a negative total",
    "original_not_exported": "The credited invoice is not booked",
    "period_reversed": "A service period ends before it starts",
    "possibly_in_rillet": "Rillet may have it already",
    "product_not_attributable": "A group bills several products",
    "product_not_linked": "A product has no Rillet product",
    "reference_type_missing": "Rillet lacks the reference type",
    "reference_type_restricted": "Rillet takes the reference type only once",
    "refused_by_rillet": "Rillet refuses it",
    "refused_by_solvimon": "Solvimon refuses the change",
    "rillet_id_invalid": "A Rillet id is no UUID",
    "rillet_period_closed": "The period is closed in Rillet",
    "rillet_record_missing": "A linked record is not in Rillet",
    "row_incomplete": "The record has no name in Rillet",
    "row_unreadable": "Rillet's record cannot be read",
    "solvimon_record_missing": "Solvimon does not have the record",
    "solvimon_unavailable": "Solvimon fails at this record",
    "subsidiary_not_linked": "A billing entity has no Rillet subsidiary",
    "tax_country_missing": "The country of the tax is not known",
    "tax_not_attributable": "The tax cannot be attributed to groups",
    "tax_rate_not_accepted": "A tax rate that Rillet does not take",
    "time_zone_unknown": "The time zone is not known",
    "total_differs": "Another total in Rillet",
}


def title_of(code: str, culprit: Mapping[str, str] | None) -> str:
    """The title of a failure: the cause, with the record that is to be fixed."""
    if culprit and code in _WITH_CULPRIT:
        return _WITH_CULPRIT[code].format(culprit["name"])
    return _CODE_TITLES.get(code, "A cause that this version does not know")


def format_money(amounts: Mapping[str, Decimal]) -> str:
    """Amounts for people: ``2,323.20 EUR and 10 JPY``."""
    parts = [
        f"{money.rounded(amount, currency):,} {currency}" for currency, amount in sorted(amounts.items())
    ]
    return " and ".join(parts)


def counted(kind: str, number: int, amounts: Mapping[str, Decimal]) -> str:
    """A number of documents with their money: ``3 invoices (2,323.20 EUR)``."""
    in_money = f" ({format_money(amounts)})" if amounts and kind in {"invoice", "credit_memo"} else ""
    return f"{number:,} {DOCUMENT_NOUNS[kind][number != 1]}{in_money}"


def listed(parts: Iterable[str]) -> str:
    """Parts of a sentence: ``a, b and c``."""
    *first, last = parts
    return f"{', '.join(first)} and {last}" if first else last


def as_texts(amounts: Mapping[str, Decimal]) -> dict[str, str]:
    """Amounts by currency, in the vendors' format."""
    return {currency: money.format_amount(total, currency) for currency, total in sorted(amounts.items())}
