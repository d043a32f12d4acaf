"""Models: versions under a name, where each stands, who decided so and why."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

from domain.errors import BadRequest, unknown
from domain.market.timeframe import Timeframe
from domain.outside.forecast_models import asks_quantiles, horizon_of
from domain.params import whole_number
from domain.strategies.base import reads_forecasts
from domain.training.plain_values import plain_values
from worker.desk.context import DeskContext, Submitted, key_of, required
from worker.desk.model_gates import Gate, gates_of
from worker.desk.model_names import named
from worker.desk.policies import files_with
from worker.store import Model, Store, Unit
from worker.store.mirror import ask_for_mirror
from worker.store.model_files import files_of
from worker.store.models import STAGES, ModelStage
from worker.store.newest import newest_of
from worker.store.registering import register

__all__ = ["STAGES", "Gate", "ModelVersion", "Models", "Stage", "Verification"]
LONGEST_REASON = 2_000
MANIFEST = "manifest.json"       # of a model's files, as domain.training.model_folder writes it


@dataclass(frozen=True)
class Stage:
    """``evidence``: the gates at the time of the decision. ``weak``: it was promoted although evidence was weak, for ``reason``."""

    stage: str
    at: datetime
    actor: str
    reason: str
    evidence: Mapping[str, Any]

    @property
    def weak(self) -> bool:
        return bool(self.evidence.get("weak"))


@dataclass(frozen=True)
class ModelVersion:
    """``files``: name -> SHA-256. ``manifest``: data, code, parameters, seed, threads, libraries. ``scores``: those of its report."""

    id: str
    name: str
    version: int
    learner: str
    target: str
    run: str
    digest: str             # of name, version, files, tables and manifest: what a study names
    files: Mapping[str, str]
    manifest: Mapping[str, Any]
    scores: Mapping[str, Any]
    synthetic: bool
    actor: str
    created_at: datetime
    stage: Stage

    @property
    def title(self) -> str:
        return f"{self.name}@{self.version}"

    @property
    def badge(self) -> str:
        """What is to be seen wherever the model is shown: that its evidence was weak when it was promoted, and why it was all the same."""
        return f"Promoted on weak evidence: {self.stage.reason}" if self.stage.stage == "production" and self.stage.weak else ""


@dataclass(frozen=True)
class Verification:
    """``files``: name -> "" or what is wrong. ``parity``: sentence about ONNX against the model itself, as it was measured when it was trained; empty where it was not.
    ``passed``: all is well."""

    passed: bool
    files: Mapping[str, str]
    parity: str
    sentence: str


class Models:
    def __init__(self, context: DeskContext) -> None:
        self._context = context

    @property
    def store(self) -> Store:
        """Where files and tables of models are."""
        return self._context.store

    # -- reading

    def all(self, name: str = "") -> list[ModelVersion]:
        """Every version, newest first; with ``name`` of that model alone."""
        with self._context.store.read() as unit:
            return [_version(unit, model) for model in (unit.models.versions(name) if name else unit.models.all())]

    def get(self, model: str) -> ModelVersion:
        """``NAME@VERSION``; ``NAME`` alone is the one in production, else the newest that is not retired."""
        with self._context.store.read() as unit:
            return _version(unit, named(unit, model))

    def of_strategy(self, strategy: str) -> list[ModelVersion]:
        """Versions that filter its signals, or give the forecasts it decides on, in production first, then candidates, the newest first; retired ones are left out."""
        if reads_forecasts(strategy):
            fit = [model for model in self.all() if asks_quantiles(model.manifest.get("question", {})) and model.stage.stage != "retired"]
        else:
            fit = [model for model in self.all() if model.manifest.get("question", {}).get("strategy") == strategy and model.stage.stage != "retired"]
        return sorted(fit, key=lambda model: model.stage.stage != "production")

    def params_with(self, model: ModelVersion, strategy: str, timeframe: str) -> dict[str, Any]:
        """The strategy's parameters that go with a model: those its signals were made with, or the horizon of its forecasts."""
        question = model.manifest["question"]
        if not reads_forecasts(strategy):
            return dict(question["strategy_params"])
        return dict(horizon=horizon_of(question["target_params"], Timeframe.named(timeframe)))

    def history(self, model: str) -> list[Stage]:
        """Its stages, oldest first."""
        with self._context.store.read() as unit:
            return [_stage(stage) for stage in unit.models.stages(named(unit, model).id)]

    def gates(self, model: str) -> list[Gate]:
        """What production asks, and how the model stands."""
        with self._context.store.read() as unit:
            return gates_of(named(unit, model))

    # -- decisions

    def register(self, run_id: str, name: str) -> ModelVersion:
        """The next version of ``name``, a candidate, from a whole run; with the policies that were fitted to its folds, where there are some."""
        with self._context.store.unit() as unit:
            run = required(unit.runs.get(run_id), "run", run_id)
            if run.kind != "train":
                raise BadRequest(f"run {run_id} is of the kind {run.kind.replace('_', ' ')}, and a training is looked for; choose one from the list")
            if run.summary["partial"]:
                raise BadRequest(f"run {run_id} is partial: {run.summary['folds']} of {run.summary['expected']} folds were fitted. Resume it first")
            summary = run.summary
            model = register(
                unit, name, run_id=run_id, question=summary["question"], question_hash=run.manifest["spec_hash"], files=files_with(unit, self._context.store, run_id, summary["model"]),
                frames={table: run.frames[table] for table in summary["tables"]}, manifest={**run.manifest, "counted": True}, report=summary["report"], synthetic=run.synthetic, actor=self._context.user,
            )  # fmt: skip
            return _version(unit, model)

    def register_files(self, name: str, files: Mapping[str, bytes], report: Mapping[str, Any], tables: Mapping[str, pd.DataFrame]) -> ModelVersion:
        """The next version of ``name``, a candidate, from ``tidemark train --bars``: what ``domain.training.train.Trained`` holds; ``tables``: samples, folds, predictions.
        It can never be promoted, for no ledger counts the trials of files."""
        store = self._context.store
        manifest = json.loads(files[MANIFEST])
        stored = store.blobs.put_all(files)
        frames = {table: store.frames.put(frame) for table, frame in tables.items()}
        with store.unit() as unit:
            model = register(
                unit, name, run_id="", question=manifest["question"], question_hash=manifest["question_sha256"], files=stored, frames=frames,
                manifest={key: value for key, value in manifest.items() if key not in ("question", "files", "verdict")} | dict(counted=False, gate=dict(columns=manifest["columns"], pipeline=True)),
                report=plain_values(dict(report)), synthetic=False, actor=self._context.user,
            )  # fmt: skip
            return _version(unit, model)

    def promote(self, model: str, reason: str = "") -> ModelVersion:
        """Into production; the one before is retired. Raises ``BadRequest`` where a gate is shut, or evidence is weak and there is no reason."""
        self._refuse_changed(model)
        reason = reason.strip()[:LONGEST_REASON]
        with self._context.store.unit() as unit:
            chosen = named(unit, model)
            unit.alone_with(f"model {chosen.name}")
            if unit.models.stage(chosen.id) == "production":
                raise BadRequest(f"{chosen.title} is in production already")
            gates = gates_of(chosen)
            shut, weak = ([gate for gate in gates if not gate.passed and gate.hard is hard] for hard in (True, False))
            if shut:
                raise BadRequest(f"{chosen.title} cannot be promoted: {' '.join(gate.sentence for gate in shut)}")
            if weak and not reason:
                raise BadRequest(f"the evidence for {chosen.title} is weak: {' '.join(gate.sentence for gate in weak)} Give a reason (--reason) to promote it all the same; it is shown with the model")
            before = unit.models.in_production(chosen.name)
            evidence = dict(gates=[gate.__dict__ for gate in gates], weak=bool(weak), before=before.title if before else "")
            if before:
                self._move(unit, before, "retired", f"{chosen.title} was promoted", {}, "model_retired")
            self._move(unit, chosen, "production", reason, evidence, "model_promoted")
            return _version(unit, chosen)

    def retire(self, model: str, reason: str = "") -> ModelVersion:
        """Out of use; the version and its files stay."""
        with self._context.store.unit() as unit:
            chosen = named(unit, model)
            unit.alone_with(f"model {chosen.name}")
            if unit.models.stage(chosen.id) == "retired":
                raise BadRequest(f"{chosen.title} is retired already")
            self._move(unit, chosen, "retired", reason.strip()[:LONGEST_REASON], {}, "model_retired")
            return _version(unit, chosen)

    def _move(self, unit: Unit, model: Model, stage: str, reason: str, evidence: Mapping[str, Any], event: str) -> None:
        moved = unit.models.move(model.id, stage, self._context.user, unit.now(), reason, evidence)
        detail = dict(model=model.title, reason=reason, hash=model.digest, **({"weak": evidence["weak"]} if "weak" in evidence else {}))
        unit.audit(self._context.user, event, model.entity, f"model_stage:{moved.id}", **detail)
        ask_for_mirror(unit, model, self._context.user)

    # -- files

    def predict(self, model: str, datasets: Sequence[str] = (), rows: int = 1, engine: str = "native") -> Submitted:
        """What a version says at the newest ``rows`` samples of stored bars; of those that it was trained on, in their newest state, where none are named."""
        chosen = self.get(model)
        if engine not in ("native", "onnx"):
            raise unknown("engine", engine, ("native", "onnx"))
        with self._context.store.read() as unit:
            named = [required(unit.datasets.get(name), "dataset", name) for name in datasets]
            chosen_datasets = named or [newest_of(unit.datasets.all(), part["version"], part) for part in chosen.manifest["question"]["data"]]
        spec = dict(model=chosen.id, hash=chosen.digest, datasets=[each.version for each in chosen_datasets], rows=whole_number("rows", rows, 1, 10_000), engine=engine)
        return self._context.submit("predict", f"Predict with {chosen.title} on {', '.join(each.instrument for each in chosen_datasets)}", spec, key=key_of("predict", spec))

    def export(self, model: str) -> dict[str, bytes]:
        """Its files and ``registry.json`` (name, version, hash, stage, manifest, scores); a file whose hash is wrong is refused."""
        version, files = self._with_files(model)
        about = dict(
            name=version.name, version=version.version, hash=version.digest, stage=version.stage.stage, reason=version.stage.reason, run=version.run, files=dict(version.files),
            manifest=dict(version.manifest), scores=dict(version.scores), created=version.created_at.isoformat(), by=version.actor,
        )  # fmt: skip
        with self._context.store.unit() as unit:
            unit.audit(self._context.user, "downloaded", f"model:{version.id}", what=f"model {version.title}", form="files")
        return files | {"registry.json": (json.dumps(about, indent=1, ensure_ascii=False) + "\n").encode()}

    def verify(self, model: str) -> Verification:
        """Hashes of the files now, and the parity that was measured. A wrong hash is recorded (``model_refused``)."""
        version = self.get(model)
        faults = {name: self._context.store.blobs.fault(content) for name, content in version.files.items()}
        wrong = {name: "is no longer in the workspace" if fault == "gone" else "was altered since it was written" for name, fault in faults.items() if fault}
        if wrong:
            with self._context.store.unit() as unit:
                unit.audit(self._context.user, "model_refused", f"model:{version.id}", model=version.title, why=_listed(wrong))
        parity = version.scores.get("parity") or {}
        sentence = _listed(wrong) if wrong else f"All {len(faults)} files of {version.title} are as they were written."
        return Verification(not wrong and bool(parity.get("passed", True)), {name: wrong.get(name, "") for name in faults}, parity.get("sentence", ""), sentence)

    def held_out(self, model: str) -> tuple[pd.DataFrame | None, np.ndarray]:
        """The rows that ONNX was compared on, and the labels of all samples; None where no rows are stored with the model."""
        with self._context.store.read() as unit:
            frames = dict(named(unit, model).frames)
        y = self._context.store.frames.get(frames["samples"], ["y"])["y"]
        numbers = y.to_numpy(float) if pd.api.types.is_numeric_dtype(y) else np.zeros(0)
        return (self._context.store.frames.get(frames["held_out"]) if "held_out" in frames else None), numbers

    def _with_files(self, model: str) -> tuple[ModelVersion, dict[str, bytes]]:
        with self._context.store.read() as unit:
            chosen = named(unit, model)
            version = _version(unit, chosen)
        return version, files_of(self._context.store, chosen, self._context.user)

    def _refuse_changed(self, model: str) -> None:
        self._with_files(model)


def _listed(wrong: Mapping[str, str]) -> str:
    return " ".join(f"The file {name} {what}." for name, what in wrong.items())


def _stage(stage: ModelStage) -> Stage:
    return Stage(stage.stage, stage.at, stage.actor, stage.reason, stage.evidence)


def _version(unit: Unit, model: Model) -> ModelVersion:
    return ModelVersion(
        model.id, model.name, model.version, model.learner, model.target, model.run_id, model.digest, model.files, model.manifest, model.scores, model.synthetic, model.actor, model.created_at,
        _stage(unit.models.stages(model.id)[-1]),
    )  # fmt: skip
