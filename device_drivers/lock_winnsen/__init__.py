"""Winnsen lock boards: codec and driver."""
