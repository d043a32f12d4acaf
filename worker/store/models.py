"""The registry of models: immutable versions under a name, and the stages that each went through."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, select

from domain.audit import canonical, plain
from worker.store.ids import new_id
from worker.store.schema import model_stages, models
from worker.store.seals import Seals

STAGES = ("candidate", "production", "retired")


@dataclass(frozen=True)
class Model:
    """A version. ``files``: name -> SHA-256; ``frames``: samples, folds, predictions -> content hash; ``manifest``: what decided it; ``scores``: its report."""

    id: str
    name: str
    version: int
    learner: str
    target: str
    run_id: str
    spec_hash: str
    digest: str
    files: Mapping[str, str]
    frames: Mapping[str, str]
    manifest: Mapping[str, Any]
    scores: Mapping[str, Any]
    synthetic: bool
    actor: str
    created_at: datetime

    @property
    def title(self) -> str:
        return f"{self.name}@{self.version}"

    @property
    def entity(self) -> str:
        """Its name in the audit trail."""
        return f"model:{self.id}"


@dataclass(frozen=True)
class ModelStage:
    """Where a version stood from ``at`` on: who decided so, why, and the gates at that time."""

    id: str
    model_id: str
    number: int
    stage: str
    at: datetime
    actor: str
    reason: str
    evidence: Mapping[str, Any]


class Models:
    def __init__(self, connection: Connection, seals: Seals) -> None:
        self._c, self._seals = connection, seals

    def add(self, **values: Any) -> Model:
        """The next version of ``name``. Whoever adds another at the same time waits (``Unit.alone_with``)."""
        newest = self._c.scalar(select(sa.func.max(models.c.version)).where(models.c.name == values["name"])) or 0
        row = {**values, "id": new_id(), "version": newest + 1}
        row["digest"] = digest_of(row)
        self._c.execute(sa.insert(models).values(**row))
        self._seals.put("model", row["id"])
        return Model(**self._c.execute(select(models).where(models.c.id == row["id"])).mappings().one())

    def get(self, model_id: str) -> Model | None:
        """Raises ``Altered`` where the row is not the one that was recorded."""
        return self._checked(select(models).where(models.c.id == model_id))

    def version(self, name: str, version: int) -> Model | None:
        """The same by name and version."""
        return self._checked(select(models).where(models.c.name == name, models.c.version == version))

    def versions(self, name: str) -> list[Model]:
        """Newest first."""
        query = select(models).where(models.c.name == name).order_by(models.c.version.desc())
        return [Model(**row) for row in self._c.execute(query).mappings()]

    def all(self) -> list[Model]:
        """Newest first."""
        query = select(models).order_by(models.c.created_at.desc(), models.c.name, models.c.version.desc())
        return [Model(**row) for row in self._c.execute(query).mappings()]

    def of_run(self, run_id: str) -> list[Model]:
        """Versions that a run trained."""
        return [Model(**row) for row in self._c.execute(select(models).where(models.c.run_id == run_id)).mappings()]

    def files(self) -> set[str]:
        return {file for files in self._c.scalars(select(models.c.files)) for file in files.values()}

    def frames(self) -> set[str]:
        return {frame for frames in self._c.scalars(select(models.c.frames)) for frame in frames.values()}

    # -- stages

    def move(self, model_id: str, stage: str, actor: str, at: datetime, reason: str, evidence: Mapping[str, Any]) -> ModelStage:
        """Append a stage. A second version in production is refused by the database; retire the other one first."""
        number = (self._c.scalar(select(sa.func.max(model_stages.c.number)).where(model_stages.c.model_id == model_id)) or 0) + 1
        row: dict[str, Any] = dict(id=f"{model_id}.{number}", model_id=model_id, number=number, stage=stage, at=at, actor=actor, reason=reason, evidence=plain(dict(evidence)))
        self._c.execute(sa.insert(model_stages).values(**row))
        self._seals.put("model_stage", row["id"])
        return ModelStage(**row)

    def stages(self, model_id: str) -> list[ModelStage]:
        """Oldest first; the last one counts."""
        query = select(model_stages).where(model_stages.c.model_id == model_id).order_by(model_stages.c.number)
        rows = list(self._c.execute(query).mappings())
        for row in rows:
            self._seals.check("model_stage", row["id"], dict(row))
        return [ModelStage(**row) for row in rows]

    def stage(self, model_id: str) -> str:
        return self.stages(model_id)[-1].stage

    def in_production(self, name: str) -> Model | None:
        """The version of a name that is in production."""
        return next((model for model in self.versions(name) if self.stage(model.id) == "production"), None)

    def _checked(self, query: Any) -> Model | None:
        row = self._c.execute(query).mappings().one_or_none()
        if row:
            self._seals.check("model", row["id"], dict(row))
        return Model(**row) if row else None


def digest_of(row: Mapping[str, Any]) -> str:
    """What names a version beyond doubt: a hash of its name, number, files, tables and manifest."""
    decided = {name: row[name] for name in ("name", "version", "files", "frames", "manifest")}
    return hashlib.sha256(b"model/v1\n" + canonical(plain(decided))).hexdigest()
