"""The technician's commands: plan, probe, read, capture, doctor, commission. None of them writes a row."""
