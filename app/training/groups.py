"""Scores by fold, year, regime, months since training and path: a picture and a table of each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from app.kit.draw import draw_chart
from app.kit.figures import plural, typeset
from app.kit.text import literal
from app.kit.widgets import table
from app.training import charts
from app.training.panels import over
from app.training.score_columns import score_columns
from app.training.scores import SHOWN, score, titled

KINDS = {"fold": "Fold", "year": "Year", "regime": "Regime", "months": "Months since training", "path": "Path"}
WITHOUT = ("rows", "start", "end", "reasons", "sizes", "signals")     # of a row: no scores
MOST = 8            # scores of a table; the file has all
NO_ROWS = {"path": "A walk-forward has one path.", "regime": "No regimes were given."}


def view(run: Any, scores: Mapping[str, Any]) -> None:
    """One kind of group at a time."""
    kinds = [kind for kind in KINDS if scores.get(kind)]
    if not kinds:
        st.caption("No fold was finished, so there are no scores.")
        return
    kind = str(st.segmented_control("By", kinds, default=kinds[0], required=True, key=f"by-{run.id}", format_func=KINDS.__getitem__))
    picture(run, scores, kind, choose=True)
    _table(scores, kind)
    for missing in (name for name in KINDS if name not in kinds):
        reason = (scores.get("reasons") or {}).get(missing) or NO_ROWS.get(missing, "")
        if reason:
            st.caption(literal(f"By {KINDS[missing].lower()}: {typeset(reason)}"))


def picture(run: Any, scores: Mapping[str, Any], kind: str, choose: bool = False, height: int = 200) -> None:
    """A score of each group; with ``choose`` of any score, else the main one."""
    frame, names = frame_of(scores, kind), names_of(scores, kind)
    if frame.empty or not names:
        return
    main = str(scores.get("main") or names[0])
    first = main if main in names else names[0]
    name = str(st.selectbox("Score", names, index=names.index(first), key=f"score-{kind}-{run.id}", format_func=titled, width=220)) if choose else first
    rows = pd.DataFrame(dict(group=frame[kind].astype(str), value=frame[name].astype(float), low=None, high=None, count=frame["rows"])).astype({"low": float, "high": float}).dropna(subset=["value"])
    over(run, f"{titled(name)} by {KINDS[kind].lower()}", f"test parts; {score(name).meaning or name}", frame, f"scores_by_{kind}")
    if rows.empty:
        st.caption("No group has this score.")
        return
    draw_chart(charts.groups(rows, titled(name), KINDS[kind].lower(), score(name).reference, height=height), alt=f"{titled(name)} of {plural(len(rows), 'group')}: {rows['value'].min():.4g} to {rows['value'].max():.4g}")


def names_of(scores: Mapping[str, Any], kind: str) -> list[str]:
    """Scores that any group has, the main one first."""
    rows = scores.get(kind) or []
    names = [name for name in (rows[0] if rows else {}) if name != kind and name not in WITHOUT and any(row.get(name) is not None for row in rows)]
    main = scores.get("main")
    return sorted(names, key=lambda name: name != main)


def frame_of(scores: Mapping[str, Any], kind: str) -> pd.DataFrame:
    """A row a group: its name, days, samples and scores."""
    names = names_of(scores, kind)
    rows = [{kind: row[kind], "start": str(row.get("start") or "")[:10], "end": str(row.get("end") or "")[:10], "rows": row["rows"], **{name: row.get(name) for name in names}} for row in scores.get(kind) or []]
    return pd.DataFrame(rows)


def _table(scores: Mapping[str, Any], kind: str) -> None:
    frame, config = frame_of(scores, kind), st.column_config
    every = names_of(scores, kind)
    names = [name for name in SHOWN if name in every][:MOST]
    shown, measured = score_columns(frame, names)
    columns: dict[str, Any] = {kind: config.Column(KINDS[kind], width=80), "start": config.TextColumn("From", width=84), "end": config.TextColumn("To", width=84), "rows": config.NumberColumn("Samples", format="localized", width=72)}
    table(shown, columns | measured, f"Scores by {KINDS[kind].lower()}", row_height=26, height="auto" if len(shown) <= 14 else 400)


