"""Imports: Rillet's customers, products and subsidiaries into Solvimon."""
