"""Input of a training from a job's spec: the question, and what its samples are made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from domain.errors import BadRequest
from domain.features import parse
from domain.training import asking
from domain.training import train as training
from domain.training.inputs import Inputs
from domain.training.question import Question
from domain.training.samples import SampleSet
from domain.training.splits import Fold
from worker.jobs.base import Work
from worker.jobs.feature_sets import columns_of
from worker.jobs.load import dataset_of
from worker.jobs.questions import rate_of, rules_of, series_of
from worker.store import Dataset, Run


@dataclass(frozen=True)
class LoadedQuestion:
    """``question`` on ``inputs``, one a dataset. Samples and folds are made when they are first needed."""

    spec: Mapping[str, Any]
    question: Question
    inputs: tuple[Inputs, ...]
    datasets: tuple[Dataset, ...]

    @cached_property
    def samples(self) -> SampleSet:
        return training.samples_of(self.question, self.inputs)

    @cached_property
    def folds(self) -> tuple[Fold, ...]:
        return training.folds_of(self.question, self.samples)

    @property
    def synthetic(self) -> bool:
        return any(dataset.synthetic for dataset in self.datasets)


def read(spec: Mapping[str, Any], work: Work) -> LoadedQuestion:
    """``spec``: datasets (versions), timeframe, start, end, columns, what ``asking.question_of`` takes, the rules of a backtest, rates, and versions of external data."""
    with work.store.read() as unit:
        stored = {dataset.version: dataset for dataset in unit.datasets.all()}
    used = tuple(dataset_of(stored, version) for version in spec["datasets"])
    series = [series_of(work, dataset, spec) for dataset in used]
    inputs = inputs_of(spec, series, [stored[version] for version in spec.get("rates", []) if version in stored], work)
    return LoadedQuestion(spec, question_of(spec, inputs), inputs, used)


def same(trained: Run, work: Work) -> LoadedQuestion:
    """The question of a finished training on the same data. Raises BadRequest where they, or what the program makes of them, are others by now."""
    question = read(trained.spec, work)
    if question.question.values() != trained.summary["question"]:
        raise BadRequest(f"run {trained.id} was trained on other data or by another version of the program; train it again first")
    return question


def question_of(spec: Mapping[str, Any], inputs: Sequence[Inputs]) -> Question:
    """The question by the content of its data, as the terminal asks it of files."""
    return asking.question_of(
        inputs, spec["target"], spec["learner"], target_params=spec["target_params"], params=spec["learner_params"], scheme=spec["scheme"], scheme_params=spec["scheme_params"],
        strategy=spec["strategy"], strategy_params=spec["strategy_params"], options=spec["fitting"], seed=spec["seed"], shuffle_labels=spec["shuffle_labels"],
    )  # fmt: skip


def inputs_of(spec: Mapping[str, Any], series: Sequence[Any], rates: Sequence[Dataset], work: Work) -> tuple[Inputs, ...]:
    from domain.backtest.study import context_of

    uses = tuple({use.column: use for use in map(parse, spec["columns"])}.values())
    rules = rules_of(spec, [each.instrument.name for each in series])
    converted = tuple(rate_of(work, dataset, spec) for dataset in rates)
    cache = columns_of(work)
    inputs = [Inputs(each, context_of(each, series), uses, rules, converted, cache=cache) for each in series]
    return tuple(_with_regimes(part, spec, work) for part in inputs)


def _with_regimes(part: Inputs, spec: Mapping[str, Any], work: Work) -> Inputs:
    """With the states of the regime run that the spec names for its instrument: as stored, where that reaches the last bar, else walked on."""
    from domain.training.regime_columns import with_regimes

    run = next((run for run in spec.get("regimes", ()) if run["instrument"] == part.series.instrument.name), None)
    if run is None:
        return part
    gone = not run["frame"] or work.store.frames.fault(run["frame"]) == "gone"      # the run was deleted since
    return with_regimes(part, run["plan"], None if gone else work.store.frames.get(run["frame"]))
