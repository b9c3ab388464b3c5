"""The centre's HTTP and WebSocket side: who may ask, what is asked, and how an answer leaves."""
