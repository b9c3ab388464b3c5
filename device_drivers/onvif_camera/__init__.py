"""Cameras that speak ONVIF: where they are, what they stream, what they notice."""
