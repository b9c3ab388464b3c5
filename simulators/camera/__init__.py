"""Simulated cameras: a drawn room, H.264, RTSP over TCP and UDP, one port for all of them.

`farm` is what a scenario starts; `drawing` draws, `encoder` encodes, `server` speaks RTSP with the pure
codecs `rtsp` and `rtp`.
"""
