"""Rillet's webhook signature, worked out once more."""

import base64
import hashlib
import hmac

TOKEN = base64.b64encode(b"thirty-two bytes, or nearly that").decode()
HEADERS = ("X-RILLET-TIMESTAMP", "X-RILLET-ID", "X-RILLET-ENTITY", "X-RILLET-EVENT")


def signature(key: bytes, headers: dict[str, str], body: bytes) -> str:
    signed = b".".join([*(headers[name].encode() for name in HEADERS), body])
    return base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
