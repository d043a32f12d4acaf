"""A learner that has seen data with all that was fitted around it: calibration, margins of quantiles, and the filter of signals."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from domain.errors import BadRequest, unknown
from domain.models.base import LEARNERS, Fitted, Samples, Task
from domain.models.served import ENGINES, Served
from domain.training.calibration import Calibration, calibration_from
from domain.training.conformal import conformal_from, in_order, levels_of
from domain.training.filter import FALLING, Filter, filter_from

PIPELINE, EXPORTED, MODEL = "pipeline.json", "model.onnx", "learner/"
BATCH = 65_536      # rows that a learner is given at once


@dataclass(frozen=True)
class FittedPipeline:
    """A learner that has seen data, and all that was fitted around it. Immutable: predicting leaves its state as it is.

    ``calibration``: one for each output, none on quantiles and values. ``conformal``: state after the calibration part, empty without quantiles.
    ``until``: int64 ns UTC, the last end of a label that anything here was fitted to; a sample that starts up to then is in-sample.
    ``exported``: the learner as ONNX, where it has been written already.
    """

    fitted: Fitted
    learner: str
    target: str
    task: Task
    classes: tuple[str, ...]
    columns: tuple[str, ...]
    until: int
    calibration: tuple[Calibration, ...] = ()
    conformal: Mapping[str, Any] | None = None
    filter: Filter | None = None
    exported: bytes | None = None

    @property
    def outputs(self) -> tuple[str, ...]:
        return self.fitted.outputs

    @property
    def bars(self) -> int:
        return self.fitted.bars

    @property
    def reproducible(self) -> bool:
        """Whether the same seed, data and code give the same fit: not after one on a GPU."""
        return bool(getattr(self.fitted, "reproducible", True))

    def predict(self, samples: Samples, engine: str = "native") -> pd.DataFrame:
        """A row a sample: start, the outputs, the same ``raw_…``, and with a filter ``taken`` and ``size``.

        A row depends on samples that ended by its start and on nothing later. ``samples.y`` may be NaN where it is not known yet; labels of samples
        that are in-sample move no margin.
        """
        raw = self.raw(samples, engine)
        known = samples.start > self.until
        values, _ = self.calibrated(raw, samples, known)
        frame = pd.DataFrame({"start": samples.start, **dict(zip(self.outputs, values.T, strict=True)), **dict(zip((f"raw_{name}" for name in self.outputs), raw.T, strict=True))})
        return frame.assign(**self.decisions(raw, values))

    def raw(self, samples: Samples, engine: str = "native") -> np.ndarray:
        """float64 n × outputs, as the learner gives them; a batch at a time, so that windows of history are never all there at once."""
        if samples.columns != self.columns:
            raise BadRequest(f"the model reads the columns {', '.join(self.columns)}; these samples have {', '.join(samples.columns)}")
        predict = self._predict(engine)
        size = max(BATCH // max(self.bars, 1), 1)
        batches = [samples.take(np.arange(first, min(first + size, len(samples)))) for first in range(0, len(samples), size)]
        parts = [predict(batch.window(self.bars) if self.bars > 1 else batch.rows()) for batch in batches]
        return np.concatenate(parts) if parts else np.zeros((0, len(self.outputs)))

    def _predict(self, engine: str) -> Callable[[np.ndarray], np.ndarray]:
        if engine not in ENGINES:
            raise unknown("engine", engine, ENGINES)
        if engine == "native":
            return self.fitted.predict
        content = self.exported or self.fitted.onnx()
        if content is None:
            raise BadRequest(f"the learner {self.learner} has no form in ONNX, as its operators do not exist there; predict with --engine native")
        return Served(content, len(self.outputs)).predict

    def calibrated(self, raw: np.ndarray, samples: Samples, counts: np.ndarray | None = None) -> tuple[np.ndarray, float | None]:
        """The outputs as they are meant, and the share of rows whose quantiles were not in order, None without quantiles. ``counts``: samples whose labels may move margins."""
        if self.conformal is not None:
            ordered, crossed = in_order(raw)
            return conformal_from(self.conformal).intervals(ordered, samples.y, samples.start, samples.end, counts), crossed
        return normalised(np.column_stack([each(raw[:, k]) for k, each in enumerate(self.calibration)]) if len(raw) else raw, self.task), None

    def decisions(self, raw: np.ndarray, values: np.ndarray) -> dict[str, np.ndarray]:
        """``taken`` and ``size`` of the filter; nothing without one."""
        if self.filter is None:
            return {}
        size = self.filter.sizes(score_of(self.outputs, raw), chance_of(self.target, self.outputs, values))
        return dict(taken=size > 0, size=size)

    def files(self) -> dict[str, bytes]:
        """``pipeline.json`` and the learner's own files, under ``learner/``; ``load_pipeline`` reads them."""
        state = dict(
            learner=self.learner, target=self.target, task=self.task, classes=list(self.classes), columns=list(self.columns), until=self.until, outputs=list(self.outputs), bars=self.bars,
            calibration=[each.values() for each in self.calibration], conformal=self.conformal, filter=self.filter.values() if self.filter else None,
        )  # fmt: skip
        return {PIPELINE: json.dumps(state, indent=1, allow_nan=False).encode(), **{MODEL + name: content for name, content in self.fitted.files().items()}}


def load_pipeline(files: Mapping[str, bytes]) -> FittedPipeline:
    """Of ``FittedPipeline.files``: gives the same numbers. Hashes are the caller's to check first."""
    if PIPELINE not in files:
        raise BadRequest(f"the model has no file {PIPELINE}; give a folder that tidemark train has written")
    state = json.loads(files[PIPELINE])
    fitted = reader_of(state["learner"])({name.removeprefix(MODEL): content for name, content in files.items() if name.startswith(MODEL)})
    return FittedPipeline(
        fitted, state["learner"], state["target"], state["task"], tuple(state["classes"]), tuple(state["columns"]), state["until"],
        tuple(calibration_from(each) for each in state["calibration"]), state["conformal"], filter_from(state["filter"]) if state["filter"] else None,
        files.get(EXPORTED),
    )  # fmt: skip


def reader_of(learner: str) -> Callable[[Mapping[str, bytes]], Fitted]:
    """``load`` of the module that registers the learner."""
    module = LEARNERS[learner].__module__
    load: Callable[[Mapping[str, bytes]], Fitted] | None = getattr(importlib.import_module(module), "load", None)
    if load is None:
        raise BadRequest(f"the file of the learner {learner} has no function load(files), which reads back what Fitted.files gave; write it there")
    return load


def normalised(values: np.ndarray, task: Task) -> np.ndarray:
    """Probabilities of classes add up to 1."""
    if task != "classes" or not len(values):
        return values
    return values / values.sum(axis=1, keepdims=True)


def score_of(outputs: tuple[str, ...], values: np.ndarray) -> np.ndarray:
    """The number that signals are ranked by: ``p``, ``p_target``, ``value``, or the quantile that is nearest to the median."""
    for name in ("p", "p_target", "value"):
        if name in outputs:
            return values[:, outputs.index(name)]
    levels = levels_of(outputs)
    return values[:, int(np.argmin(np.abs(np.array(levels) - 0.5)))]


def chance_of(target: str, outputs: tuple[str, ...], values: np.ndarray) -> np.ndarray | None:
    """The calibrated chance that a signal turns out well; None where the target has none."""
    if not {"p", "p_target"} & set(outputs):
        return None
    score = score_of(outputs, values)
    return 1 - score if target in FALLING else score


def as_weighted(samples: Samples, rows: np.ndarray, weight: np.ndarray) -> Samples:
    """Some samples with their weights. Of a single instrument, the matrix ends with their last row: what comes later cannot be read."""
    taken = replace(samples.take(rows), weight=weight)
    if not len(rows) or len(np.unique(samples.first)) > 1:
        return taken
    return replace(taken, matrix=samples.matrix[: int(taken.at.max()) + 1])
