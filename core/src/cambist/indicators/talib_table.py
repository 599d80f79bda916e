# ruff: noqa: E501 - a row is a function
"""TA-Lib's functions, from its own metadata: name, title, inputs, outputs, kind of output, parameters.

A parameter is our name, TA-Lib's, the default and the range. Written by scripts/indicators.py.
"""

from __future__ import annotations

__all__ = ["TABLE"]

TABLE = """\
# overlap
ACCBANDS | Acceleration Bands | high low close | upper middle lower | real | period:timeperiod=20 in 2..100000
BBANDS | Bollinger Bands | price | upper middle lower | real | period:timeperiod=20 in 2..100000; deviations:nbdevup,nbdevdn=2.0 in 0..1000; average:matype=sma
DEMA | Double Exponential Moving Average | price | value | real | period:timeperiod=30 in 1..100000
DONCHIAN | Donchian Channels | high low | upper middle lower | real | period:timeperiod=20 in 2..100000
EMA | Exponential Moving Average | price | value | real | period:timeperiod=30 in 1..100000
HMA | Hull Moving Average | price | value | real | period:timeperiod=20 in 1..100000
HT_TRENDLINE | Hilbert Transform - Instantaneous Trendline | price | value | real |
KAMA | Kaufman Adaptive Moving Average | price | value | real | period:timeperiod=30 in 1..100000
KC | Keltner Channels | high low close | upper middle lower | real | period:timeperiod=20 in 2..100000; atr_period:atrperiod=10 in 1..100000; deviations:nbdev=2.0 in ..
MA | Moving average | price | value | real | period:timeperiod=30 in 1..100000; average:matype=sma
MAMA | MESA Adaptive Moving Average | price | mama fama | real | fast_limit:fastlimit=0.5 in 0.01..0.99; slow_limit:slowlimit=0.05 in 0.01..0.99
MAVP | Moving average with variable period | price periods | value | real | min_period:minperiod=2 in 1..20; max_period:maxperiod=30 in 2..100000; average:matype=sma
MIDPOINT | MidPoint over period | price | value | real | period:timeperiod=14 in 2..100000
MIDPRICE | Midpoint Price over period | high low | value | real | period:timeperiod=14 in 2..100000
RMA | Wilder's Smoothed Moving Average | price | value | real | period:timeperiod=30 in 1..100000
SAR | Parabolic SAR | high low | value | real | acceleration:acceleration=0.02 in 0..; maximum:maximum=0.2 in 0..
SAREXT | Parabolic SAR - Extended | high low | value | real | start:startvalue=0.0 in ..; reverse_offset:offsetonreverse=0.0 in 0..; long_start:accelerationinitlong=0.02 in 0..; long_step:accelerationlong=0.02 in 0..; long_maximum:accelerationmaxlong=0.2 in 0..; short_start:accelerationinitshort=0.02 in 0..; short_step:accelerationshort=0.02 in 0..; short_maximum:accelerationmaxshort=0.2 in 0..
SMA | Simple Moving Average | price | value | real | period:timeperiod=30 in 1..100000
SUPERTREND | SuperTrend | high low close | supertrend trend | whole | period:timeperiod=10 in 2..100000; multiplier:multiplier=3.0 in 0..
T3 | Triple Exponential Moving Average (T3) | price | value | real | period:timeperiod=5 in 1..100000; volume_factor:vfactor=0.7 in 0..1
TEMA | Triple Exponential Moving Average | price | value | real | period:timeperiod=30 in 1..100000
TRIMA | Triangular Moving Average | price | value | real | period:timeperiod=30 in 1..100000
VWMA | Volume Weighted Moving Average | price volume | value | real | period:timeperiod=30 in 1..100000
WMA | Weighted Moving Average | price | value | real | period:timeperiod=30 in 1..100000
ZLEMA | Zero-Lag Exponential Moving Average | price | value | real | period:timeperiod=30 in 1..100000
# momentum
AC | Accelerator/Decelerator Oscillator | high low | value | real | fast:fastperiod=5 in 2..100000; slow:slowperiod=34 in 2..100000; signal:signalperiod=5 in 2..100000
ADX | Average Directional Movement Index | high low close | value | real | period:timeperiod=14 in 2..100000
ADXR | Average Directional Movement Index Rating | high low close | value | real | period:timeperiod=14 in 2..100000
AO | Awesome Oscillator | high low | value | real | fast:fastperiod=5 in 2..100000; slow:slowperiod=34 in 2..100000
APO | Absolute Price Oscillator | price | value | real | fast:fastperiod=12 in 2..100000; slow:slowperiod=26 in 2..100000; average:matype=ema
AROON | Aroon | high low | down up | real | period:timeperiod=14 in 2..100000
AROONOSC | Aroon Oscillator | high low | value | real | period:timeperiod=14 in 2..100000
BOP | Balance Of Power | open high low close | value | real |
CCI | Commodity Channel Index | high low close | value | real | period:timeperiod=14 in 2..100000
CMO | Chande Momentum Oscillator | price | value | real | period:timeperiod=14 in 2..100000
CMOU | Chande Momentum Oscillator (Unsmoothed) | price | value | real | period:timeperiod=14 in 2..100000
COPPOCK | Coppock Curve | price | value | real | period:wmaperiod=10 in 1..100000; first:roc1period=11 in 1..100000; second:roc2period=14 in 1..100000
DPO | Detrended Price Oscillator | price | value | real | period:timeperiod=20 in 2..100000
DX | Directional Movement Index | high low close | value | real | period:timeperiod=14 in 2..100000
ER | Kaufman Efficiency Ratio | price | value | real | period:timeperiod=10 in 2..100000
ERI | Elder Ray Index (Bull Power / Bear Power) | high low close | bull bear | real | period:timeperiod=13 in 1..100000
FOSC | Forecast Oscillator | price | value | real | period:timeperiod=5 in 2..100000
FRACTAL | Williams Fractal | high low | high low | whole | left:leftbars=2 in 1..100000; right:rightbars=2 in 1..100000
IMI | Intraday Momentum Index | open close | value | real | period:timeperiod=14 in 2..100000
KDJ | KDJ Stochastic | high low close | k d j | real | fast_k:fastk_period=9 in 1..100000; slow_k:slowk_period=3 in 1..100000; slow_k_average:slowk_matype=rma; slow_d:slowd_period=3 in 1..100000; slow_d_average:slowd_matype=rma
MACD | Moving Average Convergence/Divergence | price | macd signal histogram | real | fast:fastperiod=12 in 2..100000; slow:slowperiod=26 in 2..100000; signal:signalperiod=9 in 1..100000
MACDEXT | MACD with controllable MA type | price | macd signal histogram | real | fast:fastperiod=12 in 2..100000; fast_average:fastmatype=sma; slow:slowperiod=26 in 2..100000; slow_average:slowmatype=sma; signal:signalperiod=9 in 1..100000; signal_average:signalmatype=sma
MACDFIX | Moving Average Convergence/Divergence Fix 12/26 | price | macd signal histogram | real | signal:signalperiod=9 in 1..100000
MFI | Money Flow Index | high low close volume | value | real | period:timeperiod=14 in 2..100000
MINUS_DI | Minus Directional Indicator | high low close | value | real | period:timeperiod=14 in 1..100000
MINUS_DM | Minus Directional Movement | high low | value | real | period:timeperiod=14 in 1..100000
MOM | Momentum | price | value | real | period:timeperiod=10 in 1..100000
PLUS_DI | Plus Directional Indicator | high low close | value | real | period:timeperiod=14 in 1..100000
PLUS_DM | Plus Directional Movement | high low | value | real | period:timeperiod=14 in 1..100000
PPO | Percentage Price Oscillator | price | value | real | fast:fastperiod=12 in 2..100000; slow:slowperiod=26 in 2..100000; average:matype=ema
QSTICK | Qstick | open close | value | real | period:timeperiod=10 in 1..100000
ROC | Rate of change | price | value | real | period:timeperiod=10 in 1..100000
ROCP | Rate of change Percentage | price | value | real | period:timeperiod=10 in 1..100000
ROCR | Rate of change ratio | price | value | real | period:timeperiod=10 in 1..100000
ROCR100 | Rate of change ratio 100 scale | price | value | real | period:timeperiod=10 in 1..100000
RSI | Relative Strength Index | price | value | real | period:timeperiod=14 in 2..100000
SMI | Stochastic Momentum Index | high low close | smi signal | real | period:timeperiod=13 in 2..100000; fast:fastperiod=2 in 2..100000; slow:slowperiod=25 in 2..100000; signal:signalperiod=9 in 2..100000
STOCH | Stochastic | high low close | k d | real | fast_k:fastk_period=5 in 1..100000; slow_k:slowk_period=3 in 1..100000; slow_k_average:slowk_matype=sma; slow_d:slowd_period=3 in 1..100000; slow_d_average:slowd_matype=sma
STOCHF | Stochastic Fast | high low close | k d | real | fast_k:fastk_period=5 in 1..100000; fast_d:fastd_period=3 in 1..100000; fast_d_average:fastd_matype=sma
STOCHRSI | Stochastic Relative Strength Index | price | k d | real | period:timeperiod=14 in 2..100000; fast_k:fastk_period=5 in 1..100000; fast_d:fastd_period=3 in 1..100000; fast_d_average:fastd_matype=sma
TRIX | 1-day Rate-Of-Change (ROC) of a Triple Smooth EMA | price | value | real | period:timeperiod=30 in 1..100000
TSI | True Strength Index | price | value | real | first:firstperiod=25 in 2..100000; second:secondperiod=13 in 2..100000
ULTOSC | Ultimate Oscillator | high low close | value | real | first:timeperiod1=7 in 1..100000; second:timeperiod2=14 in 1..100000; third:timeperiod3=28 in 1..100000
VHF | Vertical Horizontal Filter | price | value | real | period:timeperiod=28 in 2..100000
VORTEX | Vortex Indicator | high low close | plus minus | real | period:timeperiod=14 in 1..100000
WAD | Williams' Accumulation/Distribution | high low close | value | real |
WILLR | Williams' %R | high low close | value | real | period:timeperiod=14 in 2..100000
# volume
AD | Chaikin A/D Line | high low close volume | value | real |
ADOSC | Chaikin A/D Oscillator | high low close volume | value | real | fast:fastperiod=3 in 2..100000; slow:slowperiod=10 in 2..100000
CMF | Chaikin Money Flow | high low close volume | value | real | period:timeperiod=20 in 2..100000
EFI | Elder's Force Index | close volume | value | real | period:timeperiod=13 in 1..100000
MARKETFI | Market Facilitation Index | high low volume | value | real |
NVI | Negative Volume Index | close volume | value | real |
OBV | On Balance Volume | price volume | value | real |
PVI | Positive Volume Index | close volume | value | real |
PVO | Percentage Volume Oscillator | volume | value | real | fast:fastperiod=12 in 2..100000; slow:slowperiod=26 in 2..100000; average:matype=ema
PVT | Price Volume Trend | close volume | value | real |
RVOL | Relative Volume | volume | value | real | period:timeperiod=20 in 1..100000
VWAP | Volume Weighted Average Price | high low close volume | value | real |
# volatility
ADR | Average Day Range | high low | value | real | period:timeperiod=14 in 1..100000
ATR | Average True Range | high low close | value | real | period:timeperiod=14 in 1..100000
CVI | Chaikin's Volatility | high low | value | real | period:timeperiod=10 in 2..100000; roc_period:rocperiod=10 in 1..100000
MASSI | Mass Index | high low | value | real | fast:fastperiod=9 in 2..100000; slow:slowperiod=25 in 2..100000
NATR | Normalized Average True Range | high low close | value | real | period:timeperiod=14 in 1..100000
RVI | Relative Volatility Index | price | value | real | period:timeperiod=14 in 1..100000; deviation_period:stddevperiod=10 in 2..100000
TRANGE | True Range | high low close | value | real |
# cycle
HT_DCPERIOD | Hilbert Transform - Dominant Cycle Period | price | value | real |
HT_DCPHASE | Hilbert Transform - Dominant Cycle Phase | price | value | real |
HT_PHASOR | Hilbert Transform - Phasor Components | price | inphase quadrature | real |
HT_SINE | Hilbert Transform - SineWave | price | sine lead | real |
HT_TRENDMODE | Hilbert Transform - Trend vs Cycle Mode | price | value | whole |
# price
AVGDEV | Average Deviation | price | value | real | period:timeperiod=14 in 2..100000
AVGPRICE | Average Price | open high low close | value | real |
HA | Heikin-Ashi Candles | open high low close | open high low close | real |
MEDPRICE | Median Price | high low | value | real |
TYPPRICE | Typical Price | high low close | value | real |
WCLPRICE | Weighted Close Price | high low close | value | real |
# statistics
BETA | Beta | price0 price1 | value | real | period:timeperiod=5 in 1..100000
CORREL | Pearson's Correlation Coefficient (r) | price0 price1 | value | real | period:timeperiod=30 in 1..100000
LINEARREG | Linear Regression | price | value | real | period:timeperiod=14 in 2..100000
LINEARREG_ANGLE | Linear Regression Angle | price | value | real | period:timeperiod=14 in 2..100000
LINEARREG_INTERCEPT | Linear Regression Intercept | price | value | real | period:timeperiod=14 in 2..100000
LINEARREG_SLOPE | Linear Regression Slope | price | value | real | period:timeperiod=14 in 2..100000
PERCENTILE | Percentile (nearest rank) | price | value | real | period:timeperiod=30 in 2..100000; percentile:percentile=50.0 in 0..100
PERCENTRANK | Percent Rank | price | value | real | period:timeperiod=100 in 2..100000
STDDEV | Standard Deviation | price | value | real | period:timeperiod=5 in 2..100000; deviations:nbdev=1.0 in ..
TSF | Time Series Forecast | price | value | real | period:timeperiod=14 in 2..100000
VAR | Variance | price | value | real | period:timeperiod=5 in 1..100000; deviations:nbdev=1.0 in ..
# operators
ADD | Vector Arithmetic Add | price0 price1 | value | real |
CUMSUM | Cumulative Sum | price | value | real |
DIV | Vector Arithmetic Div | price0 price1 | value | real |
MAX | Highest value over a specified period | price | value | real | period:timeperiod=30 in 2..100000
MAXINDEX | Index of highest value over a specified period | price | value | position | period:timeperiod=30 in 2..100000
MIN | Lowest value over a specified period | price | value | real | period:timeperiod=30 in 2..100000
MININDEX | Index of lowest value over a specified period | price | value | position | period:timeperiod=30 in 2..100000
MINMAX | Lowest and highest values over a specified period | price | lowest highest | real | period:timeperiod=30 in 2..100000
MINMAXINDEX | Indexes of lowest and highest values over a specified period | price | lowest highest | position | period:timeperiod=30 in 2..100000
MULT | Vector Arithmetic Mult | price0 price1 | value | real |
SUB | Vector Arithmetic Subtraction | price0 price1 | value | real |
SUM | Summation | price | value | real | period:timeperiod=30 in 2..100000
# functions
ACOS | Vector Trigonometric ACos | price | value | real |
ASIN | Vector Trigonometric ASin | price | value | real |
ATAN | Vector Trigonometric ATan | price | value | real |
CEIL | Vector Ceil | price | value | real |
COS | Vector Trigonometric Cos | price | value | real |
COSH | Vector Trigonometric Cosh | price | value | real |
EXP | Vector Arithmetic Exp | price | value | real |
FLOOR | Vector Floor | price | value | real |
LN | Vector Log Natural | price | value | real |
LOG10 | Vector Log10 | price | value | real |
SIN | Vector Trigonometric Sin | price | value | real |
SINH | Vector Trigonometric Sinh | price | value | real |
SQRT | Vector Square Root | price | value | real |
TAN | Vector Trigonometric Tan | price | value | real |
TANH | Vector Trigonometric Tanh | price | value | real |
# patterns
CDL2CROWS | Two Crows | open high low close | value | whole |
CDL3BLACKCROWS | Three Black Crows | open high low close | value | whole |
CDL3INSIDE | Three Inside Up/Down | open high low close | value | whole |
CDL3LINESTRIKE | Three-Line Strike | open high low close | value | whole |
CDL3OUTSIDE | Three Outside Up/Down | open high low close | value | whole |
CDL3STARSINSOUTH | Three Stars In The South | open high low close | value | whole |
CDL3WHITESOLDIERS | Three Advancing White Soldiers | open high low close | value | whole |
CDLABANDONEDBABY | Abandoned Baby | open high low close | value | whole | penetration:penetration=0.3 in 0..
CDLADVANCEBLOCK | Advance Block | open high low close | value | whole |
CDLBELTHOLD | Belt-hold | open high low close | value | whole |
CDLBREAKAWAY | Breakaway | open high low close | value | whole |
CDLCLOSINGMARUBOZU | Closing Marubozu | open high low close | value | whole |
CDLCONCEALBABYSWALL | Concealing Baby Swallow | open high low close | value | whole |
CDLCOUNTERATTACK | Counterattack | open high low close | value | whole |
CDLDARKCLOUDCOVER | Dark Cloud Cover | open high low close | value | whole | penetration:penetration=0.5 in 0..
CDLDOJI | Doji | open high low close | value | whole |
CDLDOJISTAR | Doji Star | open high low close | value | whole |
CDLDRAGONFLYDOJI | Dragonfly Doji | open high low close | value | whole |
CDLENGULFING | Engulfing Pattern | open high low close | value | whole |
CDLEVENINGDOJISTAR | Evening Doji Star | open high low close | value | whole | penetration:penetration=0.3 in 0..
CDLEVENINGSTAR | Evening Star | open high low close | value | whole | penetration:penetration=0.3 in 0..
CDLGAPSIDESIDEWHITE | Up/Down-gap side-by-side white lines | open high low close | value | whole |
CDLGRAVESTONEDOJI | Gravestone Doji | open high low close | value | whole |
CDLHAMMER | Hammer | open high low close | value | whole |
CDLHANGINGMAN | Hanging Man | open high low close | value | whole |
CDLHARAMI | Harami Pattern | open high low close | value | whole |
CDLHARAMICROSS | Harami Cross Pattern | open high low close | value | whole |
CDLHIGHWAVE | High-Wave Candle | open high low close | value | whole |
CDLHIKKAKE | Hikkake Pattern | open high low close | value | whole |
CDLHIKKAKEMOD | Modified Hikkake Pattern | open high low close | value | whole |
CDLHOMINGPIGEON | Homing Pigeon | open high low close | value | whole |
CDLIDENTICAL3CROWS | Identical Three Crows | open high low close | value | whole |
CDLINNECK | In-Neck Pattern | open high low close | value | whole |
CDLINVERTEDHAMMER | Inverted Hammer | open high low close | value | whole |
CDLKICKING | Kicking | open high low close | value | whole |
CDLKICKINGBYLENGTH | Kicking - bull/bear determined by the longer marubozu | open high low close | value | whole |
CDLLADDERBOTTOM | Ladder Bottom | open high low close | value | whole |
CDLLONGLEGGEDDOJI | Long Legged Doji | open high low close | value | whole |
CDLLONGLINE | Long Line Candle | open high low close | value | whole |
CDLMARUBOZU | Marubozu | open high low close | value | whole |
CDLMATCHINGLOW | Matching Low | open high low close | value | whole |
CDLMATHOLD | Mat Hold | open high low close | value | whole | penetration:penetration=0.5 in 0..
CDLMORNINGDOJISTAR | Morning Doji Star | open high low close | value | whole | penetration:penetration=0.3 in 0..
CDLMORNINGSTAR | Morning Star | open high low close | value | whole | penetration:penetration=0.3 in 0..
CDLONNECK | On-Neck Pattern | open high low close | value | whole |
CDLPIERCING | Piercing Pattern | open high low close | value | whole |
CDLRICKSHAWMAN | Rickshaw Man | open high low close | value | whole |
CDLRISEFALL3METHODS | Rising/Falling Three Methods | open high low close | value | whole |
CDLSEPARATINGLINES | Separating Lines | open high low close | value | whole |
CDLSHOOTINGSTAR | Shooting Star | open high low close | value | whole |
CDLSHORTLINE | Short Line Candle | open high low close | value | whole |
CDLSPINNINGTOP | Spinning Top | open high low close | value | whole |
CDLSTALLEDPATTERN | Stalled Pattern | open high low close | value | whole |
CDLSTICKSANDWICH | Stick Sandwich | open high low close | value | whole |
CDLTAKURI | Takuri (Dragonfly Doji with very long lower shadow) | open high low close | value | whole |
CDLTASUKIGAP | Tasuki Gap | open high low close | value | whole |
CDLTHRUSTING | Thrusting Pattern | open high low close | value | whole |
CDLTRISTAR | Tristar Pattern | open high low close | value | whole |
CDLUNIQUE3RIVER | Unique 3 River | open high low close | value | whole |
CDLUPSIDEGAP2CROWS | Upside Gap Two Crows | open high low close | value | whole |
CDLXSIDEGAP3METHODS | Upside/Downside Gap Three Methods | open high low close | value | whole |
"""
