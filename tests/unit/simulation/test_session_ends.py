"""Day orders and orders for the close go by the session of the instrument's calendar; without one by the UTC day."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import cambist
from cambist import weekly_calendar
from cambist.errors import InputError
from cambist.model.times import format_ns, to_ns
from cambist.model.trading_days import trading_days

# Friday 5 July 2024 closes early here; Monday follows.
HOURS = weekly_calendar(
    "hours",
    "9:30-16:00",
    tz="America/New_York",
    early_closes={"2024-07-05": "13:00"},
    start="2024-07-01",
    end="2024-07-12",
)
NIGHT = weekly_calendar("night", "18:00-17:00", tz="America/New_York", start="2024-06-28", end="2024-07-12")


class Sender(cambist.Strategy):
    """Sends one order at the close of the bar that opens at a time of New York."""

    at: str = cambist.param()
    how: str = cambist.param("day")

    def on_bar(self, bar):
        if bar.time == pd.Timestamp(self.at, tz="America/New_York"):
            if self.how == "close":
                self.buy(1, on_close=True)
            else:
                self.buy(1, limit=50.0, time_in_force="day")


def hourly(*days: str, hours=range(9, 16), length="1h") -> pd.DataFrame:
    """Bars that open at half past each of these hours, each a unit dearer than the one before."""
    times = [pd.Timestamp(f"{day} {hour:02}:30", tz="America/New_York") for day in days for hour in hours]
    close = 100.0 + np.arange(len(times))
    columns = {"open": close, "high": close + 0.5, "low": close - 0.5, "close": close, "volume": 1_000.0}
    return pd.DataFrame(columns, index=pd.DatetimeIndex(times).tz_convert("UTC"))


def ended(result) -> tuple[str, str]:
    (order,) = result.order_records
    return str(order.status), format_ns(order.updated_at)


def play(strategy, frame, **options):
    return cambist.backtest(strategy, frame, timeframe="1h", benchmark=False, **options)


@pytest.mark.parametrize("how", [{}, {"events": True}, {"blocks": True}])
def test_a_day_order_ends_with_its_session(how):
    frame = hourly("2024-07-03", "2024-07-05", hours=range(9, 16))
    result = play(Sender(at="2024-07-03 10:30"), frame, calendar=HOURS, **how)
    # The first bar that opens after the close of 20:00 UTC is that of Friday.
    assert ended(result) == ("expired", format_ns(to_ns("2024-07-05 13:30")))


def test_an_order_of_the_last_close_lives_through_the_next_session():
    frame = hourly("2024-07-03", "2024-07-05", "2024-07-08")
    result = play(Sender(at="2024-07-03 15:30"), frame, calendar=HOURS)
    (order,) = result.order_records
    assert order.status == "expired"
    # Bars of Friday go on after its early close at 17:00 UTC: the first of them opens at 17:30.
    assert format_ns(order.updated_at) == format_ns(to_ns("2024-07-05 17:30"))


def test_an_order_for_the_close_trades_at_an_early_close():
    frame = hourly("2024-07-03", "2024-07-05", "2024-07-08", hours=range(9, 13))
    result = play(Sender(at="2024-07-05 09:30", how="close"), frame, calendar=HOURS)
    (fill,) = result.fill_records
    # The bar of 12:30 lasts to 13:30 and so holds the close of 13:00.
    assert format_ns(fill.ts) == format_ns(to_ns("2024-07-05 17:30"))
    assert fill.price == 107.0


def test_an_order_for_the_close_of_a_session_over_midnight():
    frame = hourly("2024-07-01", "2024-07-02", "2024-07-03", hours=range(24))
    order_at = Sender(at="2024-07-01 20:30", how="close")
    (by_session,) = play(order_at, frame, calendar=NIGHT).fill_records
    (by_utc,) = play(order_at, frame).fill_records
    assert format_ns(by_session.ts) == format_ns(to_ns("2024-07-02 21:30"))  # 17:30 in New York
    assert format_ns(by_utc.ts) == format_ns(to_ns("2024-07-03 00:30"))  # sent on the 2nd already, as UTC counts


@pytest.mark.parametrize("how", ["day", "close"])
def test_without_a_calendar_the_day_is_that_of_utc(how):
    frame = hourly("2024-07-03", "2024-07-05")
    result = play(Sender(at="2024-07-03 10:30", how=how), frame)
    expected = "2024-07-05 13:30"  # at the open after a day whose last bar ended before midnight
    assert ended(result) == ("expired" if how == "day" else "filled", format_ns(to_ns(expected)))


@pytest.mark.parametrize("how", ["day", "close"])
def test_backtrader_rules_know_no_calendar(how):
    frame = hourly("2024-07-03", "2024-07-05", "2024-07-08")
    with_calendar, without = (
        play(Sender(at="2024-07-05 09:30", how=how), frame, rules="backtrader", **given)
        for given in ({"calendar": HOURS}, {})
    )
    assert ended(with_calendar) == ended(without)
    assert len(with_calendar.fill_records) == len(without.fill_records)


def test_the_instruments_own_calendar_counts():
    frame = hourly("2024-07-01", "2024-07-02", hours=range(24))
    always = cambist.Instrument(symbol="X", calendar="24/7")
    result = play(Sender(at="2024-07-01 10:30"), frame, instrument=always)
    assert ended(result) == ("expired", format_ns(to_ns("2024-07-02 00:30")))


def test_trading_days_of_a_calendar():
    days = trading_days(HOURS)
    friday = days.number(to_ns("2024-07-05 13:30"))
    assert days.date_of(friday).isoformat() == "2024-07-05"
    assert days.end(to_ns("2024-07-05 13:30")) == to_ns("2024-07-05 17:00") - 1
    # What lies between two sessions belongs to the later one; the first moment that does is the close.
    assert days.number(to_ns("2024-07-05 17:00") - 1) == friday
    assert days.number(to_ns("2024-07-05 17:00")) == friday + 1 == days.number(to_ns("2024-07-08 19:59"))
    instants = np.array([to_ns("2024-07-05 17:00") - 1, to_ns("2024-07-06")])
    assert days.numbers(instants).tolist() == [friday, friday + 1]
    assert days.days_since(pd.Timestamp("2024-07-03").date(), friday) == 2  # the 4th is no holiday of this calendar
    with pytest.raises(InputError, match="hours"):
        days.end(to_ns("2024-09-13"))


def test_days_of_utc():
    days = trading_days(None)
    assert days.end(to_ns("2024-07-05 13:30")) == to_ns("2024-07-06") - 1
    assert days.date_of(days.number(to_ns("2024-07-05 23:59"))).isoformat() == "2024-07-05"
    monday = days.number(to_ns("2024-07-08"))
    assert days.days_since(pd.Timestamp("2024-07-04").date(), monday) == 2  # Thursday and Friday
    assert days.numbers(np.array([to_ns("2024-07-08 12:00")])).tolist() == [monday]
    assert days.number(-1) == -1
