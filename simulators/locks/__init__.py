"""Lock boards at the far end of a cable: one board behind every family's frames."""
