"""The replay of a decision: requested, under way, and what came out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from app.kit.figures import exact, short, typeset
from app.kit.rights import allowed
from app.kit.text import literal
from app.kit.widgets import attempt, job_panel, table
from worker.desk import Desk

JOB = "replay"          # query parameter: the job that is under way
VERDICTS: Mapping[str, tuple[Any, str, str]] = {
    "equal": ("green", ":material/check:", "Equal"),
    "unchanged": ("green", ":material/check:", "Unchanged"),
    "differs": ("red", ":material/close:", "Differs"),
    "impossible": ("gray", ":material/remove:", "Cannot be computed"),
}


def replay_panel(desk: Desk, event: Any) -> None:
    if not event.replay:
        return
    job = desk.jobs.get(st.query_params.get(JOB, ""))
    own = job is not None and job.kind == JOB and job.spec.get("seq") == event.seq
    if own and job_panel(desk, job):
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        if st.button("Replay decision", icon=":material/replay:", key=f"replay-{event.seq}", **allowed(desk, "trail.replay", help=event.replay)):
            _begin(desk, event, 0, "")
        if event.has_orders:
            with st.popover("One order…", icon=":material/filter_1:", type="tertiary"):
                _one_order(desk, event)
    if own and job is not None:
        result(job.result)
        return
    last = next(iter(desk.trail.replays(event.seq)), None)
    if last is not None:
        done = next((job_ for name in last.entities if name.startswith("job:") and (job_ := desk.jobs.get(name.removeprefix("job:")))), None)
        result(done.result if done and done.result else last.detail)
        st.caption(f"Replayed {last.ts[:16].replace('T', ' ')} UTC by {literal(last.actor)}")


def _one_order(desk: Desk, event: Any) -> None:
    with st.form(f"order-{event.seq}", border=False):
        order = st.number_input("Order, number", min_value=1, value=1, step=1, help="As in the run's fills and rejected orders.")
        instrument = st.text_input("Instrument", placeholder="the run's first", max_chars=32)
        if st.form_submit_button("Replay order", icon=":material/replay:", **allowed(desk, "trail.replay")):
            _begin(desk, event, int(order), instrument.strip())


def _begin(desk: Desk, event: Any, order: int, instrument: str) -> None:
    submitted = attempt(lambda: desk.trail.replay(str(event.seq), order, instrument))
    if submitted is not None:
        st.query_params.update({JOB: submitted.job.id, "event": str(event.seq)})
        st.rerun()


def result(replayed: Mapping[str, Any]) -> None:
    """Equal, or what differs; the numbers of one order below."""
    colour, icon, word = VERDICTS[replayed["verdict"]]
    st.badge(word, color=colour, icon=icon)
    st.caption(literal(typeset(replayed["sentence"])))
    checks = replayed.get("checks", [])
    if checks:
        rows = pd.DataFrame([dict(what=check["what"], same="yes" if check["same"] else "no", recorded=_shown(check["recorded"]), now=_shown(check["now"])) for check in checks])
        columns = {name: st.column_config.TextColumn(title, width=width) for name, title, width in (("what", "Compared", 88), ("same", "Equal", 42), ("recorded", "Recorded", 66), ("now", "Now", 66))}
        table(rows, columns, "What was compared with what was recorded", row_height=26)
    if replayed.get("decision"):
        decision(replayed["decision"])


def _shown(text: str) -> str:
    """A hash as pages show it; anything else whole."""
    return short(text) if len(text) == 64 and " " not in text else text


def decision(decided: Mapping[str, Any]) -> None:
    """One order: signal, features, size and limits with their inputs."""
    signal, size = decided["signal"], decided["size"]
    rows = [("Decided, UTC", str(decided["decided"])[:16].replace("T", " ")), ("Signal", f"{'long' if signal['side'] > 0 else 'short'}, {signal['order']}")]
    rows += [(name.replace("_", " ").capitalize(), _number(value)) for name, value in signal.items() if name not in ("side", "order", "tag") and value is not None]
    rows += [(name, _number(value)) for name, value in decided["features"].items()]
    rows += [(title, _number(size[name])) for name, title in (("equity", "Equity"), ("entry", "Expected entry"), ("share", "Share at stake"), ("per_lot", "Stake of one lot"), ("unrounded", "Lots, unrounded"), ("lots", "Lots")) if size.get(name) is not None]
    columns = {"Input": st.column_config.TextColumn("Input", width=120), "Value": st.column_config.TextColumn("Value", width=140)}
    table(pd.DataFrame(rows, columns=["Input", "Value"]), columns, f"Inputs of order {decided['order']}", row_height=26)
    if decided["limits"]:
        limits(decided["limits"])


def limits(judged: Any) -> None:
    rows = [dict(limit=limit["title"], value=_number(limit["value"]), allowed=_number(limit["allowed"]), unit=limit["unit"], verdict="passes" if limit["passes"] else "refuses", when=limit["when"]) for limit in judged]
    widths = dict(limit=112, value=56, allowed=56, verdict=56, when=60, unit=96)
    columns = {name: st.column_config.TextColumn(name.capitalize(), width=width) for name, width in widths.items()}
    table(pd.DataFrame(rows), columns, "Limits of this order, with what they were judged by", row_height=26)


def _number(value: Any) -> str:
    """A value as plain JSON has it, numbers as text among them."""
    if value is None:
        return "—"
    try:
        return exact(float(f"{float(value):.7g}"))
    except (TypeError, ValueError):
        return str(value)


