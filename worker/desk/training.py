"""Training: choices, submission, what a running job has done so far, and results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pandas as pd

from domain.params import Param
from worker.desk.context import DeskContext, Submitted
from worker.store import Run

KIND = "train"


@dataclass(frozen=True)
class TrainingRequest:
    """A question to a learner on stored bars. ``datasets`` are ids, several are pooled; ``columns`` are feature texts; ``rules`` and ``cost_profile``
    are those of a backtest, for targets on signals. ``options``: changed values of the pipeline (weights, half-life, selection, intervals, filter).
    ``register``: the name under which a whole run becomes a candidate; empty: none."""

    datasets: Sequence[str]
    timeframe: str
    start: datetime
    end: datetime
    columns: Sequence[str]
    learner: str
    target: str
    params: Mapping[str, Any] = field(default_factory=dict)
    target_params: Mapping[str, Any] = field(default_factory=dict)
    scheme: str = "walk_forward"
    scheme_params: Mapping[str, Any] = field(default_factory=dict)
    strategy: str = ""
    strategy_params: Mapping[str, Any] = field(default_factory=dict)
    rules: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    cost_profile: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0
    shuffle_labels: bool = False
    register: str = ""


@dataclass(frozen=True)
class LearnerChoice:
    """``targets``: names of those that it can learn. ``sequence``: it looks at several bars. ``baseline``: it is trained beside every other."""

    name: str
    about: str
    targets: tuple[str, ...]
    params: tuple[Param, ...]
    sequence: bool


@dataclass(frozen=True)
class TargetChoice:
    """``on``: signals or bars. ``task``: binary, classes or number."""

    name: str
    about: str
    on: str
    task: str


@dataclass(frozen=True)
class TrainingProgress:
    """A running or ended job. ``folds``: a row a finished fold: ``fold, start, end, samples, train, validation, calibration, test`` and its scores, in
    order. ``live``: ``fold, share, loss`` of the fold that the job's own worker fits now. ``expected``: how many folds there are, 0 before that is known.
    ``seconds_left``: None before it is known."""

    state: str
    note: str
    share: float
    folds: pd.DataFrame
    live: pd.DataFrame
    expected: int
    seconds_left: float | None


class Training:
    def __init__(self, context: DeskContext) -> None:
        self._context = context

    # -- choices

    def learners(self, target: str = "") -> dict[str, LearnerChoice]:
        """Name -> learner; with ``target``, those that can learn it."""
        raise NotImplementedError

    def targets(self) -> dict[str, TargetChoice]:
        """Name -> target."""
        raise NotImplementedError

    def target_params(self, target: str) -> tuple[Param, ...]:
        """Its own: threshold, or horizon, unit and every."""
        raise NotImplementedError

    def schemes(self) -> dict[str, tuple[Param, ...]]:
        """``walk_forward`` and ``cpcv``, with their parameters."""
        raise NotImplementedError

    def options(self) -> tuple[Param, ...]:
        """What else of the pipeline can be chosen."""
        raise NotImplementedError

    # -- submission

    def spec(self, request: TrainingRequest) -> dict[str, Any]:
        """The request as plain values; raises ``BadRequest`` where it is not valid."""
        raise NotImplementedError

    def submit(self, request: TrainingRequest) -> Submitted:
        """Queue it. An identical request on the same code returns the existing job."""
        raise NotImplementedError

    def resume(self, run_id: str) -> Submitted:
        """Go on with a partial run: its finished folds are not fitted again."""
        raise NotImplementedError

    # -- while it runs

    def progress(self, job_id: str) -> TrainingProgress:
        raise NotImplementedError

    # -- reading

    def latest(self, limit: int = 100) -> list[Run]:
        """Runs of training, newest first. ``run.summary["partial"]``: it was cancelled."""
        raise NotImplementedError

    def get(self, run_id: str) -> Run:
        raise NotImplementedError

    def request_of(self, run_id: str) -> TrainingRequest:
        """The request of a run, to run it again or to edit it."""
        raise NotImplementedError

    def request_from(self, spec: Mapping[str, Any]) -> TrainingRequest:
        """The request of the spec of a job that has no run."""
        raise NotImplementedError

    def report(self, run_id: str) -> dict[str, Any]:
        """Verdict, trials, control, scores, baselines and crossed share, as in report.json; of a partial run scores alone."""
        raise NotImplementedError

    def table(self, run_id: str, name: str) -> pd.DataFrame:
        """``samples`` (sample instrument start end y r uniqueness), ``folds`` (fold sample part), ``predictions`` (fold path sample start end y …)."""
        raise NotImplementedError

    def model(self, run_id: str) -> dict[str, bytes]:
        """The files of ``model/``, ``manifest.json`` with them; a file whose hash is wrong is refused. For ``tidemark train --data``."""
        raise NotImplementedError

    def stale(self, run_id: str) -> str:
        """Why the run is older than what it was made of: newer data or other code; empty where it is not."""
        raise NotImplementedError

    def partial(self, run_id: str) -> bool:
        raise NotImplementedError

    def download(self, run_id: str, name: str, form: str) -> bytes:
        """``name``: samples, folds, predictions (``form`` csv or parquet), report (json)."""
        raise NotImplementedError

    def delete(self, run_id: str) -> Run:
        """Remove the run; its audit events and trials stay. Refused while a model names it."""
        raise NotImplementedError
