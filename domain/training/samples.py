"""Samples with their labels: on the signals of a strategy, on closed trades, or on bars."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from domain.models.base import Samples
from domain.strategies import Strategy
from domain.training.inputs import Inputs
from domain.training.targets import TargetParams

Watch = Callable[[float], None]
NEVER = np.iinfo(np.int64).max      # the end of a sample whose label is not known


@dataclass(frozen=True)
class SampleSet:
    """Samples in the order of their start. All arrays are aligned with ``samples``.

    ``r``: float64, what the signal alone earned in R, NaN on bars. ``uniqueness``: float64. ``instruments``: the names that ``samples.instrument`` numbers.
    ``unlabelled``: signals or bars that have no label, counted by reason; ``warm_up``: those left out because columns were not yet warm.
    ``signals``: on signals, a frame a row a sample: ``number`` (row in ``decided`` of its instrument), ts, instrument, side, tag, entry_ts, exit_ts, exit_reason,
    stop_loss, mae_r, mfe_r, bars_held. ``dropped``: columns that held no value at all.
    """

    samples: Samples
    r: np.ndarray
    uniqueness: np.ndarray
    instruments: tuple[str, ...]
    unlabelled: Mapping[str, int]
    warm_up: int
    target: str
    signals: pd.DataFrame | None = None
    dropped: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.samples)


def sample_set(inputs: Sequence[Inputs], strategy: Strategy | None, target: str, params: TargetParams = TargetParams(), labelled: bool = True, watch: Watch = lambda share: None) -> SampleSet:
    """By the target's name: on the signals of ``strategy``, on ``Inputs.trades`` where these stand for signals, or on bars.

    ``labelled`` False: those without a label too, for predictions; their ``y`` is NaN and their ``end`` is NEVER.
    Raises BadRequest for an unknown target and for signals without a strategy.
    """
    raise NotImplementedError


def on_signals(inputs: Sequence[Inputs], strategy: Strategy, target: str, params: TargetParams = TargetParams(), labelled: bool = True, watch: Watch = lambda share: None) -> SampleSet:
    """Every entry signal of ``strategy``, each simulated alone by the kernel."""
    raise NotImplementedError


def on_trades(inputs: Sequence[Inputs], target: str, params: TargetParams = TargetParams(), labelled: bool = True) -> SampleSet:
    """The closed trades of ``Inputs.trades`` (columns as ``tidemark backtest`` writes them) in the place of signals."""
    raise NotImplementedError


def on_bars(inputs: Sequence[Inputs], target: str, params: TargetParams = TargetParams(), labelled: bool = True) -> SampleSet:
    """Every ``params.every``-th bar."""
    raise NotImplementedError
