"""What both fakes share."""
