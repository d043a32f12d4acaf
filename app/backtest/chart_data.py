"""What the browser draws of a view of a run, in plain values; and the same candles as a table."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from app.kit.window import taller
from worker.desk.outcomes import label
from worker.desk.run_chart import View

HEIGHT, PANE = 330, 84      # pixels of the candles, and of each pane below them
VOLUME = "volume"


def chart_data(shown: View, instrument: Any, side: str, run: Any, trade: int | None, columns: Sequence[str]) -> dict[str, Any]:
    """The window of a run, with its trades and columns."""
    label = f"Candles of {instrument.name} with the run's entries and exits. Arrow keys move the crosshair, with Shift the view; plus and minus zoom; Home and End go to the ends; N and P to the next and previous trade."
    return series_data(shown, instrument, run.spec["timeframe"], side, columns, label) | dict(trade=trade, trades=int(run.summary["metrics"].get("trades") or 0))


def series_data(shown: View, instrument: Any, timeframe: str, side: str, columns: Sequence[str], label: str) -> dict[str, Any]:
    """The window as lists, ``None`` where there is no value; ``panes``: those below the candles, in their order."""
    candles, window = shown.candles, shown.window
    features = [_feature(name, shown, instrument.digits) for name in columns if name in shown.features]
    panes = [*([VOLUME] if VOLUME in candles else []), *dict.fromkeys(each["pane"] for each in features if each["pane"])]
    return dict(
        rows=shown.rows, first=window.first, last=window.last, size=window.size, digits=instrument.digits, unit=instrument.quote,
        title=f"{instrument.name} {timeframe}, {side} prices, {instrument.quote}", trade=None, trades=0, label=label,
        t=candles["ts"].tolist(), n=candles["bars"].tolist(), v=plain(candles[VOLUME]) if VOLUME in candles else None,
        **{letter: plain(candles[name]) for letter, name in (("o", "open"), ("h", "high"), ("l", "low"), ("c", "close"))},
        features=features, panes=panes, height=taller(HEIGHT) + PANE * len(panes), marks=_marks(shown.marks.single), groups=_groups(shown.marks.grouped),
        levels=[dict(name=level.name, i=list(level.candles), p=list(level.prices)) for level in shown.levels],
    )  # fmt: skip


def visible(shown: View, first: float, last: float, columns: Sequence[str]) -> pd.DataFrame:
    """The candles of rows ``first`` to ``last`` as a table: ``ts`` (of the first bar), open, high, low, close, volume, bars, and the columns."""
    candles = shown.candles
    inside = (candles["row"] + candles["bars"] > first) & (candles["row"] < last)
    every = {"ts": pd.to_datetime(candles["ts"], unit="s", utc=True), **{name: values for name, values in candles.items() if name not in ("ts", "row")}}
    return pd.DataFrame({**every, **{name: shown.features[name].values for name in columns if name in shown.features}})[inside].reset_index(drop=True)


def plain(values: np.ndarray) -> list[float | None]:
    """Numbers for JSON.

    >>> plain(np.array([1.5, float("nan")]))
    [1.5, None]
    """
    return [None if value != value else value for value in values.tolist()]


def digits_of(values: np.ndarray) -> int:
    """Decimals with which five digits of the largest value show.

    >>> digits_of(np.array([0.00123, -0.001])), digits_of(np.array([55.0])), digits_of(np.array([float("nan")])), digits_of(np.array([1e7]))
    (7, 3, 2, 0)
    """
    largest = float(np.nanmax(np.abs(values))) if np.isfinite(values).any() else 0.0
    return min(max(4 - math.floor(math.log10(largest)), 0), 8) if largest > 0 else 2


def _feature(name: str, shown: View, digits: int) -> dict[str, Any]:
    """A column as a line: over the candles, or in the pane of its unit."""
    feature = shown.features[name]
    return dict(name=name, pane="" if feature.overlay else feature.unit or name, digits=digits if feature.overlay else digits_of(feature.values), v=plain(feature.values))


def _marks(fills: pd.DataFrame | None) -> list[dict[str, Any]]:
    if fills is None:
        return []
    return [
        dict(i=int(fill.candle), trade=int(fill.trade), entry=bool(fill.entry), buy=bool(fill.buy), won=bool(fill.won), price=float(fill.price), lots=float(fill.lots), what=label(fill.reason))
        for fill in fills.itertuples(index=False)
    ]  # fmt: skip


def _groups(groups: pd.DataFrame | None) -> list[dict[str, int]]:
    return [] if groups is None else [dict(i=int(row.candle), first=int(row.first), last=int(row.last), trades=int(row.trades)) for row in groups.itertuples(index=False)]
