"""With what a command of the edge ends, beside 0."""

EXIT_FAULTS = 1
EXIT_PROGRAMMER_ERROR = 70
EXIT_OPERATING_ERROR = 74
