"""The opening of a position: what forbids it, its levels, its siblings."""

from __future__ import annotations

import numpy as np

from domain.backtest.kernel.bookings import book
from domain.backtest.kernel.codes import (
    DUPLICATE_TAG,
    NEVER,
    OCO_CANCELLED,
    OPPOSITE_DROPPED,
    R_STOP_LOSS,
    STOP_THROUGH,
    TARGET_THROUGH,
    TINY,
)
from domain.backtest.kernel.limits import allowed, margin_for, note_entry
from domain.backtest.kernel.numbers import grid, whole_steps
from domain.backtest.kernel.places import account_of, cursor_of, pending_of, positions_of, protection_of, signal_of, task_of, waiting_of
from domain.backtest.memory import compiled, i8


@compiled
def holder(h, k, tag):
    """The side of the position that has this tag, gone in this bar or not; 0 if none has."""
    positions = positions_of(h)
    for i in range(account_of(h).positions):
        if positions[i].task == k and positions[i].tag == tag:
            return positions[i].side
    return 0


@compiled
def refused(h, k, s, price, spread):
    """Section 8: the reason for which the order does not open at any size, as a row of the counts; -1 if it may."""
    met = holder(h, k, s.tag)
    if met != 0:
        return DUPLICATE_TAG if met == s.side else OPPOSITE_DROPPED
    at = grid(price - s.side * spread)
    if s.side * (at - s.stop) <= 0.0:
        return STOP_THROUGH
    for t in range(4):
        if s.side * (s.target[t] - at) <= 0.0:
            return TARGET_THROUGH
    return -1


@compiled
def enter(h, k, order, price, slip, spread, bar, inside, part, reason):
    """Open the position, unless a rule of section 3 or 6 forbids it. Did it?"""
    task, account, s, rate = task_of(h, k), account_of(h), signal_of(h, order.signal), cursor_of(h, k).rate
    filled, why = price + s.side * slip, refused(h, k, s, price, spread)
    if why >= 0:
        account.counts[why] += 1
        return False
    lots = allowed(h, k, order, s.side, filled, rate, bar)
    if lots <= 0.0:
        return False
    p = hold(h, k, order.signal, lots, filled, rate, i8(h.ts)[bar], bar, inside, part)
    book(h, task, p, s.side, lots, filled, spread, slip, rate, i8(h.ts)[bar], bar, reason)
    if s.oco != 0:
        cancel_siblings(h, k, order.signal, s.oco)
    return True


@compiled
def hold(h, k, number, lots, filled, rate, ts, bar, inside, part):
    """A new position, with its levels."""
    task, account, s = task_of(h, k), account_of(h), signal_of(h, number)
    p = positions_of(h)[account.positions]
    account.positions += 1
    account.trades += 1
    p.task, p.tag, p.signal, p.protection, p.side, p.trade = k, s.tag, number, s.protection, s.side, account.trades
    p.entry_bar, p.entry_ts, p.inside, p.part = bar, ts, inside, part
    p.lots, p.entry_lots, p.first_lots, p.price = lots, lots, lots, filled
    p.stop, p.first_stop, p.risk, p.value = s.stop, s.stop, abs(filled - s.stop), task.contract * abs(rate)
    p.margin = margin_for(task, lots, filled, rate)
    p.notional = lots * p.value * abs(filled)
    account.used += p.margin
    note_entry(h, ts)
    clear(p)
    set_levels(h, task, p, s, bar)
    return p


@compiled
def clear(p):
    p.gone, p.unclear, p.leaves, p.stop_reason, p.reached, p.fills = 0, 0, 0, R_STOP_LOSS, 0, 0
    p.share, p.mark, p.low, p.gross, p.costs, p.swap, p.left_sum, p.left_lots = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    p.worst, p.best, p.anchor, p.part_bar = np.nan, np.nan, np.nan, -1
    p.add_level, p.next_basket, p.adds_left, p.leave_share = np.nan, np.nan, 0, 0.0


@compiled
def set_levels(h, task, p, s, bar):
    """Section 4: levels in R are measured from this fill, and put on the grid; times are counted from this bar."""
    protection = protection_of(h, p.protection)
    for t in range(4):
        p.target[t] = grid(p.price + p.side * protection.target_r[t] * p.risk) if protection.target_r[t] > 0.0 else s.target[t]
    p.break_even_at = grid(p.price + p.side * protection.break_even_r * p.risk)
    p.break_even_to = grid(p.price + p.side * protection.break_even_offset)
    p.trail_from = grid(p.price + p.side * protection.trail_start_r * p.risk) if protection.trail_start_r > 0.0 else np.nan
    p.time_bar = bar + protection.max_bars if protection.max_bars > 0 else NEVER
    p.flat_at, p.shut_at = NEVER, NEVER
    if protection.flat >= 0:
        p.flat_at, p.shut_at = i8(h.flat_at)[protection.flat * h.bars + bar], i8(h.shut_at)[protection.flat * h.bars + bar]
    if protection.is_grid:
        p.target[0] = grid(p.price + p.side * protection.grid_basket)
        p.adds_left, p.add_lots, p.last_fill = protection.grid_adds, p.lots, p.price
        next_add(task, p, protection, bar)


@compiled
def next_add(task, p, protection, bar):
    """Section 3: the next limit of a grid, live from the bar after this one."""
    factor = protection.grid_first if p.adds_left == protection.grid_adds else protection.grid_factor
    p.add_lots = min(whole_steps(p.add_lots * factor, task.lot_step), task.max_lot)
    possible = p.adds_left > 0 and p.add_lots >= task.min_lot - TINY and p.add_lots > 0.0
    p.add_level = grid(p.last_fill - p.side * protection.grid_spacing) if possible else np.nan
    p.add_from = bar + 1


@compiled
def cancel_siblings(h, k, signal, oco):
    """Only a fill cancels the others of its OCO."""
    account, pending, waiting = account_of(h), pending_of(h), waiting_of(h)
    for i in range(account.pending):
        cancel_sibling(h, pending[i], k, signal, oco)
    for i in range(account.waiting):
        cancel_sibling(h, waiting[i], k, signal, oco)


@compiled
def cancel_sibling(h, order, k, signal, oco):
    if not order.dead and order.task == k and order.signal != signal and signal_of(h, order.signal).oco == oco:
        order.dead = 1
        account_of(h).counts[OCO_CANCELLED] += 1
