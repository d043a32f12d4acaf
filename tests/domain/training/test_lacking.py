"""A model whose external data is not there is refused, for it would answer all the same."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from domain.errors import BadRequest
from domain.features import Context, parse
from domain.market.instrument import instrument
from domain.outside.timed_values import TimedValues
from domain.training.inputs import Inputs
from domain.training.lacking import refuse_lacking

USES = tuple(map(parse, ("atr(14)", "vix_zscore(60)", "minutes_to_release")))
EMPTY = Context(instrument=instrument("EURUSD"))
VIX = dict(macro={"VIX": TimedValues(np.array([1]), np.array([20.0]))})


def inputs(context: Context) -> list[Inputs]:
    return [Inputs(cast(Any, SimpleNamespace()), context, USES, cast(Any, None))]


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
