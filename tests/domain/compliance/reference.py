"""The rules once more, written from their sentences: a row at a time, plain Python, no array."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo


def day_of(moment: datetime, reset: time, zone: str) -> date:
    """The date on which the day of an instant began, on the wall clock."""
    wall = moment.astimezone(ZoneInfo(zone))
    return wall.date() if wall.time() >= reset else wall.date() - timedelta(days=1)


def bases(rows, initial: float, reset: time, zone: str):
    """Balance and equity at the reset for each row: the last row at or before it, the initial balance on the first day."""
    balance = equity = initial
    previous = None
    for ts, has, worth, *_ in rows:
        day = day_of(ts, reset, zone)
        if previous is not None and day != previous[0]:
            at_reset = ts.astimezone(ZoneInfo(zone)).time() == reset
            balance, equity = (has, worth) if at_reset else previous[1:]
        previous = (day, has, worth)
        yield day, balance, equity


def daily_loss(rows, initial: float, reset: time, zone: str, amount, basis: str, comparator: str):
    """Floors, and the first broken row with the value."""
    floors, first = [], None
    for (ts, _, worth, low, _), (_, balance, equity) in zip(rows, bases(rows, initial, reset, zone), strict=True):
        start = {"balance": balance, "equity": equity, "max": max(balance, equity)}[basis]
        floors.append(start - amount(initial, start))
        for value in (low, worth):
            if first is None and value is not None and broken(value, floors[-1], comparator):
                first = (ts, value, floors[-1])
    return floors, first


def max_drawdown(rows, initial: float, reset: time, zone: str, amount: float, kind: str, lock: float, comparator: str):
    floors, first, peak = [], None, initial
    for (ts, has, worth, low, high), (_, balance, _) in zip(rows, bases(rows, initial, reset, zone), strict=True):
        before = floor(initial, amount, kind, peak, lock)
        if kind == "trailing end-of-day balance":
            peak = max(peak, balance)
            before = floor(initial, amount, kind, peak, lock)
        elif kind == "trailing intraday balance":
            peak = max(peak, has)
        elif kind == "trailing intraday equity peak":
            peak = max(peak, worth, *([high] if high is not None else []))
        after = floor(initial, amount, kind, peak, lock)
        floors.append(after)
        lower = after if high is not None else before
        for value, line in ((low, lower), (worth, after)):
            if first is None and value is not None and broken(value, line, comparator):
                first = (ts, value, line)
    return floors, first


def floor(initial: float, amount: float, kind: str, peak: float, lock: float) -> float:
    return initial - amount if kind == "static" else min(peak - amount, lock)


def broken(value: float, line: float, comparator: str) -> bool:
    return value < line if comparator == "<" else value <= line


def best_day(rows, initial: float, reset: time, zone: str):
    """Best ÷ net and best ÷ sum of the profitable days after each row, None without a net profit."""
    shares, ended = [], {}
    for (_, has, *_), (day, balance, _) in zip(rows, bases(rows, initial, reset, zone), strict=True):
        if day not in ended and ended:
            last = list(ended)[-1]
            ended[last] = (ended[last][0], balance)         # the day before ended with what stood at the reset
        ended[day] = (ended.get(day, (balance, 0))[0], has)
        profits = [after - before for before, after in ended.values()]
        net = has - initial
        positive = sum(profit for profit in profits if profit > 0)
        shares.append((max(profits) / net, max(profits) / positive) if net > 0 else None)
    return shares


def profitable_days(rows, initial: float, reset: time, zone: str, least: float):
    counts, ended = [], {}
    for (_, has, *_), (day, balance, _) in zip(rows, bases(rows, initial, reset, zone), strict=True):
        if day not in ended and ended:
            last = list(ended)[-1]
            ended[last] = (ended[last][0], balance)
        ended[day] = (ended.get(day, (balance, 0))[0], has)
        counts.append(sum(after - before >= least for before, after in ended.values()))
    return counts
