"""What sessions that are wrong on purpose have in common."""

from __future__ import annotations


class Wrong:
    """A session that passes everything on to a right one, save for what a subclass does wrong."""

    def __init__(self, right):
        self._right = right

    def __getattr__(self, name):
        return getattr(self._right, name)
