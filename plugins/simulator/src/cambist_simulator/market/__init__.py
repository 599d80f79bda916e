"""What moves a market: recorded or random, and what is kept of it."""
