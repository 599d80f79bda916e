"""The core's commands, as the command line needs them: without pluggy, which their records would bring along."""

from __future__ import annotations

__all__ = ["OWN_COMMANDS"]

#: Name -> where the command is, and its line in the list of commands.
OWN_COMMANDS = {
    "backtest": ("cambist.cli.backtest:backtest", "Run a strategy over recorded bars."),
    "data": ("cambist.cli.data:data", "Show data that is at hand."),
    "doctor": ("cambist.cli.doctor:doctor", "Check that everything Cambist needs is there and works."),
    "indicators": ("cambist.cli.indicators:indicators", "Show the indicators that there are."),
    "journal": ("cambist.cli.journal.group:journal", "Read, verify and rebuild the journal of a run."),
    "plugins": ("cambist.cli.plugins:plugins", "Show the plugins that are installed and what they offer."),
    "replay": ("cambist.cli.replay:replay", "Repeat a recorded run, and find where a strategy decides otherwise."),
    "show": ("cambist.cli.show:show", "Show a result that was saved."),
    "storage": ("cambist.cli.storage:storage", "Look after the storage of runs."),
    "version": ("cambist.cli.version:version", "Print the version."),
}
