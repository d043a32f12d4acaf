"""A synthetic run as a report takes it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from domain.analytics import Evidence, lint, measure
from domain.report import Material, belief_of
from domain.trading.task import COUNTS
from tests.domain.analytics import makers

START = 10_000.0
SPEC = dict(
    data=[dict(instrument="EURUSD", timeframe="M15", side="bid", version="ab" * 32, bars=12_345)], span=["2024-01-01T00:00:00.000000Z", "2024-12-31T00:00:00.000000Z"],
    strategy=dict(name="breakout", params=dict(lookback=20, stop_atr="2.0")), instruments=dict(EURUSD=dict(name="EURUSD", pip="0.0001")),
    account=dict(balance=str(START), currency="USD"), costs=dict(spread=None, slippage="0.00002"), execution=dict(intrabar="pessimistic"),
    sizing=dict(kind="fraction_at_risk", value="0.01"), limits=dict(max_positions=0, flatten=True),
)  # fmt: skip
MANIFEST = dict(spec=SPEC, spec_hash="cd" * 32, code="ef" * 32, libraries=dict(python="3.11.9", numpy="2.0.0"))
NAN = float("nan")


def results(count: int = 300, mean: float = 0.1, seed: int = 5) -> np.ndarray:
    return np.random.default_rng(seed).normal(mean, 1.0, count)


def material(r: np.ndarray | None = None, **changes: object) -> Material:
    """A run of these results in R, one trade in seven hours; ``changes`` are fields of Material."""
    trades = makers.trades(results() if r is None else r, every="7h")
    fills, equity = makers.fills(trades), makers.equity(trades, START)
    return material_of(trades, fills, equity, **changes)


def empty(**changes: object) -> Material:
    """Signals, but not one trade."""
    some = material(np.array([1.0]))
    equity = pd.DataFrame(dict(ts=pd.date_range("2024-01-01", periods=50, tz="UTC", unit="ns"), balance=START, equity=START, equity_low=START, used_margin=0.0))
    return material_of(some.trades.iloc[:0], some.fills.iloc[:0], equity, **changes)


def material_of(trades: pd.DataFrame, fills: pd.DataFrame, equity: pd.DataFrame, **changes: object) -> Material:
    counts = dict.fromkeys(COUNTS, 0) | dict(duplicate_tag=1_234, no_margin=5, stale_rate=2)
    metrics = measure(trades, fills, equity, START, makers.SPREAD)
    remarks = lint(Evidence(trades, fills, equity, START, counts, metrics=metrics))
    belief = belief_of(equity, metrics, remarks, start=START, ambiguous=3)
    return replace(Material(trades, fills, equity, metrics, counts, 12_345, 3, MANIFEST, belief, remarks, "Two trials are counted."), **changes)
