"""Strategy files, data files and run files in a folder of their own, and a registry without the machine's plugins."""

from __future__ import annotations

import sys
from textwrap import dedent

import pytest

from cambist.plugins.registry import Registry


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty working directory; ``folder.write(name, text)`` puts a file there."""
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)

    class Folder:
        path = work

        def write(self, name, text):
            target = work / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(dedent(text), encoding="utf-8")
            return target

        def bars(self, name="bars.csv", count=40, start=100):
            rows = [
                f"2024-01-{day:02d},{start + day},{start + day + 2},{start + day - 2},{start + day + 1},1000"
                for day in range(1, min(count, 31) + 1)
            ]
            return self.write(name, "\n".join(["time,open,high,low,close,volume", *rows, ""]))

    before = set(sys.modules)
    yield Folder()
    for name in set(sys.modules) - before:
        if name.startswith(("cambist_user_", "mine_")):
            del sys.modules[name]


@pytest.fixture
def registry():
    """The core's own components."""
    return Registry.of([], core=True)
