"""Inputs of limits and the volatility sizer, bar by bar: spikes, blackouts, days, correlations."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from domain.backtest.clocks import WEEKDAYS, wall
from domain.errors import BadRequest
from domain.market.zones import DAY, is_zone
from domain.risk.limits import Limits
from domain.trading.task import HasInstrument, Task

SPREAD_SPIKE, VOLATILITY_SPIKE, DARK_END, DARK_OPEN = 1, 2, 4, 8       # bits of a bar's warnings
YEAR = 365.25 * DAY
WINDOW = re.compile(r"(?:(\w{3})\w*\s+)?(\d{1,2}):(\d{2})\s*-\s*(?:(\w{3})\w*\s+)?(\d{1,2}):(\d{2})\s+(\S+)")


def warns(limits: Limits) -> bool:
    """Whether any limit is looked up bar by bar."""
    return bool(limits.spread_spike or limits.volatility_spike or limits.news or any(text.strip() for text in (limits.blackout, limits.session, limits.drift)))


def warnings(limits: Limits, ts: np.ndarray, end: np.ndarray, spread: np.ndarray, atr: np.ndarray, high: np.ndarray, low: np.ndarray, close: np.ndarray) -> np.ndarray:
    """Per bar, as bits: its spread or its true range is a spike; its end, or its open, is in a blackout."""
    bits = np.zeros(len(ts), np.int8)
    if limits.spread_spike:
        bits |= SPREAD_SPIKE * (_grid(spread) > _grid(limits.spread_spike * _positive(mean_before(spread, limits.spike_window))))
    if limits.volatility_spike:
        true_range = np.maximum(high[1:], close[:-1]) - np.minimum(low[1:], close[:-1])
        bits[1:] |= VOLATILITY_SPIKE * (_grid(true_range) > _grid(limits.volatility_spike * _positive(atr[:-1])))
    if limits.blackout:
        windows = blackouts(limits.blackout, int(ts[0]), int(end[-1]))
        bits |= DARK_END * inside(windows, end) | DARK_OPEN * inside(windows, ts)
    return bits


def _grid(x: np.ndarray) -> np.ndarray:
    return np.rint(x * 1e9) / 1e9


def _positive(usual: np.ndarray) -> np.ndarray:
    return np.where(usual > 0.0, usual, np.nan)


def mean_before(values: np.ndarray, window: int) -> np.ndarray:
    """The mean of the ``window`` values before each; NaN where there are fewer.

    >>> mean_before(np.array([1.0, 3.0, 5.0, 7.0]), 2).tolist()
    [nan, nan, 2.0, 4.0]
    """
    mean = np.full(len(values), np.nan)
    if len(values) > window:
        mean[window:] = np.lib.stride_tricks.sliding_window_view(values, window)[:-1].mean(axis=1)
    return mean


def yearly_volatility(end: np.ndarray, close: np.ndarray, window: int) -> np.ndarray:
    """Standard deviation of price a year, in price units, from the last ``window`` changes of closes; NaN before so many.

    >>> end = np.arange(4) * 21_915_000_000_000        # a quarter of a day and a bit: 1,440 of them are a year
    >>> yearly_volatility(end, np.array([0.0, 1.0, 0.0, 1.0]), 2).tolist()
    [nan, nan, 37.94733192202055, 37.94733192202055]
    """
    sigma = np.full(len(close), np.nan)
    if len(close) > window:
        squares = np.lib.stride_tricks.sliding_window_view(np.diff(close) ** 2, window).sum(axis=1)
        sigma[window:] = np.sqrt(squares * YEAR / (end[window:] - end[:-window]))
    return sigma


def inside(windows: np.ndarray, moments: np.ndarray) -> np.ndarray:
    """Which moments are in a window: start included, end not. ``windows``: two columns, sorted, not overlapping."""
    if not len(windows):
        return np.zeros(len(moments), bool)
    last = np.searchsorted(windows[:, 0], moments, side="right") - 1
    return (last >= 0) & (moments < windows[np.maximum(last, 0), 1])


def blackouts(text: str, first: int, last: int) -> np.ndarray:
    """The windows of ``text`` about ``first`` to ``last`` in UTC nanoseconds, sorted and merged.

    >>> day = 19_915 * DAY          # Thursday 2024-07-11
    >>> [[str(t.astype("datetime64[ns]"))[5:16] for t in row] for row in blackouts("Fri 20:00-Sun 23:00 UTC; 12:25-12:35 UTC", day, day)[8:11]]
    [['07-11T12:25', '07-11T12:35'], ['07-12T12:25', '07-12T12:35'], ['07-12T20:00', '07-14T23:00']]
    """
    rows = np.concatenate([_windows(part, first, last) for part in text.split(";") if part.strip()] or [np.zeros((0, 2), np.int64)])
    rows = rows[rows[:, 1] > rows[:, 0]]        # a clock change may swallow one
    return _merged(rows[np.argsort(rows[:, 0], kind="stable")])


def _windows(part: str, first: int, last: int) -> np.ndarray:
    match = WINDOW.fullmatch(part.strip())
    if not match or (match[1] is None) != (match[4] is None) or any(day and day.lower() not in WEEKDAYS for day in (match[1], match[4])):
        raise BadRequest(f"blackout is {part.strip()!r}; it must be 'Fri 20:00-Sun 23:00 Europe/Athens' or '12:25-12:35 UTC', several separated by ;")
    if int(match[2]) > 23 or int(match[5]) > 23 or int(match[3]) > 59 or int(match[6]) > 59:
        raise BadRequest(f"blackout is {part.strip()!r}; hours go from 0 to 23 and minutes from 0 to 59")
    if not is_zone(match[7]):
        raise BadRequest(f"blackout names the zone {match[7]!r}, which does not exist; write one like Europe/Athens or America/New_York")
    days = np.arange(first // DAY - 9, last // DAY + 9)
    length = int(int(match[5]) * 60 + int(match[6]) <= int(match[2]) * 60 + int(match[3]))     # days: to the next one
    if match[1] is not None:
        opens, closes = (WEEKDAYS.index(match[k].lower()) for k in (1, 4))
        days = days[(days + 3) % 7 == opens]
        length = (closes - opens) % 7 or 7 * length
    return np.stack([wall(days, int(match[2]), int(match[3]), match[7]), wall(days + length, int(match[5]), int(match[6]), match[7])], axis=1)


def _merged(rows: np.ndarray) -> np.ndarray:
    """Windows that overlap or touch, as one."""
    if not len(rows):
        return rows
    furthest = np.maximum.accumulate(rows[:, 1])
    starts = np.concatenate(([True], rows[1:, 0] > furthest[:-1]))
    return np.stack([rows[starts, 0], furthest[np.concatenate((starts[1:], [True]))]], axis=1)


def day_numbers(text: str, instants: np.ndarray) -> np.ndarray:
    """The day of each instant, counted from 1970 on; an instant on a boundary belongs to the day that ends there.

    >>> at = np.array(["2024-07-11T20:59", "2024-07-11T21:00", "2024-07-11T21:01"], "datetime64[ns]").astype(np.int64)
    >>> (np.diff(day_numbers("17:00 America/New_York", at))).tolist()
    [0, 1]
    """
    days = np.arange(instants[0] // DAY - 2, instants[-1] // DAY + 3)
    return days[0] + np.searchsorted(day_ends(text, days), instants, side="left")


def day_ends(text: str, days: np.ndarray) -> np.ndarray:
    """The boundary on each of these days (since 1970)."""
    match = re.fullmatch(r"(\d{1,2}):(\d{2})\s+(\S+)", text.strip())
    if not match or int(match[1]) > 23 or int(match[2]) > 59 or not is_zone(match[3]):
        raise BadRequest(f"day_reset is {text!r}; it must be a time and a zone, as in '17:00 America/New_York'")
    return wall(days, int(match[1]), int(match[2]), match[3])


def correlations(tasks: Sequence[Task], ends: Sequence[np.ndarray], closes: Sequence[np.ndarray], opens: Sequence[np.ndarray], window: int) -> tuple[np.ndarray, np.ndarray, int]:
    """``rho`` of every two instruments on every day, before it; the day of each bar's open, over all tasks; how many days.

    ``rho`` has the rows a·n + b for instruments a and b, in the order in which tasks first name them.
    """
    names = list(dict.fromkeys(task.instrument.name for task in tasks))
    firsts = [next(k for k, task in enumerate(tasks) if task.instrument.name == name) for name in names]
    begin = min(int(own_opens[0]) // DAY for own_opens in opens)
    days = max(int(own_opens[-1]) // DAY for own_opens in opens) - begin + 1
    daily = [daily_closes(ends[k], closes[k]) for k in firsts]
    rho = np.full((len(names) ** 2, days), np.nan)
    for a in range(len(names)):
        for b in range(a):
            rho[a * len(names) + b] = rho[b * len(names) + a] = rolling(daily[a], daily[b], window, begin + np.arange(days))
    return rho, np.concatenate(opens) // DAY - begin, days


def daily_closes(end: np.ndarray, close: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Days on which a bar ended, and the last close of each."""
    day = end // DAY
    last = np.concatenate((np.flatnonzero(np.diff(day)), [len(day) - 1]))
    return day[last], close[last]


def rolling(a: tuple[np.ndarray, np.ndarray], b: tuple[np.ndarray, np.ndarray], window: int, days: np.ndarray) -> np.ndarray:
    """Pearson's correlation of the last ``window`` changes up to the last common day before each of ``days``."""
    common, at_a, at_b = np.intersect1d(a[0], b[0], assume_unique=True, return_indices=True)
    rho = np.full(len(common) + 1, np.nan)          # after so many common days
    if len(common) > window:
        x, y = (np.lib.stride_tricks.sliding_window_view(_grid(np.diff(series)), window) for series in (a[1][at_a], b[1][at_b]))
        flat = (np.ptp(x, axis=1) == 0.0) | (np.ptp(y, axis=1) == 0.0)
        x, y = x - x.mean(axis=1, keepdims=True), y - y.mean(axis=1, keepdims=True)
        with np.errstate(invalid="ignore", divide="ignore"):
            rho[window + 1 :] = np.where(flat, np.nan, (x * y).sum(axis=1) / np.sqrt((x**2).sum(axis=1) * (y**2).sum(axis=1)))
    return rho[np.searchsorted(common, days, side="left")]


def legs(tasks: Sequence[HasInstrument], account: str) -> list[tuple[int, int]]:
    """The numbers of each task's base and quote among all but the account's currency, which is -1."""
    numbers: dict[str, int] = {account: -1}
    for task in tasks:
        for name in (task.instrument.base, task.instrument.quote):
            numbers.setdefault(name, len(numbers) - 1)
    return [(numbers[task.instrument.base], numbers[task.instrument.quote]) for task in tasks]


