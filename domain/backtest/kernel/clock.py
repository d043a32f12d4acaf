"""Everything that happens at one instant, in its order."""

from __future__ import annotations

from domain.backtest.kernel.bookings import charge_nights, remove_gone
from domain.backtest.kernel.closes import close_bar, mark_all, move_stop, write_row
from domain.backtest.kernel.codes import NEVER
from domain.backtest.kernel.decisions import decide
from domain.backtest.kernel.inside import through_bar
from domain.backtest.kernel.opens import enter_at_open, open_bar
from domain.backtest.kernel.places import account_of, cursor_of, ends_now, positions_of, prefetch_signal, rate_now, task_of
from domain.backtest.kernel.stop_outs import stop_out
from domain.backtest.memory import compiled, i1, i8


@compiled
def next_instant(h):
    """The nearest open or end of a bar over all tasks."""
    nearest = NEVER
    for k in range(h.task_count):
        cursor, task = cursor_of(h, k), task_of(h, k)
        if cursor.inside:
            nearest = min(nearest, i8(h.end)[cursor.bar])
        elif cursor.bar < task.first + task.count:
            nearest = min(nearest, i8(h.ts)[cursor.bar])
    return nearest


@compiled
def advance(h):
    """Section 2: everything that happens at the next instant. False if there is none."""
    if h.task_count == 1:
        return advance_alone(h)
    now, ends = next_instant(h), False
    if now == NEVER:
        return False
    for k in range(h.task_count):
        ends = ends or ends_now(h, k, now)
    if ends:
        end_bars(h, now)
    open_bars(h, now)
    account_of(h).instant += 1
    return True


@compiled
def advance_alone(h):
    """The same for an account with one series: its bars end and open in turn."""
    cursor, task, account = cursor_of(h, 0), task_of(h, 0), account_of(h)
    if cursor.bar >= task.first + task.count:
        return False
    now = i8(h.end)[cursor.bar] if cursor.inside else i8(h.ts)[cursor.bar]
    if cursor.inside:
        end_bar_alone(h, task, cursor.bar, now)
        cursor.inside = 0
        cursor.bar += 1
    if cursor.bar < task.first + task.count and i8(h.ts)[cursor.bar] == now:
        open_bar_alone(h, task, cursor.bar)
        cursor.inside = 1
    account.instant += 1
    return True


@compiled
def end_bar_alone(h, task, bar, now):
    account, positions, floating = account_of(h), positions_of(h), 0.0
    account.before, account.commission, account.swap = account.balance, 0.0, 0.0
    prefetch_signal(h, i8(h.signal_first)[bar])
    if account.positions > 0 or account.pending > 0:
        through_bar(h, 0, bar)
        if account.used > 0.0:
            stop_out(h, now)
        close_bar(h, 0, bar)
        floating = mark_all(h, now)
        for i in range(account.positions):
            if not positions[i].gone:
                move_stop(h, task, positions[i], bar)
    write_row(h, now, floating)
    remove_gone(h)
    decide(h, 0, bar)


@compiled
def open_bar_alone(h, task, bar):
    account, positions, cursor = account_of(h), positions_of(h), cursor_of(h, 0)
    cursor.rate = rate_now(h, 0)
    nights = i1(h.nights_before)[bar] if task.swaps and account.positions > 0 else 0
    if nights > 0:
        for i in range(account.positions):
            charge_nights(h, task, positions[i], nights, cursor.rate)
    if account.positions > 0:
        open_bar(h, 0, bar)
        remove_gone(h)
    if account.waiting > 0:
        enter_at_open(h, 0, bar)


@compiled
def end_bars(h, now):
    """Steps 2 and 3 of every bar that ends now, and the decisions at their closes."""
    account, positions = account_of(h), positions_of(h)
    account.before, account.commission, account.swap = account.balance, 0.0, 0.0
    for k in range(h.task_count):
        if ends_now(h, k, now):
            through_bar(h, k, cursor_of(h, k).bar)
    stop_out(h, now)
    for k in range(h.task_count):
        if ends_now(h, k, now):
            close_bar(h, k, cursor_of(h, k).bar)
    floating = mark_all(h, now)
    for i in range(account.positions):
        if not positions[i].gone and ends_now(h, positions[i].task, now):
            move_stop(h, task_of(h, positions[i].task), positions[i], cursor_of(h, positions[i].task).bar)
    write_row(h, now, floating)
    remove_gone(h)
    for k in range(h.task_count):
        if ends_now(h, k, now):
            decide(h, k, cursor_of(h, k).bar)
    for k in range(h.task_count):
        if ends_now(h, k, now):
            cursor_of(h, k).inside = 0
            cursor_of(h, k).bar += 1


@compiled
def opens_now(h, k, now):
    cursor, task = cursor_of(h, k), task_of(h, k)
    return cursor.inside == 0 and cursor.bar < task.first + task.count and i8(h.ts)[cursor.bar] == now


@compiled
def open_bars(h, now):
    """Step 1 of every bar that opens now: nights no bar covered, the closings of all series, then market entries."""
    account, positions = account_of(h), positions_of(h)
    for k in range(h.task_count):
        if opens_now(h, k, now):
            cursor_of(h, k).rate = rate_now(h, k)
            nights = i1(h.nights_before)[cursor_of(h, k).bar] if task_of(h, k).swaps else 0
            for i in range(account.positions if nights > 0 else 0):
                if positions[i].task == k:
                    charge_nights(h, task_of(h, k), positions[i], nights, cursor_of(h, k).rate)
    for k in range(h.task_count):
        if opens_now(h, k, now):
            open_bar(h, k, cursor_of(h, k).bar)
    remove_gone(h)
    for k in range(h.task_count):
        if opens_now(h, k, now):
            enter_at_open(h, k, cursor_of(h, k).bar)
            cursor_of(h, k).inside = 1
