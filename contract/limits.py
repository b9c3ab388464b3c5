"""Every bound of the wire, in one place. A peer that exceeds one is refused, never truncated."""

ROW_MAX_BYTES = 2_048
ROW_DATA_MAX_KEYS = 16
TEXT_MAX_CHARS = 256

BATCH_MAX_ROWS = 64
BATCH_MAX_BYTES = 32 * 1024
BATCHES_IN_FLIGHT = 8
"""Twice what the centre takes in one transaction: while it stores four batches, the next four come."""

BIRTH_MAX_POINTS = 1_024
MESSAGE_MAX_BYTES = 256 * 1024
"""No message of any kind may be longer; a birth of 1,024 points fits."""

BEAT_INTERVAL_S = 5.0
SILENCE_AFTER_S = 15.0
"""Three missed beats: the station is lost (失联), judged by the centre's own monotonic clock."""

RECEIPT_PATIENCE_S = 5.0
"""How long an edge waits for a receipt before it sends the rows after the last one again."""
RECEIPT_PATIENCE_CAP_S = 30.0
"""Each time in vain it waits longer, by a part of a doubled span that chance decides, and never over this."""

RECONNECT_CAP_S = 0.8
"""Upper end of the full-jitter reconnect delay on both sides: an alarm may not wait for a backoff."""

LOG_STANDS_AFTER_S = 15.0
"""A beat whose head is ahead of the stored log, and no row for so long: rows are being kept back."""

CLOCK_SKEW_MAX_MS = 2_000
"""An edge's wall clock may differ so much from the centre's before it is a fault."""

COMMAND_VALID_MAX_S = 120
"""Longest life of a command, counted from a beat of the edge that it is for."""
MAINTENANCE_MAX_S = 8 * 3_600
"""Longest permission; a longer job is asked for again."""

CHECKPOINT_EVERY_ROWS = 64
"""The centre keeps a signed batch header at least so often, and always the newest."""
