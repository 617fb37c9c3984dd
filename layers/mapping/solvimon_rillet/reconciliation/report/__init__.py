"""The reconciliation report: an HTML page, CSV tables, a summary."""
