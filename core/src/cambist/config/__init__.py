"""Run files: TOML in, checked tables out, and every mistake at once with its line.

``document`` and ``problems`` know TOML and how to tell of mistakes. The other modules hold pydantic models, and are
imported only when a run file is read.
"""
