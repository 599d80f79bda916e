"""From a plan to a replay."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cambist.app.strategies import make_strategy, sized_strategies, source_folder
from cambist.backtest.replay import replay
from cambist.plugins.source_files import importable
from cambist.storage.recording import RecordingFolder

if TYPE_CHECKING:
    from pathlib import Path

    from cambist.app.plan import RunPlan
    from cambist.backtest.replay import ReplayReport

__all__ = ["replay_plan"]


def replay_plan(folder: Path, plan: RunPlan) -> ReplayReport:
    """Replay a journal with the strategies of a plan.

    Of the plan's settings those count that the recording could not keep; all others are those of the run, whatever the
    plan says.
    """
    about = RecordingFolder(folder).head.about
    needed = about.get("objects", {})
    options: dict[str, Any] = {name: plan.settings[name] for name in needed if name in plan.settings}
    if about.get("live"):  # where a sizer is the strategies' own
        strategies = sized_strategies(plan)
    else:
        strategies = [make_strategy(one.cls, dict(one.parameters), one.name) for one in plan.strategies]
    folders = [found for found in map(source_folder, map(type, strategies)) if found is not None]
    with importable(folders):
        return replay(folder, [*strategies], **options)
