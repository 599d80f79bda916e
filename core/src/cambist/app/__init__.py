"""Puts things together: what a user named, and what is installed, become a run."""
