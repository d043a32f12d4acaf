"""Addresses of the tables, and the current bar of each series."""

from __future__ import annotations

from numba import carray

from domain.backtest.kernel.codes import KELLY, KELLY_ENTROPY, SIGNAL_BYTES
from domain.backtest.memory import compiled, f8, i8, pointer, prefetch
from domain.backtest.state import (
    ACCOUNT,
    CANDIDATE,
    CURSOR,
    FILL,
    FLOOR,
    FLOOR_RULE,
    MOVE,
    POSITION,
    PROTECTION,
    REVIEW,
    SIGNAL,
    TASK,
    TRADE,
    WAITING,
)


@compiled
def account_of(h):
    return carray(pointer(h.account), (1,), ACCOUNT)[0]


@compiled
def task_of(h, k):
    return carray(pointer(h.tasks), (1,), TASK)[k]


@compiled
def cursor_of(h, k):
    return carray(pointer(h.cursors), (1,), CURSOR)[k]


@compiled
def positions_of(h):
    return carray(pointer(h.positions), (1,), POSITION)


@compiled
def pending_of(h):
    return carray(pointer(h.pending), (1,), WAITING)


@compiled
def waiting_of(h):
    return carray(pointer(h.waiting), (1,), WAITING)


@compiled
def floors_of(h):
    return carray(pointer(h.floors), (1,), FLOOR)


@compiled
def floor_rules_of(h):
    return carray(pointer(h.floor_rules), (1,), FLOOR_RULE)


@compiled
def candidates_of(h):
    return carray(pointer(h.candidates), (1,), CANDIDATE)


@compiled
def signals_at(address):
    return carray(pointer(address), (1,), SIGNAL)


@compiled
def signal_of(h, number):
    return signals_at(h.signals)[number]


@compiled
def prefetch_signal(h, number):
    """Begin to load a signal, which lies in two lines of the processor's cache."""
    prefetch(h.signals + number * SIGNAL_BYTES)
    prefetch(h.signals + number * SIGNAL_BYTES + 64)


@compiled
def protection_of(h, number):
    return carray(pointer(h.protections), (1,), PROTECTION)[number]


@compiled
def fills_of(h):
    return carray(pointer(h.fills), (1,), FILL)


@compiled
def trades_of(h):
    return carray(pointer(h.trades), (1,), TRADE)


@compiled
def moves_of(h):
    return carray(pointer(h.moves), (1,), MOVE)


@compiled
def reviews_of(h):
    return carray(pointer(h.reviews), (1,), REVIEW)


@compiled
def rate_now(h, k):
    """The account's currency for one unit of the task's quote currency, at this instant; negative: stale."""
    if h.converts:
        return f8(h.rate)[task_of(h, k).currency * h.instants + account_of(h).instant]
    return 1.0


@compiled
def bets_kelly(h):
    """Whether size follows from the results of closed trades."""
    return h.sizer == KELLY or h.sizer == KELLY_ENTROPY


@compiled
def is_halted(h, k):
    """Whether the account, or this task of it, takes no entries."""
    return account_of(h).halted != 0 or cursor_of(h, k).halted != 0


@compiled
def compacted(orders, count):
    alive = 0
    for i in range(count):
        if not orders[i].dead:
            if alive != i:
                orders[alive] = orders[i]
            alive += 1
    return alive


@compiled
def ends_now(h, k, now):
    cursor = cursor_of(h, k)
    return cursor.inside != 0 and i8(h.end)[cursor.bar] == now
