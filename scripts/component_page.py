"""Writes the page of the core's components with their settings: ``python scripts/component_page.py``."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from cambist.cli.plugins_settings import settings_of
from cambist.plugins.registry import Registry

if TYPE_CHECKING:
    from cambist.cli.plugins_settings import Setting
    from cambist.plugins.specs import Spec

PAGE = Path(__file__).parents[1] / "docs/reference/components.md"

HEAD = """# Components and their settings

What the core offers by name, and what can be set on it: keys beside `use` in a run file, or parameters in Python.
Plugins bring more; `cambist plugins list` shows what is installed, `cambist plugins show NAME` the settings of one. A
default of `...` is told by the others. This page is written from the components themselves. Measures are on
[a page of their own](measures.md), and so are [indicators](indicators.md) and [sizers](sizers.md).
"""

#: Kinds in the order of the page: heading, and where a run file names one.
KINDS = {
    "risk_rule": ("Risk rules", "`[[risk]]`; the first are always there: [Limit the risk](../how-to/risk.md)"),
    "simulation_model": ("Simulation models", "`[venue]`: [what they do](simulation-models.md)"),
    "feed": ("Feeds", "`source` of `[[data]]`: [Read data of other programs](../how-to/data-sources.md)"),
    "data_rule": ("Rules of data quality", "`repair`, `bar_policy`: [what they look for](data-checks.md)"),
    "notifier": ("Notifiers", "`[[notify]]`: [Tell people](../how-to/notifications.md)"),
    "sink": ("Sinks", "`[[sink]]`: [Write a run file](../how-to/run-file.md)"),
    "storage": ("Storages", "The scheme of `url` in `[storage]`: [Keep runs and bars](../how-to/storage.md)"),
    "broker": ("Brokers", "`[broker]`: who takes the orders of a backtest"),
    "strategy": ("Strategies", "`[strategy]`: examples to begin with"),
}


def cell(text: str) -> str:
    """Return a text that a cell of a table can hold."""
    return re.sub(r"``([^`]+)``", r"`\1`", text).replace("|", "\\|")


def shown(setting: Setting) -> str:
    """Return one setting: name, default, and what it means."""
    default = "" if setting.default is None else f" = {setting.default.replace(chr(39), chr(34))}"
    return cell(f"`{setting.name}{default}`" + (f": {setting.doc}" if setting.doc else ""))


def row(spec: Spec) -> str:
    """Return the row of a component."""
    return f"| `{spec.name}` | {'<br>'.join([f'{cell(spec.summary)}.', *map(shown, settings_of(spec))])} |"


def page() -> str:
    """Return the page."""
    components = Registry.of([], core=True).components()
    lines = [HEAD]
    for kind, (title, where) in KINDS.items():
        rows = [row(spec) for spec in components if spec.kind == kind]
        lines += [
            f"## {title}",
            "",
            f"{where}.",
            "",
            "| name | what it does, and its settings |",
            "|---|---|",
            *rows,
            "",
        ]
    return "\n".join(lines)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
