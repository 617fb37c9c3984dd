"""What the vendors' own documents say of their APIs, as a judge of our requests and the fakes' answers.

`make contracts` holds everything against them; tests use the same judge for the part they look at.
"""
