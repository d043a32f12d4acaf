"""A combination of a sweep, simulated by the bars on which something happens. Nothing is written per bar.

For one series in the account's currency with market orders of one tag, stops, targets, break-even and exits by time or signal: what ``lane.py`` of the package
above lets through. The result is that of the clock's loop over all bars, to the last bit: a price is monotone in what follows from it, so the extremes
of a stretch of bars give the extremes of its equity.
"""

from __future__ import annotations

import numpy as np

from domain.backtest.kernel.codes import NEVER, OPTIMISTIC, PATH
from domain.backtest.kernel.numbers import grid
from domain.backtest.lane.kernel.fills import charge, enter, leave, set_reach, slip_of, take_targets
from domain.backtest.lane.record import ADVERSE, BLOCK, CLOSE, FAVOURABLE, OPEN
from domain.backtest.memory import compiled, entry, f8, f8_at, i1, i8, i8_at, prefetch


@entry
def skim(context):
    """The whole combination, in its record. False: it came to something that only the clock's loop knows, and its results mean nothing."""
    w = context[0]
    begin(w)
    k, bars, flat_from = 0, i8(w.bars), 0
    while k < w.count and bars[k] < w.last:
        bar = bars[k] + 1
        prefetch_entry(w, k, bar)
        rest_flat(w, flat_from, bar)
        flat_from = max(flat_from, bar)
        if enter(w, k, bar, w.equity):          # the first that opens a position at this open holds the tag
            flat_from = hold(w, bar)
            if w.stuck:
                return False
            k = i8(w.first)[flat_from - 1]
        else:
            k += 1
    rest_flat(w, flat_from, w.last + 1)
    fold(w)
    return True


@compiled
def prefetch_entry(w, k, bar):
    """Begin to load what an entry reads, all of it at once: else each of these loads waits for the one before."""
    for which in range(2):
        prefetch(w.prices[which] + 32 * bar)
        prefetch(w.prices[which] + 32 * bar + 64)
    prefetch(w.stop_loss[0] + 8 * w.stop_loss[1] * k)
    for t in range(w.targets):
        prefetch(w.target_prices[t][0] + 8 * w.target_prices[t][1] * k)


@compiled
def begin(w):
    w.balance = w.equity = w.peak = w.start
    w.least, w.least_low, w.fall, w.fall_low = np.inf, np.inf, 1.0, 1.0
    w.day, w.night, w.trades, w.stuck = 0, 0, 0, 0


@compiled
def note(w, equity, low):
    """Section 6: a row of equity. As the peak is the same for many rows, only the least of them is divided by it."""
    if equity > w.peak:
        fold(w)
        w.peak = equity
    w.least, w.least_low = min(w.least, equity), min(w.least_low, low)


@compiled
def fold(w):
    """The falls below this peak among those below every peak."""
    w.fall, w.fall_low = min(w.fall, w.least / w.peak), min(w.fall_low, w.least_low / w.peak)
    w.least, w.least_low = np.inf, np.inf


@compiled
def rest_flat(w, bar, until):
    """The bars from ``bar`` to ``until`` end without a position."""
    if bar < until:
        end_days(w, until, 0.0, 0.0, 0)
        note(w, w.balance, w.balance)
        w.equity = w.balance


@compiled
def end_days(w, until, price, lots, which):
    """The equity of the days that end before the bar ``until``."""
    rows, ends, prices = i8(w.day_ends), f8(w.ends), f8(w.prices[which])
    while w.day < w.day_count and rows[w.day] < until:
        ends[w.day] = w.balance + (prices[4 * rows[w.day] + CLOSE] - price) * lots * w.contract if lots > 0.0 else w.balance
        w.day += 1


@compiled
def hold(w, entry_bar):
    """From the entry to the exit; the first bar that ends without the position. ``w.equity``: at the close before that."""
    bar, which = entry_bar, 0 if w.side > 0 else 1
    while True:
        bar = rest_holding(w, bar, min(w.leave_at, next_night(w, bar), w.last), which)
        following = i8_at(w.first, bar)
        if following < w.count:
            prefetch_entry(w, following, i8_at(w.bars, following) + 1)
        if bar > entry_bar:
            w.equity = w.balance + (f8(w.prices[which])[4 * bar - 4 + CLOSE] - w.price) * w.lots * w.contract
            open_bar(w, bar, which)
            if w.lots == 0.0:
                return bar
        end_bar(w, bar, which)
        if w.lots == 0.0 or w.stuck:
            return bar + 1
        set_reach(w)
        bar += 1


@compiled
def next_night(w, bar):
    """The first bar from ``bar`` on that nights are charged in or before."""
    nights = i8(w.night_bars)
    while w.night < w.night_count and nights[w.night] < bar:
        w.night += 1
    return nights[w.night] if w.night < w.night_count else NEVER


@compiled
def rest_holding(w, begin, until, which):
    """The first bar from ``begin`` on that reaches a level, or ``until``; the bars before it are quiet. As a bar opens inside its range, one that is
    gapped through is reached too."""
    prices, blocks, bottom, top = w.prices[which], w.blocks[which], w.bottom, w.top
    low, least, most, i = np.inf, np.inf, -np.inf, begin
    while True:
        edge = min(until, (i | BLOCK - 1) + 1)
        k = 4 * i
        while i < edge:
            adverse, close = f8_at(prices, k + ADVERSE), f8_at(prices, k + CLOSE)
            if not (adverse > bottom and f8_at(prices, k + FAVOURABLE) < top):
                break
            low, least, most = lesser(low, adverse), lesser(least, close), greater(most, close)
            i, k = i + 1, k + 4
        if i < edge or i == until:
            break
        k = 4 * (i // BLOCK)
        while i + BLOCK <= until and f8_at(blocks, k) > bottom and f8_at(blocks, k + 1) < top:
            low, least, most = lesser(low, f8_at(blocks, k)), lesser(least, f8_at(blocks, k + 2)), greater(most, f8_at(blocks, k + 3))
            i, k = i + BLOCK, k + 4
        for line in range(0, 32 * BLOCK, 64):
            prefetch(prices + 32 * i + line)
    if i > begin:
        note_all(w, begin, i, which, low, least, most)
    return i


@compiled
def lesser(a, b):
    return b if b < a else a


@compiled
def greater(a, b):
    return b if b > a else a


@compiled
def note_all(w, begin, until, which, low, least, most):
    """The rows of quiet bars, from the extremes of their prices; each of them only where there is a new peak among them."""
    scale, price, lots, balance = w.contract, w.price, w.lots, w.balance
    worst = balance + (low - price) * lots * scale
    if is_thin(w, worst):
        w.stuck = 1
    if balance + (most - price) * lots * scale <= w.peak:
        equity = balance + (least - price) * lots * scale
        w.least, w.least_low = min(w.least, equity), min(w.least_low, worst, equity)
    else:
        prices = w.prices[which]
        for k in range(4 * begin, 4 * until, 4):
            equity = balance + (f8_at(prices, k + CLOSE) - price) * lots * scale
            note(w, equity, min(balance + (f8_at(prices, k + ADVERSE) - price) * lots * scale, equity))
    end_days(w, until, price, lots, which)


@compiled
def is_thin(w, low):
    """Whether a stop-out may be near: the clock's loop decides."""
    return w.stop_out > 0.0 and low <= w.margin * w.stop_out * (1.0 + 1e-6)


@compiled
def open_bar(w, bar, which):
    """Section 4, step 1: nights no bar covered; an exit by time or signal; a gapped stop, gapped targets."""
    if next_night(w, bar) == bar and i1(w.nights_before)[bar] > 0:
        charge(w, i1(w.nights_before)[bar])
    price = f8(w.prices[which])[4 * bar + OPEN]
    if bar >= w.leave_at or price - w.stop <= 0.0:
        leave(w, w.lots, price, slip_of(w, w.signal, w.fills, bar - 1), bar)
    else:
        take_targets(w, price, price, bar)


@compiled
def end_bar(w, bar, which):
    """Section 4, steps 2 and 3, and the row of equity."""
    before, prices, k = w.balance, f8(w.prices[which]), 4 * bar
    adverse, good, close = prices[k + ADVERSE], prices[k + FAVOURABLE], prices[k + CLOSE]
    w.paid, earned, low = 0.0, 0.0, adverse
    if adverse - w.stop <= 0.0:
        low = w.stop - slip_of(w, w.signal, w.fills, bar - 1)
    lowest = (low - w.price) * w.lots * w.contract
    protect(w, bar, which, adverse, good)
    if w.lots > 0.0:
        if is_thin(w, w.balance + (adverse - w.price) * w.lots * w.contract):
            w.stuck = 1
        if next_night(w, bar) == bar and i1(w.nights_in)[bar] > 0:
            earned = charge(w, i1(w.nights_in)[bar])
        if good - w.break_even_at >= 0.0 and (np.isnan(w.stop) or w.break_even_to > w.stop):
            w.stop = w.break_even_to
    end_row(w, bar, before - w.paid + earned + lowest, close)


@compiled
def protect(w, bar, which, adverse, good):
    """Which of stop and targets this bar reaches, and which comes first."""
    stopped = adverse - w.stop <= 0.0
    if not (stopped and stop_comes_first(w, bar, which, adverse, good)):
        take_targets(w, good, np.nan, bar)
    if stopped and w.lots > 0.0:
        leave(w, w.lots, w.stop, slip_of(w, w.signal, w.fills, bar - 1), bar)


@compiled
def stop_comes_first(w, bar, which, adverse, good):
    if w.intrabar == PATH:
        at = f8(w.prices[which])[4 * bar + OPEN]
        # the extreme that is nearer to the open comes first; of equals the high, which is a short's adverse one
        return grid(abs(at - adverse)) < grid(abs(at - good)) if w.side > 0 else grid(abs(at - adverse)) <= grid(abs(at - good))
    return w.intrabar != OPTIMISTIC


@compiled
def end_row(w, bar, low, close):
    floating = (close - w.price) * w.lots * w.contract if w.lots > 0.0 else 0.0
    equity = w.balance + floating
    low = min(low, equity)
    if bar == w.last and w.lots > 0.0:      # section 7: what is open after the last bar is closed at its close
        leave(w, w.lots, close, 0.0, bar)
        equity = w.balance
        low = min(low, equity)
    note(w, equity, low)
    w.equity = equity
    if w.day < w.day_count and i8(w.day_ends)[w.day] == bar:
        f8(w.ends)[w.day] = equity
        w.day += 1
