"""`cambist doctor`: whether everything is there that Cambist needs, and works."""

from __future__ import annotations

import json
from pathlib import Path

import attrs
import click

from cambist.cli.checks import Finding, State, examine, warm_up
from cambist.cli.exits import Exit
from cambist.cli.run_file_options import set_option
from cambist.cli.session import global_options, session
from cambist.observe.redaction import REDACTOR

__all__ = ["doctor"]


@click.command()
@click.argument("run_file", required=False, type=click.Path(path_type=Path))
@set_option
@click.option("--warm", is_flag=True, help="Have ready what takes long the first time, such as compiled code.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")
@global_options(hidden=True)
def doctor(run_file: Path | None, *, assigned: tuple[str, ...], warm: bool, as_json: bool) -> None:
    """Check that everything Cambist needs is there and works.

    With the RUN_FILE of a live run, its journal, disk, venue, clock and key as well: the venue is asked, and nothing is
    sent there.

    The exit code is 1 if something needed is broken. A warning is no failure.

    \b
    Examples:
      cambist doctor
      cambist doctor --warm
      cambist doctor --json
      cambist doctor run.toml
    """  # noqa: D301 -- click reads the control character
    findings = examine(lambda: session().registry(beside=run_file))
    if run_file is not None:
        from cambist.cli.live_checks import examine_run

        findings += examine_run(run_file, session().registry("error", beside=run_file), assigned)
    if warm:
        findings += warm_up(session().registry)
    healthy = all(finding.state is not State.FAILED for finding in findings)
    if as_json:
        click.echo(
            json.dumps(
                REDACTOR.value({"healthy": healthy, "findings": [attrs.asdict(one) for one in findings]}), indent=2
            )
        )
    else:
        _print(findings)
    raise SystemExit(Exit.OK if healthy else Exit.FAILED)


def _print(findings: list[Finding]) -> None:
    colors = {State.OK: "green", State.WARNING: "yellow", State.FAILED: "red"}
    width = max(len(finding.name) for finding in findings)
    topic = ""
    for finding in findings:
        if finding.topic != topic:
            topic = finding.topic
            click.secho(topic, bold=True)
        state = click.style(f"{finding.state:<7}", fg=colors[finding.state])
        click.echo(f"  {state}  {finding.name:<{width}}  {REDACTOR.text(finding.text)}")
