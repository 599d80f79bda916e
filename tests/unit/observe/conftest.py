"""Logs set up for one test, and taken down again."""

from __future__ import annotations

import io
import json
import logging

import pytest

from cambist.observe import configure


@pytest.fixture
def logs():
    """Set logs up on a stream of their own; gives the lines, or the objects, written so far."""
    root = logging.getLogger()
    before = (root.handlers[:], root.level)
    stream = io.StringIO()

    class Logs:
        def start(self, level="debug", *, json=False):
            configure(level, json=json, stream=stream)
            return self

        @property
        def lines(self):
            return stream.getvalue().splitlines()

        @property
        def records(self):
            return [json.loads(line) for line in self.lines]

    yield Logs()
    root.handlers[:], root.level = before
    root.setLevel(before[1])
