"""HTTP to the vendors: sessions, requests and answers."""
