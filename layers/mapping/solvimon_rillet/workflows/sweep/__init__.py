"""The sweep: publish the events that no webhook delivered."""
