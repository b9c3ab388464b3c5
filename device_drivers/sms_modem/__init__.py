"""Modems for short messages: PDUs, AT lines and driver."""
