"""Notices to people: the channel that works with nothing else installed."""
