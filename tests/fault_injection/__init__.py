"""What becomes of every workflow when a fault happens at any of its external effects."""
