"""Bars that should be there and are not: gaps inside sessions, whole holidays, bars outside sessions, and a map of them for a chart."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd

from domain.market.bars import ts_of
from domain.market.calendar import calendar
from domain.market.report import EXAMPLES, Example, Finding, finding, moment
from domain.market.sessions import Calendar
from domain.market.timeframe import Timeframe
from domain.market.zones import DAY, HOUR

QUIET = {"M1": 5, "M5": 1}      # so many bars may be missing in a row because nothing traded; longer timeframes: none
CHUNK = 2_000_000               # candidates processed at once


class Missing(NamedTuple):
    """Opens of missing bars, the row each gap follows, whether the calendar calls that day thin, and how many bars each stands for: one, but
    for gaps too long to list, which are one entry."""

    opens: np.ndarray
    after: np.ndarray
    thin: np.ndarray
    bars: np.ndarray


def missing_bars(ts_ns: np.ndarray, timeframe: Timeframe, market: Calendar) -> Missing:
    """Every bar that fits between two others, on their grid, and overlaps a session; for D1 every trading day without a bar."""
    blocks = list(_days(ts_ns, market) if timeframe.ends_with_session else _inside(ts_ns, timeframe.nanoseconds, market))
    if not blocks:
        return Missing(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, bool), np.empty(0, np.int64))
    return Missing(*(np.concatenate(parts) for parts in zip(*blocks, strict=True)))


def gap_findings(ts_ns: np.ndarray, timeframe: Timeframe, market: Calendar) -> list[Finding]:
    """Missing bars, and gaps of more of them in a row than quiet trading explains; thin days are reported with the holidays."""
    missing = missing_bars(ts_ns, timeframe, market)
    counted = Missing(*(part[~missing.thin] for part in missing))
    rows, gap_of = np.unique(counted.after, return_inverse=True)
    sizes = np.bincount(gap_of, counted.bars, minlength=len(rows)).astype(np.int64)
    long = sizes > QUIET.get(str(timeframe), 0)
    longest = np.argsort(-sizes[long], kind="stable")[:EXAMPLES]
    gaps = tuple(Example(moment(ts_ns[rows[long][at]]), f"{_bars(sizes[long][at])} missing after it") for at in longest)
    singles = tuple(Example(moment(open_), "missing") for open_ in counted.opens[:EXAMPLES])
    return [finding("missing", counted.bars.sum(), singles), finding("gaps", long.sum(), gaps), _holidays(ts_ns, missing, market)]


def outside_finding(ts_ns: np.ndarray, timeframe: Timeframe, market: Calendar) -> Finding:
    """Bars during no part of which the market is open."""
    wrong = np.flatnonzero(market.open_time(ts_ns, ts_ns + min(timeframe.nanoseconds, DAY)) == 0)
    return finding("outside", len(wrong), tuple(Example(moment(ts_ns[at]), f"the {market.name} calendar is shut") for at in wrong[:EXAMPLES]))


def gap_map(bars: pd.DataFrame, timeframe: Timeframe, calendar_name: str) -> pd.DataFrame:
    """For each weekday (0 is Monday) and hour of UTC: bars there are, bars missing inside sessions (thin days too), mean and median spread.

    >>> from domain.market.bars import frame
    >>> ts = np.datetime64("2024-07-10T10:00", "ns").astype(np.int64) + np.array([0, 1, 4]) * HOUR
    >>> p = np.ones(3)
    >>> holes = gap_map(frame(ts, open=p, high=p, low=p, close=p), Timeframe.named("H1"), "fx")
    >>> holes[holes["missing"] > 0][["weekday", "hour", "missing"]].values.tolist()
    [[2, 12, 1], [2, 13, 1]]
    """
    ts_ns = ts_of(bars)
    cells = pd.MultiIndex.from_product([range(7), range(24)], names=["weekday", "hour"]).to_frame(index=False)
    cell, missing = _cell(ts_ns), missing_bars(ts_ns, timeframe, calendar(calendar_name))
    cells["bars"] = np.bincount(cell, minlength=168)
    cells["missing"] = np.bincount(_cell(missing.opens), missing.bars, minlength=168).astype(np.int64)
    grouped = (bars["spread"] if "spread" in bars else pd.Series(np.nan, index=bars.index)).groupby(cell)
    cells["spread_mean"], cells["spread_median"] = grouped.mean().reindex(range(168)).to_numpy(), grouped.median().reindex(range(168)).to_numpy()
    return cells


def _bars(count: int) -> str:
    return f"{count:,} bar{'' if count == 1 else 's'}"


def _cell(ts_ns: np.ndarray) -> np.ndarray:
    return ((ts_ns // DAY + 3) % 7 * 24 + ts_ns % DAY // HOUR).astype(np.int64)


def _inside(ts_ns: np.ndarray, step: int, market: Calendar) -> Iterator[Missing]:
    """Candidates between neighbours that are more than one step apart, a limited number at a time."""
    apart = np.flatnonzero(np.diff(ts_ns) > step)
    counts = (np.diff(ts_ns)[apart] - 1) // step
    yield _endless(ts_ns, apart[counts > CHUNK], step, market)
    apart, counts = apart[counts <= CHUNK], counts[counts <= CHUNK]
    for part in np.split(np.arange(len(apart)), np.flatnonzero(np.diff(np.cumsum(counts) // CHUNK)) + 1):
        after = np.repeat(apart[part], counts[part])
        number = np.arange(len(after)) - np.repeat(np.cumsum(counts[part]) - counts[part], counts[part])
        opens = ts_ns[after] + (number + 1) * step
        fits = opens + step <= ts_ns[after + 1]         # H4 counts from the trading day: where clocks change over a weekend its grid moves by an hour
        inside = fits & (market.open_time(opens, opens + step) > 0)
        opens, after = opens[inside], after[inside]
        yield Missing(opens, after, market.is_thin(opens), np.ones(len(opens), np.int64))


def _endless(ts_ns: np.ndarray, rows: np.ndarray, step: int, market: Calendar) -> Missing:
    """Gaps of years, one entry each."""
    opens = ts_ns[rows] + step
    return Missing(opens, rows, np.zeros(len(rows), bool), market.open_time(opens, ts_ns[rows + 1]) // step if len(rows) else opens)


def _days(ts_ns: np.ndarray, market: Calendar) -> Iterator[Missing]:
    days = market.day_of(ts_ns)
    for at in np.flatnonzero(np.diff(days) > 1):
        lost = np.arange(days[at] + 1, days[at + 1])
        opens = market.day_table.opens[lost]
        yield Missing(opens, np.full(len(lost), at), market.is_thin(opens), np.ones(len(lost), np.int64))


def _holidays(ts_ns: np.ndarray, missing: Missing, market: Calendar) -> Finding:
    """Closed days without a bar, and thin days on which some are missing."""
    if not len(ts_ns):
        return finding("holidays", 0)
    trade_days, counts = np.unique(market.day_table.day[market.day_of(missing.opens[missing.thin])], return_counts=True)
    short = dict(zip(trade_days.tolist(), counts.tolist(), strict=True))
    examples = []
    for day, (title, shut) in market.holidays(int(ts_ns[0]), int(ts_ns[-1])).items():
        number = day.toordinal() - 719_163
        if shut or number in short:
            examples.append(Example(f"{day.isoformat()}", f"{title}: {'shut' if shut else f'{_bars(short[number])} fewer'}"))
    return finding("holidays", len(examples), tuple(examples))
