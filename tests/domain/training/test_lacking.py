"""A model whose external data is not there is refused, for it would answer all the same."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pandas as pd
import pytest

from domain.errors import BadRequest
from domain.features import Context, parse
from domain.market.instrument import instrument
from domain.outside.timed_values import TimedValues
from domain.training.inputs import Inputs
from domain.training.lacking import others_of, refuse_lacking

USES = tuple(map(parse, ("atr(14)", "vix_zscore(60)", "minutes_to_release")))
EMPTY = Context(instrument=instrument("EURUSD"))
VIX = dict(macro={"VIX": TimedValues(np.array([1]), np.array([20.0]))})


def inputs(context: Context, *uses: str, **of_bars: list[float]) -> list[Inputs]:
    series = SimpleNamespace(instrument=instrument("EURUSD"), bars=pd.DataFrame(of_bars))
    return [Inputs(cast(Any, series), context, tuple(map(parse, uses)) or USES, cast(Any, None))]


def test_each_column_is_named_with_what_it_needs():
    with pytest.raises(BadRequest, match=r"vix_zscore\(60\) needs VIX.*minutes_to_release needs a calendar of releases"):
        refuse_lacking([use.column for use in USES], inputs(EMPTY))


def test_what_is_there_or_was_not_learnt_is_not_missed():
    with_vix = replace(EMPTY, **VIX)
    with pytest.raises(BadRequest, match="calendar of releases") as refused:
        refuse_lacking([use.column for use in USES], inputs(with_vix))
    assert "VIX" not in str(refused.value)
    refuse_lacking(["atr(14)", "vix_zscore(60)"], inputs(with_vix))
    refuse_lacking([use.column for use in USES], inputs(replace(with_vix, releases=np.array([1]))))


def test_other_instruments_are_those_that_it_learnt_beside_and_no_others():
    column = "correlation(50, first)"
    closes = dict(GBPUSD=TimedValues(np.array([1]), np.array([1.3])))
    alone, beside = inputs(EMPTY, column), inputs(replace(EMPTY, others=closes), column)
    learnt = (dict(instrument="EURUSD", others=["GBPUSD"]),)
    assert others_of(beside) == ["GBPUSD"] and others_of(inputs(replace(EMPTY, others=closes), "atr(14)")) == []
    refuse_lacking([column], beside, learnt)
    refuse_lacking([column], beside, (dict(instrument="EURUSD"), dict(instrument="GBPUSD")))
    with pytest.raises(BadRequest, match=r"correlation\(50, first\) needs the other instruments that it was trained beside, GBPUSD \(here: none\)"):
        refuse_lacking([column], alone, learnt)
    with pytest.raises(BadRequest, match=r"trained beside, USDJPY \(here: GBPUSD\)"):
        refuse_lacking([column], beside, (dict(instrument="EURUSD", others=["USDJPY"]),))
    with pytest.raises(BadRequest, match="no other instrument beside it"):
        refuse_lacking([column], beside, (dict(instrument="EURUSD"),))


def test_bars_without_the_volume_that_it_learnt_from_are_refused():
    with pytest.raises(BadRequest, match=r"mfi\(14\) needs bars with volume"):
        refuse_lacking(["mfi(14)"], inputs(EMPTY, "mfi(14)", volume=[0.0, 0.0]))
    refuse_lacking(["mfi(14)"], inputs(EMPTY, "mfi(14)", volume=[0.0, 5.0]))
