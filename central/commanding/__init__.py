"""What the centre tells an edge to do: commands, and the leave to be maintained."""
