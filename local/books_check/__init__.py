"""An independent auditor of both vendors' books, for the demo, the soak and the fault injection.

It reads the fakes' memory past the product and calculates itself what must be there: it imports nothing of
`solvimon_rillet`. `records` reads, `books` pairs each Solvimon document with Rillet's, `checks` finds what is
not right, `audit` sums it up, and looks at what is left on queues and with the vendors.
"""
