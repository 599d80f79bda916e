"""Random runs with a journal, for the parity tests of what is made of one."""

from __future__ import annotations

import msgspec

from cambist import StopRequest, StrategyError
from cambist.backtest.run import Run
from cambist.backtest.settings import BacktestSettings
from cambist.data import open_source
from cambist.engine.document import trading_of
from cambist.engine.strategy_state import decode_state

PARTS = msgspec.msgpack.Encoder(order="deterministic")


def journalled(scenarios, scenario, folder, *, without=(), **more):
    """Play a scenario with a journal and return its run, with the result as `outcome`.

    None where a strategy raised or it could not begin.
    """
    series = scenarios["bars"](scenario)

    opens = more.get("cheat_on_open") or scenario.options.get("cheat_on_open")

    class Keeping(scenarios["opening_trader" if opens else "trader"]):
        """Keeps how often it was called, which changes with every bar, and something that changes seldom."""

        persistent = ("calls", "sizes")

        def on_start(self):
            self.calls, self.sizes = 0, {}
            super().on_start()

        def see(self, what, *facts):
            self.calls += 1
            if what == "on_fill":
                self.sizes[self.calls] = (str(facts), None)
            super().see(what, *facts)

    options = scenario.options | scenarios["account_options"](scenario, series) | more
    full = "all margin" in scenario.account
    traders = [
        Keeping(
            seed=scenario.seed * 10 + number,
            activity=scenario.activity,
            trace=[],
            fails_at=scenario.fails_at,
            moves=full or "strategy transfers" in scenario.account,
            sides=full and options["margin"].is_hedged,
            changes=full,
        )
        for number in range(scenario.traders)
    ]
    options |= scenarios["own_accounts"](scenario, Keeping, options)
    for name in without:
        options.pop(name, None)
    settings = BacktestSettings.of(**options, events=True, journal=folder)
    run = Run(traders, [open_source(one) for one in series], settings, None, StopRequest())
    try:
        run.outcome = run.play()
    except StrategyError:
        return None
    return run


def parts_of(trading):
    """Return plain values in a form in which NaN is equal to itself and -0.0 is not 0.0."""
    return {name: PARTS.encode(value) for name, value in trading.items()}


def _is_some(item):
    return item[1] != 0.0


def hold_equal(run, state):
    kernel = run.kernel
    lives = trading_of(kernel.book, kernel.fills, kernel.portfolio, run.driver.timers._due)
    folded = trading_of(state.book, state.fills, state.portfolio, state.timers)
    for name, value in parts_of(lives).items():
        assert parts_of(folded)[name] == value, f"{name}:\n{lives[name]}\n{folded[name]}"
    assert list(state.book.open) == list(kernel.book.open)
    assert list(state.trading) == list(kernel.trading.holds)
    assert state.rules == kernel.monitors.states()
    assert dict(filter(_is_some, state.leaving.items())) == dict(filter(_is_some, kernel.leaving.items()))
    for seat in kernel.seats:
        kept = decode_state(state.states[seat.strategy.name])
        assert kept == {"calls": seat.strategy.calls, "sizes": seat.strategy.sizes}
