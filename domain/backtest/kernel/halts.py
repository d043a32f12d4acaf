"""Daily loss, drawdown, pause and kill switch: no entries from here on."""

from __future__ import annotations

import numpy as np

from domain.backtest.kernel.codes import BY_KILL, FOR_GOOD, FOR_THE_DAY, HALTED, REFUSED
from domain.backtest.kernel.limits import review
from domain.backtest.kernel.places import (
    account_of,
    compacted,
    cursor_of,
    ends_now,
    pending_of,
    positions_of,
    signal_of,
    task_of,
    waiting_of,
)
from domain.backtest.memory import compiled, i8


@compiled
def judge(h, now, low, equity):
    """Section 9: daily loss and drawdown at this row. ``account.equity`` is still that of the row before."""
    account = account_of(h)
    day, halts = i8(h.day)[account.instant] if h.daily_loss > 0.0 else 0, 0
    if day != account.day or account.rows == 0:
        account.day, account.day_start = day, account.equity
        account.halted &= ~FOR_THE_DAY
    if h.daily_loss > 0.0 and low <= account.day_start * (1.0 - h.daily_loss):
        halts |= FOR_THE_DAY
    if h.max_drawdown > 0.0 and low <= account.peak * (1.0 - h.max_drawdown):
        halts |= FOR_GOOD
    account.peak = max(account.peak, equity)
    if halts & ~account.halted:
        halt(h, now, halts, h.flatten)


@compiled
def halt(h, now, why, flatten):
    """No entries from here on: waiting orders are cancelled, and with ``flatten`` open positions are closed at the next open."""
    account_of(h).halted |= why
    for k in range(h.task_count):
        halt_task(h, k, now, flatten)


@compiled
def halt_task(h, k, now, flatten):
    """The same for the orders and positions of one task."""
    account, positions = account_of(h), positions_of(h)
    while goes_on(h, k, now) and cancel_first(h, k, now):
        pass
    account.pending = compacted(pending_of(h), account.pending)
    account.waiting = compacted(waiting_of(h), account.waiting)
    for i in range(account.positions):
        if positions[i].task == k:
            positions[i].adds_left, positions[i].add_level = 0, np.nan
            if flatten:
                positions[i].leaves |= BY_KILL


@compiled
def goes_on(h, k, now):
    """Whether the series has a bar that has not ended yet, or may get one."""
    return task_of(h, k).open_ended != 0 or cursor_of(h, k).bar + ends_now(h, k, now) < task_of(h, k).first + task_of(h, k).count


@compiled
def cancel_first(h, k, now):
    """Cancel the order of the earliest signal of this task, waiting or pending; was there one?"""
    account, pending, waiting = account_of(h), pending_of(h), waiting_of(h)
    a, b = earliest(h, pending, account.pending, k), earliest(h, waiting, account.waiting, k)
    if a < 0 and b < 0:
        return False
    order = pending[a] if b < 0 or (a >= 0 and number_of(h, pending[a]) < number_of(h, waiting[b])) else waiting[b]
    order.dead = 1
    review(h, k, order.signal, now, REFUSED, HALTED, order.lots, 0.0)
    return True


@compiled
def earliest(h, orders, count, k):
    first = -1
    for i in range(count):
        if orders[i].task == k and not orders[i].dead and (first < 0 or number_of(h, orders[i]) < number_of(h, orders[first])):
            first = i
    return first


@compiled
def number_of(h, order):
    return signal_of(h, order.signal).number
