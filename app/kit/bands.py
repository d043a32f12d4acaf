"""Regimes as bands behind a chart: their colours and legend."""

from __future__ import annotations

import json
from collections.abc import Sequence

import altair as alt
import pandas as pd

from app.kit.figures import plural
from app.kit.theme import SCALE

MOST = 4            # regimes that get a band where there are more than there are tints
TINTS = ("calm", "trend", "range", "storm", "quiet", "other")      # roles of colour, in order
STANDARD = {
    "calm": "calm", "quiet": "calm", "trend": "trend", "up": "trend", "middle": "range", "normal": "range", "no trend": "range", "panic": "storm", "wild": "storm", "volatile": "storm", "down": "storm",
    "between sessions": "quiet", "Asia": "calm", "London": "trend", "New York": "range", "London and New York": "storm",
}  # fmt: skip
FAINT = ("quiet", "other")       # roles that are no tints: drawn fainter


def roles_of(names: Sequence[str]) -> dict[str, str]:
    """Each regime's tint: by its name where all names are standard, else in their order; those beyond the sixth have none.

    >>> roles_of(["down", "no trend", "up"]), roles_of(["state 1", "state 2"])
    ({'down': 'storm', 'no trend': 'range', 'up': 'trend'}, {'state 1': 'calm', 'state 2': 'storm'})
    """
    if all(name in STANDARD for name in names):
        return {name: STANDARD[name] for name in names}
    return dict(zip(names, ("calm", "storm") if len(names) == 2 else TINTS, strict=False))


def drawn_of(bands: pd.DataFrame, names: Sequence[str], first: str, last: str) -> list[str]:
    """The regimes that get a tint: all where there are few, else the most frequent."""
    if len(names) <= len(TINTS):
        return list(names)
    length = (bands[last] - bands[first]).groupby(bands["regime"]).sum().sort_values(ascending=False)
    return [name for name in names if name in set(length.index[:MOST])]


def behind(bands: pd.DataFrame, names: Sequence[str], x: alt.X, first: str, last: str) -> alt.Chart:
    """One rectangle an episode, as high as the chart, under a key. ``bands``: regime and two fields, of which ``x``
    encodes the ``first``."""
    roles = roles_of(drawn_of(bands, names, first, last))
    shown = bands[bands["regime"].isin(roles)]
    shown = shown.assign(role=[roles[name] for name in shown["regime"]])
    names_of = {role: name for name, role in roles.items()}
    key = alt.Legend(values=list(names_of), labelExpr=f"({json.dumps(names_of)})[datum.label]", symbolType="square", symbolSize=110, symbolOpacity=1.0, symbolStrokeWidth=0, labelLimit=220, columns=len(names_of))
    faint = alt.condition(f"indexof({json.dumps(FAINT)}, datum.role) >= 0", alt.value(0.16), alt.value(0.7))
    return alt.Chart(shown).mark_rect(strokeWidth=0).encode(x=x, x2=last, fill=alt.Fill("role:N", scale=SCALE, legend=key), fillOpacity=faint, tooltip=[alt.Tooltip("regime:N")])


def thinned(size: int, unit: str = "bar") -> str:
    """The sentence of a caption where episodes were merged."""
    return f" There are too many episodes to draw, so each band shows the most frequent regime of {plural(size, unit)}; one that never is does not show." if size > 1 else ""


def left_out(names: Sequence[str]) -> str:
    return f" Bands are drawn for the {MOST} most frequent regimes of {len(names)}." if len(names) > len(TINTS) else ""
