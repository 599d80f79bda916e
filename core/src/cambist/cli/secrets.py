"""`cambist secrets`: keys and passwords in an encrypted file. No secret is an argument of a command, none is shown."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cambist.cli.session import global_options
from cambist.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

    from cambist.config.secrets_file import SecretsFile

__all__ = ["secrets"]

#: What a secret of the file may be called: what a reference takes, without slashes.
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@:+-]{0,99}")
_NEW_PASSPHRASE = "CAMBIST_SECRETS_NEW_PASSPHRASE"  # noqa: S105 - the name of a variable
_LONGEST = 65_536


def _file_options(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        click.option(
            "--passphrase-file",
            type=click.Path(path_type=Path, dir_okay=False),
            metavar="FILE",
            help="With the passphrase in it; asked for by default.",
        ),
        click.option(
            "--file",
            "path",
            type=click.Path(path_type=Path, dir_okay=False),
            metavar="FILE",
            help="Of the secrets.  [$CAMBIST_SECRETS_FILE, or ~/.config/cambist/secrets]",
        ),
    ):
        command = option(command)
    return command


@click.group()
@global_options(hidden=True)
def secrets() -> None:
    """Keep keys and passwords in an encrypted file.

    A run file names one of them as secret://encrypted/NAME. The passphrase of the file is asked for, or taken from the
    file that CAMBIST_SECRETS_PASSPHRASE_FILE names, or from CAMBIST_SECRETS_PASSPHRASE.

    \b
    Examples:
      cambist secrets set binance-key
      cambist secrets list
      cambist secrets rotate
    """  # noqa: D301 -- click reads the control character


# What stands behind the name is taken, so that it is not shown: it would be the secret.
@secrets.command("set", context_settings={"allow_extra_args": True})
@click.argument("name")
@_file_options
@global_options(hidden=True)
@click.pass_context
def set_secret(context: click.Context, name: str, *, path: Path | None, passphrase_file: Path | None) -> None:
    """Set a secret; its value is asked for, or read from stdin.

    A line break at the end does not count. The first secret makes the file, for this user alone.

    \b
    Examples:
      cambist secrets set binance-key
      cambist secrets set binance-secret < secret.txt
    """  # noqa: D301 -- click reads the control character
    if context.args:
        raise click.UsageError(
            "a secret is no argument: everybody on this machine sees a command line, and your shell keeps it. It is "
            "asked for, or read from stdin. If that was one, replace it at the venue."
        )
    if not _NAME.fullmatch(name):
        raise ConfigError(f"{name!r} is no name of a secret: letters, digits and _ . @ : + -, such as binance-key.")
    file = _file(path)
    is_new = not file.path.exists()
    passphrase = _passphrase(file, passphrase_file, is_new=is_new)
    if not is_new:
        file.names(passphrase)  # a wrong one is told before the secret is typed
    known = file.put(name, _value(name), passphrase)
    click.echo(f"{'replaced' if known else 'kept'}; a run file names it: secret://encrypted/{name}", err=True)


@secrets.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")
@_file_options
@global_options(hidden=True)
def list_secrets(*, path: Path | None, passphrase_file: Path | None, as_json: bool) -> None:
    """List the names of the secrets, and when each was set; never what they are.

    \b
    Example:
      cambist secrets list
    """  # noqa: D301 -- click reads the control character
    file = _file(path)
    names = file.names(_passphrase(file, passphrase_file))
    if as_json:
        click.echo(json.dumps({"file": str(file.path), "secrets": names}, indent=2))
        return
    width = max((len(name) for name in names), default=0)
    for name, set_at in names.items():
        click.echo(f"{name:<{width}}  {set_at}")
    if not names:
        click.echo(f"{file.path} has no secrets yet", err=True)


@secrets.command("rm")
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@click.option("--yes", "-y", is_flag=True, help="Do not ask whether that is meant.")
@_file_options
@global_options(hidden=True)
def remove(names: tuple[str, ...], *, yes: bool, path: Path | None, passphrase_file: Path | None) -> None:
    """Remove secrets.

    \b
    Example:
      cambist secrets rm binance-key binance-secret
    """  # noqa: D301 -- click reads the control character
    from cambist.cli.operate.shared import confirm

    file = _file(path)
    passphrase = _passphrase(file, passphrase_file)
    confirm(f"Remove {', '.join(names)} from {file.path}", yes=yes)
    file.remove(names, passphrase)
    click.echo(f"removed {', '.join(names)}", err=True)


@secrets.command()
@click.option(
    "--new-passphrase-file",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="With the new one in it; asked for by default.",
)
@_file_options
@global_options(hidden=True)
def rotate(*, new_passphrase_file: Path | None, path: Path | None, passphrase_file: Path | None) -> None:
    """Encrypt all secrets anew, under another passphrase.

    The old file is there until the new one is written, and was read back. CAMBIST_SECRETS_NEW_PASSPHRASE_FILE and
    CAMBIST_SECRETS_NEW_PASSPHRASE stand for the question, too. Runs that go on take the new passphrase at their next
    start.

    \b
    Example:
      cambist secrets rotate
    """  # noqa: D301 -- click reads the control character
    file = _file(path)
    old = _passphrase(file, passphrase_file)
    file.names(old)  # a wrong one is told before a new one is asked for
    new = _passphrase(file, new_passphrase_file, is_new=True, variable=_NEW_PASSPHRASE)
    if new == old:
        raise ConfigError("the new passphrase is the old one. Take another.")
    count = file.rotate(old, new)
    click.echo(f"{count} secret{'' if count == 1 else 's'} encrypted anew", err=True)


def _file(path: Path | None) -> SecretsFile:
    from cambist.config.passphrase import default_secrets_file
    from cambist.config.secrets_file import SecretsFile

    return SecretsFile(path or default_secrets_file())


def _passphrase(file: SecretsFile, given: Path | None, *, is_new: bool = False, variable: str = "") -> str:
    from cambist.config.passphrase import PASSPHRASE, find_passphrase
    from cambist.config.secrets_file import SHORTEST_PASSPHRASE

    if not is_new and not file.path.exists():
        raise ConfigError(f"there is no secrets file {file.path}. 'cambist secrets set NAME' makes one.")
    prompt = "New passphrase" if is_new else "Passphrase"
    found = find_passphrase(file.path, variable or PASSPHRASE, given, prompt=prompt, repeat=is_new)
    if is_new and len(found) < SHORTEST_PASSPHRASE:
        raise ConfigError(
            f"the passphrase has {len(found)} characters, and is guessed too soon. Take {SHORTEST_PASSPHRASE} at "
            "least; several words are better."
        )
    return found


def _value(name: str) -> str:
    """Return what was typed, or what came in by stdin."""
    if sys.stdin.isatty():
        import getpass

        found = getpass.getpass(f"{name}: ")
    else:
        data = sys.stdin.buffer.read(_LONGEST + 1)
        if len(data) > _LONGEST:
            raise ConfigError(f"what came in has more than {_LONGEST} bytes, and is hardly a key.")
        try:
            found = data.decode()
        except UnicodeDecodeError:
            raise ConfigError("what came in is no text in UTF-8.") from None
        found = found.removesuffix("\n").removesuffix("\r")
    if not found:
        raise ConfigError(f"nothing came in for {name}; nothing was changed.")
    return found
