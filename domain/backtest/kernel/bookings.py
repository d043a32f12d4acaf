"""A fill with its commission and its effect on the account; nights; the end of a trade."""

from __future__ import annotations

import numpy as np

from domain.backtest.kernel.codes import BPS, PER_MILLION, STALE_RATE, TINY
from domain.backtest.kernel.places import account_of, bets_kelly, fills_of, positions_of, trades_of
from domain.backtest.memory import compiled, f8


@compiled
def book(h, task, p, side, lots, price, spread, slip, rate, ts, bar, reason):
    """Section 5 and 7: one fill and its commission."""
    account = account_of(h)
    if rate < 0.0:
        account.counts[STALE_RATE] += 1
    value = lots * task.contract * abs(rate)
    commission = commission_of(h, task, lots, value, price)
    write_fill(h, p, side, lots, price, value * spread * 0.5, value * slip, commission, ts, bar, reason)


@compiled
def commission_of(h, task, lots, value, price):
    """Section 5, of one fill. ``value``: account currency that the lots make of one price unit."""
    if h.commission_kind == PER_MILLION:
        return task.commission * value * abs(price) / 1e6
    if h.commission_kind == BPS:
        return task.commission * value * abs(price) / 1e4
    return task.commission * lots


@compiled
def write_fill(h, p, side, lots, price, spread_cost, slippage_cost, commission, ts, bar, reason):
    account = account_of(h)
    account.balance -= commission
    account.commission += commission
    p.costs += commission
    p.fills += 1
    f = fills_of(h)[account.fills_out]
    f.order, f.trade, f.ts, f.bar, f.side, f.reason = p.signal, p.trade, ts, bar, side, reason
    f.lots, f.price, f.spread_cost, f.slippage_cost, f.commission = lots, price, spread_cost, slippage_cost, commission
    account.fills_out += 1
    account.fills += 1


@compiled
def touch(p, worst, best):
    """Section 7: the furthest move of the price against and in favour of the position."""
    if not p.side * (worst - p.worst) >= 0.0:       # the first time they are NaN
        p.worst = worst
    if not p.side * (best - p.best) <= 0.0:
        p.best = best


@compiled
def best_exit(p, bar, filled):
    """The best fill of this bar: targets that closed a part of the position in the bar of its last exit count."""
    return p.part_best if p.part_bar == bar and p.side * (p.part_best - filled) > 0.0 else filled


@compiled
def leave(h, task, p, lots, price, slip, spread, rate, ts, bar, reason):
    """Close ``lots`` of the position at ``price`` less slippage; the last of them ends the trade."""
    filled = price - p.side * slip
    lots = p.lots if lots >= p.lots - TINY else lots
    book(h, task, p, -p.side, lots, filled, spread, slip, rate, ts, bar, reason)
    settle(h, task, p, lots, filled, rate, ts, bar, reason)


@compiled
def settle(h, task, p, lots, filled, rate, ts, bar, reason):
    """What the lots of an exit made, and what is left."""
    account, closes_all = account_of(h), lots >= p.lots
    gross = p.side * (filled - p.price) * lots * task.contract * abs(rate)
    account.balance += gross
    p.gross += gross
    p.left_sum += filled * lots
    p.left_lots += lots
    remaining = 0.0 if closes_all else 1.0 - lots / p.lots
    account.used -= p.margin * (1.0 - remaining)
    p.margin *= remaining
    p.notional *= remaining
    p.mark *= remaining
    p.lots = 0.0 if closes_all else p.lots - lots
    p.part_best, p.part_bar = best_exit(p, bar, filled), bar
    if closes_all:
        end_trade(h, p, ts, bar, reason)


@compiled
def end_trade(h, p, ts, bar, reason):
    account = account_of(h)
    p.gone = 1
    t = trades_of(h)[account.trades_out]
    account.trades_out += 1
    t.trade, t.signal, t.task, t.side, t.reason = p.trade, p.signal, p.task, p.side, reason
    t.bars, t.entry_ts, t.exit_ts = bar - p.entry_bar, p.entry_ts, ts
    t.lots, t.entry_price, t.exit_price, t.stop = p.entry_lots, p.price, p.left_sum / p.left_lots, p.first_stop
    t.gross, t.costs, t.swap = p.gross, p.costs, p.swap
    t.r = (p.gross - p.costs + p.swap) / (p.risk * p.value * p.first_lots)
    if bets_kelly(h) and not np.isnan(t.r):
        f8(h.recent)[account.closed % h.kelly_window] = t.r
        account.closed += 1
    if h.es95 > 0.0 and not np.isnan(t.r):
        note_result(h, p.task, t.r)
    t.mae_r, t.mfe_r = max(p.side * (p.price - p.worst), 0.0) / p.risk, max(p.side * (p.best - p.price), 0.0) / p.risk


@compiled
def note_result(h, k, r):
    """The R of an ended trade of a task, in its ring."""
    tails, first = f8(h.tails), k * (h.es95_trades + 1)
    tails[first + 1 + np.int64(tails[first]) % h.es95_trades] = r
    tails[first] += 1.0


@compiled
def remove_gone(h):
    """Positions that left free their place, and their tag."""
    account, positions, count = account_of(h), positions_of(h), 0
    for i in range(account.positions):
        if not positions[i].gone:
            if count != i:
                positions[count] = positions[i]
            count += 1
    account.positions = count
    if count == 0:
        account.used = 0.0


@compiled
def charge_nights(h, task, p, nights, rate):
    """Section 5: swap on the lots open now."""
    account, per_night = account_of(h), task.swap_long if p.side > 0 else task.swap_short
    if per_night == 0.0:
        return
    if rate < 0.0:
        account.counts[STALE_RATE] += 1
    amount = per_night * p.lots * nights * abs(rate)
    account.balance += amount
    account.swap += amount
    p.swap += amount
