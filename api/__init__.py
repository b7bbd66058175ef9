"""Three doors to the same use cases (portal, JSON interface, shell), the worker, and the wiring."""
