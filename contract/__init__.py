"""What an edge and the centre say to each other. Pure: bytes in, values out, no I/O and no clock.

`rows` is the unit of evidence, `chain` ties rows together, `messages` carries them, `topics` says
where, `limits` how much, `errors` what can be wrong with any of it.
"""

PROTOCOL_VERSION = 1
"""Stands in every topic. A change that an older peer cannot read raises it."""
