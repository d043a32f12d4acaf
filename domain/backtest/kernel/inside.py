"""Step 2, through the bar: pending entries, then stop and targets of each position."""

from __future__ import annotations

import numpy as np

from domain.backtest.kernel.bookings import best_exit, leave, touch
from domain.backtest.kernel.codes import AT_OPEN, EXPIRED, INSIDE_BY_LIMIT, MAGNIFY, MAGNIFY_MISMATCH, NOT_MAGNIFIED, OPTIMISTIC, PATH
from domain.backtest.kernel.numbers import adverse, closing, grid, slippage
from domain.backtest.kernel.opens import nearest_target, take_targets
from domain.backtest.kernel.pending import count_low, enter_pending
from domain.backtest.kernel.places import account_of, compacted, cursor_of, pending_of, positions_of, task_of
from domain.backtest.memory import compiled, f8, i1, i8


@compiled
def through_bar(h, k, bar):
    """Section 4, step 2."""
    task, account, positions, mine = task_of(h, k), account_of(h), positions_of(h), account_of(h).pending > 0
    for i in range(account.positions):
        if positions[i].task == k:
            count_low(h, task, positions[i], bar)
            mine = True
    if mine and task.outside:
        expire(h, k, bar)
    if not mine or task.outside:
        return
    first, last = 0, 0
    if h.intrabar == MAGNIFY and alive(h, k):
        first, last = i8(h.finer_first)[bar], i8(h.finer_last)[bar]
        check_finer(h, bar, first, last)
    if first == last:
        one_pass(h, k, bar, f8(h.open)[bar], f8(h.high)[bar], f8(h.low)[bar], f8(h.close)[bar], f8(h.spread)[bar], bar, True)
    for j in range(first, last):
        gaps(h, k, bar, f8(h.finer_open)[j], f8(h.finer_spread)[j])
        one_pass(h, k, bar, f8(h.finer_open)[j], f8(h.finer_high)[j], f8(h.finer_low)[j], f8(h.finer_close)[j], f8(h.finer_spread)[j], j, j == first)
    expire(h, k, bar)


@compiled
def alive(h, k):
    account, positions, pending = account_of(h), positions_of(h), pending_of(h)
    for i in range(account.positions):
        if positions[i].task == k:
            return True
    for i in range(account.pending):
        if pending[i].task == k and not pending[i].dead:
            return True
    return False


@compiled
def check_finer(h, bar, first, last):
    """Count a bar that has no finer bars, or whose finer bars reach further or less far than it does."""
    if first == last:
        account_of(h).counts[NOT_MAGNIFIED] += 1
    elif i1(h.finer_off)[bar]:
        account_of(h).counts[MAGNIFY_MISMATCH] += 1


@compiled
def gaps(h, k, bar, open_, spread):
    """A stop, or targets, that the open of a finer bar has gapped through."""
    task, positions, rate = task_of(h, k), positions_of(h), cursor_of(h, k).rate
    for i in range(account_of(h).positions):
        p = positions[i]
        if p.task != k or p.gone:
            continue
        price = closing(p.side, open_, spread, task.quotes)
        if p.side * (price - p.stop) <= 0.0:
            end_inside(h, task, p, price, slippage(h, task, p.signal, p.fills, bar - 1), spread, rate, bar)
        else:
            take_targets(h, task, p, price, price, adverse(h, task, p.side, bar), spread, rate, bar)


@compiled
def end_inside(h, task, p, price, slip, spread, rate, bar):
    """A stop's fill inside the bar: adverse not beyond it, favourable only up to it."""
    filled, furthest = price - p.side * slip, adverse(h, task, p.side, bar)
    touch(p, furthest if p.side * (furthest - filled) > 0.0 else filled, best_exit(p, bar, filled))
    leave(h, task, p, p.lots, price, slip, spread, rate, i8(h.ts)[bar], bar, p.stop_reason)


@compiled
def one_pass(h, k, bar, open_, high, low, close, spread, part, begins):
    """Pending entries in their order, then stop and targets of each position, oldest first. ``part`` is the (finer) bar."""
    task, account, positions = task_of(h, k), account_of(h), positions_of(h)
    enter_pending(h, k, bar, open_, high, low, spread, part, begins)
    for i in range(account.positions):
        if positions[i].task == k and not positions[i].gone:
            protect(h, task, positions[i], bar, open_, high, low, close, spread, part)


@compiled
def protect(h, task, p, bar, open_, high, low, close, spread, part):
    """Section 4, step 2: which of stop and targets this (finer) bar reaches, and which comes first."""
    inside = p.inside != AT_OPEN and p.part == part
    to_close = inside and p.inside == INSIDE_BY_LIMIT      # its high may have come before the fill; a stop entry's came after
    against = closing(p.side, low if p.side > 0 else high, spread, task.quotes)
    in_favour = closing(p.side, close if to_close else high if p.side > 0 else low, spread, task.quotes)
    stopped, targeted = p.side * (against - p.stop) <= 0.0, nearest_target(p, in_favour) >= 0
    if not (stopped or targeted):
        return
    if stopped and (targeted or inside) and not p.unclear:
        p.unclear = 1
        account_of(h).ambiguous += 1
    rate = cursor_of(h, p.task).rate
    if targeted and not (stopped and stop_comes_first(h, task, p, open_, high, low, spread, inside)):
        take_targets(h, task, p, in_favour, np.nan, adverse(h, task, p.side, bar), spread, rate, bar)
    if stopped and not p.gone:
        end_inside(h, task, p, p.stop, slippage(h, task, p.signal, p.fills, bar - 1), spread, rate, bar)


@compiled
def stop_comes_first(h, task, p, open_, high, low, spread, inside):
    if h.intrabar == OPTIMISTIC:
        return False
    if h.intrabar == PATH and not inside:
        at, top, bottom = closing(p.side, open_, spread, task.quotes), closing(p.side, high, spread, task.quotes), closing(p.side, low, spread, task.quotes)
        high_first = grid(abs(at - top)) <= grid(abs(at - bottom))
        return high_first == (p.side < 0)
    return True


@compiled
def expire(h, k, bar):
    account, pending = account_of(h), pending_of(h)
    if account.pending == 0:
        return
    for i in range(account.pending):
        if pending[i].task == k and not pending[i].dead and bar >= pending[i].expires:
            pending[i].dead = 1
            account.counts[EXPIRED] += 1
    account.pending = compacted(pending, account.pending)
