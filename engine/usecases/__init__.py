"""What can be asked of the engine, one verb a file.

A use case takes a `Work` (write session, ports, the instant) and a command, and never commits.
"""
