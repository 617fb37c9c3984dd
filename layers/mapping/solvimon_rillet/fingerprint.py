"""Fingerprints, to recognise unchanged records and payloads, and idempotency keys."""

import hashlib
import uuid

import simplejson

_KEY_NAMESPACE = uuid.UUID("6b0f3c0e-8a53-5b0f-9c3a-1f7d1a2f4a10")


def fingerprint_of(payload: object) -> str:
    """SHA-256 of a payload's content, independent of the order of its keys."""
    return hashlib.sha256(simplejson.dumps(payload, sort_keys=True, use_decimal=True).encode()).hexdigest()


def idempotency_key(*parts: str) -> str:
    """An idempotency key; the same parts give the same key, on any machine and after any crash."""
    return str(uuid.uuid5(_KEY_NAMESPACE, "/".join(parts)))
