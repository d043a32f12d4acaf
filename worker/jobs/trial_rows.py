"""Rows of the trial ledger, and frames with categories as text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from domain.analytics.guards import finite
from domain.params import values_of
from domain.strategies.base import Strategy
from worker.store.former_names import stored


def trial_of(spec: Mapping[str, Any], request: Mapping[str, Any], strategy: Strategy | None, sharpe: float, days: int) -> dict[str, Any]:
    """The run's row of the trial ledger."""
    from domain.backtest.study import spec_hash
    from domain.backtest.sweep import params_hash

    return dict(strategy=spec["strategy"], params=params_hash(spec["strategy"], values_of(strategy) if strategy else {"signals": spec["signals"]["frame"]}), spec=spec_hash(request), sharpe=finite(sharpe), days=days)


def in_words(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame as it is stored: categories as text, so that its hash does not depend on their encoding."""
    return stored(frame).assign(**{name: frame[name].astype(str) for name in frame if isinstance(frame[name].dtype, pd.CategoricalDtype)})
