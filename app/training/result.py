"""A run of training: verdict and leakage first, then figures, folds, and what it is worth by fold, year, regime and age."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from app.kit.altered import altered_runs
from app.kit.figures import DASH, clock, number, percent, plural, typeset
from app.kit.rights import allowed
from app.kit.text import literal
from app.kit.widgets import attempt, figures, nothing, section, table
from app.training import calibration, compare, earned, explain, folds, groups, policies, running, runs
from app.training.addresses import open_view, request_of, run_of_address
from app.training.panels import badge, everything, report
from app.training.question import SCHEMES, sentence, show
from app.training.result_words import WORDS, title_of
from app.training.scores import score, written
from worker.desk import Desk

TABS = ("Folds", "Scores", "Calibration", "Explanation", "Policies", "Samples and files")


def render(desk: Desk) -> None:
    run = run_of_address(desk)
    every = desk.training.latest()
    altered_runs(desk, "train")
    if not every:
        return nothing("No training yet", "A model is judged out of sample, net of costs and of all that was tried. Ask a question first.", start)
    if run is not None:
        result(desk, run)
    runs.earlier(every, run)


def start() -> None:
    if st.button("Train a model", type="primary", icon=":material/model_training:"):
        open_view("train")


def result(desk: Desk, run: Any) -> None:
    """One run, whole or partial."""
    partial, request = desk.training.partial(run.id), request_of(desk, run)
    _head(desk, run, partial)
    st.caption(sentence(desk, request) if request else literal(f"{run.title}; its data was deleted."))
    if partial:
        return _partial(desk, run)
    assessment = report(desk, run.id)
    scores = assessment.get("scores") or {}
    _verdict(desk, run, assessment)
    _leakage(run, assessment)
    figures(headline(assessment, str(run.spec["scheme"])), width=124)
    _picture(desk, run, assessment, scores)
    for tab, name in zip(st.tabs(list(TABS), key=f"training-tabs-{run.id}", on_change="rerun"), TABS, strict=True):
        if tab.open:
            with tab:
                _tab(desk, run, name, scores)


def _partial(desk: Desk, run: Any) -> None:
    """A run that was cancelled: its finished folds, and nothing that is judged."""
    done, expected = int(run.summary["folds"]), int(run.summary["expected"])
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        if run.synthetic:
            st.badge("synthetic", color="violet")
        st.badge("partial", color="gray", icon=":material/block:")
        st.markdown(f"Cancelled after {done:,} of {plural(expected, 'fold')}. Finished folds stay; nothing is judged until it is resumed, and it is never promoted.", width="stretch")
    if stale := desk.training.stale(run.id):
        _stale(desk, run, stale)
    running.folds(desk.training.table(run.id, "scores"), "Finished folds", "scores on each test part, UTC")


def _tab(desk: Desk, run: Any, name: str, scores: Mapping[str, Any]) -> None:
    if name == "Folds":
        return folds.view(desk, run)
    if name == "Scores":
        return groups.view(run, scores)
    if name == "Calibration":
        return calibration.view(run, scores)
    if name == "Explanation":
        return explain.view(desk, run)
    if name == "Policies":
        return policies.view(desk, run)
    _samples(run)


# -- head and verdict


def _head(desk: Desk, run: Any, partial: bool) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        st.header(literal(title_of(run).partition(" · ")[0]), anchor=False, width="content")
        st.caption(f"run {run.id} · {clock(run.created_at)} UTC · {literal(run.actor)}", width="content")
        st.space("stretch")
        everything(desk, run, not partial)
        if st.button("Edit question", icon=":material/edit:", key=f"edit-{run.id}"):
            open_view("train", run=run.id)
        if partial:
            if st.button("Resume", icon=":material/replay:", type="primary", key=f"resume-run-{run.id}", **allowed(desk, "training.resume")):
                show(attempt(lambda: desk.training.resume(run.id)))
        elif st.button("Register…", icon=":material/bookmark_add:", type="primary", key=f"register-{run.id}", **allowed(desk, "models.register")):
            runs.register(desk, run)
        if st.button("Delete…", icon=":material/delete:", type="tertiary", key=f"delete-run-{run.id}", **allowed(desk, "training.delete")):
            runs.delete(desk, run)


def _verdict(desk: Desk, run: Any, assessment: Mapping[str, Any]) -> None:
    verdict = assessment.get("verdict") or {}
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        if run.synthetic:
            st.badge("synthetic", color="violet")
        badge(str(verdict.get("state", "open")), WORDS.get(str(verdict.get("state")), WORDS["open"]))
        st.markdown(literal(typeset(str(verdict.get("sentence", "")))), width="stretch")
    for reason in verdict.get("reasons") or []:
        st.caption(f":material/info: {literal(typeset(str(reason)))}")
    if stale := desk.training.stale(run.id):
        _stale(desk, run, stale)


def _stale(desk: Desk, run: Any, why: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        st.badge("older version", color="gray", icon=":material/history:")
        st.caption(literal(typeset(why)), width="content")
        if st.button("Train again", icon=":material/replay:", key=f"anew-{run.id}"):
            show(attempt(lambda: desk.training.submit(desk.training.request_of(run.id))))


def _leakage(run: Any, assessment: Mapping[str, Any]) -> None:
    """What was done against leaks: the gate before training, the control after it; each with its sentence."""
    control, gate = assessment.get("control") or {}, run.manifest.get("gate") or {}
    section("Leakage", "checked before any score; a leak stops the training")
    columns = len(gate.get("columns") or [])
    left, right = st.columns(2, gap="medium")
    with left, st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        badge("green" if gate.get("pipeline") else "open", "Look-ahead gate")
        st.caption(f"{plural(columns, 'column')} and the fitted pipeline, computed again at cuts of the data, do not change when later bars come." if gate.get("pipeline") else "The gate was not run.", width="stretch")
    with right, st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        badge(str(control.get("state", "open")), "Labels permuted")
        st.caption(literal(typeset(str(control.get("sentence", "The control was not run.")))), width="stretch")


def headline(assessment: Mapping[str, Any], scheme: str) -> list[tuple[str, str, str, str]]:
    """The figures: main score, gain over the best baseline, trials, DSR, samples."""
    scores, trials = assessment.get("scores") or {}, assessment.get("trials") or {}
    all_, main = scores.get("all") or {}, str(scores.get("main") or "")
    rows = [(score(main).title, written(main, all_.get(main)), "all test parts", score(main).meaning)] if main else []
    if "auc" in all_ and main != "auc":
        rows.append((score("auc").title, written("auc", all_.get("auc")), "no skill: 0.5", score("auc").meaning))
    if all_.get("coverage") is not None:
        rows.append(("Coverage", percent(all_["coverage"], 2), f"promised {percent(all_.get('nominal'), 0)}", score("coverage").meaning))
    hardest = min((row for row in assessment.get("baselines") or [] if row.get("gain") is not None), key=compare.share, default=None)
    if hardest:
        low, high = (number(100 * hardest[name] / hardest["baseline"], 2, True) for name in ("low", "high"))
        rows.append((f"Gain over {compare.words(hardest['name'])}", percent(compare.share(hardest), 2, True), f"95 %: {low} … {high}", f"Of the hardest baseline's mean daily {compare.words(hardest['loss'])}, how much the model loses less; its interval holds 0 where that is undecided."))
    rows += earned.headline(scores)
    if trials:
        dsr = trials.get("dsr")
        rows.append(("Trials counted", number(trials.get("count")), f"family {trials.get('family', DASH)}", "Distinct questions of this family on any of this data, by any user, cancelled ones that were seen included."))
        rows.append(("DSR", number(dsr, 3), "threshold 0.95" if dsr is not None else "not available", literal(typeset(str(trials.get("reason") or "Deflated Sharpe ratio of the filtered walk-forward equity: the chance that its Sharpe is above what so many trials give without skill.")))))
    crossed = (assessment.get("crossed") or {}).get("share")
    if crossed is not None:
        rows.append(("Crossed", percent(crossed, 2), "of rows, then sorted", "Share of rows whose quantiles were not in order."))
    count = all_.get("rows")
    rows.append(("Tested samples", number(count), SCHEMES.get(scheme, scheme), "Predictions on test parts; in a CPCV each sample is tested several times."))
    return rows


def _picture(desk: Desk, run: Any, assessment: Mapping[str, Any], scores: Mapping[str, Any]) -> None:
    left, right = st.columns([5, 3], gap="medium")
    with left:
        earned.view(desk, run, scores)
    with right:
        compare.baselines(run, assessment.get("baselines") or [])


def _samples(run: Any) -> None:
    """What the samples are, which were left out and why, and which columns were dropped."""
    samples = run.summary.get("samples") or {}
    section("Samples", "what was labelled, and what was not")
    unlabelled = samples.get("unlabelled") or {}
    rows = [("Samples", number(samples.get("count")) if samples.get("count") is not None else DASH), ("Left out: columns not yet warm", number(samples.get("warm_up", 0))), *((f"Without a label: {name.replace('_', ' ')}", number(count)) for name, count in unlabelled.items())]
    if samples.get("uniqueness") is not None:
        rows.append(("Mean uniqueness", number(samples["uniqueness"], 3)))
    config = st.column_config
    table(pd.DataFrame(rows, columns=["what", "count"]), {"what": config.TextColumn("", width=224), "count": config.TextColumn("Samples", width=90, alignment="right")}, "Samples, and those left out by reason", row_height=26)
    dropped = samples.get("dropped") or run.summary.get("dropped") or []
    if dropped:
        st.caption(literal(f"Dropped, without any value on this data: {', '.join(dropped)}."))
    section("Code and libraries", "of the manifest")
    libraries = run.manifest.get("libraries") or {}
    rows = [("code", str(run.manifest.get("code", DASH))[:12]), *((name, str(version)) for name, version in libraries.items())]
    table(pd.DataFrame(rows, columns=["what", "version"]), {"what": config.TextColumn("", width=150), "version": config.TextColumn("Version or hash", width=150)}, "Code hash and versions of libraries", row_height=26)
