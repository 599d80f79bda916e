"""Runs, state and bars in a database: SQLite or PostgreSQL, by one URL."""
