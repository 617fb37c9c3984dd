"""Rillet: wire models and API client."""
