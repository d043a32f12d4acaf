"""Step 1, at the open: the closings of a series, then its market entries."""

from __future__ import annotations

import numpy as np

from domain.backtest.kernel.bookings import best_exit, leave, touch
from domain.backtest.kernel.codes import (
    AT_OPEN,
    BY_MANUAL,
    BY_OPPOSITE,
    BY_SIGNAL,
    MANUAL_BELOW_STEP,
    MARKET,
    NEVER,
    R_KILL,
    R_MANUAL,
    R_MARKET,
    R_OPPOSITE,
    R_SESSION,
    R_SIGNAL,
    R_TARGET,
    R_TIME,
    TARGET_BELOW_STEP,
    TINY,
)
from domain.backtest.kernel.entries import enter
from domain.backtest.kernel.numbers import closing, opening, slippage, whole_steps
from domain.backtest.kernel.places import (
    account_of,
    compacted,
    cursor_of,
    pending_of,
    positions_of,
    protection_of,
    signal_of,
    task_of,
    waiting_of,
)
from domain.backtest.memory import compiled, f8, i8


@compiled
def close_at_open(h, task, p, bar, rate):
    """Section 4, step 1: the first of time, session, signal, opposite, kill switch; then what a person closes, gapped stop, gapped targets."""
    ts, spread = i8(h.ts)[bar], f8(h.spread)[bar]
    price = closing(p.side, f8(h.open)[bar], spread, task.quotes)
    reason = reason_to_leave(p, bar, ts)
    if reason < 0 and p.leaves & BY_MANUAL:
        leave_by_hand(h, task, p, price, spread, rate, bar)
        if p.gone:
            return
    if reason < 0 and p.side * (price - p.stop) <= 0.0:
        reason = p.stop_reason
    if reason >= 0:
        touch(p, price, price)
        leave(h, task, p, p.lots, price, slippage(h, task, p.signal, p.fills, bar - 1), spread, rate, ts, bar, reason)
    else:
        take_targets(h, task, p, price, price, price, spread, rate, bar)


@compiled
def reason_to_leave(p, bar, ts):
    """Why all of the position leaves at this open; -1 if nothing but a price may make it."""
    if bar >= p.time_bar:
        return R_TIME
    if ts >= p.flat_at:
        return R_SESSION
    if p.leaves & ~BY_MANUAL:
        return R_SIGNAL if p.leaves & BY_SIGNAL else R_OPPOSITE if p.leaves & BY_OPPOSITE else R_KILL
    return -1


@compiled
def leave_by_hand(h, task, p, price, spread, rate, bar):
    """The share of the lots that a person closes, in whole steps; the rest lives on."""
    lots = p.lots if p.leave_share > 1.0 - TINY else whole_steps(p.leave_share * p.lots, task.lot_step)
    p.leaves, p.leave_share = 0, 0.0
    if lots <= 0.0:
        account_of(h).counts[MANUAL_BELOW_STEP] += 1
        return
    if lots >= p.lots - TINY:
        touch(p, price, price)
    leave(h, task, p, lots, price, slippage(h, task, p.signal, p.fills, bar - 1), spread, rate, i8(h.ts)[bar], bar, R_MANUAL)


@compiled
def take_targets(h, task, p, reach, at, worst, spread, rate, bar):
    """Close the share of every target that ``reach`` has reached, nearest first: at ``at`` where that is a number (the
    open has gapped through), else at the target's price exactly."""
    while p.lots > 0.0:
        t = nearest_target(p, reach)
        if t < 0:
            return
        protection = protection_of(h, p.protection)
        p.reached |= 1 << t
        p.share += protection.fraction[t]
        lots = p.lots
        if not protection.is_grid and p.share < 1.0 - TINY:
            lots = min(whole_steps(protection.fraction[t] * p.first_lots, task.lot_step), p.lots)
        if lots <= 0.0:
            account_of(h).counts[TARGET_BELOW_STEP] += 1
            continue
        price = p.target[t] if np.isnan(at) else at
        if lots >= p.lots - TINY:
            touch(p, worst, best_exit(p, bar, price))
        leave(h, task, p, lots, price, 0.0, spread, rate, i8(h.ts)[bar], bar, R_TARGET + t)


@compiled
def nearest_target(p, reach):
    """The nearest target not yet spent that is at or before ``reach``; -1 if there is none."""
    best = -1
    for t in range(4):
        if p.side * (reach - p.target[t]) >= 0.0 and not p.reached & (1 << t) and (best < 0 or p.side * (p.target[best] - p.target[t]) > 0.0):
            best = t
    return best


@compiled
def open_bar(h, k, bar):
    """Closings at the open of this bar."""
    task, positions, rate = task_of(h, k), positions_of(h), cursor_of(h, k).rate
    for i in range(0 if task.outside else account_of(h).positions):
        if positions[i].task == k and not positions[i].gone:
            close_at_open(h, task, positions[i], bar, rate)


@compiled
def enter_at_open(h, k, bar):
    """Market orders of the bar before, in the order of their signals."""
    task, account, waiting = task_of(h, k), account_of(h), waiting_of(h)
    for i in range(0 if task.outside else account.waiting):
        order = waiting[i]
        if order.task == k and not order.dead and not order.held:
            order.dead = 1
            if signal_of(h, order.signal).order != MARKET:
                go_live(h, k, order, bar)
                continue
            price = opening(signal_of(h, order.signal).side, f8(h.open)[bar], f8(h.spread)[bar], task.quotes)
            enter(h, k, order, price, slippage(h, task, order.signal, 0, bar - 1), f8(h.spread)[bar], bar, AT_OPEN, -1, R_MARKET)
    account.waiting = compacted(waiting, account.waiting)


@compiled
def go_live(h, k, approved, bar):
    """A stop or limit order that a person let go waits for its price from this bar on."""
    account, valid = account_of(h), protection_of(h, signal_of(h, approved.signal).protection).valid_bars
    order = pending_of(h)[account.pending]
    account.pending += 1
    order.task, order.dead, order.held, order.signal, order.lots = k, 0, 0, approved.signal, approved.lots
    order.expires = bar + valid - 1 if valid > 0 else NEVER
