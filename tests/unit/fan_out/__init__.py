"""The fan-out of sweeps and reconciliations, without the local system."""
