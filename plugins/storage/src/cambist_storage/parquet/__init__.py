"""Bars in Parquet files: month by month, checksummed, each file replaced as a whole."""
