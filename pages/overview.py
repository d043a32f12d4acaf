"""Overview: what needs attention, what is running, what happened."""

from __future__ import annotations

import streamlit as st

from app.kit.figures import clock, number, percent, plural
from app.kit.page import Page
from app.kit.rights import allowed
from app.kit.tables import events_frame, run_columns, runs_frame
from app.kit.text import literal
from app.kit.widgets import go, head, section, table
from app.overview.attention import attention
from app.overview.equity import recent_equity
from app.overview.example import example_pair
from app.overview.jobs import jobs_view

PAGE = Page("Overview", "", 0, "water")


def render(desk) -> None:
    pulse, runs, datasets = desk.jobs.pulse(), desk.backtests.latest(), desk.data.catalogue()
    done = steps_done(desk, runs, datasets)
    head("Overview", f"{pulse.now:%A} {clock(pulse.now)} UTC · {plural(pulse.running + pulse.queued, 'job')} active", new_backtest if done[0] else None)
    attention(desk, pulse)
    if not all(done):
        first_steps(desk, done)
    if any(done[:2]):
        cards(pulse, runs, datasets)
    shown = desk.system.has_example() or bool(runs)
    left, right = st.columns([3, 2], gap="medium")
    with left:
        if desk.system.has_example():
            example(desk)
        recent_runs(runs)
        recent_equity(desk, runs)
        if not shown:
            recent_activity(desk, wide=True)
    with right:
        jobs_view(desk)
        if shown:
            recent_activity(desk)


def new_backtest() -> None:
    if st.button("New backtest", type="primary", icon=":material/add:"):
        go("backtest")


def steps_done(desk, runs, datasets) -> tuple[bool, bool, bool]:
    """Which of the three first steps are done: data imported, a backtest run, the audit trail verified by a person."""
    return any(not dataset.example for dataset in datasets), any(not run.example for run in runs), desk.trail.verified_by_person()


def first_steps(desk, done: tuple[bool, bool, bool]) -> None:
    """Draw the three first steps until all are done: done ones marked, the next one primary."""
    if not any(done[:2]) and desk.system.has_example():
        st.markdown("No data of your own yet. The numbers below come from a :violet-badge[synthetic] example that you can remove at any time.")
    elif not any(done[:2]):
        st.markdown("No data yet.")
    following = done.index(False)
    steps: tuple[tuple[str, str, str, str, dict[str, str]], ...] = (
        ("Import price data", "A CSV, Parquet, MetaTrader or HistData file. Its time zone and its errors are shown before anything is stored.", "Import a file", "data", {"do": "import"}),
        ("Run a backtest", "Choose a strategy, data and a date range. Costs are on by default. A year of M5 bars takes about a second.", "Start a backtest", "backtest", {}),
        ("Verify the audit trail", "Every step leaves an event in an append-only trail. Verify and export it.", "Open the audit", "audit", {}),
    )
    with st.grid(3, gap="small"):
        for number_, (title, text, label, page, query) in enumerate(steps, 1):
            with st.container(border=True, gap="xsmall", height="stretch"):
                st.caption(f"Step {number_} of 3{' · :green[:material/check:] done' if done[number_ - 1] else ''}")
                st.header(title, anchor=False)
                st.caption(text)
                if st.button(label, type="primary" if number_ - 1 == following else "secondary", key=f"step-{number_}"):
                    go(page, **query)


def cards(pulse, runs, datasets) -> None:
    own, bars = [run for run in runs if not run.example], sum(dataset.bars for dataset in datasets)
    last = own[0] if own else None
    verified = pulse.verified
    with st.grid(4, min_column_width=170, gap="small"):
        st.metric("Backtests", number(len(own)), f"{plural(pulse.failed_today, 'failed job')} today", delta_color="off", delta_arrow="off", border=True, height="stretch", help="Finished backtests of this workspace, the example not counted.")
        st.metric("Last backtest, net return", percent(last.summary["metrics"]["net_return"], 1, True) if last else "—", literal(last.title) if last else "no backtest yet", delta_color="off", delta_arrow="off", border=True, height="stretch", chart_data=last.summary["curve"] if last else None, help="Final equity over the start, after all costs.")
        st.metric("Bars", number(bars), plural(len(datasets), "dataset"), delta_color="off", delta_arrow="off", border=True, height="stretch", help="Bars in the catalogue, synthetic ones included.")
        st.metric("Audit events", number(pulse.rows), f"verified {clock(verified['at'])} UTC" if verified and verified["holds"] else "not verified", delta_color="off", delta_arrow="off", border=True, height="stretch", help="Events in the audit trail.")


def example(desk) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        section("Example", "breakout on synthetic EURUSD M15")
        st.space("stretch")
        st.badge("synthetic", color="violet")
    example_pair(desk)
    if st.button("Remove the example…", type="tertiary", icon=":material/delete:", **allowed(desk, "system.remove_example")):
        remove_example(desk)


@st.dialog("Remove the example?")
def remove_example(desk) -> None:
    st.markdown("Both synthetic datasets and the two backtests on them are deleted. They are made once, on the first start, and do not come back. Your own data and runs stay.")
    if st.button("Remove", type="primary", icon=":material/delete:", **allowed(desk, "system.remove_example")):
        desk.system.remove_example()
        st.rerun()


def recent_runs(runs) -> None:
    if not runs:
        return
    section("Recent backtests", "newest first; select one to open it")
    row = table(runs_frame(runs[:8]), run_columns(wide=False), "The latest backtests with equity, net result, drawdown and trades", key="recent", pick=True)
    if row is not None:
        go("backtest", run=runs[row].id)


def recent_activity(desk, wide: bool = False) -> None:
    section("Recent activity", "from the audit trail")
    events = desk.trail.rows(size=8)
    columns = {"at": st.column_config.TextColumn("UTC", width=76), "event": st.column_config.TextColumn("Event", width=130 if wide else 116), "detail": st.column_config.TextColumn("Detail", width=320 if wide else 146)}
    table(events_frame(events, desk.jobs.now()), columns, "The latest audit events")
