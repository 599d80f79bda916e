"""The default role of docstrings: `Order` is a link to the class, `start` is code."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from docutils import nodes

if TYPE_CHECKING:
    from docutils.parsers.rst.states import Inliner
    from sphinx.application import Sphinx

__all__ = ["setup"]

#: What names something of ours by itself: a class, perhaps with its module before it and a member behind it. A word in
#: small letters is a parameter or a value as often as a function, and many classes have a `start`.
NAME = re.compile(r"(?:[a-z_]+\.)*[A-Z]\w*(?:\.[a-z_]\w*)?(?:\(\))?|cambist(?:\.\w+)+(?:\(\))?")


def name(
    role: str,
    rawtext: str,
    text: str,
    lineno: int,
    inliner: Inliner,
    options: dict[str, Any] | None = None,
    content: list[str] | None = None,
) -> tuple[list[nodes.Node], list[nodes.system_message]]:
    """Return a reference to a name, wherever on the site it is described, or code."""
    if NAME.fullmatch(text):
        link = inliner.document.settings.env.get_domain("py").role("obj")
        return link(role, rawtext, f".{text}", lineno, inliner, options or {}, content or [])
    return [nodes.literal(rawtext, text)], []


def setup(app: Sphinx) -> dict[str, bool]:
    """Make the role known."""
    app.add_role("name", name)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
