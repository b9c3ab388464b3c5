"""Modbus I/O modules: frames, module profiles, and the driver that reads door contacts from them."""
