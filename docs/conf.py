"""How the documentation is built. Nothing here uses a network: `make docs` works offline."""

from __future__ import annotations

import tomllib
from pathlib import Path

root = Path(__file__).resolve().parent.parent

project = "Cambist"
author = "The Cambist developers"
project_copyright = author
release = tomllib.loads((root / "core" / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
version = release

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]
nitpicky = False

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented_params"
napoleon_google_docstring = False
napoleon_use_rtype = False

html_theme = "furo"
html_title = f"Cambist {release}"
html_show_sourcelink = False
