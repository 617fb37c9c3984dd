"""Rillet: wire models, API client, OAuth, webhook signature."""
