"""Where the numbers of a compiled run lie: compiled code knows arrays, no objects."""

from __future__ import annotations

# The rules, a float64 array.
FIRST = 0  # row of the first bar that may trade
THIS_CLOSE = 1  # 1.0 where market orders trade at the close at which they are sent
PESSIMISTIC = 2  # 1.0 where the price goes first where it hurts
MAKER, TAKER = 3, 4  # fee rates
SLIP_RATE, SLIP_AMOUNT = 5, 6
MULTIPLIER = 7
IS_CASH = 8  # 1.0 for what is paid in full
MARGIN_RATE = 9
IS_SIMPLE = 10  # 1.0 where money can be short in the simplest way: paid in full, no leverage
TICK_NUMERATOR, TICK_DENOMINATOR = 11, 12  # 0 where prices have no grid
STEP_NUMERATOR, STEP_DENOMINATOR = 13, 14
MIN_SIZE, MAX_SIZE, MIN_NOTIONAL = 15, 16, 17  # 0, infinity and 0 where there are none
FIXED_SIZE = 18  # of entries without a size
RULES = 19

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
STATE = 18

# What is counted, an int64 array.
SENT = 0  # 1: a close was sent, 2: an entry, 3: both
GUARDED = 1  # 1 where orders close what is held
FRESH = 2  # 1 where those orders meet their first bar from its open on
TRADES, FILLS = 3, 4
ENTRY_ROW, ENTRY_AT_OPEN = 5, 6  # of the trade that is open
EXPOSED = 7
PEAK_TIME = 8  # ns
UNDER = 9  # 1 below the highest equity
LONGEST = 10  # ns under water
SAMPLE = 11  # number of the next bar that ends a day
PROBLEM, PROBLEM_ROW = 12, 13
CALL = 14  # number of the next row that calls for something
COUNTS = 15

# Columns of a trade.
T_SIDE, T_SIZE, T_ENTRY, T_EXIT, T_GROSS, T_FEES = 0, 1, 2, 3, 4, 5
T_ENTRY_ROW, T_EXIT_ROW, T_ENTRY_AT_OPEN, T_EXIT_AT_OPEN = 6, 7, 8, 9
TRADE = 10

# Columns of a fill.
F_ROW, F_SIZE, F_PRICE, F_FEE, F_IS_MAKER, F_AT_OPEN = 0, 1, 2, 3, 4, 5
FILL = 6
