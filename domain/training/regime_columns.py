"""Learned regimes as columns: the filtered probability of each state at each bar's end, by a model that was fitted on earlier bars alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from domain.errors import BadRequest
from domain.features.regimes import FitConfig, observations, standard, walk_forward
from domain.market.bars import ts_of
from domain.outside.timed_values import TimedValues
from domain.params import build, values_of
from domain.training.inputs import Inputs

PREFIX, PROBABILITY = "regime_", "p_"
DAY = 86_400e9      # nanoseconds
Watch = Callable[[float], None]


def planned(plan: Mapping[str, Any], part: Inputs, observed: Sequence[str] = ()) -> dict[str, Any]:
    """Values of ``FitConfig`` in bars, what the models look at, and the first bar of the walk: so it is the same on later bars."""
    config, ts, ends = build(FitConfig, plan), ts_of(part.series.bars), part.context.ends(part.series.bars)
    train, step = config.rows(len(ts), float(ends[-1] - ends[0]) / DAY)
    return values_of(replace(config, train=train, step=step, unit="bars")) | dict(observed=list(observed or standard(part.context)), first=pd.Timestamp(ts[0], tz="UTC").isoformat())


def with_regimes(part: Inputs, plan: Mapping[str, Any], known: pd.DataFrame | None = None, watch: Watch = lambda share: None) -> Inputs:
    """The inputs with a column a state. ``known``: ``end`` and ``p_STATE`` … of a walk by this plan, taken where it reaches the last bar; else it is walked here.

    Raises BadRequest where the bars do not hold the walk's first one: from another bar on, windows and states would be others than those that were learnt from.
    """
    ends = part.context.ends(part.series.bars)
    if known is None or not len(known) or _instants(known["end"])[-1] < ends[-1]:
        known = _walked(part, plan, watch)
    columns = {f"{PREFIX}{name.removeprefix(PROBABILITY)}": TimedValues(_instants(known["end"]), known[name].to_numpy(np.float64)) for name in known if name.startswith(PROBABILITY)}
    return replace(part, extra={**part.extra, **columns}, regimes=dict(plan))


def regimes_learnt(data: Sequence[Mapping[str, Any]], inputs: Sequence[Inputs]) -> tuple[Inputs, ...]:
    """The inputs with the regimes that a question's ``data`` name for their instruments."""
    plans = {str(each["instrument"]): each["regimes"] for each in data if each.get("regimes")}
    named = [(part, part.series.instrument.name) for part in inputs]
    return tuple(with_regimes(part, plans[name]) if name in plans and not part.regimes else part for part, name in named)


def _walked(part: Inputs, plan: Mapping[str, Any], watch: Watch) -> pd.DataFrame:
    config = build(FitConfig, {name: value for name, value in plan.items() if name not in ("observed", "first")})
    bars, ts, first = part.series.seen, ts_of(part.series.seen), pd.Timestamp(plan["first"])
    at = int(np.searchsorted(ts, first.value))
    refuse_elsewhere(plan, int(ts[0]) if len(ts) else 0, at < len(ts) and bool(ts[at] == first.value))
    walk = bars.iloc[at:].reset_index(drop=True)
    seen = observations(walk, part.context, plan["observed"])
    walked = walk_forward(seen, config.train, config.step, config.kind, config.number, config.seed, config.restarts, anchored=config.anchored, watch=watch)
    states = {f"{PROBABILITY}{_word(name)}": walked.probabilities[:, k] for k, name in enumerate(walked.names)}
    return pd.DataFrame(dict(end=part.context.ends(walk)) | states)


def refuse_elsewhere(plan: Mapping[str, Any], begins: int, holds: bool) -> None:
    """Raises BadRequest unless bars that begin at ``begins`` hold the first one of a walk."""
    if not holds:
        raise BadRequest(f"its regimes were made walking forward from the bar of {pd.Timestamp(plan['first']):%Y-%m-%d %H:%M} UTC on, and these bars begin at {pd.Timestamp(begins):%Y-%m-%d %H:%M} without it; give bars from there on")


def column_of(state: str) -> str:
    """
    >>> column_of("high volatility")
    'regime_high_volatility'
    """
    return f"{PREFIX}{_word(state)}"


def _word(state: str) -> str:
    return state.replace(" ", "_")


def _instants(ends: pd.Series) -> np.ndarray:
    return ends.to_numpy(np.int64) if ends.dtype == np.int64 else pd.DatetimeIndex(ends).as_unit("ns").asi8

