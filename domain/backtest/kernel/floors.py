"""Floors of a rule set under the account: where they stand after each equity row, and whether the worst case of an order fits above them."""

from __future__ import annotations

import numpy as np

from domain.backtest.kernel.bookings import commission_of
from domain.backtest.kernel.codes import (
    BY_BALANCE,
    BY_EQUITY,
    FOR_GOOD,
    FOR_THE_DAY,
    OF_BALANCE,
    OF_DAY,
    OF_DAYS_END,
    OF_EQUITY,
    RANDOM,
    TINY,
)
from domain.backtest.kernel.numbers import slippage
from domain.backtest.kernel.places import account_of, cursor_of, floor_rules_of, floors_of, positions_of, task_of
from domain.backtest.kernel.worth import known_equity, loss_at_stop
from domain.backtest.memory import compiled, f8, i8


@compiled
def move_floors(h, balance, equity, low):
    """Section 9: after an equity row."""
    account, code = account_of(h), i8(h.floor_day)[account_of(h).instant]
    for i in range(h.floor_count):
        move_floor(h, floor_rules_of(h)[i], floors_of(h)[i], code >> 1, code & 1, balance + account.more_balance, equity + account.more_equity, low + account.more_equity)


@compiled
def move_floor(h, rule, floor, day, at_reset, balance, equity, low):
    if day != floor.day:
        begin_day(h, rule, floor, day, at_reset, balance, equity)
    before = floor.line
    if rule.kind == OF_BALANCE or rule.kind == OF_EQUITY:
        floor.peak = max(floor.peak, balance if rule.kind == OF_BALANCE else equity)
        floor.line = min(floor.peak - rule.money, rule.lock)
    if is_below(rule, balance, floor.line) if rule.closed else is_below(rule, low, before) or is_below(rule, equity, floor.line):
        floor.broken |= FOR_THE_DAY if rule.locks else FOR_GOOD
    floor.day, floor.balance, floor.equity = day, balance, equity


@compiled
def begin_day(h, rule, floor, day, at_reset, balance, equity):
    """The day's base is the last row at or before its reset; that of the first day is the initial balance."""
    began, began_equity = (balance, equity) if at_reset and floor.day >= 0 else (floor.balance, floor.equity)
    floor.broken &= ~FOR_THE_DAY
    if rule.kind == OF_DAY:
        base = began if rule.basis == BY_BALANCE else began_equity if rule.basis == BY_EQUITY else max(began, began_equity)
        floor.line = base - (rule.money + rule.percent * base / 100.0)
    elif rule.kind == OF_DAYS_END:
        skipped = floor.day >= 0 and day - floor.day > 1
        floor.peak = max(floor.peak, max(floor.balance, began) if skipped else began)
        floor.line = min(floor.peak - rule.money, rule.lock)


@compiled
def is_below(rule, value, line):
    near = TINY * abs(line)
    return value <= line + near if rule.reached else value < line - near


@compiled
def lies_clear(h, k, signal, lots, filled, stop, rate, bar):
    """Whether the worst case of an order, with that of all open positions, fits the headroom above every floor less its buffer; else the tightest is measured."""
    account, order, tightest, clear = account_of(h), worst_case(h, k, signal, lots, filled, stop, rate, bar), np.inf, True
    lost, left_over, kept = np.nan, np.nan, np.nan
    for i in range(h.floor_count):
        rule, floor = floor_rules_of(h)[i], floors_of(h)[i]
        value = account.balance + account.more_balance if rule.closed else known_equity(h) + account.more_equity
        loss, room, near = order + worst_of_open(h, rule.closed), value - floor.line, TINY * abs(floor.line)
        left = room - rule.buffer - loss
        if floor.broken or not (left > near if rule.reached else left >= -near):
            clear = False
        if not left >= tightest:         # NaN is the tightest
            tightest = left
            lost, left_over, kept = loss, room, rule.buffer
    if not clear:
        account.value, account.allowed, account.buffer = lost, left_over, kept
    return clear


@compiled
def worst_case(h, k, signal, lots, filled, stop, rate, bar):
    """What the order loses at its stop: the distance from its fill, the spread and the slippage there, the commission of both fills. NaN without a stop."""
    task, value = task_of(h, k), lots * task_of(h, k).contract * abs(rate)
    beyond = f8(h.spread)[bar] + worst_slippage(h, task, signal, bar - 1)
    return (abs(filled - stop) + beyond) * value + commission_of(h, task, lots, value, filled) + commission_of(h, task, lots, value, stop)


@compiled
def worst_of_open(h, closed):
    """What all open positions still lose at their stops, with slippage and commission there: below the equity, or ``closed`` below the balance."""
    account, positions, total = account_of(h), positions_of(h), 0.0
    for i in range(account.positions):
        p = positions[i]
        if not p.gone:
            task, value = task_of(h, p.task), p.value * p.lots
            loss = max(p.side * (p.price - p.stop), 0.0) * value if closed else loss_at_stop(h, p)
            slip = worst_slippage(h, task, p.signal, cursor_of(h, p.task).bar - 1)
            total += np.nan if np.isnan(p.stop) else loss + slip * value + commission_of(h, task, p.lots, value, p.stop)
    return total


@compiled
def worst_slippage(h, task, signal, last):
    """Of an exit, by the last closed bar: where it is random, the most."""
    return task.slippage if h.slippage_kind == RANDOM else slippage(h, task, signal, 0, last)
