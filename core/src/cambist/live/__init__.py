"""Live trading: what drives a kernel by a venue's streams, and never loses an order."""
