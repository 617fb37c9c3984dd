"""Texts, country codes and ids in the form that Rillet takes."""

import re
from functools import lru_cache

# Control characters (line feed and tab are text), halves of surrogate pairs, and the marks that turn the
# direction of the text around them (Unicode TR 36, bidirectional text spoofing).
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069]")
_RILLET_ID = re.compile("[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_COUNTRY = re.compile("[A-Z]{2}")
_EMAIL_IN_TEXT = re.compile(r"[^\s;,<>\"']+@[^\s;,<>\"']+\.[^\s;,<>\"']+")
# VAT numbers and VAT returns spell these countries in their own way (Council Directive 2006/112/EC, 215).
_VAT_SPELLINGS = {"EL": "GR", "UK": "GB", "XI": "GB"}


def without_control_characters(text: str) -> str:
    """The text without control characters; one that stands for white space becomes a blank."""
    if text.isprintable() or not _CONTROL.search(text):  # the first is the quicker one
        return text
    return _CONTROL.sub(lambda found: " " if found[0].isspace() else "", text.replace("\r\n", "\n"))


@lru_cache(maxsize=256)
def iso_country(text: str | None) -> str | None:
    """The ISO 3166 code (two letters) of a country, also from VAT's own spelling; ``None`` if it is none."""
    code = (text or "").strip().upper()
    return _VAT_SPELLINGS.get(code, code) if _COUNTRY.fullmatch(code) else None


def is_rillet_id(text: str) -> bool:
    """Whether a text has the form of Rillet's ids (UUID)."""
    return _RILLET_ID.fullmatch(text) is not None


def addresses_in(text: str) -> list[str]:
    """The e-mail addresses in one text, each once; people write several into one field."""
    return list({address.lower(): address for address in _EMAIL_IN_TEXT.findall(text)}.values())
