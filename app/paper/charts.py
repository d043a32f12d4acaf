"""Charts of a session: the newest bars, recovered ones marked; equity against the floors of its limits."""

from __future__ import annotations

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


def floor_lines(curve: pd.DataFrame, limits: Any, start: float) -> pd.DataFrame:
    """The floors of daily loss (from the equity that each day of the limits began with) and drawdown (from the peak): ts, floor, value, role.

    >>> at = pd.to_datetime(["2024-01-02 10:00", "2024-01-03 10:00"], utc=True)
    >>> floor_lines(pd.DataFrame(dict(ts=at, equity=[100.0, 110.0])), dict(daily_loss=0.05, max_drawdown=0.1, day_reset="00:00 UTC"), 100.0)[["floor", "value"]].values.tolist()
    [['daily loss', 95.0], ['daily loss', 95.0], ['drawdown', 90.0], ['drawdown', 99.0]]
    """
    parts = []
    if daily := float(limits.get("daily_loss") or 0.0):
        day = _days(curve["ts"], str(limits.get("day_reset") or "00:00 UTC"))
        begun = curve["equity"].shift(fill_value=start).groupby(day).transform("first")
        parts.append(pd.DataFrame(dict(ts=curve["ts"], floor="daily loss", value=begun * (1.0 - daily), role="warn")))
    if fall := float(limits.get("max_drawdown") or 0.0):
        peak = curve["equity"].cummax().clip(lower=start)
        parts.append(pd.DataFrame(dict(ts=curve["ts"], floor="drawdown", value=peak * (1.0 - fall), role="breach")))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=["ts", "floor", "value", "role"])


def _days(ts: pd.Series, reset: str) -> pd.Series:
    """The trading day of each instant; it ends with the reset, ``17:00 America/New_York``."""
    at, _, zone = reset.partition(" ")
    hours, minutes = (int(part) for part in at.split(":"))
    return (ts.dt.tz_convert(zone.strip()).dt.tz_localize(None) - pd.Timedelta(hours=hours, minutes=minutes)).dt.ceil("D")
