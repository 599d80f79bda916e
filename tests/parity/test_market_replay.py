"""A run on trades, quotes and books and its replay are one, as `test_replay` shows of bars."""

from __future__ import annotations

import attrs
import pytest
from market_scenarios import Pieces, make_books, make_market
from test_market_options import given_bars, options_of, trader  # noqa: F401 - a fixture

import cambist
from cambist import StrategyError
from cambist.errors import InputError
from cambist.storage.journal import JournalFolder

MARKETS = {"trades and quotes": make_market, "books": make_books}
#: Options that a recording keeps no more than their names of.
OBJECTS = ("fees", "sizer", "risk", "marks", "calendar")


@pytest.fixture(scope="session")
def keeper(trader):  # noqa: F811
    class Keeping(trader):
        """Keeps how often it was called, which changes with every event."""

        persistent = ("calls",)

        def on_start(self):
            self.calls = 0
            super().on_start()

        def see(self, what, *facts):
            self.calls += 1
            super().see(what, *facts)

    return Keeping


def traders_of(keeper, scenario, **other):
    common = {"activity": scenario.activity, "fails_at": scenario.fails_at, "moves": True}
    return [
        keeper(**({"seed": scenario.seed * 10 + number, "trace": []} | common | other))
        for number in range(scenario.traders)
    ]


def played(scenarios, scenario, make, traders, folder, **more):
    """Play a scenario with journal and recording; return what a replay has to be given."""
    histories = make(scenarios, scenario)
    options = options_of(scenarios, scenario, histories) | more
    if make is make_books:
        options.pop("volume_limit", None)  # a book says itself how much there is
    data = [*histories, *given_bars(scenario, histories)]
    if more.get("blocks"):
        data = [Pieces(one, scenario.seed) for one in histories]
    try:
        cambist.backtest(traders, data, events=True, journal=folder, record=True, **options)
    except StrategyError:
        assert scenario.fails_at >= 0
    return {name: options[name] for name in OBJECTS if name in options}


def records_of(folder):
    return [(one.kind, one.ts, one.body) for one in JournalFolder(folder).read()]


@pytest.mark.parametrize("first", range(0, 60, 20))
@pytest.mark.parametrize("market", MARKETS)
def test_a_replay_of_the_same_strategies_is_equal(scenarios, keeper, market, first, tmp_path):
    done = orders = asked = 0
    for seed in range(first, first + 20):
        scenario = scenarios["make_sole_account"](seed)
        folder, traders = tmp_path / str(seed), traders_of(keeper, scenario)
        try:
            again = played(scenarios, scenario, MARKETS[market], traders, folder)
        except InputError:
            continue
        same = traders_of(keeper, scenario)
        report = cambist.replay(folder, same, **again)
        assert report.equal, f"seed {seed}\n{report}"
        assert report.complete, report
        assert report.records == len(records_of(folder))
        assert [one.trace for one in same] == [one.trace for one in traders], seed
        assert all(one.trace for one in same)
        done += 1
        orders += sum(kind == "order_submitted" for kind, _, _ in records_of(folder))
        asked += sum(
            len(line) > 3 and line[1] == "book" and line[3].endswith("'])") for one in traders for line in one.trace
        )
    assert done > 8
    assert orders > 50
    assert (asked > 20) == (market == "books")


@pytest.mark.parametrize("market", MARKETS)
def test_so_it_is_in_blocks_and_where_a_strategy_raises(scenarios, keeper, market, tmp_path):
    broken = 0
    for seed in range(12):
        fails_at = 9 + 5 * seed if seed % 2 else -1
        scenario = attrs.evolve(scenarios["make_sole_account"](seed), fails_at=fails_at)
        folder = tmp_path / str(seed)
        try:
            traders = traders_of(keeper, scenario)
            again = played(scenarios, scenario, MARKETS[market], traders, folder, blocks=True)
        except InputError:
            continue
        report = cambist.replay(folder, traders_of(keeper, scenario), **again)
        assert report.equal, report
        assert report.complete
        broken += any("out of luck" in note for note in report.notes)
    assert broken > 2


def test_other_decisions_are_found_at_the_very_record(scenarios, keeper, tmp_path, monkeypatch):
    """Two runs, of strategies that part at some call, and a replay of one with the strategies of the other."""
    monkeypatch.setattr("secrets.token_hex", lambda size=16: "ab" * size)  # client ids of both runs alike

    class Parting(keeper):
        turn: int = cambist.param(-1)
        persistent = ()

        def see(self, what, *facts):
            super().see(what, *facts)
            if self.calls == self.turn:
                self.rng.seed("something else")

    found = 0
    for seed in range(30):
        scenario = scenarios["make_sole_account"](seed)
        one, other = tmp_path / f"{seed}-one", tmp_path / f"{seed}-other"
        try:
            again = played(scenarios, scenario, make_books, traders_of(Parting, scenario), one)
            played(scenarios, scenario, make_books, traders_of(Parting, scenario, turn=15 + seed), other)
        except InputError:
            continue
        left, right = ([line for line in records_of(folder) if line[0] != "run_started"] for folder in (one, other))
        shared = next((at for at, pair in enumerate(zip(left, right, strict=False)) if pair[0] != pair[1]), None)
        report = cambist.replay(one, traders_of(Parting, scenario, turn=15 + seed), **again)
        if shared is None and len(left) == len(right):
            assert report.equal
            continue
        shared = min(len(left), len(right)) if shared is None else shared
        before = next(at for at, line in enumerate(records_of(one)) if line[0] == "run_started")
        expected = shared + 1 + (shared >= before)
        assert not report.equal
        # A strategy that asks for the place of an order that the run did not ask for is told so there.
        assert report.divergence.record == expected or "is not known" in report.divergence.error, f"{seed}\n{report}"
        found += report.divergence.record == expected
    assert found > 10


def test_a_question_that_the_run_did_not_ask_has_no_answer(scenarios, tmp_path):
    class Waits(cambist.Strategy):
        asks: bool = cambist.param(True)

        def on_start(self):
            self.answers = []

        def on_book(self, book):
            if not self.open_orders and book.bid == book.bid:
                self.buy(1, limit=book.bid)
            if self.asks:
                self.answers += [repr(self.queue_ahead(order)) for order in self.open_orders]

    histories = make_books(scenarios, scenarios["make_sole_account"](0))
    book = next(one for one in histories if one.kind == "book")
    run = Waits()
    cambist.backtest(run, book, events=True, journal=tmp_path / "asks", record=True)
    cambist.backtest(Waits(asks=False), book, events=True, journal=tmp_path / "silent", record=True)
    assert cambist.replay(tmp_path / "asks", Waits).equal
    assert cambist.replay(tmp_path / "asks", Waits(asks=False)).equal, "whoever asks less decides the same"
    report = cambist.replay(tmp_path / "silent", Waits)
    assert not report.equal
    assert "order 1 stands in its line is not known" in report.divergence.error
    assert report.divergence.event == "BookReceived"


def test_what_is_recorded_is_cut_into_files_and_ends_where_it_was_torn(scenarios, keeper, tmp_path, monkeypatch):
    from cambist.storage.recording import writer

    small = lambda *args: RecordingWriter(*args, file_bytes=500, block_rows=16)  # noqa: E731
    RecordingWriter = writer.RecordingWriter  # noqa: N806
    monkeypatch.setattr("cambist.backtest.journaled.RecordingWriter", small)
    scenario = scenarios["make_sole_account"](4)
    again = played(scenarios, scenario, make_books, traders_of(keeper, scenario), tmp_path)
    files = sorted((tmp_path / "recording").glob("*.cbr"))
    assert len(files) > 2
    assert cambist.replay(tmp_path, traders_of(keeper, scenario), **again).complete
    events = []
    for path in reversed(files):  # also where the answers to what a strategy asked are what was lost
        whole = path.read_bytes()
        path.write_bytes(whole[:-7])
        report = cambist.replay(tmp_path, traders_of(keeper, scenario), **again)
        assert report.equal, report
        assert not report.complete
        assert "was not written to its end" in report.notes[-1]
        events.append(report.events)
        path.unlink()
    assert events == sorted(events, reverse=True)
    assert len(set(events)) > 1
