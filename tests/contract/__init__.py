"""Checks of our requests and the fakes' answers against the vendors' own OpenAPI documents.

`make contracts` checks everything; tests use the same checks for the part they look at.
"""
