"""Recorded fills and orders, run again: what was read, where in the bars it belongs, and the strategies it becomes."""
