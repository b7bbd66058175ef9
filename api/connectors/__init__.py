"""The connectors that come with the product, and those that plug-ins add."""
