"""Bars that touch nothing, in one tight loop.

Most bars of most runs are like that: no order waits, no level is reached, no night is charged. For one series in the
account's currency their rows are written here, with what the clock would have written; the first bar that is not quiet
is left to it."""

from __future__ import annotations

import numpy as np

from domain.backtest.kernel.codes import BID, DUPLICATE_TAG, LONG, MAGNIFY, MID, NEAR, NEVER, OPPOSITE_DROPPED, PLAIN, TINY
from domain.backtest.kernel.numbers import grid
from domain.backtest.kernel.opens import nearest_target
from domain.backtest.kernel.places import account_of, cursor_of, is_halted, positions_of, prefetch_signal, protection_of, task_of
from domain.backtest.kernel.sizes import sized
from domain.backtest.memory import compiled, f8, f8_at, i1, i1_at, i8, i8_at


@compiled
def may_rest(h):
    """Whether the account is in a state in which a bar can be quiet."""
    account = account_of(h)
    if h.task_count != 1 or h.converts or h.watched or h.ask or task_of(h, 0).outside or account.pending > 0 or account.waiting > 0 or account.positions > 1 or not cursor_of(h, 0).inside:
        return False
    return account.positions == 0 or may_hold(h, positions_of(h)[0])


@compiled
def may_hold(h, p):
    protection = protection_of(h, p.protection)
    return not (p.inside or p.leaves or protection.is_grid or protection.trail_kind or h.intrabar == MAGNIFY)


@compiled
def rest(h, most):
    """Advances over quiet bars, one after another; returns the number of instants."""
    if not may_rest(h):
        return 0
    account, before = account_of(h), account_of(h).instant
    if account.positions == 0:
        rest_flat(h, most)
    else:
        rest_holding(h, most)
    prefetch_signal(h, i8(h.signal_first)[cursor_of(h, 0).bar])
    return account.instant - before


@compiled
def rest_flat(h, most):
    """No position, and no signal until the bar that ends this."""
    account, cursor, task = account_of(h), cursor_of(h, 0), task_of(h, 0)
    ts, end, first, after, row_ts, equity, i = i8(h.ts), i8(h.end), i8(h.signal_first), i8(h.signal_last), i8(h.row_ts), account.balance, cursor.bar
    balances, equities, lows, used = f8(h.row_balance), f8(h.row_equity), f8(h.row_equity_low), f8(h.row_used_margin)
    last, done, row = task.first + task.count - 1, 0, account.rows_out
    while i < last and done + 2 <= most and first[i] == after[i]:
        row_ts[row], balances[row], equities[row], lows[row], used[row] = end[i], equity, equity, equity, account.used
        done += 1 if end[i] == ts[i + 1] else 2
        row += 1
        i += 1
    count_rows(account, row, done)
    cursor.bar, cursor.rate, account.equity = i, 1.0, equity


@compiled
def count_rows(account, row, done):
    account.rows += row - account.rows_out
    account.rows_out = row
    account.instant += done


@compiled
def rest_holding(h, most):
    """One position whose levels these bars do not reach, and whose tag drops every signal on them."""
    account, p = account_of(h), positions_of(h)[0]
    if stays_solvent(h, p) and not h.limited and not is_halted(h, 0) and task_of(h, 0).usual > 0.0:
        rest_until(h, p, quiet_until(h, p, most))
    else:
        rest_by_bar(h, account, p, most)


@compiled
def stays_solvent(h, p):
    """Whether the account stands clear of a stop-out, and above zero, at every price before the position's stop."""
    account, task = account_of(h), task_of(h, 0)
    return account.balance + p.side * (p.stop - p.price) * p.lots * task.contract > max(account.used * h.stop_out * (1.0 + TINY), 0.0)


@compiled
def quiet_until(h, p, most):
    """The first bar that reaches a level or brings a signal that is not dropped for its tag, after at most ``most`` instants; signals before it are counted.

    The closing side of a price is ``price + over * spread``; a price within ``NEAR`` of a level is left to ``advance``, which checks it on the grid.
    """
    task, account, i = task_of(h, 0), account_of(h), cursor_of(h, 0).bar
    ts, end, first, after, brief, nights_in, nights_before = h.ts, h.end, h.signal_first, h.signal_last, h.brief, h.nights_in, h.nights_before
    open_, close, spread, adverse, good = h.open, h.close, h.spread, h.low if p.side > 0 else h.high, h.high if p.side > 0 else h.low
    side, over, swaps, timed, flat_at, shut_at = np.float64(p.side), over_of(task, p.side), task.swaps, p.flat_at < NEVER or p.shut_at < NEVER, p.flat_at, p.shut_at
    target, even, bottom = highest_rest(p)
    top, last, shown = min(target, even), min(task.first + task.count - 1, p.time_bar - 1, i + most // 2), LONG if p.side > 0 else 0
    compared, wanted = (-1, PLAIN | shown | np.int64(p.tag) << 2) if h.reverse else (~LONG, PLAIN | np.int64(p.tag) << 2)
    same, opposite = 0, 0
    while i < last:
        wide, next_wide = (over * f8_at(spread, i), over * f8_at(spread, i + 1)) if over != 0.0 else (0.0, 0.0)
        opens = side * (f8_at(open_, i + 1) + next_wide)
        if side * (f8_at(adverse, i) + wide) <= bottom or side * (f8_at(good, i) + wide) >= top or opens <= bottom or opens >= target:
            break
        if timed and (i8_at(ts, i + 1) >= flat_at or i8_at(ts, i) < shut_at <= i8_at(end, i)):
            break
        if swaps and (i1_at(nights_in, i) or i1_at(nights_before, i + 1)):
            break
        number, until = i8_at(first, i), i8_at(after, i)
        if number != until:
            if not side * (f8_at(close, i) + wide) > bottom:
                break
            count, alike = until - number, 0
            while number < until and i8_at(brief, number) & compared == wanted:
                alike += i8_at(brief, number) & LONG == shown
                number += 1
            if number < until:
                break
            same += alike
            opposite += count - alike
        i += 1
    account.counts[DUPLICATE_TAG] += same
    account.counts[OPPOSITE_DROPPED] += opposite
    return i


@compiled
def over_of(task, side):
    return -0.5 * side if task.quotes == MID else 0.0 if side > 0 else 1.0


@compiled
def rest_until(h, p, until):
    """The rows of the quiet bars before ``until``."""
    account, cursor, task = account_of(h), cursor_of(h, 0), task_of(h, 0)
    ts, end, close, spread, adverse, good = h.ts, h.end, h.close, h.spread, h.low if p.side > 0 else h.high, h.high if p.side > 0 else h.low
    side, price, contract, lots, balance, margin, begin = np.float64(p.side), p.price, task.contract, p.lots, account.balance, account.used, cursor.bar
    at = 8 * account.rows_out
    row_ts, balances, equities, lows, used = i8(h.row_ts + at), f8(h.row_balance + at), f8(h.row_equity + at), f8(h.row_equity_low + at), f8(h.row_used_margin + at)
    over, done, worst, best, marked, falls, equity = over_of(task, p.side), 0, side * p.worst, side * p.best, 0.0, 0.0, 0.0
    rounds = over != 0.0 or task.quotes != BID
    for row in range(until - begin):
        i = begin + row
        wide = over * f8_at(spread, i) if over != 0.0 else 0.0
        extreme, in_favour, closes = f8_at(adverse, i) + wide, side * (f8_at(good, i) + wide), f8_at(close, i) + wide
        if rounds:
            extreme, closes = grid(extreme), grid(closes)
        falls, marked = side * (extreme - price) * lots * contract, side * (closes - price) * lots * contract
        equity = balance + marked
        worst = side * extreme if not side * extreme >= worst else worst
        best = in_favour if not in_favour <= best else best
        row_ts[row], balances[row], equities[row], lows[row], used[row] = i8_at(end, i), balance, equity, min(balance + falls, equity), margin
        done += 1 if i8_at(end, i) == i8_at(ts, i + 1) else 2
    if until > begin:
        p.worst, p.best, p.mark, p.low, p.unclear = side * worst, grid(side * best), marked, falls, 0
        count_rows(account, account.rows_out + until - begin, done)
        account.equity, cursor.bar, cursor.rate = equity, until, 1.0


@compiled
def rest_by_bar(h, account, p, most):
    """The same where each bar, and each signal's size, is judged by the equity of its close."""
    cursor, task = cursor_of(h, 0), task_of(h, 0)
    ts, end, first, after, nights_in, nights_before = i8(h.ts), i8(h.end), i8(h.signal_first), i8(h.signal_last), i1(h.nights_in), i1(h.nights_before)
    open_, high, low, close, spread = f8(h.open), f8(h.high), f8(h.low), f8(h.close), f8(h.spread)
    row_ts, balances, equities, lows, used = i8(h.row_ts), f8(h.row_balance), f8(h.row_equity), f8(h.row_equity_low), f8(h.row_used_margin)
    side, price, swaps, contract, lots, balance, margin = p.side, p.price, task.swaps, task.contract, p.lots, account.balance, account.used
    over, adverse_side, good_side = over_of(task, side), low if side > 0 else high, high if side > 0 else low
    target, even, bottom = highest_rest(p)
    rounds = over != 0.0 or task.quotes != BID
    top, thin, shut_at = min(target, even), margin * h.stop_out * (1.0 + TINY), p.shut_at
    flat_at, last, done, row, i = p.flat_at, min(task.first + task.count - 1, p.time_bar - 1), 0, account.rows_out, cursor.bar
    worst, best, mark, floating, equity = side * p.worst, side * p.best, p.mark, p.low, account.equity
    while i < last and done + 2 <= most:
        wide = over * spread[i] if over != 0.0 else 0.0
        extreme, in_favour = adverse_side[i] + wide, side * (good_side[i] + wide)
        opens = side * (open_[i + 1] + (over * spread[i + 1] if over != 0.0 else 0.0))
        if side * extreme <= bottom or in_favour >= top or opens <= bottom or opens >= target or ts[i + 1] >= flat_at or (ts[i] < shut_at <= end[i]):
            break
        if swaps and (nights_in[i] or nights_before[i + 1]):
            break
        closes = close[i] + wide
        if rounds:
            extreme, closes = grid(extreme), grid(closes)
        falls, marked = side * (extreme - price) * lots * contract, side * (closes - price) * lots * contract
        if thin > 0.0 and balance + falls <= thin:
            break
        if first[i] != after[i]:
            account.equity = balance + marked
            if not drop_signals(h, p, i, first[i], after[i]):
                account.equity = equity
                break
        floating, mark, equity = falls, marked, balance + marked
        worst = side * extreme if not side * extreme >= worst else worst
        best = in_favour if not in_favour <= best else best
        row_ts[row], balances[row], equities[row], lows[row], used[row] = end[i], balance, equity, min(balance + falls, equity), margin
        done += 1 if end[i] == ts[i + 1] else 2
        row += 1
        i += 1
    if done:
        p.worst, p.best, p.mark, p.low, p.unclear = side * worst, grid(side * best), mark, floating, 0
        count_rows(account, row, done)
        account.equity, cursor.bar, cursor.rate = equity, i, 1.0


@compiled
def highest_rest(p):
    """Times its side: the nearest target, the trigger of a break-even that would still tighten, and the stop; each a bit closer."""
    nearest = nearest_target(p, p.side * np.inf)
    tightens = not np.isnan(p.break_even_at) and (np.isnan(p.stop) or p.side * (p.break_even_to - p.stop) > 0.0)
    target = p.side * p.target[nearest] - NEAR if nearest >= 0 else np.inf
    even = p.side * p.break_even_at - NEAR if tightens else np.inf
    return target, even, -np.inf if np.isnan(p.stop) else p.side * p.stop + NEAR


@compiled
def drop_signals(h, p, bar, begin, stop):
    """Drop every signal of this bar as its fill at the next open would, for the position holds its tag; False, and nothing
    is done, if one of them needs more than that."""
    account, brief = account_of(h), i8(h.brief)
    if h.limited or is_halted(h, 0) or account.reviews_out + 2 * (stop - begin) >= h.fill_places:
        return False
    for number in range(begin, stop):
        if not brief[number] & PLAIN or brief[number] >> 2 != p.tag or (h.reverse and ((brief[number] & LONG) != 0) != (p.side > 0)):
            return False
    fixed = task_of(h, 0).usual > 0.0 and account.equity > 0.0
    for number in range(begin, stop):
        if fixed or sized(h, 0, bar, number, i8(h.end)[bar]) > 0.0:
            account.counts[DUPLICATE_TAG if ((brief[number] & LONG) != 0) == (p.side > 0) else OPPOSITE_DROPPED] += 1
    return True
