"""Step 3, at the close: session exits, swap, marks, break-even and trail, the equity row."""

from __future__ import annotations

import numpy as np

from domain.backtest.kernel.bookings import best_exit, charge_nights, leave, touch
from domain.backtest.kernel.codes import AT_OPEN, INSIDE_BY_LIMIT, PERCENT, POINTS, QUANTILE, R_BREAK_EVEN, R_SESSION, R_TRAIL
from domain.backtest.kernel.floors import move_floors
from domain.backtest.kernel.halts import judge
from domain.backtest.kernel.numbers import adverse, closed_at, closing, grid, slippage
from domain.backtest.kernel.places import account_of, cursor_of, ends_now, moves_of, positions_of, protection_of, rate_now, task_of
from domain.backtest.memory import compiled, f8, i1, i8


@compiled
def close_bar(h, k, bar):
    """Session exits at the close, then swap, on the positions of one task."""
    task, positions, end, rate = task_of(h, k), positions_of(h), i8(h.end)[bar], rate_now(h, k)
    nights = i1(h.nights_in)[bar] if task.swaps else 0
    for i in range(account_of(h).positions):
        p = positions[i]
        if p.task != k or p.gone:
            continue
        if i8(h.ts)[bar] < p.shut_at <= end and not task.outside:
            price, slip = closed_at(h, task, p.side, bar), slippage(h, task, p.signal, p.fills, bar)
            touch(p, adverse(h, task, p.side, bar), best_exit(p, bar, price - p.side * slip))
            leave(h, task, p, p.lots, price, slip, f8(h.spread)[bar], rate, end, bar, R_SESSION)
        elif nights > 0:
            charge_nights(h, task, p, nights, rate)


@compiled
def mark_all(h, now):
    """Every open position at its last known close; the sum of their profit."""
    positions, total = positions_of(h), 0.0
    for i in range(account_of(h).positions):
        p = positions[i]
        if not p.gone:
            bar, task = cursor_of(h, p.task).bar, task_of(h, p.task)
            price = closed_at(h, task, p.side, bar if ends_now(h, p.task, now) else bar - 1)
            p.mark = p.side * (price - p.price) * p.lots * task.contract * abs(rate_now(h, p.task))
            total += p.mark
    return total


@compiled
def move_stop(h, task, p, bar):
    """Section 4, step 3: excursions, then break-even, then the trail; live from the next bar."""
    best = f8(h.close)[bar] if p.inside == INSIDE_BY_LIMIT else f8(h.high)[bar] if p.side > 0 else f8(h.low)[bar]
    best = closing(p.side, best, f8(h.spread)[bar], task.quotes)
    touch(p, adverse(h, task, p.side, bar), best)
    p.inside, p.unclear = AT_OPEN, 0
    if not np.isnan(p.next_basket):
        p.target[0], p.next_basket = p.next_basket, np.nan
    stop, protection = p.stop, protection_of(h, p.protection)
    if p.side * (best - p.break_even_at) >= 0.0:
        tighten(p, p.break_even_to, R_BREAK_EVEN)
    if protection.trail_kind:
        trail(h, p, protection, bar, best)
    if h.report_moves and p.stop != stop and not np.isnan(p.stop):
        report_move(h, p, bar)


@compiled
def report_move(h, p, bar):
    """The stop from the next bar on, and why."""
    account = account_of(h)
    m = moves_of(h)[account.moves_out]
    account.moves_out += 1
    m.trade, m.bar, m.stop, m.reason = p.trade, bar, p.stop, p.stop_reason


@compiled
def tighten(p, level, reason):
    if np.isnan(p.stop) or p.side * (level - p.stop) > 0.0:
        p.stop, p.stop_reason = level, reason


@compiled
def trail(h, p, protection, bar, best):
    if np.isnan(p.anchor) or p.side * (best - p.anchor) > 0.0:
        p.anchor = best
    if p.side * (p.anchor - p.trail_from) < 0.0:
        return
    if protection.trail_kind == QUANTILE:
        level = f8(h.trail_price)[bar]
    elif protection.trail_kind == POINTS:
        level = p.anchor - p.side * protection.trail_value
    elif protection.trail_kind == PERCENT:
        level = p.anchor - p.side * protection.trail_value / 100.0 * abs(p.anchor)
    else:
        level = p.anchor - p.side * protection.trail_value * f8(h.atr)[protection.trail_atr * h.bars + bar]
    if not np.isnan(level):
        tighten(p, grid(level), R_TRAIL)


@compiled
def write_row(h, now, floating):
    """Section 6: the equity row of this instant."""
    account, positions = account_of(h), positions_of(h)
    low = account.before - account.commission + account.swap
    for i in range(account.positions):
        low += positions[i].low if positions[i].gone or ends_now(h, positions[i].task, now) else positions[i].mark
    row, equity = account.rows_out, account.balance + floating
    low = min(low, equity)
    i8(h.row_ts)[row], f8(h.row_balance)[row], f8(h.row_equity)[row] = now, account.balance, equity
    f8(h.row_equity_low)[row], f8(h.row_used_margin)[row] = low, account.used
    if h.watched:
        judge(h, now, low, equity)
    if h.floor_count > 0:
        move_floors(h, account.balance, equity, low)
    account.equity = equity
    account.rows += 1
    account.rows_out += 1
