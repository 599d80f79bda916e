"""Run files: TOML in, checked tables out, and every mistake at once with its line.

``document`` and ``problems`` know TOML and how to tell of mistakes; ``models`` and ``settings`` hold the pydantic models,
and are imported only when a run file is read.
"""
