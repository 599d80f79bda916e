"""History of a simulated exchange into the cache, through the sessions of two plugins and the command line."""

from __future__ import annotations

import json
import urllib.request

import numpy as np
import pandas as pd
import pytest

from cambist.api import ConfigError, VenueError
from cambist.app.caching import open_cache
from cambist.app.fetching import SessionFetcher, open_fetcher
from cambist.cli.main import main
from cambist.data.cache import SeriesName, fetch
from cambist.errors import UnknownComponentError
from cambist.model import Timeframe
from cambist.plugins.registry import Registry
from cambist_simulator import ExchangeSimulator

MINUTE = 60_000_000_000
#: Times of the market of the simulator; it keeps 2,000 candles before its end.
END = pd.Timestamp("2024-03-03", tz="UTC").value
START = END - 1_900 * MINUTE
OPTIONS = {"defaultType": "spot", "fetchMarkets": {"types": ["spot"]}, "fetchCurrencies": False}


@pytest.fixture(scope="module")
def registry():
    return Registry.discover()


@pytest.fixture
def simulator(monkeypatch, tmp_path):
    monkeypatch.setenv("CAMBIST_CACHE", str(tmp_path / "cache"))
    settings = {"seed": 7, "history": 2_000, "speed": 0, "start": "2024-03-03T00:00:00Z"}
    with ExchangeSimulator("binance", symbols=["BTCUSDT"], **settings) as made:
        yield made


@pytest.fixture(params=["binance-spot", "ccxt"])
def fetcher(request, simulator, registry):
    """The same market through Binance's own session, and through ccxt's."""
    settings = {"url": simulator.url, "timeout": 2.0}
    if request.param == "ccxt":
        base = simulator.url
        urls = {"public": f"{base}/api/v3", "private": f"{base}/api/v3", "sapi": f"{base}/sapi/v1"}
        settings = {"exchange": "binance", "urls": urls, "options": OPTIONS, "timeout": 2.0}
    made = open_fetcher(request.param, "BTC/USDT", registry, settings)
    yield made
    made.close()


def candles(simulator):
    """Return what the exchange itself says."""
    address = f"{simulator.url}/api/v3/klines?symbol=BTCUSDT&interval=1m&limit=1000"
    rows = {}
    for since in (START, START + 1_000 * MINUTE):
        with urllib.request.urlopen(f"{address}&startTime={since // 1_000_000}", timeout=5) as answer:
            rows |= {row[0] * 1_000_000: [float(one) for one in row[1:6]] for row in json.load(answer)}
    return {ts: row for ts, row in rows.items() if START <= ts < END}


def equal(bars, rows):
    found = dict(zip(bars.ts.tolist(), np.array(list(bars.columns.values())).T.tolist(), strict=True))
    return found == rows


def test_what_is_cached_is_what_the_exchange_says(simulator, fetcher, registry, monkeypatch):
    monkeypatch.setattr(fetch, "_PIECE", 700)
    cache = open_cache(registry)
    wanted = candles(simulator)
    assert len(wanted) == 1_900
    cache.get(fetcher, "btcusdt", "1m", START + 500 * MINUTE, END - 500 * MINUTE)
    report = cache.get(fetcher, "BTC/USDT", "1m", START, END)
    assert report.asked == 2
    name = SeriesName.parse(f"{fetcher.venue}:BTC/USDT:1m")
    bars = cache.open(name).load()
    assert equal(bars, wanted)
    assert bars.instrument.tick_size is not None
    asked = len(simulator.requests())
    assert cache.get(fetcher, "BTC/USDT", "1m", START, END).asked == 0
    assert len(simulator.requests()) == asked


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        ("rate_limit", {"retry_after": 1, "count": 4}),
        ("reset", {"count": 9}),
        ("not_json", {"count": 4}),
        ("http_error", {"status": 503, "count": 4}),
    ],
    ids=["busy", "cut", "garbled", "server error"],
)
def test_a_fault_in_the_middle_is_waited_out(simulator, registry, monkeypatch, kind, settings):
    monkeypatch.setattr(fetch, "_PIECE", 300)
    naps = []

    async def nap(seconds):
        naps.append(seconds)

    session = registry.get("session", "binance-spot").load()(url=simulator.url, timeout=2.0)
    made = SessionFetcher(session, {"url": simulator.url}, sleep=nap)
    try:
        cache = open_cache(registry)

        def strike(done, _total):
            if done == 600:  # more in a row than the session asks again by itself
                simulator.add_fault(kind, label="klines", **settings)

        cache.get(made, "BTC/USDT", "1m", START, END, progress=strike)
        assert naps
        assert equal(cache.open(SeriesName.parse("binance:BTC/USDT:1m")).load(), candles(simulator))
    finally:
        made.close()


def test_a_venue_that_stays_away_leaves_what_came_and_the_next_one_goes_on(simulator, registry, monkeypatch):
    monkeypatch.setattr(fetch, "_PIECE", 500)

    async def nap(_seconds):
        pass

    def made():
        session = registry.get("session", "binance-spot").load()(url=simulator.url, timeout=2.0)
        return SessionFetcher(session, {}, sleep=nap)

    cache, one = open_cache(registry), made()

    def strike(done, _total):
        if done == 1_000:
            simulator.add_fault("reset", label="klines")

    with pytest.raises(
        VenueError, match=r"1,000 new bars of binance-spot:BTC/USDT 1m were kept; the same command goes on"
    ):
        cache.get(one, "BTC/USDT", "1m", START, END, progress=strike)
    one.close()
    simulator.remove_fault()
    other = made()
    report = cache.get(other, "BTC/USDT", "1m", START, END)
    other.close()
    assert (report.asked, report.added, report.unchanged) == (2, 900, 3)
    assert equal(cache.open(SeriesName.parse("binance:BTC/USDT:1m")).load(), candles(simulator))


def test_what_the_exchange_has_not_is_refused_with_what_it_has(fetcher, registry):
    cache = open_cache(registry)
    with pytest.raises(VenueError, match=r"has no 'BTC/USDC'. Did you mean 'BTC/USDT'"):
        cache.get(fetcher, "BTC/USDC", "1m", START, END)
    with pytest.raises(VenueError, match=r"no candles of 7m; it has .*1m, 3m, 5m") as caught:
        cache.get(fetcher, "BTC/USDT", "7m", START, END)
    assert "goes on" not in str(caught.value)
    assert fetcher.instruments()[0].symbol == "BTC/USDT"
    with pytest.raises(VenueError) as caught:
        fetcher.fetch("BTC/USDT", Timeframe.parse("1m"), START - 90_000 * MINUTE, START - 89_000 * MINUTE)
    assert caught.value.code == "no_bars"


def test_bars_of_two_exchanges_do_not_mix(simulator, registry):
    cache = open_cache(registry)
    made = open_fetcher("binance", "BTC/USDT", registry, {"url": simulator.url})
    cache.get(made, "BTC/USDT", "1m", START, END)
    made.close()
    with ExchangeSimulator("binance", symbols=["BTCUSDT"], seed=8, history=60, speed=0) as second:
        other = open_fetcher("binance-spot", "BTC/USDT", registry, {"url": second.url})
        try:
            with pytest.raises(ConfigError, match=r"has it from binance-spot \(url=.*and this would come from"):
                cache.get(other, "BTC/USDT", "1m", START, END)
        finally:
            other.close()


def test_which_market_a_name_means(registry):
    with pytest.raises(ConfigError, match=r"several markets.*binance-coinm or binance-spot or binance-usdm"):
        open_fetcher("binance", "BTC/USDT:USDT", registry, {})
    with pytest.raises(ConfigError, match=r"urll: .*Did you mean 'url'"):
        open_fetcher("binance", "BTC/USDT", registry, {"urll": "http://127.0.0.1:1"})
    with pytest.raises(ValueError, match=r"ccxt has no exchange 'krakn'. Did you mean 'kraken'"):
        open_fetcher("krakn", "BTC/USDT", registry, {})
    with pytest.raises(UnknownComponentError, match=r"no plugin offers the session 'binance-spot'.*pip install"):
        open_fetcher("binance-spot", "BTC/USDT", Registry.of([], core=True), {})


def test_the_command_line_from_fetching_to_a_backtest(simulator, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")

    def run(*words, code=0):
        with pytest.raises(SystemExit) as ended:
            main(list(words))
        said = capsys.readouterr()
        assert ended.value.code == code, said.out + said.err
        return said.out if "--json" in words else said.out + said.err

    get = ("data", "get", "binance", "btcusdt", "1m", "--from", "2024-03-02", "--set", f"url={simulator.url}")
    assert "nothing was fetched into" in run("data", "list")
    assert "1,000 bars added" in run(*get, "--to", "2024-03-02T16:40")
    told = run(*get, "--to", "2024-03-03", "--progress")
    assert "440 bars added, 3 as before" in told
    assert "440/440" in told
    assert "all of it was there" in run(*get, "--to", "2024-03-03")
    (series,) = json.loads(run("data", "list", "--json"))
    assert (series["name"], series["bars"]) == ("binance-spot:BTC/USDT:1m", 1_440)
    assert series["covered"] == [["2024-03-02T00:00:00Z", "2024-03-03T00:00:00Z"]]
    assert "1 series of 1,440 bars are whole" in run("data", "check-cache")
    direct = json.loads(run("backtest", "sma-cross", "--data", "binance:BTC/USDT:1m", "--json"))
    run("data", "export", "binance:BTC/USDT:1m", "btc.parquet")
    by_file = json.loads(run("backtest", "sma-cross", "--data", "btc.parquet", "--json"))
    assert direct["summary"]["trades"] == by_file["summary"]["trades"] > 5
    tmp_path.joinpath("run.toml").write_text(
        '[strategy]\nuse = "sma-cross"\n[[data]]\nsource = "binance:BTC/USDT:1m"\nsymbol = "BTC/USDT"\n'
        'timeframe = "1m"\nstart = 2024-03-02T12:00:00\n'
    )
    half = json.loads(run("backtest", "run.toml", "--json"))
    assert 0 < half["summary"]["trades"] < direct["summary"]["trades"]
    tmp_path.joinpath("run.toml").write_text(
        '[strategy]\nuse = "sma-cross"\n[[data]]\nsource = "binance:BTC/USDT:1m"\nstrat = 2024-03-02\n'
    )
    assert "Did you mean 'start'" in run("backtest", "run.toml", code=2)
    assert "no candles of 7m" in run("data", "get", "binance", "BTC/USDT", "7m", *get[5:], code=7)
    assert "is deleted" in run("data", "delete", "binance:BTC/USDT:1m", "--yes")
    assert "cambist data get binance BTC/USDT 1m" in run("backtest", "sma-cross", "-d", "binance:BTC/USDT:1m", code=2)
