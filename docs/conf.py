"""How the documentation is built. Nothing here uses a network: `make docs` works offline."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

root = Path(__file__).resolve().parent.parent

sys.path.insert(0, str(root / "docs" / "_ext"))

project = "Cambist"
author = "The Cambist developers"
project_copyright = author
release = tomllib.loads((root / "core" / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
version = release

extensions = ["myst_parser", "picture", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]
nitpicky = False
# `Order` in a docstring is the class, wherever it is on the site.
default_role = "py:obj"

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented_params"
napoleon_google_docstring = False
napoleon_use_rtype = False

html_theme = "furo"
html_title = f"Cambist {release}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sourcelink = False
