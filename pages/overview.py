"""Overview: what needs attention, what is running, what happened."""

from __future__ import annotations

import streamlit as st

from app.figures import clock, number, percent, plural
from app.jobs_view import jobs_view
from app.page import Page
from app.results import example_pair
from app.tables import events_frame, run_columns, runs_frame
from app.text import literal
from app.widgets import go, head, section, table

PAGE = Page("Overview", "", 0, "water")


def render(desk) -> None:
    pulse, runs, datasets = desk.jobs.pulse(), desk.backtests.latest(), desk.data.catalogue()
    own = [run for run in runs if not run.example] + [one for one in datasets if not one.example]
    head("Overview", f"{pulse.now:%A} {clock(pulse.now)} UTC · {plural(pulse.running + pulse.queued, 'job')} open", new_backtest if own else None)
    attention(desk, pulse)
    if not own:
        first_steps(desk)
    else:
        cards(pulse, runs, datasets)
    left, right = st.columns([3, 2], gap="medium")
    with left:
        if desk.house.has_example():
            example(desk)
        recent_runs(runs)
    with right:
        jobs_view(desk)
        just_happened(desk)


def new_backtest() -> None:
    if st.button("New backtest", type="primary", icon=":material/add:"):
        go("backtest")


def attention(desk, pulse) -> None:
    """At most three things, worst first: what happened, and the one thing to do."""
    said = []
    if pulse.verified and not pulse.verified["holds"]:
        said.append((":red[:material/error:]", f"**The audit trail does not verify.** {literal(pulse.verified['why'])}", "Open the audit", "audit"))
    if not pulse.workers:
        said.append((":red[:material/error:]", "**No worker is running.** Jobs wait until one is: start the house with `make run`.", "See health", "settings"))
    elif not pulse.scheduler:
        said.append((":orange[:material/warning:]", "**The scheduler is not running.** A job whose worker dies is not taken over.", "See health", "settings"))
    said += [(":orange[:material/warning:]", f"**{part.part}:** {literal(part.note)}.", "See health", "settings") for part in desk.house.health() if part.part in ("Queue", "Disk") and part.state != "well"]
    for number_, (icon, text, label, page) in enumerate(said[:3]):
        with st.container(border=True, horizontal=True, vertical_alignment="center", gap="xsmall"):
            st.markdown(f"{icon} {text}", width="stretch")
            if st.button(label, type="tertiary", key=f"attend-{number_}"):
                go(page)


def first_steps(desk) -> None:
    if desk.house.has_example():
        st.markdown("Nothing of yours is here yet. The numbers below come from a :violet-badge[synthetic] example you can remove at any time.")
    else:
        st.markdown("Nothing is here yet.")
    steps: tuple[tuple[str, str, str, str, dict[str, str]], ...] = (
        ("Bring bars", "A CSV, Parquet, MetaTrader or HistData file. Its clock and its faults are shown before anything is stored.", "Import a file", "data", {"do": "import"}),
        ("Test an idea", "Choose a strategy, an instrument and a span. Costs are on by default. A year of M5 bars takes about a second.", "Start a backtest", "backtest", {}),
        ("Check the evidence", "Every step leaves an event in an append-only trail. Verify it, and take it along.", "Open the audit", "audit", {}),
    )
    with st.grid(3, gap="small"):
        for number_, (title, text, label, page, query) in enumerate(steps, 1):
            with st.container(border=True, gap="xsmall", height="stretch"):
                st.caption(f"Step {number_} of 3")
                st.markdown(f"**{title}**")
                st.caption(text)
                if st.button(label, type="primary" if number_ == 1 else "secondary", key=f"step-{number_}"):
                    go(page, **query)


def cards(pulse, runs, datasets) -> None:
    own, bars = [run for run in runs if not run.example], sum(one.bars for one in datasets)
    last = own[0] if own else None
    verified = pulse.verified
    with st.grid(4, min_column_width=170, gap="small"):
        st.metric("Runs", number(len(own)), f"{pulse.failed_today} failed today", delta_color="off", delta_arrow="off", border=True, height="stretch", help="Finished backtests of this workspace, the example not counted.")
        st.metric("Last run, net", percent(last.summary["metrics"]["net_return"], 1, True) if last else "—", literal(last.title) if last else "no run yet", delta_color="off", delta_arrow="off", border=True, height="stretch", chart_data=last.summary["curve"] if last else None, help="Final equity over the start, after all costs.")
        st.metric("Bars", number(bars), plural(len(datasets), "dataset"), delta_color="off", delta_arrow="off", border=True, height="stretch", help="Bars in the catalogue, synthetic ones included.")
        st.metric("Audit head", number(pulse.rows), f"verified {clock(verified['at'])} UTC" if verified and verified["holds"] else "not verified", delta_color="off", delta_arrow="off", border=True, height="stretch", help="Events in the audit trail.")


def example(desk) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        section("The example", "breakout on synthetic EURUSD M15")
        st.space("stretch")
        st.badge("synthetic", color="violet")
    example_pair(desk)
    if st.button("Remove the example", type="tertiary", icon=":material/delete:"):
        desk.house.remove_example()
        st.rerun()


def recent_runs(runs) -> None:
    if not runs:
        return
    section("Recent runs", "newest first; choose one to open it")
    row = table(runs_frame(runs[:8]), run_columns(wide=False), "The latest runs with equity, net result, drawdown and trades", key="recent", pick=True)
    if row is not None:
        go("backtest", run=runs[row].id)


def just_happened(desk) -> None:
    section("Just happened", "from the audit trail")
    events, _ = desk.trail.page(size=8)
    columns = {"at": st.column_config.TextColumn("UTC", width=66), "event": st.column_config.TextColumn("Event", width=116), "detail": st.column_config.TextColumn("Detail", width=156)}
    table(events_frame(events, desk.jobs.now()), columns, "The latest audit events")
