"""`cambist kill`: the kill switch."""

from __future__ import annotations

import getpass
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cambist.cli.operate.shared import confirm, connect, described, operated, verified, yes_option
from cambist.cli.run_file_options import set_option
from cambist.cli.session import global_options, session
from cambist.errors import ControlError, NotRunningError

if TYPE_CHECKING:
    from cambist.app.live_file import LivePlan

__all__ = ["kill"]

#: What the run answers where it cannot do it, and somebody else may.
_DEAF = frozenset({"no_answer", "ended", "version", "busy"})


@click.command()
@operated
@click.option("--flatten", is_flag=True, help="Close positions at the market, too.")
@click.option("--reason", help="For the journal.")
@click.option("--direct", is_flag=True, help="Act at the venue at once, whatever the run does.")
@set_option
@yes_option
@global_options(hidden=True)
def kill(
    target: str | None,
    *,
    flatten: bool,
    reason: str | None,
    direct: bool,
    assigned: tuple[str, ...],
    yes: bool,
    as_json: bool,
) -> None:
    """Halt a live run for good, and cancel everything.

    Orders of others in the account are canceled, too. Then the venue is asked whether nothing is open. Trading stays
    halted, also over a restart, until cambist resume. It works while a strategy blocks the run; and where RUN is a run
    file also when its process is gone: then this command acts at the venue by itself.

    The exit code is 0 when the venue says that nothing is open, and 1 when it does not.

    \b
    Examples:
      cambist kill
      cambist kill run.toml --flatten --yes
    """  # noqa: D301 -- click reads the control character
    if not direct:
        try:
            with connect(target) as run:
                confirm(f"{_what(flatten=flatten)} of {described(run.card)}", yes=yes)
                result = run.call("kill", flatten=flatten or None, reason=reason)
        except ControlError as error:
            if not (isinstance(error, NotRunningError) or error.code in _DEAF):
                raise
            if target is None or not target.lower().endswith(".toml"):
                raise NotRunningError(f"{error} Name its run file, and the venue is asked directly.") from error
            click.echo(f"{error} Acting at the venue directly.", err=True)
        else:
            raise SystemExit(verified(result, as_json=as_json))
    raise SystemExit(verified(_directly(target, assigned, flatten=flatten, yes=yes), as_json=as_json))


def _what(*, flatten: bool) -> str:
    closing = " and close ALL positions" if flatten else ""
    return f"Halt trading, cancel ALL orders of the account{closing},"


def _directly(target: str | None, assigned: tuple[str, ...], *, flatten: bool, yes: bool) -> dict[str, Any]:
    import msgspec

    from cambist.app.killing import kill_directly
    from cambist.app.live_file import read_live_file

    if target is None:
        raise click.UsageError("--direct needs the run file: it names the account.")
    plan: LivePlan = read_live_file(Path(target), session().registry(beside=Path(target)), assigned=assigned)
    where = f"the account of {target} at {plan.venue} ({plan.environment})"
    confirm(f"{_what(flatten=flatten)} of {where}", yes=yes)
    by = f"{getpass.getuser()}@{socket.gethostname()}"
    killed = kill_directly(plan, by=by, flatten=flatten)
    result: dict[str, Any] = msgspec.to_builtins(killed, enc_hook=str)
    return result
