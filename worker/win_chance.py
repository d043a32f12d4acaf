"""The chance of a win of a strategy's signals, by a calibrated classifier of the workspace that had not seen them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd

from domain.errors import BadRequest
from domain.features import parse
from domain.strategies import Strategy
from worker.store import Model, Store
from worker.store.model_files import files_of

TARGET = "win"      # whether R is above 0


def chance_of_win(store: Store, model: Model, actor: str, name: str, strategy: Strategy, series: Sequence[Any], rules: Any, rates: Sequence[Any]) -> Callable[[Any, str, pd.Timestamp], float | None]:
    """From a series, the name of a strategy and a bar to the chance of the signal of that bar: by the model after its last label, up to it by the fold of its walk-forward that had not seen it;
    None where there is neither, or the model is about another strategy, instrument or timeframe."""
    from domain.backtest.study import context_of
    from domain.training import applied
    from domain.training.inputs import Inputs
    from domain.training.model_folder import read_model
    from domain.training.question import question_from

    pipeline, manifest = read_model(files_of(store, model, actor))
    question = question_from(manifest["question"])
    _check(model, question, pipeline)
    learnt = {str(part["instrument"]): str(part["timeframe"]) for part in question.data}
    used = [entry for entry in series if learnt.get(entry.instrument.name) == str(entry.timeframe)]
    if not used:
        raise BadRequest(f"{model.title} was trained on {', '.join(f'{key} {value}' for key, value in learnt.items())}, and none of them is scanned; add them, or leave the model out")
    uses = tuple({use.column: use for use in map(parse, question.columns)}.values())
    inputs = [Inputs(entry, context_of(entry, [other for other in series if other.timeframe == entry.timeframe]), uses, rules, tuple(rates)) for entry in used]
    applied.check(question, strategy, name, inputs)
    chances = _chances(store, model, question, pipeline, inputs, strategy)

    def chance(traded: Any, strategy_name: str, ts: pd.Timestamp) -> float | None:
        if strategy_name != name or learnt.get(traded.instrument.name) != str(traded.timeframe):
            return None
        return chances.get((traded.instrument.name, _end(traded, ts)))

    return chance


def _check(model: Model, question: Any, pipeline: Any) -> None:
    if question.target != TARGET:
        raise BadRequest(f"{model.title} forecasts {question.target}, not the chance of a win; use a model that was trained on the target {TARGET}")
    if not pipeline.calibration or any(each.kind == "none" for each in pipeline.calibration):
        raise BadRequest(f"{model.title} is not calibrated, for its calibration part had too few samples; train it on more signals")


def _chances(store: Store, model: Model, question: Any, pipeline: Any, inputs: Sequence[Any], strategy: Strategy) -> dict[tuple[str, int], float]:
    """Instrument and instant of the decision (nanoseconds UTC) -> chance."""
    from domain.params import build
    from domain.training.lacking import refuse_lacking
    from domain.training.regime_columns import regimes_learnt
    from domain.training.samples import sample_set
    from domain.training.seen import as_seen
    from domain.training.targets import TargetParams

    kept = store.frames.get(model.frames["samples"], ["sample", "instrument", "start", "end"])
    until = max(int(kept["end"].max().value), pipeline.until)
    inputs = regimes_learnt(question.data, inputs)
    refuse_lacking(pipeline.columns, inputs, question.data)
    signals = sample_set(inputs, strategy, question.target, build(TargetParams, question.target_params), labelled=False)
    names, start = [signals.instruments[k] for k in signals.samples.instrument], signals.samples.start
    p = pipeline.predict(as_seen(signals, pipeline.columns))["p"].to_numpy()
    own = {(name, int(at)): float(value) for name, at, value in zip(names, start, p, strict=True) if at > until}
    if question.scheme != "walk_forward":
        return own
    tested = store.frames.get(model.frames["predictions"], ["sample", "start", "p"]).merge(kept[["sample", "instrument"]], on="sample")
    return {(str(row.instrument), int(pd.Timestamp(str(row.start)).as_unit("ns").value)): float(str(row.p)) for row in tested.itertuples()} | own


def _end(traded: Any, ts: pd.Timestamp) -> int:
    import numpy as np

    from domain.market.calendar import bar_ends

    return int(bar_ends(np.array([ts.as_unit("ns").value]), traded.timeframe, traded.instrument.calendar)[0])
