"""What a run was worth in more than one number: series, tables and trees, one file each."""
