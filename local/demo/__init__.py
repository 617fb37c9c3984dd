"""`make demo`: invoices on their way from a local Solvimon into a local Rillet, in tables for people.

`story` says what is told in which order, `sections` tell it, `audit` compares both sides' books.
"""
