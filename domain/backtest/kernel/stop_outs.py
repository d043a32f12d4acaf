"""Stop-out: closing positions where the margin level is too low."""

from __future__ import annotations

from domain.backtest.kernel.bookings import best_exit, leave, touch
from domain.backtest.kernel.codes import R_STOP_OUT
from domain.backtest.kernel.numbers import adverse, closed_at, slippage
from domain.backtest.kernel.places import account_of, cursor_of, ends_now, positions_of, rate_now, task_of
from domain.backtest.memory import compiled, f8, i8


@compiled
def stop_out(h, now):
    """Section 6: while the account is too thin at the bars' adverse extremes, its largest loser is closed completely."""
    account, positions = account_of(h), positions_of(h)
    while account.used > 0.0 and h.stop_out > 0.0:
        value, worst, loser = account.balance, 0.0, -1
        for i in range(account.positions):
            p = positions[i]
            if not p.gone:
                floating = p.side * (out_price(h, p, now) - p.price) * p.lots * task_of(h, p.task).contract * abs(rate_now(h, p.task))
                value += floating
                if floating < worst:
                    worst, loser = floating, i
        if loser < 0 or value / account.used > h.stop_out:
            return
        throw_out(h, positions[loser], now)


@compiled
def out_price(h, p, now):
    """The adverse extreme of a bar that ends now, else the last known close."""
    bar, task = cursor_of(h, p.task).bar, task_of(h, p.task)
    return adverse(h, task, p.side, bar) if ends_now(h, p.task, now) else closed_at(h, task, p.side, bar - 1)


@compiled
def throw_out(h, p, now):
    task, bar, price = task_of(h, p.task), cursor_of(h, p.task).bar, out_price(h, p, now)
    slip = slippage(h, task, p.signal, p.fills, bar - 1)
    if ends_now(h, p.task, now):
        touch(p, price, best_exit(p, bar, price - p.side * slip))
        leave(h, task, p, p.lots, price, slip, f8(h.spread)[bar], cursor_of(h, p.task).rate, i8(h.ts)[bar], bar, R_STOP_OUT)
    else:
        p.low = p.side * (price - p.price) * p.lots * task.contract * abs(rate_now(h, p.task))
        begun = bar if cursor_of(h, p.task).inside else bar - 1
        touch(p, price, price)
        leave(h, task, p, p.lots, price, slip, f8(h.spread)[bar - 1], rate_now(h, p.task), now, begun, R_STOP_OUT)
