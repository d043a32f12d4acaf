"""The pictures of a report: frames in, charts out. Every axis names its unit; times are UTC."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from domain.analytics import excursion_points, r_histogram, waterfall
from domain.analytics.metrics import nanoseconds
from domain.report import svg
from domain.report.figures import money, monies, multiple, number, percent
from domain.report.svg import Chart, Scale

WIDE, HALF, LEFT, RIGHT = 900, 436, 66, 10       # px
NAMED = 3               # deepest drawdowns that are named


def nothing(width: int, height: int, words: str) -> Chart:
    return Chart(width, height, svg.text(width / 2, height / 2, words, "mid"), words)


def equity(curve: pd.DataFrame, start: float, currency: str, height: int = 250) -> Chart:
    """Equity at the closes of bars, the start dashed. ``curve``: ts, equity."""
    if curve.empty:
        return nothing(WIDE, height, "There is no row of equity to draw.")
    values, bottom = curve["equity"].to_numpy(float), height - 26
    at = svg.decimated(values)
    y = Scale(*svg.bounds(min(values.min(), start), max(values.max(), start)), bottom, 22)
    drawn = svg.rows(y, LEFT, WIDE - RIGHT, svg.ticks(y.low, y.high, 6)) + svg.text(LEFT - 8, 11, currency, "end")
    drawn += svg.rule(LEFT, y(start), WIDE - RIGHT, y(start), "dash") + _clocked(curve["ts"], bottom, y.many(values[at]), at)
    takeaway = f"Equity from {money(start, currency)} to {money(values[-1], currency)}, highest {money(values.max(), currency)}, lowest {money(values.min(), currency)}."
    return Chart(WIDE, height, drawn, takeaway)


def _clocked(ts: pd.Series, bottom: float, y: np.ndarray, at: np.ndarray) -> str:
    times = nanoseconds(ts)
    x = _time(times, WIDE)
    return svg.columns(x, bottom, svg.moments(int(times[0]), int(times[-1]), 9), "UTC") + svg.path(svg.polyline(x.many(times[at]), y), "line")


def _time(times: np.ndarray, width: int) -> Scale:
    return Scale(int(times[0]), int(max(times[-1], times[0] + 1)), LEFT, width - RIGHT)


def drawdown(ts: pd.Series, share: np.ndarray, drawdowns: pd.DataFrame, height: int = 150) -> Chart:
    """How far equity is below its highest value so far (``share``); the deepest ``drawdowns`` are named with their depth and length."""
    if not len(ts):
        return nothing(WIDE, height, "There is no row of equity to draw.")
    times, bottom = nanoseconds(ts), height - 26
    at, x = svg.decimated(share), _time(times, WIDE)
    y = Scale(min(float(share.min()) * 1.22, -0.001), 0.0, bottom, 16)
    line = svg.polyline(x.many(times[at]), y.many(share[at]))
    drawn = svg.rows(y, LEFT, WIDE - RIGHT, svg.ticks(y.low, 0.0, 5), "%", 100.0) + svg.columns(x, bottom, svg.moments(int(times[0]), int(times[-1]), 9), "UTC")
    drawn += svg.path(f"{line}L{svg.px(x.end)} {svg.px(y(0))}L{svg.px(x.start)} {svg.px(y(0))}Z", "under") + svg.path(line, "fall")
    deepest = f"Largest drawdown {percent(float(share.min()))}." if len(drawdowns) else "Equity never fell below an earlier high."
    return Chart(WIDE, height, drawn + _named(drawdowns.head(NAMED), x, y), deepest)


def _named(drawdowns: pd.DataFrame, x: Scale, y: Scale) -> str:
    """Labels that would overlap are left out, the shallower first."""
    drawn: list[str] = []
    placed: list[float] = []
    for row in drawdowns.itertuples():
        where = min(max(x(int(nanoseconds(pd.Series([row.trough_ts]))[0])), LEFT + 72.0), WIDE - RIGHT - 72.0)
        if all(abs(where - other) > 125 for other in placed):
            placed.append(where)
            drawn.append(svg.text(where, y(float(row.share)) + 13, f"{percent(float(row.share))} · {number(float(row.days), 0 if row.days >= 10 else 1)} days", "ink mid"))
    return "".join(drawn)


def distribution(trades: pd.DataFrame, height: int = 230) -> Chart:
    """Histogram of trades by R; the outer bins hold the tails, the dashed line is the mean."""
    bins, multiples = r_histogram(trades), trades["r"].dropna()
    if multiples.empty:
        return nothing(HALF, height, "No trade has an R: none had a stop.")
    count, mean, bottom = bins["trades"].to_numpy(float), float(multiples.mean()), height - 26
    edges = np.linspace(-3.0, 6.0, len(bins) + 1)
    x, y = Scale(edges[0], edges[-1], 52, HALF - RIGHT), Scale(0.0, count.max() * 1.06, bottom, 22)
    drawn = svg.rows(y, 52, HALF - RIGHT, svg.ticks(0.0, y.high, 5)) + svg.text(44, 11, "trades", "end")
    for low, high, many, hint in zip(edges[:-1], edges[1:], count, _bins(bins), strict=True):
        drawn += svg.box(x(low) + 0.8, y(many), x(high) - x(low) - 1.6, bottom - y(many), "up" if low >= 0 else "down", hint) if many else ""
    drawn += svg.columns(x, bottom, [(value, svg.label(value, 0)) for value in (-3, -2, -1, 0, 1, 2, 3, 4, 5)], "R")
    if edges[0] < mean < edges[-1]:
        drawn += svg.rule(x(mean), 18, x(mean), bottom, "mark") + svg.text(x(mean) + 5, 20, f"mean {multiple(mean, 3)}", "ink")
    return Chart(HALF, height, drawn, f"{number(len(multiples))} trades with R from {multiple(float(multiples.min()))} to {multiple(float(multiples.max()))}, mean {multiple(mean, 3)}.")


def _bins(bins: pd.DataFrame) -> list[str]:
    """The tooltip of each bin."""
    return [f"{multiple(row.low)} to {multiple(row.high)}: {number(row.trades)} trades, {percent(row.share)}" for row in bins.itertuples()]


def excursions(trades: pd.DataFrame, height: int = 230) -> Chart:
    """MAE and MFE of each trade: left of 0 its worst moment, right of 0 its best, against its result."""
    points = excursion_points(trades)
    if points.empty:
        return nothing(HALF, height, "No trade has an R: none had a stop.")
    mae, mfe, r = (points[name].to_numpy(float) for name in ("mae_r", "mfe_r", "r"))
    won, bottom = points["won"].to_numpy(bool), height - 26
    reach = _reach(np.concatenate((mae, mfe)))
    x = Scale(-reach[0] if len(mae) else -1.0, reach[1], 52, HALF - RIGHT)
    y = Scale(*svg.bounds(*_inner(np.append(r, 0.0)), 0.08), bottom, 22)
    drawn = svg.rows(y, 52, HALF - RIGHT, svg.ticks(y.low, y.high, 5)) + svg.text(44, 11, "R", "end") + svg.rule(x(0), 22, x(0), bottom, "axis")
    height_of = np.clip(y.many(r), 22, bottom)
    for kind, these in (("lost", ~won), ("won", won)):
        drawn += svg.dots(np.clip(x.many(-mae[these]), x.start, x.end), height_of[these], kind) + svg.dots(np.clip(x.many(mfe[these]), x.start, x.end), height_of[these], kind)
    drawn += svg.columns(x, bottom, [(value, number(abs(value), svg.places([value]))) for value in svg.ticks(x.low, x.high, 7)], "R")
    drawn += svg.text(x(0) - 8, 11, "against, MAE", "end") + svg.text(x(0) + 8, 11, "for, MFE")
    takeaway = f"{number(len(points))} of {number(len(trades))} trades by their worst and best moment. Median MAE {multiple(float(np.median(mae)))}, median MFE {multiple(float(np.median(mfe)))}."
    return Chart(HALF, height, drawn, takeaway)


def _inner(values: np.ndarray) -> tuple[float, float]:
    """Without the outermost two in a thousand on either side."""
    low, high = np.quantile(values, (0.002, 0.998)).tolist()
    return low, high


def _reach(both: np.ndarray) -> tuple[float, float]:
    """The same on both sides, so that against and for compare; values beyond are drawn at the edge."""
    far = max(float(np.quantile(both, 0.995)), 0.5) * 1.05
    return far, far


def costs(trades: pd.DataFrame, fills: pd.DataFrame, currency: str, height: int = 200) -> Chart:
    """From gross at mid prices to net; the first and the last bar start at zero."""
    steps = waterfall(trades, fills)
    amount, after = steps["money"].to_numpy(float), steps["after"].to_numpy(float)
    before = np.concatenate(([0.0], after[:-2], [0.0]))
    low, high = min(float(after.min()), 0.0), max(float(after.max()), 0.0)
    x = Scale(*svg.bounds(low, high, 0.12), 150, WIDE - RIGHT)
    pitch, labels = (height - 30) / len(steps), monies(amount.tolist(), True)
    drawn = "".join(svg.rule(x(value), 4, x(value), height - 26, "axis" if value == 0 else "grid") for value in svg.ticks(x.low, x.high, 6))
    for place, title in enumerate(steps["title"]):
        top, ends = 6 + place * pitch, sorted((x(before[place]), x(after[place])))
        kind = "level" if place in (0, len(steps) - 1) else "up" if amount[place] >= 0 else "down"
        drawn += svg.text(142, top + pitch / 2 + 4, title, "ink end") + (svg.box(ends[0], top + 4, ends[1] - ends[0], pitch - 8, kind) if amount[place] or kind == "level" else "")
        drawn += svg.text(ends[1] + 6, top + pitch / 2 + 4, labels[place], "ink")
    drawn += svg.columns(x, height - 26, [(value, svg.label(value, svg.places([value]))) for value in svg.ticks(x.low, x.high, 6)], currency)
    return Chart(WIDE, height, drawn, "; ".join(f"{title.lower()} {money(float(value), currency, True)}" for title, value in zip(steps["title"], amount, strict=True)) + ".")


# -- the same in letters ----------------------------------------------------------------------------------------------

BLOCKS = " ▁▂▃▄▅▆▇█"


def spark(values: Sequence[float], width: int = 60) -> str:
    """One line of blocks, from the lowest value to the highest.

    >>> spark([0.0, 1.0, 2.0, 3.0], 4)
    '▁▃▆█'
    """
    numbers = np.asarray(values, float)
    if not len(numbers):
        return ""
    places = np.linspace(0, len(numbers) - 1, min(width, len(numbers))).round().astype(int)
    share = (numbers[places] - numbers.min()) / (float(np.ptp(numbers)) or 1.0)
    return "".join(BLOCKS[1 + round(7 * fraction)] for fraction in share.tolist())


def skyline(values: np.ndarray, low: float, high: float, rows: int, width: int, name: Sequence[str]) -> list[str]:
    """A filled curve of blocks, ``rows`` lines high, the labels ``name`` (of the bottom and the top) at its left."""
    places = np.linspace(0, len(values) - 1, min(width, len(values))).round().astype(int)
    eighths = np.rint((values[places] - low) / ((high - low) or 1.0) * rows * 8).astype(int)
    lines = ["".join(BLOCKS[min(max(eighth - 8 * row, 0), 8)] for eighth in eighths.tolist()) for row in range(rows - 1, -1, -1)]
    return [f"{name[1] if row == 0 else name[0] if row == rows - 1 else '':>12} {line}".rstrip() for row, line in enumerate(lines)]


def bar(share: float, width: int = 40) -> str:
    """
    >>> bar(0.5, 4), bar(0.0, 4)
    ('██', '')
    """
    eighths = round(share * width * 8)
    return "█" * (eighths // 8) + ("", "▏", "▎", "▍", "▌", "▋", "▊", "▉")[eighths % 8]
