"""`cambist simulate`: an exchange on loopback."""

from __future__ import annotations

import click

__all__ = ["simulate"]


@click.command()
def simulate() -> None:
    """Run an exchange on loopback that fails on purpose.

    \b
    Example:
      cambist simulate generic
    """  # noqa: D301 -- click reads the control character
