"""Explanation of a model: what its predictions rest on, how they follow a column, where they part, and one trade."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from app.kit.draw import draw_chart
from app.kit.figures import DASH, exact, number, plural
from app.kit.rights import allowed
from app.kit.text import literal
from app.kit.widgets import attempt, download, job_panel, nothing
from app.training import charts, curves
from worker.desk import Desk

DRAWN = 12          # columns of an importance, or parts of a trade, that are drawn
OWN = ("sample", "start", "instrument", "y", "score", "base", "prediction")     # columns of contributions that are no columns of the model


def view(desk: Desk, run: Any) -> None:
    """The newest explanation of a run, its job, or how to get one."""
    if desk.training.partial(run.id):
        st.caption("A partial run is not explained. Resume it first.")
        return
    job, explanation = desk.explanations.job(run.id), desk.explanations.of(run.id)
    if job is not None and (explanation is None or job.open):
        job_panel(desk, job)
        return
    if explanation is None:
        return nothing("Not explained yet", "The models of the folds are explained on their own test parts, which they have not seen. Nothing is fitted again.", lambda: _ask(desk, run))
    _importance(desk, explanation)
    left, right = st.columns(2, gap="medium")
    with left:
        _dependence(desk, explanation)
    with right:
        _boundary(desk, explanation)
    _trade(desk, explanation)


def _ask(desk: Desk, run: Any) -> None:
    if st.button("Explain", type="primary", icon=":material/lightbulb:", key=f"explain-{run.id}", **allowed(desk, "explanations.submit")) and attempt(lambda: desk.explanations.submit(run.id)) is not None:
        st.rerun()


@st.cache_data(max_entries=32, show_spinner=False)
def _table(_desk: Desk, explanation: str, name: str) -> pd.DataFrame:
    return _desk.explanations.table(explanation, name)


def _headed(desk: Desk, explanation: Any, title: str, note: str, name: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        st.subheader(literal(title), anchor=False, width="content")
        st.caption(literal(note), width="content")
        st.space("stretch")
        download("CSV", f"{explanation.id}_{name}.csv", "text/csv", partial(desk.explanations.download, explanation.id, name), f"take-{name}-{explanation.id}")


def _importance(desk: Desk, explanation: Any) -> None:
    rows = _table(desk, explanation.id, "importance").sort_values("importance", ascending=False, ignore_index=True)
    summary = explanation.summary
    _headed(desk, explanation, "Permutation importance", f"rise of the {summary['loss'].replace('_', ' ')} when a column is permuted; {plural(int(summary['samples']), 'sample')} of {plural(int(summary['folds']), 'test part')}", "importance")
    top = rows.head(DRAWN)
    drawn = pd.DataFrame(dict(name=top["column"], value=top["importance"], low=top["low"], high=top["high"], role=["line" if low > 0 else "quiet" for low in top["low"]]))
    draw_chart(charts.bars(drawn, f"rise of the {summary['loss'].replace('_', ' ')}", ".5f"), alt=f"Permutation importance; largest: {top['column'].iloc[0]}")
    some = int((rows["low"] > 0).sum())
    st.caption(literal(f"{plural(some, 'column')} of {len(rows):,} matter in every fold; lines reach from the lowest to the highest fold, grey: not in every one. Redundant columns share their importance."))


def _dependence(desk: Desk, explanation: Any) -> None:
    rows = _table(desk, explanation.id, "dependence")
    columns = list(dict.fromkeys(rows["column"]))
    _headed(desk, explanation, "Partial dependence", "mean prediction by one column, last fold", "dependence")
    column = str(st.selectbox("Column", columns, key=f"dependence-{explanation.id}", label_visibility="collapsed"))
    part = rows[rows["column"] == column]
    draw_chart(curves.partial_dependence(part, column, str(explanation.summary["output"])), alt=f"Mean prediction by {column}: {part['prediction'].min():.4g} to {part['prediction'].max():.4g}")


def _boundary(desk: Desk, explanation: Any) -> None:
    rows = _table(desk, explanation.id, "boundary")
    pairs = list(dict.fromkeys(zip(rows["first"], rows["second"], strict=True)))
    _headed(desk, explanation, "Boundary", "mean prediction by two columns; all else as it is", "boundary")
    if not pairs:
        st.caption("One column has no pair.")
        return
    first, second = st.selectbox("Columns", pairs, key=f"boundary-{explanation.id}", format_func=lambda pair: f"{pair[0]} and {pair[1]}", label_visibility="collapsed")
    part = rows[(rows["first"] == first) & (rows["second"] == second)]
    draw_chart(curves.boundary(part, first, second, str(explanation.summary["output"]), explanation.summary.get("middle")), alt=f"Prediction by {first} and {second}: {part['prediction'].min():.4g} to {part['prediction'].max():.4g}")


def _trade(desk: Desk, explanation: Any) -> None:
    """TreeSHAP of one sample: what moved its score from the average."""
    if not explanation.summary.get("contributions"):
        st.caption(literal(f"One trade is not explained: {explanation.summary.get('no_contributions', 'the learner has no exact contributions')}."))
        return
    rows = _table(desk, explanation.id, "contributions")
    _headed(desk, explanation, "One sample", f"what each column adds to its {explanation.summary['score']} (TreeSHAP), last fold; the parts add up to it", "contributions")
    places = places_of(rows["score"])
    names = [f"{row.start:%Y-%m-%d %H:%M} · {row.instrument} · score {number(row.score, places, True)}" for row in rows.itertuples()]
    middle = int((rows["score"] - rows["score"].median()).abs().to_numpy().argmin())
    place = int(st.selectbox("Sample, UTC", range(len(rows)), index=middle, format_func=names.__getitem__, key=f"sample-{explanation.id}", width=420))
    parts, shown = parts_of(rows.iloc[place])
    draw_chart(curves.contributions(parts, str(explanation.summary["score"])), alt=f"Contributions to the score {rows['score'].iloc[place]:.3f}; largest: {shown}")


def parts_of(row: pd.Series, most: int = DRAWN) -> tuple[pd.DataFrame, str]:
    """``name, amount, role, written`` from the average to the score, the largest contributions first, the rest together; and the name of the largest.

    >>> parts, largest = parts_of(pd.Series({"score": 0.5, "base": 0.1, "atr(14)": 0.6, "rsi(14)": -0.2, "value atr(14)": 0.002}))
    >>> list(zip(parts["name"], parts["written"], strict=True)), largest
    ([('average', '+0.100'), ('atr(14) = 0.002', '+0.600'), ('rsi(14) = \u2014', '\u22120.200'), ('score', '+0.500')], 'atr(14)')
    """
    columns = [name for name in row.index if name not in OWN and not str(name).startswith("value ")]
    amounts = row[columns].astype(float).sort_values(key=lambda values: values.abs(), ascending=False)
    named = [(f"{name} = {_value(row.get(f'value {name}'))}", float(amount)) for name, amount in amounts.head(most).items()]
    if len(amounts) > most:
        named.append((f"{len(amounts) - most:,} others", float(amounts.iloc[most:].sum())))
    parts = [("average", float(row["base"]), "quiet"), *((name, amount, "up" if amount >= 0 else "down") for name, amount in named), ("score", float(row["score"]), "quiet")]
    frame = pd.DataFrame(parts, columns=["name", "amount", "role"])
    places = places_of(frame["amount"])
    return frame.assign(written=[number(amount, places, True) for amount in frame["amount"]]), str(amounts.index[0])


def places_of(amounts: pd.Series) -> int:
    """Decimal places that leave the largest amount three digits, at least three.

    >>> places_of(pd.Series([0.6, -0.02])), places_of(pd.Series([0.0027, -0.0001]))
    (3, 5)
    """
    largest = float(amounts.abs().max())
    return max(3, 2 - math.floor(math.log10(largest))) if largest > 0 else 3


def _value(value: Any) -> str:
    return DASH if value is None or value != value else exact(float(f"{float(value):.4g}"))
