"""Sweeps over parameters, W3: 400 combinations of the moving-average cross, side by side with other engines."""
