"""Orders that wait for their price, nearest first, and the limits of a grid."""

from __future__ import annotations

import numpy as np

from domain.backtest.kernel.bookings import book
from domain.backtest.kernel.codes import AT_OPEN, INSIDE_BY_LIMIT, INSIDE_BY_STOP, NEVER, R_GRID, STOP
from domain.backtest.kernel.entries import enter, next_add
from domain.backtest.kernel.limits import add_allowed, add_lies_clear, affordable, margin_for
from domain.backtest.kernel.numbers import adverse, grid, opening, slippage
from domain.backtest.kernel.places import (
    account_of,
    candidates_of,
    cursor_of,
    pending_of,
    positions_of,
    protection_of,
    rate_now,
    signal_of,
    task_of,
)
from domain.backtest.memory import compiled, i8


@compiled
def count_low(h, task, p, bar):
    """Section 6: the position at its adverse extreme, or at the fill of the stop that this reached."""
    price = adverse(h, task, p.side, bar)
    if p.side * (price - p.stop) <= 0.0:
        price = p.stop - p.side * slippage(h, task, p.signal, p.fills, bar - 1)
    p.low = p.side * (price - p.price) * p.lots * task.contract * abs(rate_now(h, p.task))


@compiled
def enter_pending(h, k, bar, open_, high, low, spread, part, begins):
    """Section 3: all pending orders that could fill in this (finer) bar, by their distance from its open. ``begins``: the bar
    opens with this part of it."""
    reached, candidates = gather(h, k, bar, open_, high, low, spread), candidates_of(h)
    for _ in range(reached):
        best = candidates[next_candidate(h, reached)]
        which = best.which
        best.which = -NEVER
        if which >= 0:
            fill_pending(h, k, bar, open_, spread, part, begins, pending_of(h)[which])
        else:
            add_to_grid(h, k, bar, open_, spread, positions_of(h)[-1 - which])


@compiled
def gather(h, k, bar, open_, high, low, spread):
    task, account, pending, positions, reached = task_of(h, k), account_of(h), pending_of(h), positions_of(h), 0
    for i in range(account.pending):
        if pending[i].task == k and not pending[i].dead:
            s = signal_of(h, pending[i].signal)
            reached = note_candidate(h, task, reached, i, s.side, s.order == STOP, s.price, s.number, open_, high, low, spread)
    for i in range(account.positions):
        p = positions[i]
        if p.adds_left > 0 and p.task == k and not p.gone and not np.isnan(p.add_level) and bar >= p.add_from:
            reached = note_candidate(h, task, reached, -1 - i, p.side, False, p.add_level, signal_of(h, p.signal).number, open_, high, low, spread)
    return reached


@compiled
def note_candidate(h, task, reached, which, side, is_stop, level, number, open_, high, low, spread):
    """Note an order whose level this bar reaches, with its distance from the open of the side it trades on."""
    upwards = (side > 0) == is_stop             # a buy stop and a sell limit wait above
    way = 1.0 if upwards else -1.0
    if way * (opening(side, high if upwards else low, spread, task.quotes) - level) < 0.0:
        return reached
    c = candidates_of(h)[reached]
    c.which, c.sell, c.number = which, 1 if side < 0 else 0, number
    c.distance = max(grid(way * (level - opening(side, open_, spread, task.quotes))), 0.0)
    return reached + 1


@compiled
def next_candidate(h, reached):
    candidates, best = candidates_of(h), -1
    for i in range(reached):
        if candidates[i].which != -NEVER and (best < 0 or comes_before(candidates[i], candidates[best])):
            best = i
    return best


@compiled
def comes_before(a, b):
    """Nearest first; then buys; then in the order of the signals."""
    if a.distance != b.distance:
        return a.distance < b.distance
    return a.sell < b.sell if a.sell != b.sell else a.number < b.number


@compiled
def fill_pending(h, k, bar, open_, spread, part, begins, order):
    if order.dead:
        return                                  # its OCO was filled first
    order.dead = 1
    task, s, before = task_of(h, k), signal_of(h, order.signal), account_of(h).positions
    at, is_stop = opening(s.side, open_, spread, task.quotes), s.order == STOP
    price = max(at, s.price) if (s.side > 0) == is_stop else min(at, s.price)
    slip = slippage(h, task, order.signal, 0, bar - 1) if is_stop else 0.0
    through = price == at                       # already at the open of this part, all of which the position is open for
    inside = AT_OPEN if through and begins else INSIDE_BY_STOP if is_stop else INSIDE_BY_LIMIT
    if enter(h, k, order, price, slip, spread, bar, inside, -1 if through else part, s.order):
        count_low(h, task, positions_of(h)[before], bar)


@compiled
def add_to_grid(h, k, bar, open_, spread, p):
    """One more limit of a grid: average, margin and the target of the next bar move."""
    if p.gone:
        return
    task, account, protection, rate = task_of(h, k), account_of(h), protection_of(h, p.protection), cursor_of(h, k).rate
    at, lots = opening(p.side, open_, spread, task.quotes), p.add_lots
    price = min(at, p.add_level) if p.side > 0 else max(at, p.add_level)
    margin, closes = margin_for(task, lots, price, rate), grid(price - p.side * spread)
    through = p.side * (closes - p.stop) <= 0.0 or p.side * (p.target[0] - closes) <= 0.0
    notional, risk = lots * task.contract * abs(price) * abs(rate), lots * task.contract * abs(price - p.stop) * abs(rate)
    if through or not affordable(h, margin) or (h.limited and not (add_allowed(h, task, p.side, notional, risk, bar) and add_lies_clear(h, p, lots, price, rate, bar))):
        p.adds_left, p.add_level = 0, np.nan
        return
    p.price = (p.price * p.lots + price * lots) / (p.lots + lots)
    p.lots += lots
    p.entry_lots += lots
    p.margin += margin
    p.notional += notional
    account.used += margin
    book(h, task, p, p.side, lots, price, spread, 0.0, rate, i8(h.ts)[bar], bar, R_GRID)
    p.next_basket, p.last_fill = grid(p.price + p.side * protection.grid_basket), price
    p.adds_left -= 1
    next_add(task, p, protection, bar)
    count_low(h, task, p, bar)
