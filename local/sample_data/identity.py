"""Ids that are the same in every run, made from names."""

import hashlib
import string
import uuid
from typing import Any

Json = dict[str, Any]

_ALPHABET = string.ascii_letters + string.digits
_RILLET_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_DNS, "rillet.tideway.example")


def solvimon_id(prefix: str, name: str) -> str:
    """Return an id in Solvimon's form, such as `cust_` and twenty letters or digits."""
    number = int.from_bytes(hashlib.sha256(f"{prefix}/{name}".encode()).digest())
    letters = []
    for _ in range(20):
        number, index = divmod(number, len(_ALPHABET))
        letters.append(_ALPHABET[index])
    return f"{prefix}_{''.join(letters)}"


def rillet_id(kind: str, name: str) -> str:
    """Return an id in Rillet's form, a UUID."""
    return str(uuid.uuid5(_RILLET_NAMESPACE, f"{kind}/{name}"))
