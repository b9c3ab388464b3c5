"""Ways to carry bytes to a device and back, half duplex: TCP, a serial port, memory."""
