"""Rillet's rate limit, shared by all functions."""
