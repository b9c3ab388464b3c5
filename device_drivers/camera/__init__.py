"""Cameras: coded pictures from an RTSP address (`rtsp_source`), and whether they show the room (`picture`).

What is verified, and against what, stands in README.md.
"""
