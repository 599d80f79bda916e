"""A live run as a process of its own; started by tests with the address of a simulator, a key, and a journal."""

from __future__ import annotations

import asyncio
import sys

from cambist import Strategy
from cambist.cli.exits import Exit, exit_of
from cambist.errors import CambistError
from cambist.live import LiveRun, LiveSettings
from cambist.live.control import AccountLock, Control, ControlSettings, fingerprint
from cambist.model import Timeframe
from cambist.storage.journal import Journal
from cambist_binance.session import open_spot


class InAndOut(Strategy):
    """Buys on one bar, sells what it has on the next."""

    def on_bar(self, bar):
        if self.position.size > 0.001:
            self.close()
        else:
            self.buy(0.01)


class Endless(Strategy):
    """Trades once, and then never returns."""

    def on_bar(self, bar):
        if self.position.size > 0.001:
            while True:
                pass
        self.buy(0.01)


def say(*words) -> None:
    print(*words, flush=True)


async def work(url, key, secret, folder, strategy, exit_after) -> None:
    def make():
        return open_spot(url=url, key=key, secret=secret)

    with Journal(folder) as journal:
        run = LiveRun(
            [strategy],
            [("BTC/USDT", Timeframe.parse("1m"))],
            make(),
            journal,
            LiveSettings(audit_every=3600.0, on_position="ignore"),
            alarm=lambda word, text: say("alarm", word, text),
            companions=[
                Control(
                    ControlSettings(warn_after=1.0, exit_after=exit_after),
                    make_session=make,
                    tell=lambda word, text: say("told", word, text),
                ),
                started,
            ],
        )
        await run.run()
        say("ended", run.reason)


async def started(run) -> None:
    while run.phase != "run":  # noqa: ASYNC110 - a test's process
        await asyncio.sleep(0.02)
    say("trading", run.kernel.book.token)


def main(url, key, secret, folder, kind="InAndOut") -> None:
    try:
        with AccountLock("binance-spot", fingerprint(key), folder):
            asyncio.run(work(url, key, secret, folder, globals()[kind](), 3.0 if kind == "Endless" else None))
    except CambistError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(exit_of(error))
    sys.exit(Exit.OK)


if __name__ == "__main__":
    main(*sys.argv[1:])
