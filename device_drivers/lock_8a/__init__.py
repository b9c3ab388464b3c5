"""Cabinet lock boards of the 8A family: codec and driver."""
