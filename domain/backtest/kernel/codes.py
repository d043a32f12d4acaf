"""Rules, orders, reasons and counts as the numbers that encode them."""

from __future__ import annotations

import numpy as np

from domain.backtest.state import COUNT, REASON, SIGNAL

NEVER = np.int64(9_223_372_036_854_775_807)
TINY, NEAR = 1e-9, 1e-8
LONG, PLAIN = 1, 2
SIGNAL_BYTES = SIGNAL.itemsize
PESSIMISTIC, OPTIMISTIC, PATH, MAGNIFY = 0, 1, 2, 3
BID, MID, LONG_BID = 0, 1, 2             # what a series quotes; the last: a bid with more decimals than the grid
FIXED, ATR, RANDOM = 0, 1, 2
PER_LOT, PER_MILLION, BPS = 0, 1, 2
FIXED_LOTS, NOTIONAL, FRACTION_AT_RISK, KELLY, VOLATILITY, KELLY_ENTROPY = 0, 1, 2, 3, 4, 5
MARKET, STOP, LIMIT, EXIT = 0, 1, 2, 3
AT_OPEN, INSIDE_BY_STOP, INSIDE_BY_LIMIT = 0, 1, 2     # how a position entered its bar
POINTS, PERCENT, ATR_TRAIL, QUANTILE = 1, 2, 3, 4
BY_SIGNAL, BY_OPPOSITE, BY_KILL, BY_MANUAL = 1, 2, 4, 8
REFUSED, SHRUNK, CAPPED = 0, 1, 2
SPREAD_SPIKE, VOLATILITY_SPIKE, DARK_END, DARK_OPEN = 1, 2, 4, 8        # bits of a bar's warnings
NEWS, OFF_SESSION, DRIFTED = 16, 32, 64
HOUR = np.int64(3_600_000_000_000)
WORST = 20                              # one of so many trades is in the tail of ES95; with fewer trades it is the stop
FOR_THE_DAY, FOR_GOOD, PAUSED, KILLED, STOPPED = 1, 2, 4, 8, 16        # why an account, or a task of it, is halted
OF_DAY, OF_START, OF_DAYS_END, OF_BALANCE, OF_EQUITY = 0, 1, 2, 3, 4     # what a floor lies under: domain.compliance.floors.KINDS
BY_BALANCE, BY_EQUITY, BY_GREATER = 0, 1, 2      # basis of a day's loss
R_MARKET, R_GRID, R_STOP_LOSS, R_TARGET = REASON["market"], REASON["grid"], REASON["stop_loss"], REASON["target_1"]
R_BREAK_EVEN, R_TRAIL, R_TIME, R_SESSION, R_SIGNAL = REASON["break_even"], REASON["trail"], REASON["time"], REASON["session"], REASON["signal"]
R_OPPOSITE, R_STOP_OUT, R_KILL, R_MANUAL, R_END = REASON["opposite"], REASON["stop_out"], REASON["kill_switch"], REASON["manual"], REASON["end"]
DUPLICATE_TAG, OPPOSITE_DROPPED = COUNT["duplicate_tag"], COUNT["opposite_dropped"]
STOP_THROUGH, TARGET_THROUGH, NO_STOP, NO_SIZE = COUNT["stop_through"], COUNT["target_through"], COUNT["no_stop"], COUNT["no_size"]
BELOW_MIN_LOT, NO_MARGIN, EXPIRED, OCO_CANCELLED = COUNT["below_min_lot"], COUNT["no_margin"], COUNT["expired"], COUNT["oco_cancelled"]
END_OF_DATA, NOTHING_TO_EXIT, OVER_MAX_LOT = COUNT["end_of_data"], COUNT["nothing_to_exit"], COUNT["over_max_lot"]
TARGET_BELOW_STEP, MANUAL_BELOW_STEP, NOT_MAGNIFIED = COUNT["target_below_step"], COUNT["manual_below_step"], COUNT["not_magnified"]
MAGNIFY_MISMATCH, STALE_RATE, HALTED, BLACKOUT = COUNT["magnify_mismatch"], COUNT["stale_rate"], COUNT["halted"], COUNT["blackout"]
LIMIT_LEVERAGE, LIMIT_CURRENCY = COUNT["limit_leverage"], COUNT["limit_currency"]
LIMIT_SPREAD, LIMIT_VOLATILITY = COUNT["limit_spread"], COUNT["limit_volatility"]
LIMIT_HEADROOM = COUNT["limit_headroom"]
LIMIT_NEWS, LIMIT_SESSION, LIMIT_OPEN_RISK, LIMIT_ES95 = COUNT["limit_news"], COUNT["limit_session"], COUNT["limit_open_risk"], COUNT["limit_es95"]
SHRUNK_OPEN_RISK, SHRUNK_DAILY_GATE, SHRUNK_DRIFT = COUNT["shrunk_open_risk"], COUNT["shrunk_daily_gate"], COUNT["shrunk_drift"]
SHRUNK_LEVERAGE, SHRUNK_CURRENCY = COUNT["shrunk_leverage"], COUNT["shrunk_currency"]
