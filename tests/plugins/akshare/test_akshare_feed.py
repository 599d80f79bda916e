"""The feed over AkShare: its own functions read the answers, which come from here and not from the service.

The answers have the form that AkShare's functions read and its documentation shows: a line of text for each bar, with
date, open, close, high, low, volume, amount, amplitude, change in percent, change, turnover (``stock_zh_a_hist``,
``stock_zh_a_hist_min_em``, ``fund_etf_hist_em``, ``index_zh_a_hist``), and a list of objects with d, o, h, l, c, v, p,
s within a call of a function (``futures_zh_daily_sina``). Prices are made up.
"""

from __future__ import annotations

import json

import pytest
import requests

from cambist import Instrument
from cambist.errors import DataError, VenueError
from cambist.model import to_ns
from cambist_akshare import open_akshare

# AkShare's functions call pandas in ways that its newest version warns of.
pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword:pandas.errors.Pandas4Warning")


class Answer:
    def __init__(self, text):
        self.text = text

    def json(self):
        return json.loads(self.text)


@pytest.fixture
def serve(monkeypatch):
    """Answer questions over HTTP, one after another; returns what was asked."""

    def serve(*answers):
        left, asked = list(answers), []

        def get(url, params=None, **_):
            asked.append((url, params or {}))
            answer = left.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return Answer(answer)

        monkeypatch.setattr(requests, "get", get)
        return asked

    return serve


def klines(*rows):
    return json.dumps({"rc": 0, "data": {"code": "600000", "klines": list(rows)} if rows else None})


DAYS = klines(
    "2024-03-01,7.10,7.15,7.20,7.05,235698,168052412.00,2.11,0.70,0.05,0.08",
    "2024-03-04,7.15,7.12,7.18,7.08,200000,142000000.00,1.40,-0.42,-0.03,0.07",
)
MINUTES = klines(
    "2024-03-01 09:35,7.10,7.15,7.20,7.05,100,1,1,1,1,1",
    "2024-03-01 11:30,7.15,7.12,7.18,7.08,200,1,1,1,1,1",
    "2024-03-01 13:05,7.12,7.12,7.18,7.08,300,1,1,1,1,1",
)
FUTURES = "/*<script>*/\nvar _V21052021_4_12=(" + json.dumps(
    [
        {"d": day, "o": "3700.0", "h": "3750.0", "l": "3690.0", "c": "3720.0", "v": "12", "p": "34", "s": "3715.0"}
        for day in ("2024-02-29", "2024-03-01", "2024-03-04")
    ]
)


def opened(*arguments, **settings):
    source = open_akshare(*arguments, **settings)
    source.pauses = []
    source.sleep = source.pauses.append
    return source


def test_days_of_a_stock(serve):
    asked = serve(DAYS)
    bars = opened("stock:600000", start="2024-03-01", end="2024-03-31", adjust="hfq").load()
    assert bars.ts.tolist() == [to_ns("2024-03-01"), to_ns("2024-03-04")]
    assert (bars.instrument.symbol, str(bars.timeframe)) == ("600000", "1d")
    assert [column.tolist() for column in bars.columns.values()] == [
        [7.10, 7.15],
        [7.20, 7.18],
        [7.05, 7.08],
        [7.15, 7.12],
        [23_569_800.0, 20_000_000.0],
    ]
    ((_, question),) = asked
    assert (question["beg"], question["end"], question["fqt"]) == ("20240301", "20240331", "2")
    assert question["secid"] == "1.600000"


def test_minutes_are_stamped_by_their_end_in_china(serve):
    serve(MINUTES)
    bars = opened("600000", timeframe="5m", symbol="PUFA").load()
    opens = ["2024-03-01T09:30+08:00", "2024-03-01T11:25+08:00", "2024-03-01T13:00+08:00"]
    assert bars.ts.tolist() == [to_ns(at) for at in opens]
    assert bars.volume.tolist() == [10_000.0, 20_000.0, 30_000.0]
    assert bars.instrument.symbol == "PUFA"


def test_futures_count_contracts_and_are_cut_to_the_days_asked_for(serve):
    serve(FUTURES + ");")
    bars = opened("futures:RB2410", start="2024-03-01").load()
    assert bars.ts.tolist() == [to_ns("2024-03-01"), to_ns("2024-03-04")]
    assert bars.high.tolist() == [3750.0, 3750.0]
    assert bars.volume.tolist() == [12.0, 12.0]


def test_funds_and_indices(serve, monkeypatch):
    import akshare.index.index_zh_em as index_module

    # Where an index is listed is asked of the service as well.
    monkeypatch.setattr(index_module, "index_code_id_map_em", lambda: {"000300": 1})
    for source in ("fund:510300", "index:000300"):
        asked = serve(DAYS)
        bars = opened(source).load()
        assert bars.close.tolist() == [7.15, 7.12], source
        assert asked[0][1]["secid"] == f"1.{source.partition(':')[2]}"


def test_a_network_that_fails_is_asked_again_and_told_in_the_end(serve):
    asked = serve(requests.ConnectionError("refused"), requests.JSONDecodeError("no", "", 0), DAYS)
    source = opened("600000")
    assert len(source.load()) == 2
    assert (len(asked), source.pauses) == (3, [2.0, 4.0])
    serve(*[requests.ConnectionError("refused")] * 4)
    with pytest.raises(VenueError, match=r"akshare:stock:600000: no answer in 4 attempts: ConnectionError: refused"):
        opened("600000").load()


@pytest.mark.parametrize(
    ("source", "settings", "answer"),
    [
        ("stock:999999", {}, klines()),
        ("stock:999999", {"timeframe": "5m"}, klines()),
        ("futures:XX9", {}, "null"),
        ("fund:999999", {}, klines()),
    ],
)
def test_an_answer_without_bars_is_told_and_not_asked_for_again(serve, source, settings, answer):
    asked = serve(answer, answer, answer)
    with pytest.raises(DataError, match=f"akshare:{source}: .*[Cc]heck the code"):
        opened(source, **settings).load()
    assert len({json.dumps(question) for question in asked}) <= 2


def test_a_bar_that_is_none_is_refused(serve):
    serve(klines("2024-03-01,7.10,7.15,7.00,7.05,1,1,1,1,1,1", "2024-03-04,7.15,7.12,7.18,7.08,1,1,1,1,1,1"))
    with pytest.raises(DataError, match=r"akshare:stock:600000: .*row 0 \(2024-03-01.*high 7.0 is below"):
        opened("600000").load()


@pytest.mark.parametrize(
    ("source", "settings", "message"),
    [
        ("bond:1", {}, "no 'bond'"),
        ("stok:600000", {}, "Did you mean 'stock'"),
        ("stock:", {}, "no code"),
        ("index:000300", {"timeframe": "5m"}, "There are: 1d"),
        ("600000", {"timeframe": "1w"}, "There are: 1d, 5m, 15m, 30m, 1h"),
        ("index:000300", {"adjust": "qfq"}, "come as quoted"),
        ("600000", {"adjust": "back"}, "'none', 'qfq' or 'hfq'"),
        ("600000", {"symbol": "A", "instrument": Instrument(symbol="B")}, "Give one of them"),
    ],
)
def test_what_cannot_be_asked(source, settings, message):
    with pytest.raises(DataError, match=message):
        open_akshare(source, **settings)
