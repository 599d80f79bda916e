"""``python -m benchmarks.binance``: see `benchmarks.binance.loopback`."""

import sys

from benchmarks.binance.loopback import main

if __name__ == "__main__":
    sys.exit(main())
