"""The other end of every cable: I/O modules, lock boards, cameras; scenarios and their control page."""
