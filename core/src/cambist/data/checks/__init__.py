"""Checks and repairs of bars: rules, one file each, and what they find."""
