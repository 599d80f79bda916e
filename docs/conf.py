"""How the documentation is built. Nothing here uses a network: `make docs` works offline."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx

root = Path(__file__).resolve().parent.parent

sys.path.insert(0, str(root / "docs" / "_ext"))

project = "Cambist"
author = "The Cambist developers"
project_copyright = author
release = tomllib.loads((root / "core" / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
version = release

extensions = ["myst_parser", "names", "picture", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]
nitpicky = False
# `Order` in a docstring is a link to the class, wherever that is on the site.
default_role = "name"
# Sphinx looks for a target of each attribute's own name, and finds those of other classes.
suppress_warnings = ["ref.python"]
# Every method in the navigation of every page would make it neither readable nor quick to build.
toc_object_entries = False

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented_params"
napoleon_google_docstring = False
napoleon_use_rtype = False
napoleon_use_ivar = True
add_module_names = False

html_theme = "furo"
html_title = f"Cambist {release}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sourcelink = False


def _says_no_type(_app: Sphinx, what: str, _name: str, _of: object, _options: Any, lines: list[str]) -> None:
    """Keep napoleon from reading "One: the other" of an attribute or a property as its type and its description."""
    if what in {"attribute", "data", "property"} and lines and lines[0]:
        lines.insert(0, "")


def setup(app: Sphinx) -> None:
    """Adjust docstrings before napoleon reads them."""
    app.connect("autodoc-process-docstring", _says_no_type, priority=400)
