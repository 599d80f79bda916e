"""Storage that works with nothing else installed."""
