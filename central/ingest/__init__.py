"""From a message of an edge to committed rows and a receipt."""
