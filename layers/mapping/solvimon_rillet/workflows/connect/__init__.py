"""Connecting a Rillet organisation: authorization and readiness."""
