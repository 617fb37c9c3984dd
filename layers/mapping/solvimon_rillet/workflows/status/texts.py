"""Texts of a record for answers."""

import re
from collections.abc import Mapping
from typing import Any

_EMAIL_ADDRESS = re.compile(r"[^\s@'\"<>:,;]+@[^\s@'\"<>:,;]+")


def without_email_addresses(value: Any) -> Any:  # noqa: ANN401 - JSON
    """The value without e-mail addresses, which a vendor's refusal may quote."""
    if isinstance(value, str):
        return _EMAIL_ADDRESS.sub("(an e-mail address)", value)
    if isinstance(value, Mapping):
        return {name: without_email_addresses(part) for name, part in value.items()}
    if isinstance(value, list):
        return [without_email_addresses(part) for part in value]
    return value
