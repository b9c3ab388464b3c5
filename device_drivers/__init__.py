"""What speaks to a device: transports, the bus, pure codecs, drivers. Knows nothing of MQTT, nor of us."""
