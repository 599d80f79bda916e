"""What this package offers to Cambist."""

from __future__ import annotations

from cambist.api import CommandSpec, ReportSpec, hookimpl

__all__ = ["cambist_commands", "cambist_reports"]


@hookimpl
def cambist_reports() -> list[ReportSpec]:
    """Offer the page, the figures, and what a notebook shows."""
    return [
        ReportSpec(
            name="html",
            factory="cambist_report.page:write_page",
            summary="Everything of a run in one HTML file that works offline",
            conformance="cambist_report.conformance",
        ),
        ReportSpec(
            name="figure",
            factory="cambist_report.figures:draw",
            summary="One figure of a run, as PNG, SVG or PDF too",
            conformance="cambist_report.conformance",
        ),
        ReportSpec(
            name="notebook",
            factory="cambist_report.notebook:curves",
            summary="Equity and drawdown of a run, for a notebook",
            conformance="cambist_report.conformance",
        ),
    ]


@hookimpl
def cambist_commands() -> list[CommandSpec]:
    """Offer the command that writes reports."""
    return [
        CommandSpec(
            name="report",
            factory="cambist_report.command:report",
            summary="Write a page that shows everything of a run.",
            conformance="cambist_report.conformance",
        )
    ]
