"""Fingerprints, by which an unchanged record or payload is recognised."""

import hashlib

import simplejson


def hash_of(payload: object) -> str:
    """SHA-256 of a payload, the same for the same content."""
    return hashlib.sha256(simplejson.dumps(payload, sort_keys=True, use_decimal=True).encode()).hexdigest()
