"""Where the numbers of a compiled run lie: compiled code knows arrays, no objects."""

from __future__ import annotations

# The rules, a float64 array.
THIS_CLOSE = 0  # 1.0 where market orders trade at the close at which they are sent
PESSIMISTIC = 1  # 1.0 where the price goes first where it hurts
MAKER, TAKER = 2, 3  # fee rates
SLIP_RATE, SLIP_AMOUNT = 4, 5
MULTIPLIER = 6
IS_CASH = 7  # 1.0 for what is paid in full
MARGIN_RATE = 8
IS_SIMPLE = 9  # 1.0 where money can be short in the simplest way: paid in full, no leverage
TICK_NUMERATOR, TICK_DENOMINATOR = 10, 11  # 0 where prices have no grid
STEP_NUMERATOR, STEP_DENOMINATOR = 12, 13
MIN_SIZE, MAX_SIZE, MIN_NOTIONAL = 14, 15, 16  # 0, infinity and 0 where there are none
RULES = 17

# How large an entry without a size is, a float64 array.
SIZER = 0  # which: see `cambist_optimize.kernel.sizing`
AMOUNT = 1  # units, or the fraction
BUFFER = 2  # how far the price may move before the fill
LOT = 3  # whole units that it is rounded down to; 0.0 for the step alone
SIZING = 4

# What stands, a float64 array.
CASH = 0
SIZE, AVERAGE = 1, 2  # of the position
STOP, TAKE, TRAIL = 3, 4, 5  # of the orders that close it: NaN, NaN and 0 where there are none
NEXT_SIZE, NEXT_STOP, NEXT_TAKE, NEXT_TRAIL = 6, 7, 8, 9  # of the entry that was sent; the size is signed
FEES = 10
PEAK, LOW = 11, 12  # highest equity, and the lowest since
FALL, FALL_MONEY, LOWEST = 13, 14, 15
ENTRY_FEE = 16  # of the trade that is open
EQUITY = 17  # at the last close
WON, LOST = 18, 19  # what the won trades made after fees, and what the lost ones made: zero or below
STATE = 20

# What is counted, an int64 array.
SENT = 0  # 1: a close was sent, 2: an entry, 3: both
GUARDED = 1  # 1 where orders close what is held
FRESH = 2  # 1 where those orders meet their first bar from its open on
TRADES, FILLS = 3, 4
ENTRY_ROW, ENTRY_AT_OPEN = 5, 6  # of the trade that is open
EXPOSED = 7
PEAK_TIME = 8  # ns
LONGEST = 9  # ns under water
SAMPLE = 10  # number of the next bar that ends a day
PROBLEM, PROBLEM_ROW = 11, 12
CALL = 13  # number of the next call
WINS = 14
COUNTS = 15

# Columns of a trade.
T_SIDE, T_SIZE, T_ENTRY, T_EXIT, T_GROSS, T_FEES = 0, 1, 2, 3, 4, 5
T_ENTRY_ROW, T_EXIT_ROW, T_ENTRY_AT_OPEN, T_EXIT_AT_OPEN = 6, 7, 8, 9
TRADE = 10

# Columns of a fill.
F_ROW, F_SIZE, F_PRICE, F_FEE, F_IS_MAKER, F_AT_OPEN = 0, 1, 2, 3, 4, 5
FILL = 6
