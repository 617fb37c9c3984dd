"""What the functions do, in steps that read top to bottom."""
