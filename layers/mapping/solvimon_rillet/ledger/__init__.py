"""The stored state: document records, leases, the audit trail, links, the state of imports and sweeps."""
