"""Officers' card readers on OSDP, through libosdp in a process of its own."""
