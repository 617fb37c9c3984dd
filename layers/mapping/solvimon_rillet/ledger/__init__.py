"""What the product remembers: document records, leases, the audit trail, the state of imports and sweeps."""
