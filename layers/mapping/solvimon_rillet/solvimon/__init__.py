"""Solvimon: wire models, API client, webhook signature."""
