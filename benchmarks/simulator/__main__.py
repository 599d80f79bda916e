"""``python -m benchmarks.simulator``: orders, frames, clients and replays a second, beside what is promised.

Clients are programs of C, so that it is the simulator that is measured: wrk for REST (Debian: ``wrk``), and a counter
of frames that the compiler of the machine makes of ``frames.c``. Where one of them is missing, what it measures is left
out. Rates are of the wall clock, on a machine that does nothing else; beside them stands what the server's own CPU time
would do. The recorded book comes from CAMBIST_TEST_DATA.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from benchmarks.journal import show
from benchmarks.processes import ROOT, environment
from benchmarks.simulator.replay import RECORDED, replay_seconds
from benchmarks.simulator.signed import write_requests

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = Path(__file__).resolve().parent
#: One symbol of spot, rich users, and nobody who counts their requests.
PLAIN = {"symbols": ["BTCUSDT"], "cash": 10**9, "balances": {"BTC": 10**6}, "limits": False}
#: What a client that wants to know everything of a symbol listens to.
STREAMS = "btcusdt@depth@100ms/btcusdt@bookTicker/btcusdt@trade/btcusdt@aggTrade"


@attrs.frozen
class Venue:
    """A simulated venue in another process."""

    process: subprocess.Popen[str]
    endpoints: dict[str, str]
    key: str
    secret: str

    def usage(self) -> tuple[float, int]:
        """Return the CPU time it used, s, and its resident memory, bytes."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write("cpu\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        return answer["cpu"], answer["memory"]


@contextmanager
def venue(name: str, **settings: Any) -> Iterator[Venue]:
    """Run a venue."""
    command = [sys.executable, "-m", "benchmarks.simulator.venue", name, json.dumps(settings)]
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        told = json.loads(process.stdout.readline())
        yield Venue(process, told["endpoints"], told["key"], told["secret"])
    finally:
        process.stdin.close()
        process.wait(30)
        process.stdout.close()


def show_orders(folder: Path, *, rounds: int, seconds: int) -> None:
    """Print how many orders and cancels a second are answered."""
    rates, cpu_rates, latency = [], [], []
    for _ in range(rounds):
        with venue("binance", **PLAIN) as one:
            path = folder / "requests"
            write_requests(path, one.key, one.secret, 10_000 * seconds)
            before, _ = one.usage()
            command = ["wrk", "-t1", "-c16", f"-d{seconds}s", "-s", str(FOLDER / "orders.lua")]
            done = subprocess.run(
                [*command, one.endpoints["rest"], "--", str(path)], capture_output=True, text=True, check=True
            )
            after, _ = one.usage()
        figures = next(line for line in done.stdout.splitlines() if line.startswith("figures "))
        count, took, refused, broken, middle, _ = map(float, figures.split()[1:])
        if refused > 0.01 * count or broken:
            raise SystemExit(f"{refused:.0f} of {count:.0f} requests were refused, {broken:.0f} broke")
        rates.append(count / took)
        cpu_rates.append(count / (after - before))
        latency.append(middle)
    more = f"{statistics.median(cpu_rates):,.0f}/s of server CPU, median {statistics.median(latency):.1f} ms"
    show("orders and cancels of Binance spot", statistics.median(rates), 3_000, "requests/s", more)


def compiled(folder: Path) -> Path | None:
    """Return the counter of frames; None where there is no compiler."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        return None
    program = folder / "frames"
    subprocess.run([compiler, "-O2", "-o", str(program), str(FOLDER / "frames.c")], check=True)
    return program


@attrs.frozen
class Counted:
    """What a counter of frames saw; `least` and `most` of one client."""

    frames: int
    bytes: int
    seconds: float
    least: int
    most: int


def counted(program: Path, address: str, clients: int, frames: int, seconds: float) -> Counted:
    """Count frames of several clients."""
    host, _, port = address.partition("//")[2].partition("/")[0].partition(":")
    path = "/" + address.partition("//")[2].partition("/")[2]
    command = [str(program), host, port, path, str(clients), str(frames), str(seconds)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found, size, took, least, most = done.stdout.splitlines()[-1].split()
    return Counted(int(found), int(size), float(took), int(least), int(most))


def stream(one: Venue) -> str:
    """Return the address of the streams of a Binance venue."""
    return one.endpoints["spot streams"].removesuffix("/ws") + f"/stream?streams={STREAMS}"


def show_frames(program: Path, recorded: Path | None, *, rounds: int) -> None:
    """Print how many frames of a market a second one client gets."""
    sources = {"a random market": {}}
    if recorded is not None:
        sources["a recorded book"] = {"data": {"BTCUSDT": str(recorded)}, "loop": True}
    for what, settings in sources.items():
        rates, cpu_rates = [], []
        for _ in range(rounds):
            with venue("binance", **PLAIN, speed=None, **settings) as one:
                before, _ = one.usage()
                address = stream(one)
                found = counted(program, address, 1, 200_000, 20.0)
                after, _ = one.usage()
            rates.append(found.frames / found.seconds)
            cpu_rates.append(found.frames / (after - before))
        more = f"{statistics.median(cpu_rates):,.0f}/s of server CPU, {found.bytes / found.frames:.0f} bytes each"
        show(f"frames to one client, {what}", statistics.median(rates), 40_000, "frames/s", more)


def show_clients(program: Path, clients: int = 500, seconds: float = 10.0) -> None:
    """Print how many clients get every frame of a busy market at its own pace."""
    shape = {"takers": 20.0, "changes": 80.0}
    with venue("binance", **PLAIN, shape=shape) as one:
        before, _ = one.usage()
        address = stream(one)
        found = counted(program, address, clients, 10**9, seconds)
        after, memory = one.usage()
    behind = (found.most - found.least) / max(1, found.most)
    more = (
        f"{found.frames / found.seconds:,.0f} frames/s in all, {(after - before) / seconds:.0%} of a core, "
        f"{memory / 1e6:.0f} MB, the last is {behind:.1%} behind the first"
    )
    show("clients of a market in real time", clients if found.least else 0, clients, "clients", more)


def main() -> None:
    """Print every figure."""
    quick = "quick" in sys.argv[1:]
    rounds, seconds = (1, 3) if quick else (3, 8)
    data = os.environ.get("CAMBIST_TEST_DATA")
    recorded = Path(data) / RECORDED if data else None
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if shutil.which("wrk"):
            show_orders(folder, rounds=rounds, seconds=seconds)
        else:
            print("  orders are not measured: there is no wrk (apt-get install wrk)")
        program = compiled(folder)
        if program is None:
            print("  frames are not measured: there is no C compiler")
        else:
            show_frames(program, recorded, rounds=rounds)
            show_clients(program)
    if recorded is None:
        print("  replays are not measured: CAMBIST_TEST_DATA names no folder of recorded data")
        return
    for served in (False, True):
        what = "with a client of all its streams" if served else "with nobody listening"
        took = statistics.median(replay_seconds(recorded, listening=served) for _ in range(rounds))
        show(f"recorded book of 41,249 messages, {what}", took, 1.5, "s", at_least=False)


if __name__ == "__main__":
    began = time.perf_counter()
    main()
    print(f"  took {time.perf_counter() - began:.0f} s")
