"""The registry: versions under a name, where each stands, the gates of production, and who decided what and why."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from app.kit.address import address_value, missing
from app.kit.figures import clock, number, plural, short, typeset
from app.kit.rights import allowed
from app.kit.tables import kind_column, kind_of
from app.kit.text import literal
from app.kit.widgets import attempt, download, nothing, section, table
from app.training.addresses import open_view, to_results
from app.training.panels import csv_button
from app.training.scores import SHOWN, titled, written
from worker.desk import Desk

STAGES = {"candidate": "blue", "production": "green", "retired": "gray"}


def render(desk: Desk) -> None:
    """Every version, and the chosen one."""
    models = desk.models.all()
    if not models:
        return nothing("No model yet", "A finished run is registered under a name as a candidate. Only a promoted model filters a backtest.", lambda: to_results(desk))
    wanted = address_value("model")
    shown = next((model for model in models if wanted in (model.title, model.name)), None)
    if wanted and shown is None:
        missing("model", wanted, "Choose one below.")
    chosen = shown or next((model for model in models if model.stage.stage == "production"), models[0])
    row = _list(models, models.index(chosen) if shown or not wanted else None)
    if row is not None and models[row].title != chosen.title:
        open_view("models", model=models[row].title)
    _version(desk, chosen)


def _list(models: Sequence[Any], chosen: int | None) -> int | None:
    live = sum(model.stage.stage == "production" for model in models)
    frame = pd.DataFrame([row_of(model) for model in models])
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        section("Versions", f"{plural(len(models), 'version')}, {live:,} in production; newest first, UTC; select one")
        st.space("stretch")
        csv_button("models.csv", frame.assign(stage=[stage[0] for stage in frame["stage"]], data=[kind[0] for kind in frame["data"]]), "take-models")
    config = st.column_config
    columns = {
        "model": config.TextColumn("Model", width=132), "stage": config.MultiselectColumn("Stage", width=84, options=list(STAGES), color=list(STAGES.values())),
        "learner": config.TextColumn("Learner", width=82), "target": config.TextColumn("Target", width=66), "data": kind_column(78), "run": config.TextColumn("Run", width=58),
        "actor": config.TextColumn("User", width=58), "created": config.TextColumn("Registered, UTC", width=114), "badge": config.TextColumn("Remark", width=200),
    }  # fmt: skip
    return table(frame, columns, f"{plural(len(models), 'version')} of models with their stages", key="models", pick=True, height="auto" if len(models) <= 8 else 270, chosen=chosen)


def row_of(model: Any) -> dict[str, Any]:
    """A version in the list."""
    return dict(
        model=model.title, stage=[model.stage.stage], badge=model.badge, learner=model.learner, target=model.target, data=kind_of(model.synthetic), run=model.run, actor=model.actor,
        created=clock(model.created_at), digest=model.digest,
    )  # fmt: skip


def _version(desk: Desk, model: Any) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        st.header(literal(model.title), anchor=False, width="content")
        st.badge(model.stage.stage, color=STAGES.get(model.stage.stage, "gray"))  # type: ignore[arg-type]
        if model.synthetic:
            st.badge("synthetic", color="violet")
        if model.badge:
            st.badge("weak evidence", color="yellow", icon=":material/warning:", help=literal(model.badge))
        st.space("stretch")
        _actions(desk, model)
    st.caption(literal(f"{model.learner} for {model.target} · from run {model.run} · registered {clock(model.created_at)} UTC by {model.actor}"))
    if model.badge:
        st.warning(literal(typeset(model.badge)), icon=":material/warning:")
    left, right = st.columns([3, 2], gap="medium")
    with left:
        _gates(desk.models.gates(model.title))
        _scores(model)
    with right:
        _history(desk, model)
        _files(model)


def _actions(desk: Desk, model: Any) -> None:
    if st.button("Verify", icon=":material/verified:", key=f"verify-{model.id}", **allowed(desk, "models.verify", help="Hashes of all files, and the ONNX file against the model itself.")):
        verify(desk, model)
    if st.button("Drift", icon=":material/monitoring:", key=f"drift-{model.id}"):
        open_view("drift", model=model.title)
    if st.button("Open run", icon=":material/open_in_new:", key=f"run-{model.id}"):
        open_view("result", run=model.run)
    download("Files, ZIP", f"{model.name}_{model.version}.zip", "application/zip", partial(archive, desk, model.title), f"files-{model.id}")
    if model.stage.stage != "retired" and st.button("Retire…", icon=":material/archive:", key=f"retire-{model.id}", type="tertiary", **allowed(desk, "models.retire")):
        retire(desk, model)
    if model.stage.stage == "candidate" and st.button("Promote…", icon=":material/rocket_launch:", type="primary", key=f"promote-{model.id}", **allowed(desk, "models.promote")):
        promote(desk, model)


def archive(desk: Desk, title: str) -> bytes:
    """All files of a version as a ZIP with fixed times, so that the same files give the same bytes."""
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in sorted(desk.models.export(title).items()):
            packed.writestr(zipfile.ZipInfo(name), content)
    return sink.getvalue()


def _gates(gates: Sequence[Any]) -> None:
    shut = [gate for gate in gates if not gate.passed]
    section("Gates of production", "all passed" if not shut else f"{plural(len(shut), 'gate')} not passed")
    for gate in gates:
        icon = ":green[:material/check:]" if gate.passed else ":red[:material/block:]" if gate.hard else ":yellow[:material/warning:]"
        asks = "" if gate.passed else " It cannot be promoted." if gate.hard else " Promotion needs a reason."
        st.caption(f"{icon} **{literal(gate.name.capitalize())}** {literal(typeset(gate.sentence))}{asks}")


def _scores(model: Any) -> None:
    given = (model.scores.get("scores") or {}).get("all") or {}
    every = {name: given[name] for name in SHOWN if given.get(name) is not None}
    if not every:
        return
    section("Scores", "of its report, test parts alone")
    rows = pd.DataFrame([dict(score=titled(name), value=written(name, float(value))) for name, value in every.items()])
    config = st.column_config
    table(rows, {"score": config.TextColumn("Score", width=180), "value": config.TextColumn("Value", width=110, alignment="right")}, "Scores of the model's report", row_height=26, height="auto" if len(rows) <= 8 else 246)


def _history(desk: Desk, model: Any) -> None:
    stages = desk.models.history(model.title)
    section("History", "oldest first, UTC; nothing is changed or removed")
    rows = pd.DataFrame([dict(at=clock(stage.at), stage=[stage.stage], actor=stage.actor, reason=f"{'weak evidence: ' if stage.weak else ''}{stage.reason}") for stage in stages])
    config = st.column_config
    columns = {
        "at": config.TextColumn("When, UTC", width=110), "stage": config.MultiselectColumn("Stage", width=86, options=list(STAGES), color=list(STAGES.values())), "actor": config.TextColumn("User", width=52),
        "reason": config.TextColumn("Reason", width=130),
    }  # fmt: skip
    table(rows, columns, f"Stages of {model.title}", row_height=26)


def _files(model: Any) -> None:
    rows = pd.DataFrame([dict(file=name, hash=short(digest), sha256=digest) for name, digest in model.files.items()])
    config = st.column_config
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        section("Files", "by SHA-256; another hash is refused")
        st.space("stretch")
        csv_button(f"{model.name}_{model.version}_files.csv", rows[["file", "sha256"]], f"hashes-{model.id}")
    table(rows, {"file": config.TextColumn("File", width=150), "hash": config.TextColumn("SHA-256", width=76)}, f"Files of {model.title}", row_height=26)
    threads, seed = model.manifest.get("threads"), model.manifest.get("seed")
    facts = [f"seed {number(seed)}" if isinstance(seed, (int, float)) else "", f"{plural(int(threads), 'thread')}" if isinstance(threads, int) else "", "" if model.manifest.get("reproducible", True) else "not reproducible: fitted on a GPU"]
    if any(facts):
        st.caption(literal(" · ".join(fact for fact in facts if fact)))


# -- dialogs


@st.dialog("Verify model")
def verify(desk: Desk, model: Any) -> None:
    verification = attempt(lambda: desk.models.verify(model.title))
    if verification is None:
        return
    wrong = {name: why for name, why in verification.files.items() if why}
    (st.success if verification.passed else st.error)(literal(typeset(verification.sentence)), icon=":material/check:" if verification.passed else ":material/error:")
    for name, why in wrong.items():
        st.caption(f":red[:material/error:] {literal(name)}: {literal(typeset(why))}")
    if verification.parity:
        st.caption(literal(typeset(verification.parity)))


@st.dialog("Promote to production")
def promote(desk: Desk, model: Any) -> None:
    gates = desk.models.gates(model.title)
    shut, weak = [gate for gate in gates if not gate.passed and gate.hard], [gate for gate in gates if not gate.passed and not gate.hard]
    before = next((other for other in desk.models.all(model.name) if other.stage.stage == "production"), None)
    st.markdown(f"**{literal(model.title)}** goes into production{f'; {literal(before.title)} is retired' if before else ''}. Backtests that name {literal(model.name)} use it from then on.")
    if shut:
        for gate in shut:
            st.error(literal(typeset(f"{gate.name.capitalize()}: {gate.sentence}")), icon=":material/block:")
        return
    for gate in weak:
        st.caption(f":yellow[:material/warning:] {literal(typeset(gate.sentence))}")
    reason = st.text_area("Reason" if weak else "Reason (optional)", max_chars=500, key=f"why-promote-{model.id}", help="Recorded in the audit trail and, where evidence is weak, shown on a badge beside the model.")
    if st.button("Promote to production", type="primary", icon=":material/rocket_launch:", **allowed(desk, "models.promote")) and attempt(lambda: desk.models.promote(model.title, reason.strip())) is not None:
        open_view("models", model=model.title)


@st.dialog("Retire model")
def retire(desk: Desk, model: Any) -> None:
    st.markdown(f"**{literal(model.title)}** is taken off the choices. Its files and history stay; backtests that used it can be reproduced.")
    reason = st.text_area("Reason", max_chars=500, key=f"why-retire-{model.id}")
    if st.button("Retire model", type="primary", icon=":material/archive:", **allowed(desk, "models.retire")) and attempt(lambda: desk.models.retire(model.title, reason.strip())) is not None:
        open_view("models", model=model.title)
