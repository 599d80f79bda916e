"""The reference page of faults is what the vocabulary says.

Write its tables anew with ``python tests/plugins/simulator/faults/test_faults_page.py``.
"""

from __future__ import annotations

import re
from pathlib import Path

from cambist_simulator.faults.vocabulary import ACTIONS, MATCHING, SELECTORS

PAGE = Path(__file__).resolve().parents[4] / "docs" / "reference" / "faults.md"


def vocabulary():
    lines, stage = [], ""
    for action in ACTIONS.values():
        if action.stage != stage:
            stage = action.stage
            lines += [
                "",
                f"### {TITLES[stage]}",
                "",
                "| fault | set off by | arguments | what happens |",
                "|---|---|---|---|",
            ]
        arguments = "; ".join(argument_of(one) for one in action.arguments)
        chosen = "".join(
            f" Chooses {name} `{value.replace('|', '` or `')}` unless told otherwise."
            for name, value in action.selects.items()
        )
        lines.append(f"| `{action.name}` | {', '.join(action.triggers)} | {arguments} | {action.meaning}.{chosen} |")
    return "\n".join([*lines, ""])


TITLES = {
    "answer": "Answers",
    "frame": "Single frames",
    "connection": "Connections",
    "order": "Orders",
    "venue": "The venue",
}


def argument_of(one):
    words = one.kind.replace("|", " or ")
    if one.needed:
        return f"`{one.name}` ({words}, needed): {one.meaning}"
    default = one.default if not isinstance(one.default, bool) else str(one.default).lower()
    told = "" if one.default in {None, ""} else f"; default {default}" if one.kind != "text" else "; a usual one"
    return f"`{one.name}` ({words}{told}): {one.meaning}"


def listed(title, words):
    rows = [f"| `{name}` | {meaning} |" for name, meaning in words.items()]
    return "\n".join(["", f"| {title} | |", "|---|---|", *rows, ""])


def rewritten(text):
    made = {
        "vocabulary": vocabulary(),
        "selectors": listed("selector", SELECTORS),
        "matching": listed("setting", MATCHING),
    }
    for name, table in made.items():
        mark = re.compile(rf"(<!-- {name} -->\n).*?(<!-- end -->)", re.DOTALL)
        assert mark.search(text), name
        text = mark.sub(lambda found, table=table: f"{found[1]}{table}{found[2]}", text)
    return text


def test_the_page_is_what_the_vocabulary_says():
    text = PAGE.read_text(encoding="utf-8")
    assert text == rewritten(text), f"run: python {Path(__file__).relative_to(PAGE.parents[2])}"


if __name__ == "__main__":
    PAGE.write_text(rewritten(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
