"""A job of training: finished folds with their scores, live loss, time left; what is left of one that failed or was cancelled."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from app.kit.draw import draw_chart
from app.kit.figures import clock, exact, lasted, plural
from app.kit.rights import allowed
from app.kit.text import literal
from app.kit.widgets import attempt, job_panel, section, table
from app.training import charts
from app.training.addresses import open_view
from app.training.question import show
from app.training.score_columns import score_columns
from app.training.scores import SHOWN
from worker.desk import Desk

EVERY = 2.0         # seconds between two looks at the finished folds
MOST = 6            # of them


def running(desk: Desk, job: Any) -> bool:
    """Draw a job that has not succeeded; True while it is open."""
    if job.state == "cancelled":
        _cancelled(desk, job)
        return False
    job_panel(desk, job)
    if job.open:
        st.fragment(_live, run_every=EVERY)(desk, job.id)
    elif job.state == "failed":
        _failed(desk, job)
    return bool(job.open)


def _live(desk: Desk, job_id: str) -> None:
    progress = desk.training.progress(job_id)
    if progress.expected:
        st.markdown(f"**{len(progress.folds):,} of {plural(progress.expected, 'fold')}** finished")
    live_loss(progress.live)
    folds(progress.folds, "Finished folds", "scores on each test part, UTC")
    if not progress.expected:
        st.skeleton(200)


def live_loss(live: pd.DataFrame) -> None:
    """Loss on the validation part of the fold that is fitted now."""
    curve = live.dropna(subset=["loss"])
    if curve.empty:
        return
    last = curve[curve["fold"] == curve["fold"].max()].iloc[-1]      # the strong line
    loss = exact(float(f"{last['loss']:.4g}"))
    section("Loss", f"validation part of fold {int(last['fold'])}{' · ' if last['of'] else ''}{last['of']}, now {loss}")
    draw_chart(charts.losses(curve, "loss"), alt=f"Loss of fold {int(last['fold'])} over its fit; now {loss}")


def folds(rows: pd.DataFrame, title: str, note: str) -> None:
    """Finished folds with their scores."""
    if rows.empty:
        st.caption("No fold is finished yet.")
        return
    section(title, note)
    scores = [name for name in SHOWN if name in rows and rows[name].notna().any()][:MOST]
    config = st.column_config
    shown, measured = score_columns(rows, scores)
    shown = shown.assign(**{name: [clock(pd.Timestamp(value))[:10] if not pd.isna(value) else "" for value in rows[name]] for name in ("start", "end") if name in rows})
    columns: dict[str, Any] = {
        "fold": config.NumberColumn("Fold", width=46), "start": config.TextColumn("Test from", width=84), "end": config.TextColumn("Test to", width=84),
        "train": config.NumberColumn("Trained on", format="localized", width=76, help="Samples of the training part, after purging."), "test": config.NumberColumn("Tested on", format="localized", width=76),
        **measured,
    }  # fmt: skip
    present = {name: column for name, column in columns.items() if name in shown}
    table(shown, present, f"{plural(len(rows), 'finished fold')} with scores", row_height=26, height="auto" if len(rows) <= 12 else 340)


def _cancelled(desk: Desk, job: Any) -> None:
    """After how long, what is kept, and Resume."""
    run = (job.result or {}).get("run") or next((run.id for run in desk.training.latest() if run.job_id == job.id), None)
    progress = desk.training.progress(job.id)
    done = len(progress.folds)
    kept = f"{done:,} of {plural(progress.expected, 'fold')} {'is' if done == 1 else 'are'} kept" if done and progress.expected else f"{plural(done, 'fold')} kept" if done else "No fold was finished, so nothing is kept"
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.badge("partial" if done else "cancelled", color="gray", icon=":material/block:")
            st.markdown(f"**{literal(job.title)} was cancelled** after {lasted(desk.jobs.seconds(job))}. {kept}.", width="content")
            st.space("stretch")
            if run and st.button("Open the partial result", key=f"partial-{job.id}"):
                open_view("result", run=str(run))
            if st.button("Resume" if done else "Run again", type="primary", icon=":material/replay:", key=f"resume-{job.id}", **allowed(desk, "training.resume")):
                resume(desk, job, str(run or ""))
        if done:
            st.caption("Finished folds are not fitted again. A partial run is never promoted; it counts as a trial, because its folds were seen.")
    folds(progress.folds, "Finished folds", "scores on each test part, UTC")


def resume(desk: Desk, job: Any, run: str) -> None:
    if run:
        show(attempt(lambda: desk.training.resume(run)))
    else:
        desk.jobs.retry(job.id)
        st.rerun()


def _failed(desk: Desk, job: Any) -> None:
    """Below the sentence of the failure: the finished folds, if any."""
    progress = desk.training.progress(job.id)
    if len(progress.folds):
        folds(progress.folds, "Finished folds", "before it failed; scores on each test part, UTC")
