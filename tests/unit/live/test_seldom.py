"""The same thing again and again is told seldom, and counted."""

from __future__ import annotations

from cambist.live.seldom import AGAIN, Seldom


def test_the_same_is_told_once_in_a_while_with_how_often_it_happened():
    told, now = [], [0]
    seldom = Seldom(lambda word, text: told.append((word, text)), lambda: now[0])
    for _ in range(5):
        seldom.tell("quote_invalid", "BTC/USDT", "crossed")
        now[0] += AGAIN // 10
    seldom.tell("quote_invalid", "ETH/USDT", "crossed")
    seldom.tell("trade_invalid", "BTC/USDT", "no price")
    now[0] += AGAIN
    seldom.tell("quote_invalid", "BTC/USDT", "crossed")
    assert told == [
        ("quote_invalid", "crossed"),
        ("quote_invalid", "crossed"),
        ("trade_invalid", "no price"),
        ("quote_invalid", "crossed (4 more like it since it was told last.)"),
    ]
