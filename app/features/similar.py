"""Similar periods: past bars whose features were closest to those of a reference bar, and their forward returns."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from app.features import matches as pictures
from app.features import request, runs
from app.features.missing import without
from app.features.panels import BASIS_POINTS, everything, headed, read, without_repeats
from app.kit.draw import draw_chart
from app.kit.figures import DASH, number, percent, plural, typeset
from app.kit.forms import fields
from app.kit.rights import allowed
from app.kit.text import literal
from app.kit.widgets import figures, table
from worker.desk import Desk

VIEW, KIND = "similar", "similar"
RECIPE = "vector50"
PANELS, IN_A_ROW = 12, 6
OFTEN = 1.96        # standard errors: the 95 % interval of a mean of random bars


def render(desk: Desk) -> None:
    if not desk.data.catalogue():
        return runs.no_bars("Similar periods are searched in prices. Import a file, or generate synthetic ones on the Data page.")
    run, job = runs.current(desk, VIEW, KIND)
    runs.settings(f"{runs.sentence(run)} · {run.summary['instrument']} {_when(run)} UTC" if run else "Reference bar and features", VIEW, run, job, lambda: _form(desk, run))
    runs.body(desk, run, job, lambda run: _result(desk, run), KIND, ("No searches yet", "A bar is compared with all earlier bars by fifty features at once. Forward returns of the nearest bars are shown beside those of all bars."))
    runs.earlier(desk, VIEW, desk.examinations.latest(KIND), run, lambda other: f"{other.summary['instrument']} {_when(other)}", "Reference bar, UTC")


def _when(run: Any) -> str:
    return f"{datetime.fromisoformat(run.summary['ts']):%Y-%m-%d %H:%M}"


# -- form


def _form(desk: Desk, run: Any) -> None:
    key, before = f"like-{run.id if run else 'new'}", dict(run.spec) if run else {}
    form_request = request.ask(desk, key, before, recipe=RECIPE)
    at, instrument = _bar(desk, key, before, form_request)
    likeness = fields(without_repeats(desk.examinations.forms()["likeness"], before.get("likeness"), without=("method",)), f"{key}-how")
    fault = desk.examinations.faults("likeness", likeness)
    if fault:
        st.error(literal(typeset(fault)), icon=":material/error:")
    with st.container(horizontal=True, vertical_alignment="center"):
        sent = st.button("Find similar bars", type="primary", shortcut="Ctrl+Enter", **allowed(desk, "examinations.submit_similar", disabled=not form_request.ready or bool(fault)))
        st.caption(f"{form_request.note.rstrip('.')}. Matches come only from before the reference bar less the horizon.")
    if sent and form_request.request is not None:
        runs.send(VIEW, partial(desk.examinations.submit_similar, form_request.request, at, instrument, likeness))


def _bar(desk: Desk, key: str, before: dict[str, Any], form_request: request.FormRequest) -> tuple[datetime | None, str]:
    """Time of the reference bar, None for the last, and its instrument."""
    a, b, c, d = st.columns(4, vertical_alignment="bottom")
    names = [dataset.instrument for name in (form_request.request.datasets if form_request.request else ()) if (dataset := desk.data.get(name))]
    instrument = a.selectbox("Reference instrument", names, index=names.index(before["instrument"]) if before.get("instrument") in names else 0, key=f"{key}-instrument-{'-'.join(names)}", help="Instrument of the reference bar. Matches come from all chosen data.") if names else ""
    last = b.toggle("Last bar", not before.get("at"), key=f"{key}-last", help="Otherwise the bar at a date and time.")
    if last:
        return None, str(instrument or "")
    start = datetime.fromisoformat(before["at"]) if before.get("at") else form_request.request.end if form_request.request else datetime.now(UTC)
    day, clock = c.date_input("Date, UTC", start.date(), key=f"{key}-day"), d.time_input("Time, UTC", start.timetz(), key=f"{key}-time", step=300)
    return datetime.combine(day if isinstance(day, date) else start.date(), clock or time(), tzinfo=UTC), str(instrument or "")


# -- result


def _result(desk: Desk, run: Any) -> None:
    _verdict(desk, run)
    without(desk, run, run.summary["left_out"])
    figures(_headline(run))
    left, right = st.columns([3, 2], gap="medium")
    with left:
        headed(desk, run, "Price before and after", "bp from the close of the match", "paths")
        draw_chart(pictures.fan(read(desk, "fan", run.id)), alt="Price around the matches: median, 50 % and 90 % bands, and the path of the reference bar")
        st.caption("Dark band: 50 % of the matches; light band: 90 %; grey line: median; blue: path of the reference bar.")
    with right:
        headed(desk, run, "Forward returns", f"bp over {plural(run.summary['horizon'], 'bar')}; line: all bars", "distribution")
        draw_chart(pictures.distribution(read(desk, "table", run.id, "distribution"), run.summary["figures"]["matches"]), alt="Distribution of forward returns of the matches and of all bars")
        st.caption("Bars: matches; line: all bars they were drawn from; dashed: 25 %, median and 75 % of the matches. The outer bins hold the tails.")
    _panels(desk, run)
    _table(desk, run)
    st.caption(" ".join(literal(typeset(note)) for note in run.summary["notes"]))


def _verdict(desk: Desk, run: Any) -> None:
    z = run.summary["z"]
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        if run.synthetic:
            st.badge("synthetic", color="violet")
        if z is None:
            st.badge("Not evaluated", color="gray", icon=":material/remove:")
        elif abs(z) < OFTEN:
            st.badge("No significant difference", color="gray", icon=":material/remove:")
        else:
            st.badge("Above average" if z > 0 else "Below average", color="blue", icon=":material/trending_up:" if z > 0 else ":material/trending_down:")
        st.caption(f"run {run.id}", width="content")
        st.space("stretch")
        everything(desk, run)
        if st.button("Delete…", icon=":material/delete:", type="tertiary", **allowed(desk, "examinations.delete")):
            runs.delete(desk, VIEW, run)
    st.markdown(_sentence(run))


def _sentence(run: Any) -> str:
    s = run.summary
    matches, every = s["figures"]["matches"], s["figures"]["all"]
    head = f"After the **{plural(s['matches'], 'bar')} most similar to {s['instrument']} {_when(run)} UTC** the median return over {plural(s['horizon'], 'bar')} was **{_bp(matches['median'])}**, after all bars {_bp(every['median'])}."
    hit_rate = f" Hit rate {percent(matches['share_up'], 0)} (95\u202f%: {percent(s['share_low'], 0)} … {percent(s['share_high'], 0)}), of all bars {percent(every['share_up'], 0)}."
    if s["z"] is None:
        difference = ""
    elif abs(s["z"]) < OFTEN:
        difference = f" Their mean is {number(abs(s['z']), 1)} standard errors from that of all bars: no significant difference."
    else:
        difference = f" Their mean is {number(abs(s['z']), 1)} standard errors from that of all bars; about 5\u202f% of such searches are by chance."
    return f"{head}{hit_rate}{difference} Matches come only from before the reference bar less the horizon of {plural(s['horizon'], 'bar')}, so their forward returns were known by then."


def _bp(value: float | None) -> str:
    return DASH if value is None else f"{number(BASIS_POINTS * value, 1, True)}\u202fbp"


def _headline(run: Any) -> list[tuple[str, str, str, str]]:
    s = run.summary
    matches, every = s["figures"]["matches"], s["figures"]["all"]
    return [
        ("Median", _bp(matches["median"]), f"all {_bp(every['median'])}", "Of the log returns after the matches; 1 bp is 0.0001."),
        ("Mean", _bp(matches["mean"]), f"all {_bp(every['mean'])}", "Before costs."),
        ("Interquartile range", f"{number(BASIS_POINTS * matches['q25'], 0, True)} … {number(BASIS_POINTS * matches['q75'], 0, True)}", f"all {number(BASIS_POINTS * every['q25'], 0, True)} … {number(BASIS_POINTS * every['q75'], 0, True)}", "bp: 25 % are below, 25 % above."),
        ("5–95 % range", f"{number(BASIS_POINTS * matches['q05'], 0, True)} … {number(BASIS_POINTS * matches['q95'], 0, True)}", f"all {number(BASIS_POINTS * every['q05'], 0, True)} … {number(BASIS_POINTS * every['q95'], 0, True)}", "bp: 5 % are below, 5 % above."),
        ("Hit rate", percent(matches["share_up"], 0), f"{percent(s['share_low'], 0)} … {percent(s['share_high'], 0)}", "Share of returns above zero, with its 95 % Wilson interval."),
        ("Standard deviation", f"{number(BASIS_POINTS * matches['deviation'], 1)}\u202fbp", f"all {number(BASIS_POINTS * every['deviation'], 1)}\u202fbp", "Dispersion of the log returns."),
        ("Distance", f"{number(s['nearest'], 1)} … {number(s['farthest'], 1)}", plural(len(s["columns"]), "feature"), f"Euclidean, over features in standard deviations. Left out: {', '.join(s['left_out']) or 'none'}."),
    ]


def _panels(desk: Desk, run: Any) -> None:
    shown = read(desk, "paths", run.id, PANELS)
    matched = read(desk, "table", run.id, "matches").head(PANELS)
    headed(desk, run, "Nearest matches", f"{plural(len(matched), 'match', 'matches')}, bp from the close of the match; date and forward return", "paths")
    draw_chart(pictures.panels(shown, matched, IN_A_ROW), alt=f"Price before and after each of the {len(matched)} nearest matches")


def _table(desk: Desk, run: Any) -> None:
    matched = read(desk, "table", run.id, "matches")
    headed(desk, run, "Matches", "nearest first; times are bar opens, UTC", "matches")
    rows = matched.assign(when=matched["ts"].dt.strftime("%Y-%m-%d %H:%M"), followed=BASIS_POINTS * matched["followed"])
    config = st.column_config
    columns: dict[str, Any] = {
        "rank": config.NumberColumn("#", width=44),
        "when": config.TextColumn("UTC", width=130),
        **({"instrument": config.TextColumn("Instrument", width=90)} if "instrument" in matched else {}),
        "distance": config.NumberColumn("Distance", format="%.2f", width=84),
        "followed": config.NumberColumn(f"After {plural(run.summary['horizon'], 'bar')}, bp", format="%+.1f", width=130),
    }
    table(pd.DataFrame(rows), columns, "Matches with time, distance and forward return", row_height=26, height="auto" if len(rows) < 10 else 298)
