"""Look-ahead check: does a feature, or a decision of a strategy, change when future bars are removed?"""

from __future__ import annotations

from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from app.features import request, runs
from app.features.values import level
from app.kit.figures import minus, number, plural, typeset
from app.kit.forms import fields, index_of
from app.kit.rights import allowed
from app.kit.text import literal
from app.kit.widgets import section, table
from worker.desk import Desk

VIEW, KIND = "look-ahead", "gate"
WHAT = ("Features", "Strategy")
LONG = 50_000       # bars, from which on the form advises


def render(desk: Desk) -> None:
    if not desk.data.catalogue():
        return runs.no_bars("The look-ahead check needs prices. Import a file, or generate synthetic ones on the Data page.")
    run, job = runs.current(desk, VIEW, KIND)
    runs.settings(runs.sentence(run) if run else "Check settings", VIEW, run, job, lambda: _form(desk, run))
    runs.body(desk, run, job, lambda run: _result(desk, run), KIND, ("No checks yet", "Everything is computed once with all bars and again at cut points, without the bars after them. Any difference is look-ahead bias."))
    runs.earlier(desk, VIEW, desk.features.latest(KIND), run, _word, "Verdict")


def _form(desk: Desk, run: Any) -> None:
    key, before = _start(desk, run)
    strategies = desk.backtests.strategies()
    what = st.segmented_control("What", WHAT, default=WHAT[1] if before.get("strategy") else WHAT[0], required=True, key=f"{key}-what", label_visibility="collapsed")
    entered = request.ask(desk, f"{key}-{what}", before, with_columns=what == WHAT[0])
    strategy, params = "", {}
    if what == WHAT[1]:
        strategy = st.columns(4)[0].selectbox("Strategy", list(strategies), index=index_of(list(strategies), before.get("strategy")), key=f"{key}-strategy")
        params = fields(desk.backtests.params(strategy), f"{key}-{strategy}", before.get("params") if before.get("strategy") == strategy else None)
    faults = desk.backtests.faults(strategy, params) if strategy else {}
    for fault in faults.values():
        st.error(typeset(fault), icon=":material/error:")
    with st.container(horizontal=True, vertical_alignment="center"):
        sent = st.button("Run check", type="primary", shortcut="Ctrl+Enter", **allowed(desk, "features.submit_gate", disabled=not entered.ready or bool(faults)))
        st.caption(f"{entered.note}{_advice(desk, entered)}")
    if sent and entered.request is not None:
        runs.send(VIEW, partial(desk.features.submit_gate, entered.request, strategy, params))


def _start(desk: Desk, run: Any) -> tuple[str, dict[str, Any]]:
    """The key of the fields and the spec they start from: the run's, or that of the run that the address names under
    ``like``."""
    like = next((source for source in desk.features.latest("columns") if source.id == st.query_params.get("like")), None)
    source = run or like
    return f"gate-{source.id if source else 'new'}", dict(source.spec) if source else {}


def _advice(desk: Desk, form_request: request.FormRequest) -> str:
    bars = desk.features.bars_in(form_request.request) if form_request.request else 0
    return ". A few thousand bars are enough." if bars > LONG else ""


def _word(run: Any) -> str:
    leaks = run.summary["leaks"]
    return f"Look-ahead bias in {plural(len({leak['column'] for leak in leaks}), 'column')}" if leaks else "No look-ahead"


def _result(desk: Desk, run: Any) -> None:
    summary = run.summary
    leaks, members = summary["leaks"], summary["members"]
    checked = members[0]["checked"]
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        verdict = ":green-badge[:material/check: No look-ahead]" if summary["green"] else ":red-badge[:material/error: Look-ahead bias detected]"
        st.markdown(f"{':violet-badge[synthetic] ' if run.synthetic else ''}{verdict} {_sentence(run)}", width="stretch")
        if st.button("Delete…", icon=":material/delete:", type="tertiary", **allowed(desk, "features.delete")):
            runs.delete(desk, VIEW, run)
    if leaks:
        _leaks(leaks)
    section("Checked", f"{plural(len(checked), 'column')}; {', '.join(map(_extent, members))}")
    biased = {leak["column"] for leak in leaks}
    st.markdown(" ".join(f":red-badge[:material/error: {name}]" if name in biased else f":green-badge[:material/check: {name}]" for name in checked))


def _extent(member: dict[str, Any]) -> str:
    return f"{member['instrument']} at {plural(member['cuts'], 'cut')} of {number(member['bars'])} bars"


def _sentence(run: Any) -> str:
    what = f"the strategy **{run.spec['strategy']}**" if run.spec.get("strategy") else f"**{plural(len(run.spec['columns']), 'column')}**"
    cuts = sum(member["cuts"] for member in run.summary["members"])
    if run.summary["green"]:
        return f"No look-ahead: {what} unchanged when future bars are removed ({plural(cuts, 'cut point')})."
    names = list(dict.fromkeys(leak["column"] for leak in run.summary["leaks"]))
    return f"{', '.join(names[:4])}{f' and {len(names) - 4:,} more' if len(names) > 4 else ''}: {'its value' if len(names) == 1 else 'their values'} at a bar {'depends' if len(names) == 1 else 'depend'} on later bars. Results based on {'it' if len(names) == 1 else 'them'} are not valid."


def _leaks(leaks: list[dict[str, Any]]) -> None:
    section("Look-ahead bias", "the bar with the largest difference, with and without the bars after the cut; UTC")
    rows = [dict(column=leak["column"], instrument=leak["instrument"], bar=leak["bar"], ts=leak["ts"].removesuffix(" UTC"), size=level(leak["size"]) if leak["size"] is not None else "in full", seen=minus(leak["seen"]), unseen=minus(leak["unseen"]), bars=leak["bars"]) for leak in leaks]
    config = st.column_config
    columns = {
        "column": config.TextColumn("Column", width=170),
        "instrument": config.TextColumn("Instrument", width=84),
        "bar": config.NumberColumn("Bar", format="localized", width=72),
        "ts": config.TextColumn("UTC", width=124),
        "size": config.TextColumn("Difference", width=92, alignment="right"),
        "seen": config.TextColumn("With", width=100, alignment="right", help="Value with all bars."),
        "unseen": config.TextColumn("Without", width=100, alignment="right", help="Value without the bars from the cut on."),
        "bars": config.NumberColumn("At bars", format="localized", width=72, help="How many bars differ."),
    }
    table(pd.DataFrame(rows), columns, "Each column with look-ahead bias: bar, time and size", row_height=26)
    for leak in leaks[:6]:
        st.caption(f":red[:material/error:] {literal(typeset(leak['sentence']))}")
