"""Position sizing: the lots of a signal."""

from __future__ import annotations

import numpy as np

from domain.backtest.kernel.codes import (
    BELOW_MIN_LOT,
    CAPPED,
    FIXED_LOTS,
    KELLY_ENTROPY,
    MARKET,
    NO_SIZE,
    NOTIONAL,
    OVER_MAX_LOT,
    REFUSED,
    STALE_RATE,
    TINY,
    VOLATILITY,
)
from domain.backtest.kernel.limits import review
from domain.backtest.kernel.numbers import opening, whole_steps
from domain.backtest.kernel.places import account_of, bets_kelly, rate_now, signal_of, task_of
from domain.backtest.memory import compiled, f8


@compiled
def sized(h, k, bar, number, now):
    """Section 6: lots, in whole steps between minimum and maximum; 0 if there are none, and counted."""
    task, account, s, lots = task_of(h, k), account_of(h), signal_of(h, number), signal_of(h, number).lots
    if account.equity > 0.0 and np.isnan(lots) and task.usual > 0.0 and s.size == 1.0:
        return task.usual
    if account.equity > 0.0 and np.isnan(lots):
        lots = h.size if h.sizer == FIXED_LOTS else lots_by_equity(h, k, bar, s)
    lots *= s.size
    if account.equity <= 0.0 or not np.isfinite(lots) or lots <= 0.0:
        review(h, k, number, now, REFUSED, NO_SIZE, np.nan, 0.0)
        return 0.0
    lots = whole_steps(lots, task.lot_step)
    if lots < task.min_lot - TINY or lots <= 0.0:
        review(h, k, number, now, REFUSED, BELOW_MIN_LOT, lots, 0.0)
        return 0.0
    if lots > task.max_lot + TINY:
        review(h, k, number, now, CAPPED, OVER_MAX_LOT, lots, task.max_lot)
        return task.max_lot
    return lots


@compiled
def lots_by_equity(h, k, bar, s):
    """The share of equity invested, or at risk, over the value of that for one lot."""
    task, account, rate, share = task_of(h, k), account_of(h), rate_now(h, k), h.size
    if h.sizer == VOLATILITY:
        base = f8(h.sigma)[bar]
    else:
        expected = opening(s.side, f8(h.close)[bar], f8(h.spread)[bar], task.quotes) if s.order == MARKET else s.price
        base = abs(expected) if h.sizer == NOTIONAL else abs(expected - s.stop)
    by_kelly = bets_kelly(h)
    if by_kelly:
        share = kelly_share(h)
    if (by_kelly and share <= 0.0) or (h.sizer == VOLATILITY and not base > 0.0):
        return 0.0
    if rate < 0.0:
        account.counts[STALE_RATE] += 1
    return account.equity * share / (base * task.contract * abs(rate))


@compiled
def kelly_share(h):
    """Section 9: the share of equity at risk, from the R of the last closed trades."""
    closed, recent = account_of(h).closed, f8(h.recent)
    if closed < h.kelly_first:
        return h.kelly_start
    count, wins, won, lost = min(closed, h.kelly_window), 0, 0.0, 0.0
    for i in range(count):
        if recent[i] > 0.0:
            wins += 1
            won += recent[i]
        else:
            lost -= recent[i]
    p = wins / count
    if wins == 0:
        return -1.0
    ratio = 0.0 if wins == count or lost == 0.0 else (lost / (count - wins)) / (won / wins)
    share = min(h.size * (p - (1.0 - p) * ratio), h.kelly_cap)
    return share * (1.0 - h.entropy_lambda * entropy(p)) if h.sizer == KELLY_ENTROPY else share


@compiled
def entropy(p):
    """Binary entropy in bits: 1 where both outcomes are as likely, 0 where one of them is certain."""
    if p <= 0.0 or p >= 1.0:
        return 0.0
    return -(p * np.log2(p) + (1.0 - p) * np.log2(1.0 - p))
