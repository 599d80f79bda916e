"""The second half of the demo: the strategy of the backtest, live at an exchange on this machine that fails on purpose.

Real bars move the market of a simulated Binance. The strategy trades them through cambist-binance; the answer to one of
its orders is lost, and the process is killed before it can find out. It is started again, and in the end orders, fills
and balances are held against what the exchange knows, and against the backtest's decisions. No network is used.

The market stands still while nobody trades, so that both runs see the same bars.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path

from cambist.errors import CambistError
from cambist.live.control import ControlClient, find_run
from cambist_samples import open_feed
from cambist_simulator import ExchangeSimulator

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "demo-result" / "live"
RUN, JOURNAL = FOLDER / "run.toml", FOLDER / "journal"
CAMBIST = Path(sys.executable).with_name("cambist")
#: Of the bars, those before the run, those that its averages need, and those it trades.
HISTORY, NEEDED, TRADED = 40, 8, 36
MINUTES = 15
LOST = 3
STEP_NS = MINUTES * 60_000_000_000
_ENOUGH = 30.0

RUN_FILE = """\
# The same file backtests, and trades live.
[strategy]
use = "../../examples/steady_cross.py:SteadyCross"
parameters = { fast = 3, slow = 8 }

[[data]]
source = "bars.csv"
symbol = "BTC/USDT:USDT"
timeframe = "15m"
instrument = { tick_size = 0.1, step_size = 0.001, quote = "USDT", kind = "linear_perpetual" }

[account]
cash = 100_000
currency = "USDT"

[venue]
fees = 0.0005

[live]
venue = "binance-usdm"
environment = "dev"
journal = "journal"
on_stop = "keep"

[live.settings]
url = "@URL@"
key = "${env:DEMO_KEY}"
secret = "${env:DEMO_SECRET}"
"""


def say(text: str) -> None:
    """Print a line of the demo's own."""
    print(f"\n{text}", flush=True)


def cambist(*arguments: str, check: bool = True) -> subprocess.CompletedProcess[bytes]:
    """Show a command and run it."""
    say(f"$ cambist {' '.join(arguments)}")
    return subprocess.run([CAMBIST, *arguments], cwd=FOLDER, check=check)  # noqa: S603 - our own command


def write_bars() -> None:
    """Take real bars, and have the last of those before the run end now."""
    bars = open_feed("BTC-USD-15m").load()
    first = 200
    start = (time.time_ns() // STEP_NS - HISTORY) * STEP_NS
    rows = ["time,open,high,low,close,volume"]
    for row in range(HISTORY + TRADED):
        at = first + row
        prices = [round(float(column[at]), 1) for column in (bars.open, bars.high, bars.low, bars.close)]
        high, low = max(prices), min(prices)
        rows.append(f"{start + row * STEP_NS},{prices[0]},{high},{low},{prices[3]},1000")
    (FOLDER / "market.csv").write_text("\n".join(rows) + "\n")
    (FOLDER / "bars.csv").write_text("\n".join([rows[0], *rows[1 + HISTORY - NEEDED :]]) + "\n")


class LiveProcess:
    """``cambist live`` in a process of its own."""

    def __init__(self) -> None:
        say("$ cambist live run.toml")
        self.process = subprocess.Popen([CAMBIST, "live", "run.toml"], cwd=FOLDER)  # noqa: S603 - our own command
        self.client: ControlClient | None = None

    def status(self) -> dict[str, object]:
        """Ask how it does; wait until there is somebody to answer."""
        end = time.monotonic() + _ENOUGH
        while True:
            try:
                if self.client is None:
                    self.client = ControlClient(find_run(JOURNAL))
                return self.client.call("status")
            except CambistError:
                if self.process.poll() is not None or time.monotonic() > end:
                    raise
                time.sleep(0.05)

    def wait_for(self, condition: object) -> None:
        """Wait until what it says fulfils a condition."""
        end = time.monotonic() + _ENOUGH
        while not condition(self.status()):  # type: ignore[operator]
            if time.monotonic() > end:
                raise SystemExit("the run did not get on")
            time.sleep(0.02)


def bars_seen(status: dict) -> int:
    """Return how many bars the strategy has been shown."""
    return sum(hook["calls"] for hook in status["hooks"] if hook["hook"] == "on_bar")


def settled(status: dict) -> bool:
    """Answer whether the run trades and waits for nothing."""
    orders = status["orders"]
    return status["phase"] == "run" and not (
        orders["open"] or orders["waiting_for_journal"] or orders["being_asked_about"]
    )


def play(simulator: ExchangeSimulator, run: LiveProcess, bars: int, until: object = None) -> int:
    """Let the market go on bar by bar, each when the run has dealt with the last; return how many were played."""
    before = bars_seen(run.status())
    for number in range(1, bars + 1):
        simulator.step(f"{MINUTES}m")
        if until is not None and until():  # type: ignore[operator]
            return number
        run.wait_for(lambda status, number=number: bars_seen(status) >= before + number and settled(status))
        if until is not None and until():  # type: ignore[operator]
            return number
    return bars


def compare_with_the_exchange(simulator: ExchangeSimulator) -> bool:
    """Print what the journal and the exchange say of the same things; return whether it is the same."""
    from cambist.engine.rebuild import rebuild
    from cambist.storage.journal import Journal

    with Journal(JOURNAL) as journal:
        state = rebuild(journal)
    theirs = {order.client_id: order for order in simulator.orders()}
    ours = {state.book.client_id(order): order for order in state.book.orders}
    filled = [
        client_id in theirs and Decimal(repr(order.filled)) == theirs[client_id].filled
        for client_id, order in ours.items()
    ]
    held = next(iter(state.portfolio.positions.values())).size
    there = sum((one.size for one in simulator.positions()["binance-usdm"]), Decimal(0))
    wallet = simulator.balances()["binance-usdm"]["USDT"].wallet
    rows = [
        ("orders", len(ours), len(theirs), set(ours) == set(theirs)),
        ("filled in full", sum(filled), sum(not order.open for order in theirs.values()), all(filled)),
        ("position, BTC", f"{held:g}", f"{there.normalize():f}", Decimal(repr(held)) == there),
        ("balance, USDT", state.ledger.balance("USDT"), wallet, state.ledger.balance("USDT") == wallet),
    ]
    print(f"\n{'':<18}{'journal':>24}{'exchange':>24}")
    for name, one, other, equal in rows:
        print(f"{name:<18}{one!s:>24}{other!s:>24}  {'equal' if equal else 'DIFFERENT'}")
    return all(row[3] for row in rows)


def main() -> None:
    """Play the demo."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    write_bars()
    simulator = ExchangeSimulator(
        "binance",
        symbols=["BTCUSDT:linear"],
        data={"BTCUSDT:linear": FOLDER / "market.csv"},
        history=HISTORY * MINUTES,
        cash=100_000,
        speed=0,
    )
    with simulator:
        RUN.write_text(RUN_FILE.replace("@URL@", simulator.url))
        credentials = simulator.credentials()
        os.environ |= {"DEMO_KEY": credentials.key, "DEMO_SECRET": credentials.secret}
        say(f"A simulated Binance listens on this machine. It will lose its answer to order number {LOST}.")
        simulator.add_fault("timeout", label="order.place", nth=LOST, stage="after")
        run = LiveProcess()
        run.wait_for(settled)
        played = play(simulator, run, TRADED, until=lambda: len(simulator.orders()) == LOST)
        say(f"kill -9 {run.process.pid}: the exchange has order {LOST}, and the run has not heard of it")
        os.kill(run.process.pid, signal.SIGKILL)
        run.process.wait()
        cambist("rehearse", "run.toml")
        run = LiveProcess()
        run.wait_for(settled)
        play(simulator, run, TRADED - played)
        cambist("status", "run.toml")
        run.process.terminate()
        run.process.wait(_ENOUGH)
        cambist("journal", "verify", "journal")
        same = compare_with_the_exchange(simulator)
    cambist("backtest", "run.toml", "--out", "backtest")
    decided = cambist("compare", "backtest", "journal", "--only", "intent", check=False)
    if not same or decided.returncode:
        raise SystemExit("the live run differs from what it should have done")
    say("Live did what the backtest said, and lost nothing: neither by a lost answer nor by kill -9.")


if __name__ == "__main__":
    main()
