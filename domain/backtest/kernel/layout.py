"""A run's arrays, filled in one pass each where numpy would take one for every column. Arrays are given by their addresses."""

from __future__ import annotations

import numpy as np

from domain.backtest.kernel.places import signals_at
from domain.backtest.memory import compiled, entry, f8, i1, i8


@compiled
def grid(price):
    return np.rint(price * 1e9) / 1e9


@entry
def lies_on_grid(prices, count):
    """Whether every price is a multiple of 1e-9 already."""
    price = f8(prices)
    for k in range(count):
        if grid(price[k]) != price[k]:      # NaN is on no grid
            return False
    return True


@entry
def own_spreads(own, default, out, count):
    """Each bar's own spread, else the default. False where one is negative or infinite."""
    given, spread = f8(own), f8(out)
    for k in range(count):
        if given[k] < 0 or np.isinf(given[k]):
            return False
        spread[k] = default if np.isnan(given[k]) else given[k]
    return True


@entry
def opens_and_ends(ts, end, out, count):
    """Opens and ends of one series in turn, one that repeats the moment before it left out; how many those are."""
    opens, ends, moments, written = i8(ts), i8(end), i8(out), 0
    for k in range(count):
        if written == 0 or moments[written - 1] != opens[k]:
            moments[written] = opens[k]
            written += 1
        if moments[written - 1] != ends[k]:
            moments[written] = ends[k]
            written += 1
    return written


@entry
def nights_of(ts, end, count, rolls, nights, roll_count, before, within):
    """Nights of the rolls between the bar before and each bar, and of those inside it."""
    opens, ends, roll, night, ahead, inside = i8(ts), i8(end), i8(rolls), i8(nights), i1(before), i1(within)
    opened, ended, at_open, at_end = 0, 0, 0, 0
    for k in range(count):
        last = at_end
        while opened < roll_count and roll[opened] <= opens[k]:
            at_open += night[opened]
            opened += 1
        while ended < roll_count and roll[ended] <= ends[k]:
            at_end += night[ended]
            ended += 1
        ahead[k] = at_open - last if k > 0 else 0
        inside[k] = at_end - at_open


@entry
def bars_at(ts, count, decided, rows, out):
    """The bar that opens at each moment, which mostly come in order. The first moment at which none opens, or -1."""
    opens, moments, bar, at = i8(ts), i8(decided), i8(out), 0
    for k in range(rows):
        if at == count or opens[at] > moments[k]:       # back: halve the range before it
            low, high = 0, at
            while low < high:
                middle = (low + high) // 2
                if opens[middle] < moments[k]:
                    low = middle + 1
                else:
                    high = middle
            at = low
        while at < count and opens[at] < moments[k]:
            at += 1
        if at == count or opens[at] != moments[k]:
            return k
        bar[k] = at
    return -1


@entry
def count_up(bars, rows, out, count):
    """How many rows belong to bars before each. ``out`` is given as zeros and is one longer than there are bars."""
    bar, first = i8(bars), i8(out)
    for k in range(rows):
        first[bar[k] + 1] += 1
    for b in range(1, count + 1):
        first[b] += first[b - 1]


@entry
def fill_signals(table, rows, columns):
    """Signals as records, prices on the grid of 1e-9. ``columns``: of each column its address, and 1, or 0 where its first place holds for every row."""
    signals, column = signals_at(table), i8(columns)
    for k in range(rows):
        row = signals[k]
        row.number = k
        row.side, row.protection, row.order = _int(column, 0, k), _int(column, 1, k), _int(column, 2, k)
        row.tag, row.oco = _int(column, 3, k), _int(column, 4, k)
        row.lots, row.price, row.stop = _float(column, 5, k), _price(column, 6, k), _price(column, 7, k)
        for t in range(4):
            row.target[t] = _price(column, 8 + t, k)
        size = _float(column, 12, k)
        row.size = 1.0 if np.isnan(size) else size


@entry
def briefs(table, rows, needs_stop, sized, out):
    """Each signal encoded in one number: see ``signal_table.brief``."""
    signals, needs, brief = signals_at(table), i8(needs_stop), i8(out)
    for k in range(rows):
        signal = signals[k]
        plain = signal.order == 0 and np.isnan(signal.lots) and signal.size == 1.0 and not ((needs[signal.protection] != 0 or sized) and np.isnan(signal.stop))
        brief[k] = (1 if signal.side > 0 else 0) + (2 if plain else 0) + (np.int64(signal.tag) << 2)


@compiled
def _int(column, place, k):
    return i8(column[2 * place])[k * column[2 * place + 1]]


@compiled
def _float(column, place, k):
    return f8(column[2 * place])[k * column[2 * place + 1]]


@compiled
def _price(column, place, k):
    price = _float(column, place, k)
    return price if np.isnan(price) else grid(price)
