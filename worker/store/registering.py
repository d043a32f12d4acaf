"""Add a version to the registry: a candidate, with what decided it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from domain.errors import BadRequest
from worker.store.mirror import ask_for_mirror
from worker.store.models import Model
from worker.store.unit import Unit

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


def checked_name(name: str) -> str:
    """
    >>> checked_name("fake-1"), checked_name("no@good")
    Traceback (most recent call last):
    ...
    domain.errors.BadRequest: the name of a model is 'no@good'; give it one of 1 to 64 letters, digits, dots, hyphens and underscores
    """
    if not NAME.fullmatch(name):
        raise BadRequest(f"the name of a model is {name[:64]!r}; give it one of 1 to 64 letters, digits, dots, hyphens and underscores")
    return name


def register(
    unit: Unit, name: str, *, run_id: str, question: Mapping[str, Any], question_hash: str, files: Mapping[str, str], frames: Mapping[str, str], manifest: Mapping[str, Any],
    report: Mapping[str, Any], synthetic: bool, actor: str,
) -> Model:  # fmt: skip
    """The next version of ``name``. ``run_id``: empty for a model trained on files, whose trials no ledger counts."""
    unit.alone_with(f"model {checked_name(name)}")
    model = unit.models.add(
        name=name, learner=question["learner"], target=question["target"], run_id=run_id, spec_hash=question_hash, files=dict(files), frames=dict(frames), manifest={**manifest, "question": dict(question)},
        scores=dict(report), synthetic=synthetic, actor=actor, created_at=unit.now(),
    )  # fmt: skip
    first = unit.models.move(model.id, "candidate", actor, unit.now(), "", {})
    run = (f"run:{run_id}",) if run_id else ()
    unit.audit(
        actor, "model_registered", model.entity, f"model_stage:{first.id}", *run, model=model.title, learner=model.learner, target=model.target, spec=question_hash, hash=model.digest, files=dict(files),
    )  # fmt: skip
    ask_for_mirror(unit, model, actor)
    return model
