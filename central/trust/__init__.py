"""Whom the centre believes: its authority, the edges' keys, what they said last."""
