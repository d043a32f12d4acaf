"""Charts of a session: the newest bars, recovered ones marked; equity against the floors of its limits and of its rule set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import pandas as pd

from app.kit import charts
from app.kit.charts import Picture
from app.kit.theme import by_role, tip_time
from app.kit.window import taller


def bars(shown: pd.DataFrame, digits: int, unit: str, height: int = 240) -> Picture:
    """Candles; a dot under each bar that was recovered from the vendor after a break. ``shown``: ts open high low close recovered."""
    picture = charts.candles(shown, digits, unit, height=height)
    recovered = shown.assign(a=range(len(shown)))[shown["recovered"].astype(bool)]
    if recovered.empty:
        return picture
    marks = alt.Chart(recovered[["ts", "a", "low"]]).transform_calculate(role="'other'", what="'recovered'")
    return alt.layer(*picture.layer, marks.mark_point(filled=True, size=36, yOffset=8, opacity=1).encode(x="a:Q", y="low:Q", color=by_role(), tooltip=[tip_time(), alt.Tooltip("what:N")]), data=picture.data).properties(height=taller(height))


def floor_lines(curve: pd.DataFrame, limits: Any, start: float, present: tuple[float, float] | None = None, standing: Sequence[Mapping[str, Any]] = ()) -> pd.DataFrame:
    """The floors of daily loss (from the equity that each day of the limits began with) and drawdown (from the peak): ts, floor, value, role.

    ``present``: of a curve that is the newest part of a longer one, with which equity the present day began, and the peak; where the earlier part would say
    more nothing is drawn. ``standing``: of a rule set, as they stand now, under the last tenth of the curve.

    >>> at = pd.to_datetime(["2024-01-02 10:00", "2024-01-03 10:00"], utc=True)
    >>> curve, limits = pd.DataFrame(dict(ts=at, equity=[100.0, 110.0])), dict(daily_loss=0.05, max_drawdown=0.1, day_reset="00:00 UTC")
    >>> floor_lines(curve, limits, 100.0)[["floor", "value"]].values.tolist()
    [['daily loss', 95.0], ['daily loss', 95.0], ['drawdown', 90.0], ['drawdown', 99.0]]
    >>> floor_lines(curve, limits, 100.0, (100.0, 120.0))[["floor", "value"]].values.tolist()
    [['daily loss', 95.0], ['drawdown', 108.0], ['drawdown', 108.0]]
    >>> floor_lines(curve, {}, 100.0, None, [dict(rule="max_drawdown", floor=95.0)])[["floor", "value"]].values.tolist()
    [['max drawdown now', 95.0], ['max drawdown now', 95.0]]
    """
    parts = []
    if daily := float(limits.get("daily_loss") or 0.0):
        begun = _begun(curve, str(limits.get("day_reset") or "00:00 UTC"), start, present)
        parts.append(pd.DataFrame(dict(ts=curve["ts"], floor="daily loss", value=begun * (1.0 - daily), role="warn")))
    if fall := float(limits.get("max_drawdown") or 0.0):
        peak = curve["equity"].cummax().clip(lower=start)
        if present is not None:
            peak = pd.Series(present[1], curve.index).where((curve["equity"].cummax() >= present[1]) | (float(curve["equity"].max()) < present[1]))
        parts.append(pd.DataFrame(dict(ts=curve["ts"], floor="drawdown", value=peak * (1.0 - fall), role="breach")))
    last = curve["ts"].iloc[-max(len(curve) // 10, 2) :]
    parts += [pd.DataFrame(dict(ts=last, floor=f"{floor['rule'].replace('_', ' ')} now", value=float(floor["floor"]), role="breach")) for floor in standing]
    return pd.concat(parts, ignore_index=True).dropna(subset=["value"]).reset_index(drop=True) if parts else pd.DataFrame(columns=["ts", "floor", "value", "role"])


def _begun(curve: pd.DataFrame, reset: str, start: float, present: tuple[float, float] | None) -> pd.Series:
    """The equity that the day of each instant began with; NaN where that is not known."""
    day = _days(curve["ts"], reset)
    begun = curve["equity"].shift(fill_value=start).groupby(day).transform("first")
    if present is None:
        return begun
    return begun.where(day != day.iloc[0]).mask(day == day.iloc[-1], present[0])


def _days(ts: pd.Series, reset: str) -> pd.Series:
    """The trading day of each instant; it ends with the reset, ``17:00 America/New_York``."""
    at, _, zone = reset.partition(" ")
    hours, minutes = (int(part) for part in at.split(":"))
    return (ts.dt.tz_convert(zone.strip()).dt.tz_localize(None) - pd.Timedelta(hours=hours, minutes=minutes)).dt.ceil("D")
