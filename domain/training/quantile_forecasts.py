"""A model's quantiles as forecasts for the strategies that read them: what it was fitted to is never forecast by the model itself.

Up to the model's last label its stored predictions of the walk-forward are used, each made by a fold that had not seen the bar; where there is none, there is no
forecast. After it the model itself forecasts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from domain.errors import BadRequest, listed
from domain.outside.forecast_models import LEVELS, gives_quantiles, horizon_of
from domain.outside.forecasts import QUANTILES, quantile_name
from domain.training.fitted_pipeline import FittedPipeline
from domain.training.inputs import Inputs
from domain.training.predicting import predictions
from domain.training.question import Question


def check(question: Question, outputs: Sequence[str], strategy: Any, inputs: Sequence[Inputs]) -> None:
    """Raises BadRequest where the model's quantiles are not those that the strategy reads on these bars."""
    if not gives_quantiles(question.target, outputs):
        raise BadRequest(f"the model forecasts {listed(outputs)} of {question.target}, and the strategy reads {QUANTILES[0]} … {QUANTILES[-1]} of return; train one with the target return and the levels {LEVELS}")
    learnt = {str(part["instrument"]): str(part["timeframe"]) for part in question.data}
    for part in inputs:
        instrument, timeframe = part.series.instrument.name, part.series.timeframe
        if learnt.get(instrument) != str(timeframe):
            raise BadRequest(f"the model was trained on {listed(f'{key} {value}' for key, value in learnt.items())}, and {instrument} {timeframe} is traded")
        if (horizon := horizon_of(question.target_params, timeframe)) != strategy.horizon:
            raise BadRequest(f"the model forecasts {horizon} bars ahead, and horizon is {strategy.horizon} bars; set horizon to {horizon}")


def quantile_forecasts(question: Question, pipeline: FittedPipeline, inputs: Sequence[Inputs], stored: pd.DataFrame, last: pd.Timestamp) -> pd.DataFrame:
    """``start`` (UTC, end of the bar), ``instrument``, the quantiles, and ``in_sample``: rows up to the model's last label that no fold has forecast.

    ``stored``: the predictions of its walk-forward with ``instrument``, ``start`` and the quantiles, empty without one. ``last``: the last end of a label of its samples.
    """
    live = predictions(question, pipeline, inputs)
    if "instrument" not in live:
        live = live.assign(instrument=inputs[0].series.instrument.name)
    until = max(int(pd.Timestamp(last).value), pipeline.until)
    names = [name for name in pipeline.outputs if quantile_name(name)]
    seen = (live["start"].dt.as_unit("ns").astype("int64") <= until).to_numpy()
    live = live[["start", "instrument", *names]].assign(in_sample=seen)
    if stored.empty:
        return live
    walked = stored[["start", "instrument", *names]].assign(in_sample=False, start=stored["start"].dt.as_unit("ns"))
    key = pd.MultiIndex.from_frame(walked[["instrument", "start"]])
    replaced = pd.MultiIndex.from_frame(live[["instrument", "start"]].assign(start=live["start"].dt.as_unit("ns"))).isin(key) & seen
    walked = walked[(walked["start"].astype("int64") <= until).to_numpy()]
    return pd.concat([walked, live[~replaced]], ignore_index=True).sort_values(["instrument", "start"], kind="stable", ignore_index=True)
