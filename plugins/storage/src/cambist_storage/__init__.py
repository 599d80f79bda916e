"""Storage for Cambist: bars in Parquet files; runs, orders and bars in SQLite or PostgreSQL."""
