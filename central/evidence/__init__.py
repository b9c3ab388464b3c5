"""Evidence: are the stored chains as they were written, and what of them is handed to others."""
