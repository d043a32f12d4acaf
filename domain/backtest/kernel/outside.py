"""Fills from outside: what a broker filled, at its price and costs, on tasks that are marked so."""

from __future__ import annotations

import numpy as np

from domain.backtest.kernel.bookings import remove_gone, settle, touch, write_fill
from domain.backtest.kernel.codes import AT_OPEN, INSIDE_BY_LIMIT, LIMIT, MARKET, TINY
from domain.backtest.kernel.entries import cancel_siblings, hold, refused
from domain.backtest.kernel.limits import allowed, margin_for
from domain.backtest.kernel.numbers import opening
from domain.backtest.kernel.places import account_of, compacted, cursor_of, pending_of, positions_of, signal_of, task_of, waiting_of
from domain.backtest.memory import compiled, entry, f8


@compiled
def position_at(h, trade, number):
    """The place of the open position of this trade, or of this signal; -1 if there is none."""
    positions = positions_of(h)
    for i in range(account_of(h).positions):
        if positions[i].trade == trade or (number >= 0 and positions[i].signal == number):
            return i
    return -1


@compiled
def rate_of(h, k, rate):
    """The broker's rate, or that of the series' last open where it gives none."""
    return cursor_of(h, k).rate if np.isnan(rate) else rate


@compiled
def bar_of(h, k):
    """The bar that is open, or between two bars the one before."""
    cursor = cursor_of(h, k)
    return cursor.bar if cursor.inside else max(cursor.bar - 1, task_of(h, k).first)


@entry
def review_entry(context, k, number):
    """The lots of the order of signal ``number`` that may go out while a bar of its task is open: at the bar's open, or at a pending order's own price.
    0 where rules or limits forbid it, and then it is gone; -1 where there is no such order."""
    h = context[0]
    account, bar, s = account_of(h), cursor_of(h, k).bar, signal_of(h, number)
    spread = f8(h.spread)[bar]
    price = opening(s.side, f8(h.open)[bar], spread, task_of(h, k).quotes) if s.order == MARKET else s.price
    lots = reviewed(h, k, waiting_of(h), account.waiting, number, price, spread)
    if lots < 0.0:
        lots = reviewed(h, k, pending_of(h), account.pending, number, price, spread)
    account.pending, account.waiting = compacted(pending_of(h), account.pending), compacted(waiting_of(h), account.waiting)
    return lots


@compiled
def reviewed(h, k, orders, count, number, price, spread):
    """The lots of the order among these; -1 where it is not there."""
    for i in range(count):
        if orders[i].signal == number and not orders[i].dead:
            why, lots = refused(h, k, signal_of(h, number), price, spread), 0.0
            if why >= 0:
                account_of(h).counts[why] += 1
            else:
                lots = allowed(h, k, orders[i], signal_of(h, number).side, price, cursor_of(h, k).rate, cursor_of(h, k).bar)
            orders[i].lots = lots
            orders[i].dead = 0 if lots > 0.0 else 1
            return lots
    return -1.0


@entry
def book_entry(context, k, number, lots, price, rate, commission, ts, reason):
    """A fill of the order of signal ``number``, whole or the next part of it; the number of its trade."""
    h = context[0]
    rate, at, bar = rate_of(h, k, rate), position_at(h, -1, number), bar_of(h, k)
    if at >= 0:
        p = positions_of(h)[at]
        grow(h, p, lots, price, rate)
    else:
        inside = INSIDE_BY_LIMIT if signal_of(h, number).order == LIMIT else AT_OPEN     # a limit's bar may have been better before it filled
        p = hold(h, k, number, lots, price, rate, ts, bar, inside, -1)
        settled(h, k, number)
    write_fill(h, p, p.side, lots, price, 0.0, 0.0, commission, ts, bar, reason)
    return p.trade


@compiled
def grow(h, p, lots, price, rate):
    """One more part of an entry: the average moves, the levels stay."""
    account, task = account_of(h), task_of(h, p.task)
    p.price = (p.price * p.lots + price * lots) / (p.lots + lots)
    p.lots += lots
    p.entry_lots += lots
    p.first_lots += lots
    margin = margin_for(task, lots, price, rate)
    p.margin += margin
    p.notional += lots * task.contract * abs(price) * abs(rate)
    account.used += margin


@compiled
def settled(h, k, number):
    """The order is filled: it waits no more, and its siblings are cancelled."""
    account, pending, waiting, oco = account_of(h), pending_of(h), waiting_of(h), signal_of(h, number).oco
    for i in range(account.pending):
        pending[i].dead |= pending[i].signal == number
    for i in range(account.waiting):
        waiting[i].dead |= waiting[i].signal == number
    if oco != 0:
        cancel_siblings(h, k, number, oco)
    account.pending, account.waiting = compacted(pending, account.pending), compacted(waiting, account.waiting)


@entry
def book_exit(context, trade, lots, price, rate, commission, ts, reason):
    """A fill that closes ``lots`` of this trade, or what is left of it. False where no such position is open."""
    h = context[0]
    at = position_at(h, trade, -1)
    if at < 0:
        return False
    p = positions_of(h)[at]
    rate, bar, lots = rate_of(h, p.task, rate), bar_of(h, p.task), p.lots if lots >= p.lots - TINY else lots
    if lots >= p.lots:
        touch(p, price, price)
    write_fill(h, p, -p.side, lots, price, 0.0, 0.0, commission, ts, bar, reason)
    settle(h, task_of(h, p.task), p, lots, price, rate, ts, bar, reason)
    remove_gone(h)
    return True


@entry
def book_financing(context, trade, amount):
    """Swap, in the account's currency: negative is paid. False where no such position is open."""
    h = context[0]
    at, account = position_at(h, trade, -1), account_of(h)
    if at < 0:
        return False
    account.balance += amount
    account.swap += amount
    positions_of(h)[at].swap += amount
    return True
