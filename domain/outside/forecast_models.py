"""Which models give the quantiles that strategies decide on, and how far those look ahead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from domain.errors import BadRequest
from domain.market.timeframe import Timeframe
from domain.outside.forecasts import QUANTILES, quantile_name

LEVELS = "0.05,0.1,0.25,0.5,0.75,0.9,0.95"
MINUTE = 60_000_000_000     # nanoseconds


def gives_quantiles(target: str, outputs: Sequence[str]) -> bool:
    """Whether a model of this target and these outputs gives q05 … q95 of returns.

    >>> gives_quantiles("return", ["q_0.1", "q_0.5", "q_0.9"])
    False
    """
    return target == "return" and set(QUANTILES) <= {quantile_name(name) for name in outputs}


def asks_quantiles(question: Mapping[str, Any]) -> bool:
    """Whether a model of this training question gives them, by the levels that its learner was fitted for.

    >>> asks_quantiles({"target": "return", "learner_params": {"levels": LEVELS}}), asks_quantiles({"target": "win", "learner_params": {}})
    (True, False)
    """
    levels = str(question.get("learner_params", {}).get("levels", ""))
    return gives_quantiles(str(question.get("target", "")), [f"q_{level.strip()}" for level in levels.split(",")])


def horizon_of(target_params: Mapping[str, Any], timeframe: Timeframe) -> int:
    """How many bars the quantiles look ahead. Raises BadRequest for a horizon in minutes that is no multiple of the bars.

    >>> horizon_of({"horizon": 120, "unit": "minutes"}, Timeframe.named("M15"))
    8
    """
    horizon = int(target_params.get("horizon", 12))
    if target_params.get("unit", "bars") == "bars":
        return horizon
    bars, rest = divmod(horizon * MINUTE, timeframe.nanoseconds)
    if rest or not bars:
        raise BadRequest(f"the model forecasts {horizon:,} minutes ahead, which is no multiple of {timeframe} bars; use bars of another timeframe, or another model")
    return int(bars)


def without_a_model(strategy: str) -> str:
    """What to do where a strategy reads forecasts and has none."""
    return f"{strategy} decides on the quantiles {QUANTILES[0]} … {QUANTILES[-1]} of a forecast; name a model of them with --model NAME (on the page: Model), or give --forecasts FILE"
