"""The directive ``picture``: a drawing of ``docs/_pictures`` in the page itself, so that it takes the page's colors.

An image file could not follow the switch between light and dark. Its content says what the picture shows, for those who
do not see it.
"""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

if TYPE_CHECKING:
    from sphinx.application import Sphinx

__all__ = ["setup"]


class Picture(SphinxDirective):
    """Puts a drawing into the page."""

    required_arguments = 1
    has_content = True
    option_spec: ClassVar = {}

    def run(self) -> list[nodes.Node]:
        """Return the drawing for HTML, and its description for everything else."""
        file = Path(self.env.srcdir) / "_pictures" / f"{self.arguments[0]}.svg"
        self.env.note_dependency(str(file))
        if not file.is_file():
            raise self.error(f"there is no picture {file.name}; run: python scripts/pictures.py")
        about = " ".join(self.content)
        if not about:
            raise self.error("a picture says what it shows, for those who do not see it")
        drawing = file.read_text(encoding="utf-8")
        html = f'<figure class="picture" role="img" aria-label="{escape(about)}">{drawing}</figure>'
        return [nodes.raw("", html, format="html")]


def setup(app: Sphinx) -> dict[str, bool]:
    """Make the directive known."""
    app.add_directive("picture", Picture)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
