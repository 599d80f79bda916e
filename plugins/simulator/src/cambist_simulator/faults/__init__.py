"""Faults on purpose: what can go wrong, when, and how often."""
