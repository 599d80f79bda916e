# ruff: noqa: E501 - a row is a function
"""What TA-Lib's functions compute, in a line each, and where the formula is from.

``O H L C V`` are the columns of a bar, ``x`` the values of the line, ``n`` the period; ``x'`` is the value of the bar
before, ``x[n]`` the one n bars ago. ``TR`` is the true range, ``max(H, C') - min(L, C')``; ``TP`` the typical price,
``(H + L + C) / 3``; ``sma``, ``ema``, ``wma``, ``rma`` are the moving averages of that name.
"""

from __future__ import annotations

__all__ = ["CANDLES", "FORMULAS"]

FORMULAS = """\
ACCBANDS: sma(C), and the sma of H * (1 + 4 * (H - L) / (H + L)) above, of L * (1 - 4 * (H - L) / (H + L)) below. Price Headley, Big Trends in Trading (2002)
BBANDS: the average, and so many standard deviations of the population above and below it. John Bollinger, Bollinger on Bollinger Bands (2001)
DEMA: 2 * ema(x) - ema(ema(x)). Patrick Mulloy, Stocks & Commodities 12:1 (1994)
DONCHIAN: highest H and lowest L of n bars, and the middle between them. Richard Donchian
EMA: ema' + 2 / (n + 1) * (x - ema'); the first value is the mean of the first n
HMA: wma of 2 * wma(x, n // 2) - wma(x, n) over the root of n. Alan Hull (2005)
HT_TRENDLINE: the price without its dominant cycle. John Ehlers, Rocket Science for Traders (2001)
KAMA: an ema whose factor follows the efficiency ratio between those of 2 and of 30 bars. Perry Kaufman, Smarter Trading (1995)
KC: ema(TP), and so many average true ranges above and below it; both begin at the same bar. Chester Keltner (1960), as Linda Raschke uses them
MA: the moving average that is named
MAMA: an ema whose factor follows the speed of the phase, and a slower one of it. John Ehlers, MESA and Trading Market Cycles (2002)
MAVP: the moving average over as many bars as the second line says
MIDPOINT: (highest x + lowest x) / 2 of n bars
MIDPRICE: (highest H + lowest L) / 2 of n bars
RMA: rma' + (x - rma') / n; the first value is the mean of the first n. J. Welles Wilder, New Concepts in Technical Trading Systems (1978)
SAR: a stop that follows the price faster with each new extreme. J. Welles Wilder, New Concepts in Technical Trading Systems (1978)
SAREXT: SAR with a start, and with speeds of their own for either side; negative while short. J. Welles Wilder (1978)
SMA: the mean of the last n values
SUPERTREND: the middle of the bar less (in a rise) or plus (in a fall) so many average true ranges, which only tightens; and the trend, 1 or -1. Olivier Seban
T3: six emas in a row, weighted by the volume factor. Tim Tillson, Stocks & Commodities 16:1 (1998)
TEMA: 3 * ema - 3 * ema(ema) + ema(ema(ema)). Patrick Mulloy, Stocks & Commodities 12:2 (1994)
TRIMA: the sma of an sma; weights rise to the middle of the window and fall from there
VWMA: sum of x * V over the sum of V
WMA: the mean of the last n values with weights 1 to n, the newest heaviest
ZLEMA: the ema of 2 * x - x[(n - 1) // 2]. John Ehlers and Ric Way (2010)
AC: AO less its sma. Bill Williams, New Trading Dimensions (1998)
ADX: rma of DX. J. Welles Wilder, New Concepts in Technical Trading Systems (1978)
ADXR: the mean of ADX and of ADX n - 1 bars ago. J. Welles Wilder (1978)
AO: sma((H + L) / 2, fast) - sma((H + L) / 2, slow). Bill Williams, New Trading Dimensions (1998)
APO: average(x, fast) - average(x, slow)
AROON: 100 * (n - bars since the lowest L, or the highest H, of n + 1 bars) / n. Tushar Chande (1995)
AROONOSC: AROON's up less its down. Tushar Chande (1995)
BOP: (C - O) / (H - L), 0 where a bar has no range. Igor Livshin, Stocks & Commodities 19:8 (2001)
CCI: (TP - sma(TP)) / (0.015 * mean distance of the n values from that sma). Donald Lambert (1980)
CMO: 100 * (rises - falls) / (rises + falls), both smoothed as the RSI's. Tushar Chande, The New Technical Trader (1994), smoothed
CMOU: 100 * (rises - falls) / (rises + falls), both summed over n changes. Tushar Chande, The New Technical Trader (1994)
COPPOCK: the wma of the sum of two rates of change. Edwin Coppock, Barron's (1962)
DPO: x[n // 2 + 1] - sma(x, n)
DX: 100 * abs(+DI - -DI) / (+DI + -DI). J. Welles Wilder (1978)
ER: abs(x - x[n]) over the sum of the n absolute changes. Perry Kaufman, Smarter Trading (1995)
ERI: H - ema(C), the power of bulls, and L - ema(C), that of bears. Alexander Elder, Trading for a Living (1993)
FOSC: 100 * (x - the forecast for this bar by the regression of the n bars before) / x. Tushar Chande, The New Technical Trader (1994)
FRACTAL: 100 where the high, or the low, of so many bars ago is above, or below, all around it; else 0. Bill Williams, Trading Chaos (1995)
IMI: 100 * rises / (rises + falls) of C - O, summed over n bars. Tushar Chande, The New Technical Trader (1994)
KDJ: %K and %D of the stochastic, and 3 * K - 2 * D
MACD: ema(x, fast) - ema(x, slow), its ema, and the difference of the two. Gerald Appel (1979)
MACDEXT: MACD of averages of any kind. Gerald Appel (1979)
MACDFIX: MACD of 12 and 26 bars with the factors 0.15 and 0.075. Gerald Appel (1979)
MFI: 100 * up / (up + down), the sums of TP * V of the bars whose TP rose, or fell. Gene Quong and Avrum Soudack (1989)
MINUS_DI: 100 * -DM / TR, both smoothed. J. Welles Wilder (1978)
MINUS_DM: how far the low fell, where that is more than the high rose; smoothed sum. J. Welles Wilder (1978)
MOM: x - x[n]
PLUS_DI: 100 * +DM / TR, both smoothed. J. Welles Wilder (1978)
PLUS_DM: how far the high rose, where that is more than the low fell; smoothed sum. J. Welles Wilder (1978)
PPO: 100 * (average(x, fast) - average(x, slow)) / average(x, slow)
QSTICK: sma(C - O). Tushar Chande, The New Technical Trader (1994)
ROC: 100 * (x / x[n] - 1)
ROCP: x / x[n] - 1
ROCR: x / x[n]
ROCR100: 100 * x / x[n]
RSI: 100 * rises / (rises + falls), smoothed by rma; 0 where nothing moved. J. Welles Wilder, New Concepts in Technical Trading Systems (1978)
SMI: 100 * the twice smoothed distance of C from the middle of the range, over half the twice smoothed range. William Blau, Stocks & Commodities 11:1 (1993)
STOCH: %K smoothed, and %D, its average; %K is 100 * (C - lowest L) / (highest H - lowest L). George Lane
STOCHF: %K, 100 * (C - lowest L) / (highest H - lowest L), and %D, its average. George Lane
STOCHRSI: the stochastic of the RSI. Tushar Chande and Stanley Kroll, The New Technical Trader (1994)
TRIX: 100 * the rate of change of a three times smoothed ema. Jack Hutson, Stocks & Commodities 1:5 (1983)
TSI: 100 * twice smoothed changes over twice smoothed absolute changes. William Blau, Stocks & Commodities 9:11 (1991)
ULTOSC: buying pressure over TR, of three spans, weighted 4 : 2 : 1. Larry Williams, Stocks & Commodities 3:4 (1985)
VHF: (highest x - lowest x) over the sum of absolute changes. Adam White, Futures (1991)
VORTEX: sums of abs(H - L') and of abs(L - H') over that of TR. Etienne Botes and Douglas Siepman, Stocks & Commodities 28:1 (2010)
WAD: C less the true low on a rise, C less the true high on a fall, added up. Larry Williams
WILLR: -100 * (highest H - C) / (highest H - lowest L). Larry Williams (1973)
AD: V * ((C - L) - (H - C)) / (H - L), added up. Marc Chaikin
ADOSC: ema(AD, fast) - ema(AD, slow). Marc Chaikin
CMF: the sum of AD's terms over that of V. Marc Chaikin
EFI: ema((C - C') * V). Alexander Elder, Trading for a Living (1993)
MARKETFI: (H - L) / V. Bill Williams, Trading Chaos (1995)
NVI: an index that begins at 1,000 and follows C where V falls. Norman Fosback, Stock Market Logic (1976)
OBV: V added where C rose, taken away where it fell. Joseph Granville (1963)
PVI: an index that begins at 1,000 and follows C where V rises. Norman Fosback, Stock Market Logic (1976)
PVO: 100 * (average(V, fast) - average(V, slow)) / average(V, slow)
PVT: V * (C / C' - 1), added up
RVOL: V over the mean of the n bars before
VWAP: sum of TP * V over the sum of V, from the first bar of the series on
ADR: sma(H - L)
ATR: rma(TR); the first bar has no range, the first value is the mean of the n that follow. J. Welles Wilder (1978)
CVI: 100 * the rate of change of ema(H - L). Marc Chaikin
MASSI: the sum of ema(H - L) / ema(ema(H - L)). Donald Dorsey, Stocks & Commodities 10:6 (1992)
NATR: 100 * ATR / C. John Forman, Stocks & Commodities 24:5 (2006)
RVI: the RSI of standard deviations, which count as rises where x rose and as falls where it fell. Donald Dorsey, Stocks & Commodities 11:6 (1993)
TRANGE: max(H, C') - min(L, C')
HT_DCPERIOD: length of the dominant cycle, in bars. John Ehlers, Rocket Science for Traders (2001)
HT_DCPHASE: phase of the dominant cycle, in degrees. John Ehlers (2001)
HT_PHASOR: the two components of the dominant cycle. John Ehlers (2001)
HT_SINE: sine of the phase, and of the phase 45 degrees on. John Ehlers (2001)
HT_TRENDMODE: 1 in a trend, 0 in a cycle. John Ehlers (2001)
AVGDEV: the mean distance of n values from their mean
AVGPRICE: (O + H + L + C) / 4
HA: C is the mean of the bar, O the middle of the candle before, H and L the extremes with these
MEDPRICE: (H + L) / 2
TYPPRICE: (H + L + C) / 3
WCLPRICE: (H + L + 2 * C) / 4
BETA: the slope of the regression of the other line's rates of change on those of the first
CORREL: the correlation of two lines. Karl Pearson (1895)
LINEARREG: the regression line over n bars, at the last of them
LINEARREG_ANGLE: its slope as an angle, in degrees
LINEARREG_INTERCEPT: the regression line at the first of the n bars
LINEARREG_SLOPE: what the regression line rises a bar
PERCENTILE: the value that so many percent of the last n do not exceed, by the nearest rank
PERCENTRANK: the percentage of the n values before that lie below this one
STDDEV: the standard deviation of the population, so many times
TSF: the regression line over n bars, one bar on
VAR: the variance of the population
ADD: the sum of two lines
CUMSUM: the sum of all values so far
DIV: the quotient of two lines
MAX: the highest of the last n values
MAXINDEX: how many bars ago the highest of the last n values was
MIN: the lowest of the last n values
MININDEX: how many bars ago the lowest of the last n values was
MINMAX: the lowest and the highest of the last n values
MINMAXINDEX: how many bars ago the lowest and the highest of the last n values were
MULT: the product of two lines
SUB: the difference of two lines
SUM: the sum of the last n values
ACOS: arc cosine, in radians
ASIN: arc sine, in radians
ATAN: arc tangent, in radians
CEIL: the next whole number above
COS: cosine of radians
COSH: hyperbolic cosine
EXP: e to the power of x
FLOOR: the next whole number below
LN: natural logarithm
LOG10: logarithm to the base 10
SIN: sine of radians
SINH: hyperbolic sine
SQRT: square root
TAN: tangent of radians
TANH: hyperbolic tangent
"""

#: Of candlestick patterns: how many candles, and what they say: + bullish, - bearish, +- either.
CANDLES = """\
CDL2CROWS: 3 -
CDL3BLACKCROWS: 4 -
CDL3INSIDE: 3 +-
CDL3LINESTRIKE: 4 +-
CDL3OUTSIDE: 3 +-
CDL3STARSINSOUTH: 3 +
CDL3WHITESOLDIERS: 3 +
CDLABANDONEDBABY: 3 +-
CDLADVANCEBLOCK: 3 -
CDLBELTHOLD: 1 +-
CDLBREAKAWAY: 5 +-
CDLCLOSINGMARUBOZU: 1 +-
CDLCONCEALBABYSWALL: 4 +
CDLCOUNTERATTACK: 2 +-
CDLDARKCLOUDCOVER: 2 -
CDLDOJI: 1 +
CDLDOJISTAR: 2 +-
CDLDRAGONFLYDOJI: 1 +
CDLENGULFING: 2 +-
CDLEVENINGDOJISTAR: 3 -
CDLEVENINGSTAR: 3 -
CDLGAPSIDESIDEWHITE: 3 +-
CDLGRAVESTONEDOJI: 1 +
CDLHAMMER: 1 +
CDLHANGINGMAN: 1 -
CDLHARAMI: 2 +-
CDLHARAMICROSS: 2 +-
CDLHIGHWAVE: 1 +-
CDLHIKKAKE: 3 +-
CDLHIKKAKEMOD: 4 +-
CDLHOMINGPIGEON: 2 +
CDLIDENTICAL3CROWS: 3 -
CDLINNECK: 2 -
CDLINVERTEDHAMMER: 1 +
CDLKICKING: 2 +-
CDLKICKINGBYLENGTH: 2 +-
CDLLADDERBOTTOM: 5 +
CDLLONGLEGGEDDOJI: 1 +
CDLLONGLINE: 1 +-
CDLMARUBOZU: 1 +-
CDLMATCHINGLOW: 2 +
CDLMATHOLD: 5 +
CDLMORNINGDOJISTAR: 3 +
CDLMORNINGSTAR: 3 +
CDLONNECK: 2 -
CDLPIERCING: 2 +
CDLRICKSHAWMAN: 1 +
CDLRISEFALL3METHODS: 5 +-
CDLSEPARATINGLINES: 2 +-
CDLSHOOTINGSTAR: 1 -
CDLSHORTLINE: 1 +-
CDLSPINNINGTOP: 1 +-
CDLSTALLEDPATTERN: 3 -
CDLSTICKSANDWICH: 3 +
CDLTAKURI: 1 +
CDLTASUKIGAP: 3 +-
CDLTHRUSTING: 2 -
CDLTRISTAR: 3 +-
CDLUNIQUE3RIVER: 3 +
CDLUPSIDEGAP2CROWS: 3 -
CDLXSIDEGAP3METHODS: 3 +-
"""
