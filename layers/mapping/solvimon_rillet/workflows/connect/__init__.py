"""Connect a Rillet organisation: authorisation and status."""
