"""``python -m benchmarks.simulator.soak``: a venue under load for many minutes, and the memory that it takes.

A random market at many times its pace, clients of all of its streams, and order requests as fast as they are answered.
Prints the resident memory as it goes, and ends with 1 where it still grows after a third of the time.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.simulator.__main__ import FOLDER, PLAIN, Venue, compiled, stream, venue
from benchmarks.simulator.signed import write_requests

if TYPE_CHECKING:
    from collections.abc import Iterator

#: What memory may grow by after the first third, beside a tenth: allocators keep some room.
ROOM = 32 << 20
#: Seconds of a piece: signed requests are good for a minute.
PIECE = 20


def rounds(one: Venue, folder: Path, program: Path, minutes: float, clients: int) -> Iterator[tuple[float, int]]:
    """Load a venue piece by piece; yield (seconds since the beginning, memory) after each."""
    began = time.monotonic()
    address = stream(one)
    while time.monotonic() - began < 60.0 * minutes:
        requests = folder / "requests"
        write_requests(requests, one.key, one.secret, 2_000 * PIECE)
        host, _, rest = address.partition("//")[2].partition("/")
        name, _, port = host.partition(":")
        readers = subprocess.Popen(
            [str(program), name, port, "/" + rest, str(clients), "1000000000", str(PIECE)], stdout=subprocess.DEVNULL
        )
        command = ["wrk", "-t1", "-c8", f"-d{PIECE}s", "-s", str(FOLDER / "orders.lua")]
        subprocess.run([*command, one.endpoints["rest"], "--", str(requests)], stdout=subprocess.DEVNULL, check=True)
        readers.wait()
        yield time.monotonic() - began, one.usage()[1]


def main() -> int:
    """Answer the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.simulator.soak", description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--clients", type=int, default=50, help="WebSocket clients")
    parser.add_argument("--speed", type=float, default=60.0, help="of the market clock")
    options = parser.parse_args()
    if not shutil.which("wrk"):
        raise SystemExit("there is no wrk, which sends the orders (apt-get install wrk)")
    seen: list[tuple[float, int]] = []
    with tempfile.TemporaryDirectory() as name, venue("binance", **PLAIN, speed=options.speed) as one:
        program = compiled(Path(name))
        if program is None:
            raise SystemExit("there is no C compiler, which the counter of frames needs")
        for seconds, memory in rounds(one, Path(name), program, options.minutes, options.clients):
            seen.append((seconds, memory))
            print(f"  {seconds:7.0f} s  {memory / 1e6:7.1f} MB", flush=True)
    settled = [memory for seconds, memory in seen if seconds >= 20.0 * options.minutes]
    growth = settled[-1] - settled[0]
    flat = growth <= settled[0] // 10 + ROOM
    print(f"  {'flat' if flat else 'GROWS'}: {growth / 1e6:+.1f} MB since a third of the time")
    return 0 if flat else 1


if __name__ == "__main__":
    sys.exit(main())
