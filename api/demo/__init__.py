"""The demonstration: an invented office with people, and scenarios played from start to end."""
