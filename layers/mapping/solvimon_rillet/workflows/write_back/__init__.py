"""The write-back: Solvimon shows Rillet's id and number of what was exported."""
