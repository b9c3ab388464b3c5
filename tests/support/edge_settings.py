"""A sound settings file of an edge, for tests to use or to spoil."""

SOUND = """\
[edge]
id = "liuxu"
data_dir = "edge"

[broker]
host = "127.0.0.1"

[[bus]]
id = "io"
kind = "modbus_tcp"
host = "192.0.2.1"

[[device]]
id = "io1"
bus = "io"
driver = "modbus_di"
profile = "adam-6050"

[[point]]
id = "liuxu.int1.door"
type = "door"
device = "io1"
channel = "di:0"
"""
