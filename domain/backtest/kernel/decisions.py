"""The signals of a bar, at its close."""

from __future__ import annotations

import numpy as np

from domain.backtest.kernel.codes import (
    BY_OPPOSITE,
    BY_SIGNAL,
    END_OF_DATA,
    EXIT,
    EXPIRED,
    FRACTION_AT_RISK,
    HALTED,
    MARKET,
    NEVER,
    NO_STOP,
    NOTHING_TO_EXIT,
    REFUSED,
)
from domain.backtest.kernel.limits import forbidden_now, review
from domain.backtest.kernel.places import (
    account_of,
    bets_kelly,
    compacted,
    is_halted,
    pending_of,
    positions_of,
    protection_of,
    signal_of,
    task_of,
    waiting_of,
)
from domain.backtest.kernel.sizes import sized
from domain.backtest.memory import compiled, i8


@compiled
def decide(h, k, bar):
    """Section 3: the signals of this bar, sized on the equity of this close."""
    task = task_of(h, k)
    if h.ask:
        lapse(h, k)
    last = bar == task.first + task.count - 1 and not task.open_ended
    for number in range(i8(h.signal_first)[bar], i8(h.signal_last)[bar]):
        if last:
            account_of(h).counts[END_OF_DATA] += 1
        elif signal_of(h, number).order == EXIT:
            mark_exit(h, k, signal_of(h, number).tag)
        else:
            consider(h, k, bar, number, i8(h.end)[bar], h.ask)


@compiled
def mark_exit(h, k, tag):
    positions = positions_of(h)
    for i in range(account_of(h).positions):
        if positions[i].task == k and positions[i].tag == tag:
            positions[i].leaves |= BY_SIGNAL
            return
    account_of(h).counts[NOTHING_TO_EXIT] += 1


@compiled
def lapse(h, k):
    """Proposals that nobody approved before this bar ended."""
    account, waiting = account_of(h), waiting_of(h)
    for i in range(account.waiting):
        if waiting[i].task == k and waiting[i].held and not waiting[i].dead:
            waiting[i].dead = 1
            account.counts[EXPIRED] += 1
    account.waiting = compacted(waiting, account.waiting)


@compiled
def consider(h, k, bar, number, now, held):
    """An entry, decided on ``bar``, the last that has ended; ``held``: it waits to be approved."""
    account, s = account_of(h), signal_of(h, number)
    protection = protection_of(h, s.protection)
    if h.reverse:
        mark_opposite(h, k, s)
    why = HALTED if is_halted(h, k) else forbidden_now(h, bar) if h.limited else -1
    if why >= 0:
        review(h, k, number, now, REFUSED, why, np.nan, 0.0)
        return
    by_risk = h.sizer == FRACTION_AT_RISK or bets_kelly(h)
    if np.isnan(s.stop) and (protection.needs_stop or (by_risk and np.isnan(s.lots))):
        account.counts[NO_STOP] += 1
        return
    lots = sized(h, k, bar, number, now)
    if lots <= 0.0:
        return
    if s.order == MARKET or held:
        order = waiting_of(h)[account.waiting]
        account.waiting += 1
    else:
        order = pending_of(h)[account.pending]
        account.pending += 1
    order.task, order.dead, order.held, order.signal, order.lots = k, 0, held, number, lots
    order.expires = bar + protection.valid_bars if protection.valid_bars > 0 else NEVER


@compiled
def mark_opposite(h, k, s):
    positions = positions_of(h)
    for i in range(account_of(h).positions):
        p = positions[i]
        if p.task == k and p.tag == s.tag and p.side != s.side:
            p.leaves |= BY_OPPOSITE
