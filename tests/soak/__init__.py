"""`make soak`: weeks of a company's life in minutes, with vendors that fail; at the end the books must agree.

`script` says what the company does and when, `weather` what the vendors and the network do to it, `run` lets
time pass, and `audit` compares both sides' books without asking the product.
"""
