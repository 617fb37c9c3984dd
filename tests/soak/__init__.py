"""`make soak`: weeks of a company in minutes, with vendors that fail; in the end both books must agree.

`schedule` says what the company does and when, `fault_schedule` what the vendors and the network do to it,
`run` lets time pass, and `local.books_check` compares both sides' books without asking the product.
"""
