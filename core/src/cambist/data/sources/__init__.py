"""Where bars come from, one file a kind: memory, a DataFrame, CSV, Parquet."""
