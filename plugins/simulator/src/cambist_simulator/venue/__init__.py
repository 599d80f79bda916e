"""A venue put together: exchanges, users, markets, clocks, dialects, faults, and the server before them."""
