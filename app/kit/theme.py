"""Roles of colour, and the theme of every chart. The colours are in .streamlit/config.toml and are resolved in the
browser, so a chart never knows whether it is light or dark and a theme switch costs no rerun."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import altair as alt
from altair.utils import schemapi

schemapi.disable_debug_mode()       # checking each part of a chart as it is made takes most of its time (app.kit.draw: the tests check each as a whole)

ROLES = ["line", "up", "down", "quiet", "other", "warn", "breach", "calm", "trend", "range", "storm", "ink"]
SCALE = alt.Scale(domain=ROLES, range="category")       # "category" is the theme's chartCategoricalColors
LEFT = 58                                               # pixels of every y axis, so that stacked charts line up
UTC = alt.Scale(type="utc", nice=False, padding=0)
WHEN = "%Y-%m-%d %H:%M"


@alt.theme.register("tidemark", enable=True)
def _theme() -> alt.theme.ThemeConfig:
    label: dict[str, Any] = dict(labelFontSize=11, titleFontSize=11, titleFontWeight="normal")
    config: Any = dict(
        view=dict(stroke=None),
        padding=dict(left=0, right=6, top=6, bottom=0),
        axisY=dict(minExtent=LEFT, maxExtent=LEFT, domain=False, ticks=False, grid=True, gridOpacity=0.55, tickCount=4, title=None, labelPadding=6, labelFlush=False, labelBound=False, **label),
        axisX=dict(grid=False, domainOpacity=0.5, ticks=False, labelPadding=5, title=None, labelFlush=False, tickCount=8, **label),
        legend=dict(orient="top", direction="horizontal", title=None, labelFontSize=11, symbolSize=60, offset=2, padding=0),
        bar=dict(cornerRadius=0),
        line=dict(strokeWidth=1.4, strokeCap="round"),
        rule=dict(strokeWidth=1),
        text=dict(fontSize=11),
        tick=dict(thickness=2),
    )
    return alt.theme.ThemeConfig(config=config)


def by_role(field: str = "role") -> alt.Color:
    return alt.Color(f"{field}:N", scale=SCALE, legend=None)


def at(field: str = "ts", **axis: Any) -> alt.X:
    return alt.X(f"{field}:T", scale=UTC, axis=alt.Axis(**axis) if axis else alt.Undefined)


def tip_time(field: str = "ts", title: str = "UTC") -> alt.Tooltip:
    return alt.Tooltip(f"utcyearmonthdatehoursminutes({field}):T", title=title, format=WHEN)


def moment(ts: datetime) -> alt.DateTime:
    """A fixed end of a UTC axis. A bare number would be read as a year."""
    return alt.DateTime(year=ts.year, month=ts.month, date=ts.day, hours=ts.hour, minutes=ts.minute, utc=True)
