"""Tuning of learners: what can be searched, submission, and results."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from domain.errors import BadRequest
from domain.params import Param, build, params_of, values_of
from domain.training.search_space import Tuning, space_of, tunable
from worker.desk.backtests import Backtests
from worker.desk.context import DeskContext, Submitted, key_of
from worker.desk.export import csv_of
from worker.desk.features import Features
from worker.desk.training import Training, TrainingRequest
from worker.store import Run

KIND = "tune"


class TuningView:
    """``table`` of a run: ``number``, parameters, ``loss nearest folds given_up infeasible chosen``. ``run.summary``: ``params`` (of the chosen trial, for a training), ``loss``,
    ``nearest, best, trials, given_up, infeasible, refused, space, maps`` (pairs of parameters that have a heat map)."""

    def __init__(self, context: DeskContext) -> None:
        self._context = context
        self._training, self._backtests, self._features = Training(context), Backtests(context), Features(context)

    def options(self) -> tuple[Param, ...]:
        """Trials, batch, sampler, early stopping, seed."""
        return params_of(Tuning)

    def tunable(self, learner: str) -> dict[str, Param]:
        """What of a learner may be searched, by name."""
        return tunable(learner)

    def submit(self, request: TrainingRequest, space: Mapping[str, Any], tuning: Mapping[str, Any] = {}) -> Submitted:
        """Queue it. ``space``: parameter -> ``[low, high]``, ``[low, high, step]``, or a mapping of low, high, step, log or choices. An identical request returns the existing job."""
        spec = self._training.spec(request) | dict(register="")
        space_of(request.learner, space)
        spec |= dict(space=dict(space), tuning=values_of(build(Tuning, tuning)))
        names, made_up = self._backtests._names(spec["datasets"])
        title = f"Tune {request.learner} on {request.target}{f' of {request.strategy}' if request.strategy else ''} · {names} {request.timeframe}{made_up}"
        return self._context.submit(KIND, title, spec, queue="research", key=key_of(KIND, spec))

    def latest(self, limit: int = 100) -> list[Run]:
        with self._context.store.read() as unit:
            return unit.runs.latest(KIND, limit)

    def get(self, run_id: str) -> Run:
        return self._features.get(run_id, KIND)

    def table(self, run_id: str) -> pd.DataFrame:
        """A row a trial."""
        return self._frame(run_id, "table")

    def heat(self, run_id: str, x: str, y: str) -> pd.DataFrame:
        """``x, y, value, plateau, points``: the loss with its sign changed, higher is better."""
        run = self.get(run_id)
        if [x, y] not in run.summary["maps"]:
            raise BadRequest(f"the tuning has no heat map of {x} and {y}; it has {', '.join(f'{a} × {b}' for a, b in run.summary['maps']) or 'none, for one parameter was searched'}")
        return self._frame(run_id, f"heat {x} × {y}")

    def download(self, run_id: str) -> bytes:
        """The trials as CSV; an audit event."""
        table = self.table(run_id)
        with self._context.store.unit() as unit:
            unit.audit(self._context.user, "downloaded", f"run:{run_id}", what="trials", form="csv", rows=len(table))
        return csv_of(table)

    def params(self, run_id: str) -> dict[str, Any]:
        """The learner's parameters with those that were chosen, as a training takes them."""
        run = self.get(run_id)
        return {**run.spec["learner_params"], **run.summary["params"]}

    def _frame(self, run_id: str, name: str) -> pd.DataFrame:
        return self._context.store.frames.get(self.get(run_id).frames[name])
