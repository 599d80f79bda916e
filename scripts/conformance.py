"""Writes the page of the documentation that numbers what the suites require: ``python scripts/conformance.py``.

Numbers stay: a new test of a suite goes behind the others.
"""

from __future__ import annotations

import inspect
from pathlib import Path

import cambist.testing
from cambist.testing.conformance import SUITES_VERSION, Suite, cards_of

PAGE = Path(__file__).parents[1] / "docs/reference/conformance.md"

HEAD = f"""# Conformance

What `cambist plugins check` holds a plugin to. Each requirement is a test of a suite in `cambist.testing`, has a number
that stays, and is met, failed, or skipped because the plugin says that it has not got what is tested. A test of a suite
is not removed; one that cannot hold for a plugin is replaced with a reason, which the certificate shows
(`cambist.testing.overrides`).

These are the requirements of version {SUITES_VERSION} of the suites, which a certificate names.

How a plugin is made, and where the suites go, is in [Write a plugin](../how-to/write-a-plugin.md).
"""


def suites() -> list[type[Suite]]:
    """Return the suites, by name."""
    every = (getattr(cambist.testing, name) for name in cambist.testing.__all__)
    return sorted(
        {one for one in every if inspect.isclass(one) and issubclass(one, Suite)}, key=lambda one: one.__name__
    )


def page() -> str:
    """Return the page."""
    lines = [HEAD]
    for suite in suites():
        cards = [card for card in cards_of(suite) if card.suite == suite.__name__]
        of = (inspect.getdoc(suite) or "").partition("\n\n")[0].replace("\n", " ")
        lines += [f"## {suite.__name__}", "", of, "", "| card | requirement |", "|---|---|"]
        lines += [f"| {card.id} | {card.requirement.replace('|', chr(92) + '|')} |" for card in cards]
        lines.append("")
    return "\n".join(lines)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
