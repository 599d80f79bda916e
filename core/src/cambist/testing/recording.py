"""A plugin of pytest that writes down which requirements of the suites were met; `cambist plugins check` loads it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from cambist.plugins.checking import REPORT
from cambist.testing.conformance import SUITES_VERSION, Suite, cards_of, reason_of

__all__ = ["pytest_configure"]


class _Recorder:
    """Keeps what became of each test of a suite, by test class and requirement."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], dict[str, Any]] = {}

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> Any:  # noqa: ARG002
        report = yield
        row = self._row(item)
        if row is not None:
            _note(row, report)
        return report

    def pytest_sessionfinish(self) -> None:
        found = {"suites": SUITES_VERSION, "requirements": list(self.rows.values())}
        Path(os.environ[REPORT]).write_text(json.dumps(found), encoding="utf-8")

    def _row(self, item: pytest.Item) -> dict[str, Any] | None:
        test_class = getattr(item, "cls", None)
        if test_class is None or not issubclass(test_class, Suite):
            return None
        name = getattr(item, "originalname", item.name)
        key = (test_class.__name__, name)
        if key not in self.rows:
            card = next((card for card in cards_of(test_class) if card.test == name), None)
            if card is None:
                return None
            self.rows[key] = {
                "id": card.id,
                "subject": test_class.__name__,
                "requirement": card.requirement,
                "outcome": "",
                "why": "",
                "replaced": reason_of(test_class, name),
            }
        return self.rows[key]


def _note(row: dict[str, Any], report: pytest.TestReport) -> None:
    """Add one phase of one test to its requirement: one that failed anywhere is not met, one that ran anywhere was."""
    if report.failed:
        if row["outcome"] != "failed":
            row["why"] = _why(report)
        row["outcome"] = "failed"
    elif report.skipped and not row["outcome"]:
        row["outcome"] = "skipped"
        row["why"] = _why(report)
    elif report.passed and report.when == "call" and row["outcome"] != "failed":
        row["outcome"], row["why"] = "passed", ""


def _why(report: pytest.TestReport) -> str:
    """Return the line that tells most: the reason of a skip, or the error that was raised."""
    if isinstance(report.longrepr, tuple):
        return report.longrepr[2].removeprefix("Skipped: ")
    crash = getattr(report.longrepr, "reprcrash", None)
    text = crash.message if crash is not None else str(report.longrepr)
    return text.partition("\n")[0]


def pytest_configure(config: pytest.Config) -> None:
    """Begin to record, where somebody asks for it."""
    if REPORT in os.environ:
        config.pluginmanager.register(_Recorder())
