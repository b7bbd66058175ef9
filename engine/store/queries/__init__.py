"""Questions to the store; each takes a read session and changes nothing."""
