"""The simulators' control: an HTTP interface and one page, on a loopback address."""
