"""A fold's result as a part of a job: tables, files and a small summary to store, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from domain.training.fold_result import FoldResult
from domain.training.pipeline import load_pipeline
from domain.training.question import Question
from domain.training.scores import outputs_of, scores_of
from worker.jobs.parts import PartResult
from worker.store import Store
from worker.store.chunks import Chunk

BASELINE = "baseline "
CURVE = 200         # points of a stored curve


class Trial(NamedTuple):
    """A row of the ledger: the question, whatever its folds."""

    strategy: str
    params: str
    spec: str
    sharpe: float | None = None
    days: int = 0


def stored_fold(store: Store, result: FoldResult, task: Any, classes: Sequence[str], trial: Trial | None) -> PartResult:
    """``trial``: None for a control, which shows no fold of the question itself."""
    frames = {"predictions": result.predictions, **{f"{BASELINE}{name}": pd.DataFrame(values, columns=list(columns)) for name, (values, columns) in result.baselines.items()}}
    about = dict(
        fold=result.fold, control=trial is None, curve=thin(result.curve), crossed=result.crossed, sizes=dict(result.sizes), calibration=dict(result.calibration),
        files=store.blobs.put_all(result.pipeline.files()), **({} if trial is None else shown(result, task, classes)),
    )  # fmt: skip
    return PartResult(frames, [] if trial is None else [trial], about)


def shown(result: FoldResult, task: Any, classes: Sequence[str]) -> dict[str, Any]:
    """The span that a fold tested, and its scores."""
    tested = result.predictions
    scores = scores_of(tested, outputs_of(list(tested), task, classes))
    if "taken" in tested:
        scores |= dict(taken=int(tested["taken"].sum()), sum_r=float(np.nansum(tested["r"])), sum_r_taken=float(np.nansum(tested["r"][tested["taken"]])))
    edges = [pd.Timestamp(int(edge), tz="UTC").isoformat() for edge in (tested["start"].min(), tested["end"].max())] if len(tested) else ["", ""]
    return dict(start=edges[0], end=edges[1], scores={name: value for name, value in scores.items() if name != "reasons"})


def restored_fold(store: Store, chunk: Chunk) -> FoldResult:
    """The same result, computed by whoever did the part."""
    about, frames = chunk.result, {name: store.frames.get(frame) for name, frame in (chunk.frames or {}).items()}
    baselines = {name.removeprefix(BASELINE): (frame.to_numpy(np.float64), tuple(frame)) for name, frame in frames.items() if name.startswith(BASELINE)}
    pipeline = load_pipeline({name: store.blobs.get(content, f"The file {name} of fold {about['fold']}") for name, content in about["files"].items()})
    curve = tuple((float(share), float(loss)) for share, loss in about["curve"])
    return FoldResult(about["fold"], frames["predictions"], pipeline, baselines, curve, about["crossed"], about["sizes"], about["calibration"])


def files_of(parts: Sequence[Chunk]) -> dict[str, str]:
    """``fold 3/NAME`` -> hash, of every fold's pipeline."""
    return {f"fold {part.result['fold']}/{name}": content for part in parts if not part.result["control"] for name, content in part.result["files"].items()}


def trial_of(question: Question, params: str, significance: Mapping[str, Any] | None = None) -> Trial:
    return Trial(question.family, params, question.hash, (significance or {}).get("sharpe"), int((significance or {}).get("periods") or 0))


def thin(curve: Sequence[tuple[float, float]]) -> list[list[float]]:
    """At most ``CURVE`` points, the first and the last among them."""
    at: np.ndarray = np.unique(np.linspace(0, len(curve) - 1, CURVE).astype(int)) if curve else np.zeros(0, np.int64)
    return [[float(curve[k][0]), float(curve[k][1])] for k in at]
