"""Random risk rules that remember, and an operator who halts, reduces, resumes and cancels at random."""

from __future__ import annotations

import random

from cambist import StopRequest, StrategyError
from cambist.backtest.run import Run
from cambist.backtest.settings import BacktestSettings
from cambist.data import open_source
from cambist.model import TradingState, WorkingOrders
from cambist.model.events import OperatorCommand, TradingStateRequested
from cambist.risk.rules.consecutive_losses import MaxConsecutiveLossesRule
from cambist.risk.rules.daily_loss import MaxDailyLossRule
from cambist.risk.rules.drawdown import MaxDrawdownRule
from cambist.risk.rules.order_rate import MaxOrderRateRule

ORDERS = list(WorkingOrders)


def random_rules(seed):
    """Return rules that trip now and then."""
    rng = random.Random(f"rules {seed}")
    then = {"then": rng.choice(["halt", "reduce"]), "orders": rng.choice(ORDERS)}
    rules = [
        lambda: MaxDailyLossRule(
            share=rng.choice([0.0001, 0.003, 0.05]),
            until=rng.choice(["next_day", "resumed"]),
            time_zone=rng.choice(["UTC", "America/New_York"]),
            day_starts=rng.choice(["00:00", "17:00"]),
            **then,
        ),
        lambda: MaxDailyLossRule(amount=rng.choice([0.05, 2.0]), **then),
        lambda: MaxDrawdownRule(share=rng.choice([0.001, 0.01, 0.1]), **then),
        lambda: MaxDrawdownRule(amount=rng.choice([0.1, 8.0]), **then),
        lambda: MaxOrderRateRule(
            rng.randrange(1, 6),
            rng.choice(["2m", "1h", "1d"]),
            per=rng.choice(["run", "strategy", "symbol"]),
            then=rng.choice(["refuse", "halt", "reduce"]),
            orders=then["orders"],
        ),
        lambda: MaxConsecutiveLossesRule(rng.randrange(1, 4), rng.choice([None, "10m", "1d"]), **then),
    ]
    return [make() for make in rng.choices(rules, k=rng.randrange(1, 4))]


class Operator:
    """Brings a kernel random events, of which some say nothing new."""

    def __init__(self, seed, activity=0.15):
        self.rng = random.Random(f"operator {seed}")
        self.activity = activity
        self.asked = 0

    def __call__(self, driver, now):
        if self.rng.random() >= self.activity:
            return
        self.asked += 1
        driver.carry_out(driver.kernel.step(self.event(driver.kernel, now)))

    def scope(self, kernel):
        symbols = [f"symbol:{symbol}" for symbol in kernel.portfolio.positions]
        return self.rng.choice(["", "", f"strategy:{self.rng.choice(list(kernel.owners))}", self.rng.choice(symbols)])

    def event(self, kernel, now):
        rng, scope = self.rng, self.scope(kernel)
        state = rng.choice(list(TradingState))
        held = [hold.scope for hold in kernel.trading.holds]
        if held and rng.random() < 0.5:
            scope, state = rng.choice(held), TradingState.ACTIVE
        if rng.random() < 0.5:
            return TradingStateRequested(
                now,
                state,
                scope,
                rng.choice(["", "late"]),
                "driver",
                rng.choice(ORDERS),
                rng.choice(["", "stale-data"]),
            )
        name = rng.choice(["cancel_orders", {"active": "resume", "halted": "halt", "reducing": "reduce"}[state]])
        arguments = {"scope": scope, "reason": "lunch", "orders": str(rng.choice(ORDERS))}
        return OperatorCommand(
            now, name, {one: arguments[one] for one in rng.sample(list(arguments), 2)} | {"scope": scope}, "anna"
        )


class OperatedRun(Run):
    """A run in which somebody may do something at the end of every instant."""

    operator = None

    def _driver(self, stop):
        driver = super()._driver(stop)
        fire = driver.fire_timers

        def fire_and_operate(now):
            fire(now)
            if self.operator is not None:
                self.operator(driver, now)

        driver.fire_timers = fire_and_operate
        return driver


def hearing(trader):
    """Return a trader that also writes down what it hears of the state of trading, and answers."""

    class Hearing(trader):
        persistent = ("calls",)

        def on_start(self):
            self.calls = 0
            super().on_start()

        def see(self, what, *facts):
            self.calls += 1
            super().see(what, *facts, str(self.trading_state))

        def on_trading_state(self, change):
            self.see("trading", change)
            self.act("trading")

    return Hearing


def operated(scenarios, scenario, folder, *, activity=0.15, **more):
    """Play a scenario with rules, an operator, journal and recording; return its run and the rules."""
    series = scenarios["bars"](scenario)
    options = scenario.options | scenarios["account_options"](scenario, series) | more
    options["risk"] = [*options.get("risk", []), *random_rules(scenario.seed)]
    settings = BacktestSettings.of(**options, events=True, journal=folder, record=True)
    run = OperatedRun(
        traders_of(scenarios, scenario), [open_source(one) for one in series], settings, None, StopRequest()
    )
    run.operator = Operator(scenario.seed, activity)
    try:
        run.play()
    except StrategyError:
        assert scenario.fails_at >= 0
    return run, {name: options[name] for name in ("fees", "sizer", "risk", "marks") if name in options}


def traders_of(scenarios, scenario):
    """Return the traders of a scenario, fresh."""
    full = "all margin" in scenario.account
    margin = scenarios["account_options"](scenario, scenarios["bars"](scenario)).get("margin")
    return [
        hearing(scenarios["trader"])(
            seed=scenario.seed * 10 + number,
            activity=scenario.activity,
            trace=[],
            fails_at=scenario.fails_at,
            moves=full or "strategy transfers" in scenario.account,
            sides=full and margin.is_hedged,
            changes=full,
        )
        for number in range(scenario.traders)
    ]
