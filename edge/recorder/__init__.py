"""Cameras at the station: one process each under a supervisor, so that a fault of one disturbs no other.

`supervisor` belongs to the edge's event loop and imports neither libav nor OpenCV; `process` is a camera's
process, forked from a server that has both loaded; `wire` is what they say to each other.
"""
