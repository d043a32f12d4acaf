"""Policies of a run: what to do with a signal beyond taking it, replayed on the test folds beside all signals and the filter."""

from __future__ import annotations

from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from app.kit.figures import percent, plural
from app.kit.forms import fields
from app.kit.rights import allowed
from app.kit.text import literal
from app.kit.widgets import attempt, download, job_panel, nothing, section, table
from worker.desk import Desk

ABOUT = "The kernel simulates every action of every signal; each policy is fitted, fold by fold, on what its model was not trained on, and replayed on the tests. No model is fitted again."
MOST = 12           # actions of a policy that are listed


def view(desk: Desk, run: Any) -> None:
    """The newest comparison of a run, its job, or how to get one."""
    if reason := desk.policies.why_not(run):
        st.caption(literal(reason))
        return
    job, policy = desk.policies.job(run.id), desk.policies.of(run.id)
    if job is not None and (policy is None or job.open):
        job_panel(desk, job)
        return
    if policy is None:
        return nothing("No policies yet", ABOUT, lambda: _ask(desk, run))
    _compared(desk, policy)
    _actions(desk, policy)
    with st.expander("Other actions", icon=":material/tune:"):
        _ask(desk, run, dict(policy.spec["grid"]))


def _ask(desk: Desk, run: Any, grid: dict[str, Any] | None = None) -> None:
    entered = fields(desk.policies.grid(), f"policy-{run.id}", grid)
    if st.button("Fit policies", type="primary", icon=":material/alt_route:", key=f"fit-policies-{run.id}", **allowed(desk, "policies.submit")) and attempt(lambda: desk.policies.submit(run.id, entered)) is not None:
        st.rerun()


def _compared(desk: Desk, policy: Any) -> None:
    """A row a way to trade the tested signals, each on an account of its own."""
    rows = pd.DataFrame(policy.summary["policies"])
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        section("Replay of the tests", f"{plural(int(rows['signals'].max()), 'tested signal')}, {percent(float(policy.spec['grid']['risk']), 1)} at risk")
        st.space("stretch")
        download("Policies, JSON", f"policies-{policy.id}.json", "application/json", partial(desk.policies.download, policy.id, "file"), f"policies-{policy.id}")
        download("Choices, CSV", f"choices-{policy.id}.csv", "text/csv", partial(desk.policies.download, policy.id, "choices"), f"choices-{policy.id}")
    shown = rows.assign(reward=rows["reward"] * 1e4, net_return=rows["net_return"] * 100, max_drawdown=rows["max_drawdown"] * 100)
    config = st.column_config
    columns: dict[str, Any] = {
        "policy": config.TextColumn("Policy", width=100), "taken": config.NumberColumn("Taken", format="localized", width=64),
        "reward": config.NumberColumn("Growth, bp", format="%+.2f", width=82, help="Mean log growth a tested signal, each simulated alone; a signal that is skipped counts 0."),
        "trades": config.NumberColumn("Trades", format="localized", width=64), "net_return": config.NumberColumn("Net, %", format="%+.1f", width=66, help="Of the account after all costs, margin and limits."),
        "max_drawdown": config.NumberColumn("Drawdown, %", format="%.1f", width=90), "sharpe": config.NumberColumn("Sharpe", format="%.2f", width=64), "expectancy_r": config.NumberColumn("R a trade", format="%+.3f", width=74),
    }  # fmt: skip
    table(shown, columns, f"{plural(len(rows), 'way')} to trade the tested signals", row_height=26)
    st.caption("Each way trades on an account of its own, after all costs, margin and limits. Risk is that of a signal of size 1.")


def _actions(desk: Desk, tables: Any) -> None:
    """How often each policy took which action."""
    choices, names = desk.policies.table(tables.id, "choices"), tables.summary["actions"]
    for column, (policy, part) in zip(st.columns(max(choices["policy"].nunique(), 1), gap="medium"), choices.groupby("policy", sort=False), strict=False):
        counts = part["action"].value_counts()
        rows = pd.DataFrame(dict(action=[names[int(number)] for number in counts.index], signals=counts.to_numpy(), r=part.groupby("action")["r"].mean().reindex(counts.index).where(counts.index != 0).to_numpy()))
        with column:
            section(str(policy).capitalize(), f"actions by how often; {plural(len(rows), 'action')} of {len(names):,} used")
            config = st.column_config
            columns: dict[str, Any] = {"action": config.TextColumn("Action", width=210), "signals": config.NumberColumn("Signals", format="localized", width=70), "r": config.NumberColumn("Mean R", format="%+.3f", width=70, help="Of those signals with this action, each alone.")}
            table(rows.head(MOST), columns, f"Actions of the policy {policy}", row_height=26)
