"""Exports: finalised invoices and credit notes into Rillet, exactly once."""
