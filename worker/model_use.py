"""A stored model in a backtest: its files, its stored predictions and what it decides about signals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from domain.errors import BadRequest
from domain.features import parse
from domain.strategies import Strategy
from domain.strategies.base import reads_forecasts
from worker.store import Model, Store
from worker.store.model_files import files_of


def named(model: Model) -> dict[str, Any]:
    """What a study's spec names: so a promotion makes another question."""
    return dict(name=model.name, version=model.version, hash=model.digest)


def used(store: Store, model: Model, actor: str, series: Sequence[Any], rules: Any, rates: Sequence[Any], strategy: Strategy, name: str, cache: Any = None) -> Any:
    """``domain.training.applied.Applied`` of the model on the strategy's signals. A file that was changed is refused and recorded; BadRequest where it does not fit."""
    from domain.backtest.study import context_of
    from domain.training import applied
    from domain.training.inputs import Inputs
    from domain.training.model_folder import read_model
    from domain.training.question import question_from
    from domain.training.regime_columns import regimes_learnt

    pipeline, manifest = read_model(files_of(store, model, actor))
    question = question_from(manifest["question"])
    uses = tuple({use.column: use for use in map(parse, question.columns)}.values())
    inputs: Sequence[Inputs] = [Inputs(each, context_of(each, series), uses, rules, tuple(rates), cache=cache) for each in series]
    applied.check(question, strategy, name, inputs)
    inputs = regimes_learnt(question.data, inputs)
    samples = store.frames.get(model.frames["samples"], ["sample", "instrument", "start", "end"])
    return applied.applied(question, pipeline, inputs, strategy, predictions_of(store, model, samples) if question.scheme == "walk_forward" else pd.DataFrame(), samples["end"].max())


def live(store: Store, model: Model, actor: str) -> Any:
    """``domain.training.live_filter.LiveModel``, the selection of a session. A file that was changed is refused and recorded."""
    from domain.training.live_filter import LiveModel
    from domain.training.model_folder import read_model
    from domain.training.question import question_from

    pipeline, manifest = read_model(files_of(store, model, actor))
    question = question_from(manifest["question"])
    samples = store.frames.get(model.frames["samples"], ["sample", "instrument", "start", "end"])
    stored = predictions_of(store, model, samples) if question.scheme == "walk_forward" else pd.DataFrame()
    return LiveModel(question, pipeline, stored, samples["end"].max())


def predictions_of(store: Store, model: Model, samples: pd.DataFrame) -> pd.DataFrame:
    """``instrument start taken size`` of the walk-forward's tested samples, in their order."""
    tested = store.frames.get(model.frames["predictions"])
    if "taken" not in tested:
        raise BadRequest(f"{model.title} has no filter of signals; train it on signals of a strategy")
    beside = samples.set_index("sample")["instrument"]
    return tested.assign(instrument=beside.loc[tested["sample"]].to_numpy())[["sample", "instrument", "start", "taken", "size"]].sort_values("sample", kind="stable", ignore_index=True)


def with_forecasts(store: Store, model: Model, actor: str, series: Sequence[Any], rules: Any, rates: Sequence[Any], strategy: Strategy, cache: Any = None) -> tuple[list[Any], str]:
    """The series with the model's quantiles beside their bars, and how much of each was used, in a sentence. A file that was changed is refused and recorded."""
    from domain.backtest.study import context_of
    from domain.training import quantile_forecasts as forecasts_by_quantile
    from domain.training.inputs import Inputs
    from domain.training.model_folder import read_model
    from domain.training.question import question_from
    from domain.training.regime_columns import regimes_learnt

    pipeline, manifest = read_model(files_of(store, model, actor))
    question = question_from(manifest["question"])
    uses = tuple({use.column: use for use in map(parse, question.columns)}.values())
    inputs: Sequence[Inputs] = [Inputs(each, context_of(each, series), uses, rules, tuple(rates), cache=cache) for each in series]
    forecasts_by_quantile.check(question, pipeline.outputs, strategy, inputs)
    inputs = regimes_learnt(question.data, inputs)
    samples = store.frames.get(model.frames["samples"], ["sample", "instrument", "start", "end"])
    stored = pd.DataFrame()
    if question.scheme == "walk_forward":
        tested = store.frames.get(model.frames["predictions"])
        stored = tested.assign(instrument=samples.set_index("sample")["instrument"].loc[tested["sample"]].astype(str).to_numpy())
    return beside(series, forecasts_by_quantile.quantile_forecasts(question, pipeline, inputs, stored, samples["end"].max()), dict(model=model.name, version=model.version))


def beside(series: Sequence[Any], table: pd.DataFrame, source: Mapping[str, Any]) -> tuple[list[Any], str]:
    """The series with forecasts of ``table`` beside their bars, and how many, in a sentence. ``source`` names where they are from."""
    from domain.backtest.study import context_of
    from domain.market.bars import ts_of
    from domain.outside.forecasts import forecasts_of

    used, sentences = [], []
    for each in series:
        read = forecasts_of(table, each.instrument.name, ts_of(each.bars), context_of(each, series).ends(each.bars))
        used.append(replace(each, context=replace(each.context, forecasts=read.values), outside={**each.outside, "forecasts": dict(source)}))
        sentences.append(read.sentence if len(series) == 1 else f"{each.instrument.name}: {read.sentence}")
    return used, "; ".join(sentences)


def forecast_series(store: Store, spec: Mapping[str, Any], actor: str, series: Sequence[Any], rules: Any, rates: Sequence[Any], cache: Any = None) -> tuple[Sequence[Any], str]:
    """The series of a job's spec, with forecasts where its strategy reads some; BadRequest where it names no model for them."""
    from domain.params import build
    from domain.strategies import STRATEGIES

    if not reads_forecasts(spec["strategy"]):
        return series, ""
    model = of_spec(store, spec)
    if model is None:
        from domain.outside.forecast_models import without_a_model

        raise BadRequest(without_a_model(spec["strategy"]))
    return with_forecasts(store, model, actor, series, rules, rates, build(STRATEGIES[spec["strategy"]], spec["params"]), cache)


def applied_to(request: Any, work: Any) -> Any:
    """What the model that a loaded backtest's spec names decides; None where it names none, or one that forecasts for the strategy."""
    model = of_spec(work.store, request.spec)
    if model is None or reads_forecasts(request.spec["strategy"]):
        return None
    return used(work.store, model, work.job.actor, request.series, request.rules, request.rates, request.strategy(), request.spec["strategy"])


def of_spec(store: Store, spec: Mapping[str, Any]) -> Model | None:
    """The version that a job's spec names under ``model``; None where it names none. One that is no longer the same is refused."""
    chosen = spec.get("model")
    if not chosen:
        return None
    with store.read() as unit:
        model = unit.models.version(chosen["name"], chosen["version"])
    if model is None or model.digest != chosen["hash"]:
        raise BadRequest(f"the model {chosen['name']}@{chosen['version']} is not the one that the request names; choose a model again")
    return model
