"""Calibration: forecasts against what happened, before and after; coverage of intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from app.kit.draw import draw_chart
from app.kit.figures import number, percent, plural
from app.kit.text import literal
from app.kit.widgets import table
from app.training import curves
from app.training.panels import over
from app.training.scores import titled, written


def view(run: Any, scores: Mapping[str, Any]) -> None:
    """Reliability of probabilities, or levels and coverage of quantiles."""
    if scores.get("calibration"):
        _probabilities(run, scores)
    if scores.get("levels"):
        _levels(run, scores["levels"])
    if scores.get("coverage"):
        _coverage(run, scores["coverage"])
    if not any(scores.get(name) for name in ("calibration", "levels", "coverage")):
        st.caption("There is nothing to calibrate: the model gives one number, no probability and no interval.")


def _probabilities(run: Any, scores: Mapping[str, Any]) -> None:
    bins = pd.DataFrame(scores["calibration"])
    classes = list(dict.fromkeys(bins["class"])) if "class" in bins else []
    shown = st.segmented_control("Class", classes, default=classes[0], required=True, key=f"class-{run.id}") if classes else ""
    part = bins[bins["class"] == shown] if classes else bins
    drawn = pd.DataFrame(dict(predicted=part["predicted"], observed=part["observed"], low=part["observed_low"], high=part["observed_high"], count=part["count"]))
    over(run, "Calibration", "observed share by predicted probability, bins of equal count, all test parts", bins, "calibration")
    draw_chart(curves.reliability(drawn, "predicted probability"), alt=f"Predicted against observed share in {plural(len(drawn), 'bin')}")
    st.caption(literal(f"On the dashed line the model is calibrated. {_before(scores)} Intervals: 95 %, Wilson (1927), of independent samples; samples overlap, so they are too narrow."))


def _before(scores: Mapping[str, Any]) -> str:
    """Calibration error and Brier score, and the same before calibration."""
    after, before = scores.get("all") or {}, scores.get("raw") or {}
    name = "calibration_error" if after.get("calibration_error") is not None else "brier"
    if after.get(name) is None:
        return ""
    return f"{titled(name)}: {written(name, after[name])}" + (f", before calibration {written(name, before[name])}." if before.get(name) is not None else ".")


def _levels(run: Any, rows: Sequence[Mapping[str, Any]]) -> None:
    """Share of outcomes at or below each quantile, against its level."""
    levels = pd.DataFrame(list(rows))
    drawn = pd.DataFrame(dict(predicted=levels["level"], observed=levels["observed"], low=levels["observed_low"], high=levels["observed_high"], count=levels["count"]))
    over(run, "Quantiles", "share of outcomes at or below each quantile, against its level", levels, "levels")
    draw_chart(curves.reliability(drawn, "level of the quantile"), alt="Level of each quantile against the share of outcomes at or below it")


def _coverage(run: Any, pairs: Sequence[Mapping[str, Any]]) -> None:
    frame = pd.DataFrame(list(pairs))
    over(run, "Coverage of intervals", "share of outcomes inside each interval, all test parts", frame, "coverage")
    config = st.column_config
    shown = frame.assign(interval=[f"{number(row.low, 2)} to {number(row.high, 2)}" for row in frame.itertuples()], **{name: 100 * frame[name] for name in ("nominal", "coverage", "coverage_low", "coverage_high", "below", "above") if name in frame})
    columns = {
        "interval": config.TextColumn("Quantiles", width=100), "nominal": config.NumberColumn("Nominal, %", format="%.1f", width=84), "coverage": config.NumberColumn("Inside, %", format="%.2f", width=76),
        "coverage_low": config.NumberColumn("95 %, from", format="%.2f", width=80), "coverage_high": config.NumberColumn("to", format="%.2f", width=60), "below": config.NumberColumn("Below, %", format="%.2f", width=70),
        "above": config.NumberColumn("Above, %", format="%.2f", width=72), "width": config.NumberColumn("Mean width", format="%.6f", width=90, help="In the unit of the target."), "count": config.NumberColumn("Samples", format="localized", width=76),
    }  # fmt: skip
    present = {name: column for name, column in columns.items() if name in shown}
    table(shown, present, f"Coverage of {plural(len(frame), 'interval')}", row_height=26)
    widest = frame.iloc[0]
    st.caption(literal(f"The widest interval has a nominal coverage of {percent(float(widest['nominal']), 0)} and covers {percent(float(widest['coverage']), 2)}."))
