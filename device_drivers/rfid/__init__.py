"""What all readers of dossier tags have in common."""
