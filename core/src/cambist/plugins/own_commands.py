"""The core's commands, as the command line needs them: without pluggy, which their records would bring along."""

from __future__ import annotations

__all__ = ["OWN_COMMANDS"]

#: Name -> where the command is, and its line in the list of commands.
OWN_COMMANDS = {
    "backtest": ("cambist.cli.backtest:backtest", "Run a strategy over recorded bars."),
    "cancel": ("cambist.cli.operate.ends:cancel", "Cancel orders of a live run, and of the account."),
    "check": ("cambist.cli.check.group:check", "Find out whether a strategy knows the future, and how it warms up."),
    "compare": ("cambist.cli.compare:compare", "Compare two runs, to tell whether live did what the backtest said."),
    "config": (
        "cambist.cli.config:config",
        "Show what a run file comes to, check it, and have editors know it.",
    ),
    "data": ("cambist.cli.data:data", "Show data that is at hand, fetch more, and check it."),
    "doctor": ("cambist.cli.doctor:doctor", "Check that everything Cambist needs is there and works."),
    "flatten": ("cambist.cli.operate.ends:flatten", "Close what a live run holds at the market."),
    "halt": ("cambist.cli.operate.trading:halt", "Keep orders of a live run from leaving."),
    "indicators": ("cambist.cli.indicators:indicators", "Show the indicators that there are."),
    "init": ("cambist.cli.init:init", "Begin a project: write a run file with comments, and a strategy to change."),
    "journal": ("cambist.cli.journal.group:journal", "Read, verify and rebuild the journal of a run."),
    "kill": ("cambist.cli.operate.kill:kill", "Halt a live run for good, and cancel everything."),
    "live": ("cambist.cli.live:live", "Trade an account at a venue, or at a simulated exchange."),
    "orders": ("cambist.cli.operate.shows:orders", "Show the open orders of a live run."),
    "paper": ("cambist.cli.live:paper", "Trade with play money in the live market of a venue, without keys."),
    "plugins": ("cambist.cli.plugins:plugins", "Show the plugins that are installed; begin one, and check one."),
    "positions": ("cambist.cli.operate.shows:positions", "Show what a live run holds."),
    "reduce": ("cambist.cli.operate.trading:reduce", "Let a live run make positions smaller, and nothing else."),
    "rehearse": ("cambist.cli.rehearse:rehearse", "Show what the start of a live run would do, and send nothing."),
    "replay": ("cambist.cli.replay:replay", "Repeat a recorded run, and find where a strategy decides otherwise."),
    "resume": ("cambist.cli.operate.trading:resume", "Let a live run trade again."),
    "secrets": ("cambist.cli.secrets:secrets", "Keep keys and passwords in an encrypted file."),
    "show": ("cambist.cli.show:show", "Show a result that was saved, or a run that a journal or a storage tells of."),
    "status": ("cambist.cli.operate.shows:status", "Show how a live run does."),
    "stop": ("cambist.cli.operate.ends:stop", "Stop a live run, and wait until it has ended."),
    "storage": ("cambist.cli.storage:storage", "Look after the storage of runs."),
    "version": ("cambist.cli.version:version", "Print the version."),
    "watch": ("cambist.cli.operate.watch:watch", "Show a live run as it goes on."),
}
