"""What is said of TA-Lib's functions, computed from the words with pandas and NumPy."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cambist.indicators.talib_functions import described

ROWS = 800


@pytest.fixture(scope="module")
def bars():
    chance = np.random.default_rng(17)
    close = 100 * np.exp(np.cumsum(chance.normal(0, 0.01, ROWS)))
    open_ = np.concatenate(([100.0], close[:-1])) * (1 + chance.normal(0, 0.003, ROWS))
    return pd.DataFrame(
        {
            "open": open_,
            "high": np.maximum(open_, close) * (1 + abs(chance.normal(0, 0.004, ROWS))),
            "low": np.minimum(open_, close) * (1 - abs(chance.normal(0, 0.004, ROWS))),
            "close": close,
            "volume": chance.integers(100, 10_000, ROWS).astype(float),
        }
    )


def seeded(values: pd.Series, n: int, alpha: float) -> pd.Series:
    """Smooth from the mean of the first n known values on."""
    first = int(np.flatnonzero(values.notna())[0])
    out = values.copy()
    out.iloc[: first + n - 1] = np.nan
    out.iloc[first + n - 1] = values.iloc[first : first + n].mean()
    return out.ewm(alpha=alpha, adjust=False).mean()


def ema(values, n):
    return seeded(values, n, 2 / (n + 1))


def rma(values, n):
    return seeded(values, n, 1 / n)


def sma(values, n):
    return values.rolling(n).mean()


def wma(values, n):
    weights = np.arange(1, n + 1) / (n * (n + 1) / 2)
    return values.rolling(n).apply(lambda window: float(window @ weights), raw=True)


def true_range(b):
    before = b.close.shift()
    return (np.maximum(b.high, before) - np.minimum(b.low, before)).where(before.notna())


def typical(b):
    return (b.high + b.low + b.close) / 3


def regression(values, n):
    """Slope and value at the first bar of the regression over each window."""
    fits = np.full((len(values), 2), np.nan)
    for row in range(n - 1, len(values)):
        fits[row] = np.polyfit(np.arange(n), values.iloc[row - n + 1 : row + 1], 1)
    return pd.Series(fits[:, 0]), pd.Series(fits[:, 1])


def stochastic(b, n):
    low, high = b.low.rolling(n).min(), b.high.rolling(n).max()
    return 100 * (b.close - low) / (high - low)


def accumulated(b):
    return b.volume * ((b.close - b.low) - (b.high - b.close)) / (b.high - b.low)


def moves(values, n):
    change = values.diff()
    return change.clip(lower=0).rolling(n).sum(), (-change).clip(lower=0).rolling(n).sum()


def heikin_ashi(b):
    close = (b.open + b.high + b.low + b.close) / 4
    opens = [(b.open[0] + b.close[0]) / 2]
    for before in close[:-1]:
        opens.append((opens[-1] + before) / 2)
    opened = pd.Series(opens)
    high = np.maximum(np.maximum(b.high, opened), close)
    low = np.minimum(np.minimum(b.low, opened), close)
    return opened, high, low, close


def macd(b):
    fast, slow = ema(b.close[14:], 12), ema(b.close, 26)  # TA-Lib lets both averages begin at bar 26
    line = fast.reindex(b.index) - slow
    signal = ema(line, 9)
    line = line.where(signal.notna())
    return line, signal, line - signal


def volume_index(b, rises):
    change = b.close.pct_change().where(b.volume.diff() > 0 if rises else b.volume.diff() < 0, 0.0)
    return 1_000 * (1 + change.fillna(0.0)).cumprod()


def supertrend(b):
    width = 3 * rma(true_range(b), 10)
    middle = (b.high + b.low) / 2
    up, down = (middle - width).to_numpy(copy=True), (middle + width).to_numpy(copy=True)
    line, trend = np.full(len(b), np.nan), np.full(len(b), np.nan)
    close, rising = b.close.to_numpy(), 1
    for row in range(10, len(b)):
        if row > 10:
            if close[row - 1] > up[row - 1]:
                up[row] = max(up[row], up[row - 1])
            if close[row - 1] < down[row - 1]:
                down[row] = min(down[row], down[row - 1])
            rising = 1 if close[row] > down[row - 1] else -1 if close[row] < up[row - 1] else rising
        line[row], trend[row] = (up[row] if rising == 1 else down[row]), rising
    return pd.Series(line), pd.Series(trend)


def fractal(b):
    def peaks(values):
        middle = values.shift(2)
        around = [values, values.shift(1), values.shift(3), values.shift(4)]
        return 100.0 * np.logical_and.reduce([middle > one for one in around])

    return pd.Series(peaks(b.high)), pd.Series(peaks(-b.low))


def bull_and_bear(b):
    average = ema(b.close, 13)
    return b.high - average, b.low - average


def aroon(b):
    back = b.high.rolling(15).apply(lambda window: 14 - (14 - np.flatnonzero(window == window.max())[-1]), raw=True)
    low = b.low.rolling(15).apply(lambda window: 14 - (14 - np.flatnonzero(window == window.min())[-1]), raw=True)
    return 100 * low / 14, 100 * back / 14


def bands(b):
    middle, spread = sma(b.close, 20), b.close.rolling(20).apply(np.std, raw=True)
    return middle + 2 * spread, middle, middle - 2 * spread


def acceleration(b):
    width = 4 * (b.high - b.low) / (b.high + b.low)
    return sma(b.high * (1 + width), 20), sma(b.close, 20), sma(b.low * (1 - width), 20)


def keltner(b):
    middle, width = ema(typical(b), 20), 2 * rma(true_range(b)[10:], 10).reindex(b.index)  # both begin at bar 20
    return middle + width, middle, middle - width


def donchian(b):
    high, low = b.high.rolling(20).max(), b.low.rolling(20).min()
    return high, (high + low) / 2, low


def vortex(b):
    spread = true_range(b).rolling(14).sum()
    plus = abs(b.high - b.low.shift()).rolling(14).sum()
    return plus / spread, abs(b.low - b.high.shift()).rolling(14).sum() / spread


def stochastic_momentum(b):
    low, high = b.low.rolling(13).min(), b.high.rolling(13).max()
    distance = ema(ema(b.close - (high + low) / 2, 25), 2)
    width = ema(ema(high - low, 25), 2)
    line = 100 * distance / (width / 2)
    return line, ema(line, 9)


def coppock(b):
    return wma(100 * b.close.pct_change(11) + 100 * b.close.pct_change(14), 10)


def ultimate(b):
    low = np.minimum(b.low, b.close.shift())
    pressure, spread = b.close - low, true_range(b)
    shares = [pressure.rolling(n).sum() / spread.rolling(n).sum() for n in (7, 14, 28)]
    return 100 * (4 * shares[0] + 2 * shares[1] + shares[2]) / 7


def money_flow(b):
    price = typical(b)
    flow, change = price * b.volume, price.diff()
    up = flow.where(change > 0, 0.0).where(change.notna()).rolling(14).sum()
    down = flow.where(change < 0, 0.0).where(change.notna()).rolling(14).sum()
    return 100 * up / (up + down)


def commodity_channel(b):
    price = typical(b)
    distance = price.rolling(14).apply(lambda window: np.abs(window - window.mean()).mean(), raw=True)
    return (price - sma(price, 14)) / (0.015 * distance)


def williams_accumulation(b):
    before = b.close.shift()
    term = (b.close - np.minimum(b.low, before)).where(b.close > before, 0.0)
    term = (b.close - np.maximum(b.high, before)).where(b.close < before, term)
    return term.fillna(0.0).cumsum()


def relative_volatility(b):
    spread = b.close.rolling(10).apply(np.std, raw=True)
    change = b.close.diff()
    up, down = spread.where(change > 0, 0.0), spread.where(change < 0, 0.0)
    rises, falls = rma(up.where(spread.notna()), 14), rma(down.where(spread.notna()), 14)
    return 100 * rises / (rises + falls)


def kdj(b):
    k = rma(stochastic(b, 9), 3)
    d = rma(k, 3)
    k = k.where(d.notna())
    return k, d, 3 * k - 2 * d


def slow_stochastic(b):
    k = sma(stochastic(b, 5), 3)
    d = sma(k, 3)
    return k.where(d.notna()), d


def double_smoothed(b):
    change = b.close.diff()
    return 100 * ema(ema(change, 25), 13) / ema(ema(change.abs(), 25), 13)


def forecast(b):
    slope, at_first = regression(b.close, 5)
    return 100 * (b.close - (at_first + 5 * slope).shift()) / b.close


def rank(window):
    return 100 * np.mean(window[:-1] < window[-1])


def nearest_rank(window):
    ordered = np.sort(window)
    return ordered[max(0, int(np.ceil(0.5 * len(window))) - 1)]


def hull(b):
    return wma(2 * wma(b.close, 10) - wma(b.close, 20), 4)


def triangular(b):
    return sma(sma(b.close, 15), 16)


ORACLES = {
    "ACCBANDS": acceleration,
    "BBANDS": bands,
    "DONCHIAN": donchian,
    "KC": keltner,
    "SMA": lambda b: sma(b.close, 30),
    "EMA": lambda b: ema(b.close, 30),
    "RMA": lambda b: rma(b.close, 30),
    "WMA": lambda b: wma(b.close, 30),
    "HMA": hull,
    "TRIMA": triangular,
    "DEMA": lambda b: 2 * ema(b.close, 30) - ema(ema(b.close, 30), 30),
    "TEMA": lambda b: 3 * ema(b.close, 30) - 3 * ema(ema(b.close, 30), 30) + ema(ema(ema(b.close, 30), 30), 30),
    "ZLEMA": lambda b: ema(2 * b.close - b.close.shift(14), 30),
    "VWMA": lambda b: (b.close * b.volume).rolling(30).sum() / b.volume.rolling(30).sum(),
    "MA": lambda b: sma(b.close, 30),
    "MIDPOINT": lambda b: (b.close.rolling(14).max() + b.close.rolling(14).min()) / 2,
    "MIDPRICE": lambda b: (b.high.rolling(14).max() + b.low.rolling(14).min()) / 2,
    "AO": lambda b: sma((b.high + b.low) / 2, 5) - sma((b.high + b.low) / 2, 34),
    "AC": lambda b: ORACLES["AO"](b) - sma(ORACLES["AO"](b), 5),
    "APO": lambda b: ema(b.close, 12) - ema(b.close, 26),
    "PPO": lambda b: 100 * (ema(b.close, 12) - ema(b.close, 26)) / ema(b.close, 26),
    "PVO": lambda b: 100 * (ema(b.volume, 12) - ema(b.volume, 26)) / ema(b.volume, 26),
    "AROON": aroon,
    "AROONOSC": lambda b: aroon(b)[1] - aroon(b)[0],
    "BOP": lambda b: (b.close - b.open) / (b.high - b.low),
    "CCI": commodity_channel,
    "CMO": lambda b: (
        100
        * (rma(b.close.diff().clip(lower=0), 14) - rma((-b.close.diff()).clip(lower=0), 14))
        / rma(b.close.diff().abs(), 14)
    ),
    "CMOU": lambda b: 100 * (moves(b.close, 14)[0] - moves(b.close, 14)[1]) / sum(moves(b.close, 14)),
    "COPPOCK": coppock,
    "DPO": lambda b: b.close.shift(11) - sma(b.close, 20),
    "ER": lambda b: abs(b.close.diff(10)) / b.close.diff().abs().rolling(10).sum(),
    "ERI": bull_and_bear,
    "FOSC": forecast,
    "IMI": lambda b: (
        100 * (b.close - b.open).clip(lower=0).rolling(14).sum() / (b.close - b.open).abs().rolling(14).sum()
    ),
    "KDJ": kdj,
    "MACD": macd,
    "MFI": money_flow,
    "MOM": lambda b: b.close.diff(10),
    "QSTICK": lambda b: sma(b.close - b.open, 10),
    "ROC": lambda b: 100 * (b.close / b.close.shift(10) - 1),
    "ROCP": lambda b: b.close / b.close.shift(10) - 1,
    "ROCR": lambda b: b.close / b.close.shift(10),
    "ROCR100": lambda b: 100 * b.close / b.close.shift(10),
    "RSI": lambda b: 100 * rma(b.close.diff().clip(lower=0), 14) / rma(b.close.diff().abs(), 14),
    "SMI": stochastic_momentum,
    "STOCH": slow_stochastic,
    "STOCHF": lambda b: (stochastic(b, 5).where(sma(stochastic(b, 5), 3).notna()), sma(stochastic(b, 5), 3)),
    "TRIX": lambda b: 100 * ema(ema(ema(b.close, 30), 30), 30).pct_change(),
    "TSI": double_smoothed,
    "ULTOSC": ultimate,
    "VHF": lambda b: (b.close.rolling(28).max() - b.close.rolling(28).min()) / b.close.diff().abs().rolling(28).sum(),
    "VORTEX": vortex,
    "WAD": williams_accumulation,
    "WILLR": lambda b: stochastic(b, 14) - 100,
    "AD": lambda b: accumulated(b).cumsum(),
    "ADOSC": lambda b: (
        accumulated(b).cumsum().ewm(alpha=1 / 2, adjust=False).mean()
        - accumulated(b).cumsum().ewm(alpha=2 / 11, adjust=False).mean()
    ),
    "NVI": lambda b: volume_index(b, rises=False),
    "PVI": lambda b: volume_index(b, rises=True),
    "SUPERTREND": supertrend,
    "FRACTAL": fractal,
    "CMF": lambda b: accumulated(b).rolling(20).sum() / b.volume.rolling(20).sum(),
    "EFI": lambda b: ema(b.close.diff() * b.volume, 13),
    "MARKETFI": lambda b: (b.high - b.low) / b.volume,
    "OBV": lambda b: b.volume[0] + (np.sign(b.close.diff()).fillna(0.0) * b.volume).cumsum(),
    "PVT": lambda b: (b.volume * b.close.pct_change()).fillna(0.0).cumsum(),
    "RVOL": lambda b: b.volume / sma(b.volume, 20).shift(),
    "VWAP": lambda b: (typical(b) * b.volume).cumsum() / b.volume.cumsum(),
    "ADR": lambda b: sma(b.high - b.low, 14),
    "ATR": lambda b: rma(true_range(b), 14),
    "CVI": lambda b: 100 * ema(b.high - b.low, 10).pct_change(10),
    "MASSI": lambda b: (ema(b.high - b.low, 9) / ema(ema(b.high - b.low, 9), 9)).rolling(25).sum(),
    "NATR": lambda b: 100 * rma(true_range(b), 14) / b.close,
    "RVI": relative_volatility,
    "TRANGE": true_range,
    "AVGDEV": lambda b: b.close.rolling(14).apply(lambda window: np.abs(window - window.mean()).mean(), raw=True),
    "AVGPRICE": lambda b: (b.open + b.high + b.low + b.close) / 4,
    "HA": heikin_ashi,
    "MEDPRICE": lambda b: (b.high + b.low) / 2,
    "TYPPRICE": typical,
    "WCLPRICE": lambda b: (b.high + b.low + 2 * b.close) / 4,
    "BETA": lambda b: b.high.pct_change().rolling(5).cov(b.low.pct_change()) / b.high.pct_change().rolling(5).var(),
    "CORREL": lambda b: b.high.rolling(30).corr(b.low),
    "LINEARREG": lambda b: regression(b.close, 14)[1] + 13 * regression(b.close, 14)[0],
    "LINEARREG_SLOPE": lambda b: regression(b.close, 14)[0],
    "LINEARREG_INTERCEPT": lambda b: regression(b.close, 14)[1],
    "LINEARREG_ANGLE": lambda b: np.degrees(np.arctan(regression(b.close, 14)[0])),
    "TSF": lambda b: regression(b.close, 14)[1] + 14 * regression(b.close, 14)[0],
    "PERCENTILE": lambda b: b.close.rolling(30).apply(nearest_rank, raw=True),
    "PERCENTRANK": lambda b: b.close.rolling(101).apply(rank, raw=True),
    "STDDEV": lambda b: b.close.rolling(5).apply(np.std, raw=True),
    "VAR": lambda b: b.close.rolling(5).apply(np.var, raw=True),
    "ADD": lambda b: b.high + b.low,
    "SUB": lambda b: b.high - b.low,
    "MULT": lambda b: b.high * b.low,
    "DIV": lambda b: b.high / b.low,
    "CUMSUM": lambda b: b.close.cumsum(),
    "SUM": lambda b: b.close.rolling(30).sum(),
    "MAX": lambda b: b.close.rolling(30).max(),
    "MIN": lambda b: b.close.rolling(30).min(),
    "MINMAX": lambda b: (b.close.rolling(30).min(), b.close.rolling(30).max()),
    "MAXINDEX": lambda b: b.close.rolling(30).apply(lambda window: 29 - window.argmax(), raw=True),
    "MININDEX": lambda b: b.close.rolling(30).apply(lambda window: 29 - window.argmin(), raw=True),
    "MINMAXINDEX": lambda b: (ORACLES["MININDEX"](b), ORACLES["MAXINDEX"](b)),
}


def columns_of(function, bars):
    names = {"price": "close", "price0": "high", "price1": "low"}
    return [bars[names.get(one, one)].to_numpy() for one in function.inputs]


@pytest.mark.parametrize("name", ORACLES)
def test_the_formula_is_what_is_computed(name, bars):
    function = described()[name]
    ours = function().batch(*columns_of(function, bars))
    expected = ORACLES[name](bars)
    expected = expected if isinstance(expected, tuple) else (expected,)
    for line, oracle in zip(ours, expected, strict=True):
        known = np.isfinite(line)
        assert known.sum() > ROWS / 2
        scale = np.abs(line[known]).max()
        np.testing.assert_allclose(line[known], oracle.to_numpy()[known], rtol=1e-7, atol=1e-9 * scale)
