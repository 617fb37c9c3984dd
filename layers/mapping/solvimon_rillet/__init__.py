"""Solvimon bills, Rillet keeps the books: the code that all functions share."""
