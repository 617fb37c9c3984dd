"""Fingerprints, to recognise unchanged records and payloads."""

import hashlib

import simplejson


def fingerprint_of(payload: object) -> str:
    """SHA-256 of a payload's content, independent of the order of its keys."""
    return hashlib.sha256(simplejson.dumps(payload, sort_keys=True, use_decimal=True).encode()).hexdigest()
