"""Similar: moments of the past that looked like a chosen bar, and what followed them."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from app.features import matches as pictures
from app.features import request, runs
from app.features.missing import without
from app.features.panels import BASIS_POINTS, everything, headed, read, read_well
from app.kit.figures import DASH, number, percent, plural, typeset
from app.kit.forms import fields
from app.kit.text import literal
from app.kit.widgets import figures, table
from worker.desk import Desk

VIEW, KIND = "similar", "similar"
RECIPE = "vector50"
PANELS, IN_A_ROW = 12, 6
OFTEN = 1.96        # standard errors, within which moments drawn by chance lie 95 times in 100


def render(desk: Desk) -> None:
    if not desk.data.catalogue():
        return runs.no_bars("Like moments are sought among bars. Import a file, or make synthetic bars on the Data page.")
    run, job = runs.current(desk, VIEW, KIND)
    with st.expander(f"{runs.sentence(run)} · {run.summary['instrument']} {_when(run)} UTC" if run else "Choose a bar, and by what it is to be like", expanded=run is None and job is None, icon=":material/edit:"):
        _form(desk, run)
    runs.body(desk, run, job, lambda run: _result(desk, run), KIND, ("Nothing compared yet", "A bar is held against all that came before it, by fifty features at once. What followed the nearest moments stands beside what followed all."))
    runs.earlier(desk, VIEW, desk.examinations.latest(KIND), run, lambda one: f"{one.summary['instrument']} {_when(one)}", "The bar, UTC")


def _when(run: Any) -> str:
    return f"{datetime.fromisoformat(run.summary['ts']):%Y-%m-%d %H:%M}"


# -- asking


def _form(desk: Desk, run: Any) -> None:
    key, before = f"like-{run.id if run else 'new'}", dict(run.spec) if run else {}
    on = request.ask(desk, key, before, recipe=RECIPE)
    at, instrument = _bar(desk, key, before, on)
    likeness = fields(read_well(desk.examinations.forms()["likeness"], before.get("likeness"), without=("method",)), f"{key}-how")
    fault = desk.examinations.faults("likeness", likeness)
    if fault:
        st.error(literal(typeset(fault)), icon=":material/error:")
    with st.container(horizontal=True, vertical_alignment="center"):
        sent = st.button("Find like moments", type="primary", shortcut="Ctrl+Enter", disabled=not on.ready or bool(fault))
        st.caption(f"{on.told}. Matches come only from before the chosen bar less the horizon.")
    if sent and on.question is not None:
        runs.send(VIEW, partial(desk.examinations.submit_similar, on.question, at, instrument, likeness))


def _bar(desk: Desk, key: str, before: dict[str, Any], on: request.Asked) -> tuple[datetime | None, str]:
    """The chosen bar's time, None for the last, and whose it is."""
    a, b, c, d = st.columns(4, vertical_alignment="bottom")
    names = [one.instrument for name in (on.question.datasets if on.question else ()) if (one := desk.data.get(name))]
    instrument = a.selectbox("Instrument", names, index=names.index(before["instrument"]) if before.get("instrument") in names else 0, key=f"{key}-instrument-{'-'.join(names)}", help="Whose bar is held against the past. Matches come from all chosen bars.") if names else ""
    last = b.toggle("The last bar", not before.get("at"), key=f"{key}-last", help="Else a day and a time: the bar that holds it.")
    if last:
        return None, str(instrument or "")
    start = datetime.fromisoformat(before["at"]) if before.get("at") else on.question.end if on.question else datetime.now(UTC)
    day, clock = c.date_input("Day, UTC", start.date(), key=f"{key}-day"), d.time_input("Time, UTC", start.timetz(), key=f"{key}-time", step=300)
    return datetime.combine(day if isinstance(day, date) else start.date(), clock or time(), tzinfo=UTC), str(instrument or "")


# -- the answer


def _result(desk: Desk, run: Any) -> None:
    _verdict(desk, run)
    without(desk, run, run.summary["left_out"])
    figures(_headline(run))
    left, right = st.columns([3, 2], gap="medium")
    with left:
        headed(desk, run, "Price, before and after", "bp against the close of the match", "paths")
        st.altair_chart(pictures.fan(read(desk, "fan", run.id)), width="stretch", alt="How the price moved around the matches: median, half and nine tenths of them, and the chosen bar's own path")
        st.caption("Dark band: half of the matches; light band: nine tenths; grey line: their median; blue: the chosen bar's own way there.")
    with right:
        headed(desk, run, "What followed", f"bp over {plural(run.summary['horizon'], 'bar')}; line: all moments", "distribution")
        st.altair_chart(pictures.distribution(read(desk, "table", run.id, "distribution"), run.summary["figures"]["matches"]), width="stretch", alt="How what followed the matches lies, against what followed all moments")
        st.caption("Bars: matches; line: all moments they were taken from; dashed: quarter, median, three quarters of the matches. The ends hold the tails.")
    _panels(desk, run)
    _table(desk, run)
    st.caption(" ".join(literal(typeset(note)) for note in run.summary["notes"]))


def _verdict(desk: Desk, run: Any) -> None:
    z = run.summary["z"]
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        if run.synthetic:
            st.badge("synthetic", color="violet")
        if z is None:
            st.badge("not judged", color="gray", icon=":material/remove:")
        elif abs(z) < OFTEN:
            st.badge("like any moments", color="gray", icon=":material/remove:")
        else:
            st.badge("higher than usual" if z > 0 else "lower than usual", color="blue", icon=":material/trending_up:" if z > 0 else ":material/trending_down:")
        st.caption(f"run {run.id}", width="content")
        st.space("stretch")
        everything(desk, run)
        if st.button("Delete…", icon=":material/delete:", type="tertiary"):
            runs.delete(desk, VIEW, run)
    st.markdown(_sentence(run))


def _sentence(run: Any) -> str:
    s = run.summary
    found, every = s["figures"]["matches"], s["figures"]["all"]
    head = f"After the **{plural(s['matches'], 'moment')} most like {s['instrument']} {_when(run)} UTC** the median return over {plural(s['horizon'], 'bar')} was **{_bp(found['median'])}**, after all moments {_bp(every['median'])}."
    rose = f" {percent(found['share_up'], 0)} of them rose (95 %: {percent(s['share_low'], 0)} … {percent(s['share_high'], 0)}), of all {percent(every['share_up'], 0)}."
    if s["z"] is None:
        apart = ""
    elif abs(s["z"]) < OFTEN:
        apart = f" Their mean lies {number(abs(s['z']), 1)} standard errors from that of all: as many moments drawn by chance often do."
    else:
        apart = f" Their mean lies {number(abs(s['z']), 1)} standard errors from that of all: of a hundred such questions some five do by chance."
    return f"{head}{rose}{apart} Neighbours come only from before the chosen bar less the horizon of {plural(s['horizon'], 'bar')}, so all that followed them was known by then."


def _bp(value: float | None) -> str:
    return DASH if value is None else f"{number(BASIS_POINTS * value, 1, True)}\u202fbp"


def _headline(run: Any) -> list[tuple[str, str, str, str]]:
    s = run.summary
    found, every = s["figures"]["matches"], s["figures"]["all"]
    return [
        ("Median", _bp(found["median"]), f"all {_bp(every['median'])}", "Of the log returns after the matches; 1 bp is 0.0001."),
        ("Mean", _bp(found["mean"]), f"all {_bp(every['mean'])}", "Costs are not taken off."),
        ("Half between", f"{number(BASIS_POINTS * found['q25'], 0, True)} … {number(BASIS_POINTS * found['q75'], 0, True)}", f"all {number(BASIS_POINTS * every['q25'], 0, True)} … {number(BASIS_POINTS * every['q75'], 0, True)}", "bp: a quarter lies below, a quarter above."),
        ("Nine tenths", f"{number(BASIS_POINTS * found['q05'], 0, True)} … {number(BASIS_POINTS * found['q95'], 0, True)}", f"all {number(BASIS_POINTS * every['q05'], 0, True)} … {number(BASIS_POINTS * every['q95'], 0, True)}", "bp: one in twenty lies below, one above."),
        ("Rose", percent(found["share_up"], 0), f"{percent(s['share_low'], 0)} … {percent(s['share_high'], 0)}", "Share above zero, with its 95 % interval after Wilson."),
        ("Deviation", f"{number(BASIS_POINTS * found['deviation'], 1)}\u202fbp", f"all {number(BASIS_POINTS * every['deviation'], 1)}\u202fbp", "Of the log returns: how wild what followed was."),
        ("Distance", f"{number(s['nearest'], 1)} … {number(s['farthest'], 1)}", plural(len(s["columns"]), "column"), f"Euclid's, over columns in standard deviations. Left out: {', '.join(s['left_out']) or 'none'}."),
    ]


def _panels(desk: Desk, run: Any) -> None:
    shown = read(desk, "paths", run.id, PANELS)
    matched = read(desk, "table", run.id, "matches").head(PANELS)
    headed(desk, run, "The nearest", f"{plural(len(matched), 'match', 'matches')}, bp against the close of the match; rule: the match; day and what followed", "paths")
    st.altair_chart(pictures.panels(shown, matched, IN_A_ROW), width="stretch", alt=f"Price before and after each of the {len(matched)} nearest matches")


def _table(desk: Desk, run: Any) -> None:
    matched = read(desk, "table", run.id, "matches")
    headed(desk, run, "Matches", "nearest first; times are the opens of their bars, UTC", "matches")
    rows = matched.assign(when=matched["ts"].dt.strftime("%Y-%m-%d %H:%M"), followed=BASIS_POINTS * matched["followed"])
    config = st.column_config
    columns: dict[str, Any] = {
        "rank": config.NumberColumn("#", width=44),
        "when": config.TextColumn("UTC", width=130),
        **({"instrument": config.TextColumn("Instrument", width=90)} if "instrument" in matched else {}),
        "distance": config.NumberColumn("Distance", format="%.2f", width=84),
        "followed": config.NumberColumn(f"After {plural(run.summary['horizon'], 'bar')}, bp", format="%+.1f", width=130),
    }
    table(pd.DataFrame(rows), columns, "Matches with their time, distance and what followed", row_height=26, height=min(38 + 26 * len(rows), 298))
