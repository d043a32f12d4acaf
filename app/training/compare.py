"""A model against its baselines, and runs beside each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import pandas as pd
import streamlit as st

from app.kit.address import address_value
from app.kit.draw import draw_chart
from app.kit.figures import clock, number, plural, short, typeset
from app.kit.text import literal
from app.kit.widgets import nothing, section, table
from app.training import charts
from app.training.addresses import open_view
from app.training.panels import over, report
from app.training.result_words import WORDS, title_of
from app.training.score_columns import score_columns
from app.training.scores import SHOWN
from worker.desk import Desk

ROLES = {"better": "up", "worse": "down", "undecided": "quiet", "unknown": "quiet"}
STATE_COLOURS = {"better": "green", "worse": "orange", "undecided": "gray", "unknown": "gray"}
MOST = 6            # runs beside each other
TIMES = ("start", "end")
LOSSES = {"brier": "Brier score", "pinball": "pinball loss"}
GROUPS = {"learner_params": "learner", "target_params": "target", "scheme_params": "splits", "strategy_params": "strategy", "fitting": "pipeline"}


def baselines(run: Any, rows: Sequence[Mapping[str, Any]]) -> None:
    """The gain over each baseline with its interval, and the table of it."""
    if not rows:
        section("Against baselines", "")
        st.caption("No baseline was trained beside this model.")
        return
    frame = pd.DataFrame(list(rows))
    over(run, "Against baselines", f"% of daily {words(frame['loss'].iloc[0])}", frame, "baselines")
    drawn = drawn_of(frame)
    if len(drawn):
        draw_chart(charts.intervals(drawn, "gain, % of the baseline's loss; 95 %", "gain, %", "+.2f", width=96), alt="; ".join(f"{row.name.replace('_', ' ')}: {row.state}" for row in frame.itertuples(index=False)))
    config = st.column_config
    shown = pd.DataFrame(dict(name=[words(name) for name in frame["name"]], state=[[state] for state in frame["state"]], model=[loss(value) for value in frame["model"]], baseline=[loss(value) for value in frame["baseline"]], days=frame["days"]))
    columns = {
        "name": config.TextColumn("Against", width=72), "state": config.MultiselectColumn("Model is", width=82, options=list(STATE_COLOURS), color=list(STATE_COLOURS.values())),
        "model": config.TextColumn("Model", width=68, alignment="right", help="Mean daily loss of the model."), "baseline": config.TextColumn("Baseline", width=68, alignment="right", help="Mean daily loss of the baseline."),
        "days": config.NumberColumn("Days", format="localized", width=38),
    }  # fmt: skip
    table(shown, columns, f"Mean daily loss of the model and of {plural(len(frame), 'baseline')}", row_height=26)
    reasons = list(dict.fromkeys(str(row.get("reason") or "") for row in rows))
    for reason in filter(None, reasons):
        st.caption(literal(typeset(reason)))
    st.caption("Above 0 the model loses less. Paired by day, resampled in blocks of days; an interval that contains 0 is inconclusive.")


def drawn_of(frame: pd.DataFrame) -> pd.DataFrame:
    """Rows of the chart: those that have a gain, in % of the baseline's loss."""
    known = frame[frame["gain"].notna()].astype({name: float for name in ("gain", "low", "high", "baseline")})
    parts = {name: 100 * known[column] / known["baseline"] for name, column in (("value", "gain"), ("low", "low"), ("high", "high"))}
    return pd.DataFrame(dict(name=[words(name) for name in known["name"]], **parts, role=[ROLES.get(state, "quiet") for state in known["state"]]))


def share(row: Mapping[str, Any]) -> float:
    """Gain over a baseline as a share of its loss.

    >>> share(dict(gain=0.01, baseline=0.25))
    0.04
    """
    return float(row["gain"]) / float(row["baseline"]) if row["baseline"] else 0.0


def loss(value: float | None) -> str:
    """A mean loss by four significant digits: squared returns are a few millionths.

    >>> loss(0.24983), loss(1.9984e-06), loss(None)
    ('0.2498', '1.998e-6', '—')
    """
    return "—" if value is None or pd.isna(value) else f"{value:.4g}".replace("e-0", "e-")


def words(name: Any) -> str:
    """A name as text."""
    return LOSSES.get(str(name)) or str(name).replace("_", " ")


def render(desk: Desk) -> None:
    """Whole runs beside each other: their questions, scores, and what differs."""
    runs = [run for run in desk.training.latest() if not run.summary.get("partial")]
    if len(runs) < 2:
        return nothing("Nothing to compare yet", "Two finished runs are needed. Their scores, baselines and trials stand beside each other.", _train)
    wanted = [name for name in address_value("runs").split(",") if name]
    by_id = {run.id: run for run in runs}
    start = [name for name in wanted if name in by_id] or [run.id for run in runs[:2]]
    chosen = st.multiselect("Runs", list(by_id), start, key=f"compare-{'-'.join(start)}", format_func=lambda name: f"{name} · {title_of(by_id[name])}", max_selections=MOST)
    if chosen != start:
        open_view("compare", runs=",".join(chosen))
    if len(chosen) < 2:
        st.caption("Choose two runs or more.")
        return
    compared(desk, [by_id[name] for name in chosen])


def compared(desk: Desk, runs: Sequence[Any]) -> None:
    reports = {run.id: report(desk, run.id) for run in runs}
    tasks = {(assessment.get("scores") or {}).get("task") for assessment in reports.values()}
    _differences(runs, len(tasks) > 1)
    figures = pd.DataFrame([_row(run, reports[run.id]) for run in runs])
    over(runs[0], "Scores", "all test parts of each run", figures, "compared")
    _scores(figures)
    _gains(runs, reports)


def _differences(runs: Sequence[Any], tasks: bool) -> None:
    """What was requested differently, before any number."""
    specs = {run.id: flat(run.spec) for run in runs}
    names = list(dict.fromkeys(name for values in specs.values() for name in values))
    differing = [name for name in names if len({str(values.get(name, "")) for values in specs.values()}) > 1]
    data = any(name in differing for name in ("datasets", "start", "end", "timeframe"))
    if tasks or data:
        st.warning("The runs have different tasks, so their scores do not compare." if tasks else "The runs have different data or date ranges, so their scores do not compare.", icon=":material/warning:")
    if not differing:
        st.caption("The questions are identical; data versions or code differ.")
        return
    rows = pd.DataFrame([dict(setting=words(name), **{f"run {run}": str(values.get(name, "")) for run, values in specs.items()}) for name in differing])
    config = st.column_config
    section("Changed settings", f"{plural(len(differing), 'setting')} of the questions differ")
    table(rows, {"setting": config.TextColumn("Setting", width=150), **{name: config.TextColumn(name.capitalize(), width=190) for name in rows.columns[1:]}}, "Settings that differ between the runs", row_height=26, height="auto" if len(rows) <= 10 else 300)


def flat(spec: Mapping[str, Any]) -> dict[str, str]:
    """A spec as plain settings, a row each; parameters under the name of their group.

    >>> flat(dict(seed=1, scheme_params=dict(train=40), columns=["a", "b"], fitting={}))
    {'seed': '1', 'splits train': '40', 'columns': '2: a, b'}
    >>> flat(dict(start="2008-01-02T00:00:00+00:00"))
    {'start': '2008-01-02 00:00 UTC'}
    """
    plain: dict[str, str] = {}
    for name, value in spec.items():
        if isinstance(value, Mapping):
            plain |= {f"{GROUPS.get(name, name)} {key}": str(entry) for key, entry in value.items() if not isinstance(entry, Mapping)}
        elif name == "columns":
            plain[name] = f"{len(value)}: {', '.join(value)[:80]}"
        elif name == "datasets":
            plain[name] = ", ".join(short(version) for version in value)
        elif name in TIMES:
            plain[name] = f"{clock(datetime.fromisoformat(str(value)))} UTC"
        elif isinstance(value, (str, int, float)):
            plain[name] = str(value)
    return plain


def _row(run: Any, assessment: Mapping[str, Any]) -> dict[str, Any]:
    scores, trials = assessment.get("scores") or {}, assessment.get("trials") or {}
    every = scores.get("all") or {}
    names = [name for name in SHOWN if every.get(name) is not None]
    return dict(run=run.id, question=title_of(run), verdict=WORDS.get(str((assessment.get("verdict") or {}).get("state")), "Not judged"), trials=trials.get("count"), dsr=trials.get("dsr"), rows=every.get("rows"), **{name: every[name] for name in names})


def _scores(figures: pd.DataFrame) -> None:
    config = st.column_config
    names = [name for name in figures.columns if name not in ("run", "question", "verdict", "trials", "dsr", "rows")]
    columns: dict[str, Any] = {"run": config.TextColumn("Run", width=60), "question": config.TextColumn("Question", width=220), "verdict": config.TextColumn("Verdict", width=150)}
    shown, scores = score_columns(figures, names)
    columns |= scores
    columns |= {"rows": config.NumberColumn("Samples", format="localized", width=74), "trials": config.NumberColumn("Trials", width=56), "dsr": config.NumberColumn("DSR", format="%.3f", width=60)}
    table(shown, columns, f"Scores of {plural(len(figures), 'run')}", row_height=28)


def _gains(runs: Sequence[Any], reports: Mapping[str, Mapping[str, Any]]) -> None:
    """Gains over the baselines of each run, with intervals, on one axis a loss."""
    rows = pd.DataFrame([dict(row, run=run.id) for run in runs for row in reports[run.id].get("baselines") or [] if row.get("gain") is not None])
    if rows.empty:
        st.caption("No run has a gain over a baseline to show.")
        return
    for loss, part in rows.groupby("loss", sort=False):
        over(runs[0], f"Gains over baselines, {words(loss)}", "% of the baseline's mean daily loss, with the 95 % interval; above 0 the model loses less", part, f"gains_{loss}")
        drawn = drawn_of(part).assign(name=[f"{row.run} · {words(row.name)}" for row in part.itertuples(index=False)])
        draw_chart(charts.intervals(drawn, "gain, % of the baseline's loss; 95 %", "gain, %", "+.2f", width=150), alt=f"Gains of {plural(len(runs), 'run')} over their baselines, between {number(float(drawn['value'].min()), 2, True)} % and {number(float(drawn['value'].max()), 2, True)} %")


def _train() -> None:
    if st.button("Train a model", type="primary", icon=":material/model_training:"):
        open_view("train")
