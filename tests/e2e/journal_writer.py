"""A process that journals orders as fast as it can, and says of which numbers it knows that they are safe.

Every record can be told from its number alone, so that whoever opens the journal afterwards can check each.
"""

from __future__ import annotations

import os
import sys

from cambist.ports import Draft
from cambist.storage.journal import Journal, JournalOptions

SEGMENT = 50_000


def draft_of(number: int) -> Draft:
    """Return record `number`: an order, or what became of it."""
    kind = ("order_submitted", "order_filled", "strategy_state")[number % 3]
    return Draft(kind, number * 1_000, f"{number}:{'x' * (number * 7 % 190)}".encode(), 1 + number % 5)


def commits_from(number: int) -> list[Draft]:
    """Return the commit that begins with record `number`: one to four records."""
    return [draft_of(number + one) for one in range(1 + number % 4)]


def main(folder: str) -> None:
    heavy = {"pandas", "talib", "numba", "pydantic", "click", "rich", "asyncio"} & set(sys.modules)
    journal = Journal(folder, JournalOptions(segment_bytes=SEGMENT, compress="zlib"))
    # Written at once and whole: a line that the parent reads was promised.
    journal.on_durable(lambda durable: os.write(1, b"%d\n" % durable))
    os.write(1, b"open at %d, loaded %s\n" % (journal.last, ",".join(sorted(heavy)).encode() or b"nothing heavy"))
    number = journal.last + 1
    while True:
        number = journal.append(commits_from(number)) + 1
        if number - journal.durable > 200:
            journal.wait(number - 100)


if __name__ == "__main__":
    main(sys.argv[1])
