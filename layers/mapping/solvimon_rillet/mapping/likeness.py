"""Likeness: which records of Solvimon and Rillet are probably the same, though nothing links them.

Values are compared exactly, after their spelling is made uniform: case, accents, punctuation and legal forms
("Société Générale S.A." and "SOCIETE GENERALE"). Nothing is guessed from similar spellings.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from solvimon_rillet.mapping.solvimon_fields import custom_value, one_line
from solvimon_rillet.mapping.texts import addresses_in

E_MAIL = "e-mail"
NAME = "name"
REFERENCE = "reference"
TAX_ID = "tax id"
_NO_LETTER = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class Record:
    """A customer, product or subsidiary of one system, with the values by which it is compared.

    Attributes:
        id: in its own system.
        name: as people see it.
        linked: the id in the other system that it is linked to, or ``None``.
        values: by kind of value (``NAME``, ``E_MAIL`` …), in uniform spelling.
        archived: whether it is no longer in use.
    """

    id: str
    name: str
    linked: str | None = None
    values: Mapping[str, frozenset[str]] = field(default_factory=dict)
    archived: bool = False

    def alike_by(self, other: "Record") -> list[str]:
        """The kinds of value that two records share, such as ``["e-mail", "name"]``."""
        shared = (kind for kind, own in self.values.items() if own & other.values.get(kind, frozenset()))
        return sorted(shared)


class Records:
    """The records of one system, found by the values that they share with a record of the other.

    Args:
        records: of one kind; those that are no longer in use are left out.
    """

    def __init__(self, records: Iterable[Record]) -> None:
        self.by_id = {record.id: record for record in records}
        self._by_value: dict[tuple[str, str], list[Record]] = defaultdict(list)
        for record in self.by_id.values():
            for kind, values in record.values.items() if not record.archived else ():
                for value in values:
                    self._by_value[kind, value].append(record)

    def alike(self, record: Record) -> list[Record]:
        """The records that share a value with one of the other system and are not linked, by id."""
        return [other for other in self._sharing(record) if other.linked is None]

    def alike_but_linked(self, record: Record) -> list[Record]:
        """The records that share a value with one of the other system and are linked to another, by id."""
        return [other for other in self._sharing(record) if other.linked not in {None, record.id}]

    def _sharing(self, record: Record) -> list[Record]:
        found = {
            other.id: other
            for kind, values in record.values.items()
            for value in values
            for other in self._by_value.get((kind, value), ())
        }
        return [found[identifier] for identifier in sorted(found)]


def uniform_name(name: str | None) -> str:
    """A legal name without legal form, case, accents and punctuation; empty if nothing is left."""
    from cleanco import basename

    text = one_line(name).replace("(", " ").replace(")", " ")
    shorter = basename(text)
    while shorter and shorter != text:
        text, shorter = shorter, basename(shorter)
    return _uniform(text)


def uniform_text(text: str | None) -> str:
    """A product's name without case, accents and punctuation."""
    return _uniform(one_line(text))


def _uniform(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.replace("&", " and ").casefold())
    letters = "".join(sign for sign in decomposed if not unicodedata.combining(sign))
    return _NO_LETTER.sub(" ", letters).strip()


def solvimon_record(kind: str, row: Mapping[str, Any], reference: str) -> Record:
    """A record of Solvimon.

    Args:
        kind: ``customer``, ``product`` or ``subsidiary``.
        row: a customer, product or billing entity as Solvimon's JSON.
        reference: of the custom field that holds the Rillet id.
    """
    name, values = _SOLVIMON_VALUES[kind](row)
    return Record(
        str(row["id"]), name or str(row["id"]), custom_value(row, reference), values, _is_archived(row)
    )


def rillet_record(kind: str, row: Mapping[str, Any], reference_type: str) -> Record:
    """A record of Rillet.

    Args:
        kind: ``customer``, ``product`` or ``subsidiary``.
        row: as Rillet's JSON.
        reference_type: the external reference type that holds a customer's Solvimon id.
    """
    name = one_line(_text_or_empty(row.get("trade_name" if kind == "subsidiary" else "name")))
    spelling = uniform_text if kind == "product" else uniform_name
    mails = (_text_or_empty(each.get("email")) for each in row.get("emails") or () if isinstance(each, dict))
    names = (name, _text_or_empty(row.get("name_on_invoice")))
    linked = next(
        (
            _text_or_empty(each.get("id"))
            for each in row.get("external_references") or ()
            if isinstance(each, dict) and each.get("type") == reference_type
        ),
        None,
    )
    values = _values(names=map(spelling, names), mails=mails)
    return Record(str(row["id"]), name, linked or None, values, row.get("status") == "INACTIVE")


def _solvimon_customer(row: Mapping[str, Any]) -> tuple[str, Mapping[str, frozenset[str]]]:
    organization, person = _part(row, "organization"), _part(_part(row, "individual"), "name")
    parts = (_text_or_empty(person.get(part)) for part in ("first_name", "infix", "last_name"))
    name = one_line(_text_or_empty(organization.get("legal_name")) or " ".join(filter(None, parts)))
    tax_ids = [
        organization.get("tax_id"),
        *(_part(each, "").get("id") for each in organization.get("tax_ids") or ()),
    ]
    return name, _values(
        names=[uniform_name(name)],
        mails=[_text_or_empty(row.get("email"))],
        tax_ids=map(_text_or_empty, tax_ids),
    )


def _solvimon_product(row: Mapping[str, Any]) -> tuple[str, Mapping[str, frozenset[str]]]:
    name = one_line(_text_or_empty(row.get("name")))
    return name, _values(names=[uniform_text(name)])


def _solvimon_entity(row: Mapping[str, Any]) -> tuple[str, Mapping[str, frozenset[str]]]:
    name = one_line(_text_or_empty(row.get("legal_name")))
    return name, _values(names=[uniform_name(name)])


_SOLVIMON_VALUES = {
    "customer": _solvimon_customer,
    "product": _solvimon_product,
    "subsidiary": _solvimon_entity,
}


def _values(
    names: Iterable[str] = (), mails: Iterable[str] = (), tax_ids: Iterable[str] = ()
) -> dict[str, frozenset[str]]:
    found = {
        NAME: frozenset(filter(None, names)),
        E_MAIL: frozenset(address.casefold() for text in mails for address in addresses_in(text)),
        TAX_ID: frozenset(filter(None, (_NO_LETTER.sub("", text).upper() for text in tax_ids))),
    }
    return {kind: values for kind, values in found.items() if values}


def _is_archived(row: Mapping[str, Any]) -> bool:
    return row.get("status") in {"ARCHIVED", "DEPRECATED"}


def _part(row: object, name: str) -> Mapping[str, Any]:
    found = (row.get(name) if name else row) if isinstance(row, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def _text_or_empty(value: object) -> str:
    return value if isinstance(value, str) else ""
