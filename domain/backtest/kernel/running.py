"""The loop over instants, and how it ends."""

from __future__ import annotations

from domain.backtest.kernel.bookings import leave, remove_gone
from domain.backtest.kernel.clock import advance, next_instant
from domain.backtest.kernel.codes import END_OF_DATA, KILLED, NEVER, R_END
from domain.backtest.kernel.halts import halt
from domain.backtest.kernel.numbers import closed_at
from domain.backtest.kernel.places import account_of, compacted, cursor_of, pending_of, positions_of, task_of, waiting_of
from domain.backtest.kernel.quiet import rest
from domain.backtest.memory import compiled, entry, f8, i8


@compiled
def has_space(h):
    """Whether there is space for whatever the next instant may add: results, orders, positions."""
    account, coming, first, last = account_of(h), 0, i8(h.signal_first), i8(h.signal_last)
    for k in range(h.task_count):
        bar, task = cursor_of(h, k).bar, task_of(h, k)
        if bar < task.first + task.count:
            coming += last[bar] - first[bar]
    orders = account.positions + account.pending + account.waiting + coming
    out = max(account.fills_out, account.trades_out, account.reviews_out, account.moves_out)
    return orders <= h.position_places and orders <= h.order_places and 8 * orders + 8 < h.fill_places - out


@entry
def run(context, most):
    """Up to ``most`` instants; how many there were. Fewer: the end of the data, or no more capacity."""
    h, done = context[0], 0
    while done < most and has_space(h):
        rested = rest(h, most - done)
        done += rested
        if rested == 0:
            if not advance(h):
                break
            done += 1
    return done


@entry
def kill(context):
    """Manual kill switch, between two instants."""
    h = context[0]
    last = account_of(h).rows_out - 1
    halt(h, i8(h.row_ts)[last] if last >= 0 else 0, KILLED, h.flatten)


@entry
def ended(context):
    return next_instant(context[0]) == NEVER


@entry
def finish(context, final_rate):
    """Section 5 and 7: positions open after the last instant are closed at their series' last close; the last row is after that."""
    h = context[0]
    account, positions = account_of(h), positions_of(h)
    account.counts[END_OF_DATA] += compacted(pending_of(h), account.pending) + compacted(waiting_of(h), account.waiting)
    account.pending, account.waiting, account.commission = 0, 0, 0.0
    for k in range(h.task_count):
        task = task_of(h, k)
        bar = task.first + task.count - 1
        for i in range(account.positions):
            p = positions[i]
            if p.task == k and not task.outside:
                price = closed_at(h, task, p.side, bar)
                leave(h, task, p, p.lots, price, 0.0, f8(h.spread)[bar], final_rate[k], i8(h.end)[bar], bar, R_END)
    remove_gone(h)
    row = account.rows_out - 1
    if row >= 0:
        account.equity = account.balance
        f8(h.row_balance)[row], f8(h.row_equity)[row], f8(h.row_used_margin)[row] = account.balance, account.balance, 0.0
        f8(h.row_equity_low)[row] = min(f8(h.row_equity_low)[row], account.balance)
