"""The engines that are measured, each behind the same three steps; see `benchmarks.job`."""
