"""Models: versions under a name, where each stands, who decided so and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pandas as pd

from worker.desk.context import DeskContext

STAGES = ("candidate", "production", "retired")


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
    digest: str             # of name, version, files and manifest: what a study names
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
class Gate:
    """One condition of production. ``hard``: no reason stands in for it. ``sentence``: what was found."""

    name: str
    passed: bool
    hard: bool
    sentence: str


@dataclass(frozen=True)
class Verification:
    """``files``: name -> "" or what is wrong. ``parity``: sentence about ONNX against the model itself. ``passed``: all is well."""

    passed: bool
    files: Mapping[str, str]
    parity: str
    sentence: str


class Models:
    def __init__(self, context: DeskContext) -> None:
        self._context = context

    def all(self, name: str = "") -> list[ModelVersion]:
        """Every version, newest first; with ``name`` of that model alone."""
        raise NotImplementedError

    def get(self, model: str) -> ModelVersion:
        """``NAME@VERSION``; ``NAME`` alone is the one in production, else the newest that is not retired."""
        raise NotImplementedError

    def history(self, model: str) -> list[Stage]:
        """Its stages, oldest first."""
        raise NotImplementedError

    def register(self, run_id: str, name: str) -> ModelVersion:
        """The next version of ``name``, a candidate, from a whole run."""
        raise NotImplementedError

    def register_files(self, name: str, files: Mapping[str, bytes], report: Mapping[str, Any], tables: Mapping[str, pd.DataFrame]) -> ModelVersion:
        """The next version of ``name``, a candidate, from ``tidemark train --bars``: what ``domain.training.train.Trained`` holds; ``tables``: samples, folds, predictions.
        It can never be promoted, for no ledger counts the trials of files."""
        raise NotImplementedError

    def gates(self, model: str) -> list[Gate]:
        """What production asks, and how the model stands."""
        raise NotImplementedError

    def promote(self, model: str, reason: str = "") -> ModelVersion:
        """Into production; the one before is retired. Raises ``BadRequest`` where a gate is shut, or evidence is weak and there is no reason."""
        raise NotImplementedError

    def retire(self, model: str, reason: str = "") -> ModelVersion:
        raise NotImplementedError

    def export(self, model: str) -> dict[str, bytes]:
        """Its files and ``manifest.json``; a file whose hash is wrong is refused."""
        raise NotImplementedError

    def verify(self, model: str) -> Verification:
        """Hashes of the files, and where there is an ONNX file its parity on stored rows."""
        raise NotImplementedError
