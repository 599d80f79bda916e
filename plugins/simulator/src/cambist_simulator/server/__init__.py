"""HTTP and WebSocket on one port, with a record of all that came."""
