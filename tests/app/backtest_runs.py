"""Backtests that were never run, as the desk stores them."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np

from domain.analytics import METRICS, measure
from tests.domain.analytics import makers
from worker.store import Store


def backtests(store: Store, start: float = 10_000.0) -> list[str]:
    """Two backtests that differ in a parameter, with forty trades each; of an account that began with ``start``."""
    names = []
    for number in range(2):
        trades = makers.trades(np.random.default_rng(number).normal(size=40), every="20h", costs=2.0)
        fills, equity = makers.fills(trades), makers.equity(trades, start)
        frames = {name: store.frames.put(frame) for name, frame in dict(trades=trades, fills=fills, equity=equity).items()}
        spec = dict(strategy=dict(name="breakout", params=dict(lookback=number)), data=[dict(instrument="EURUSD", version="v")], span=[], instruments=dict(EURUSD=dict(pip=0.0001, calendar="fx")))
        with store.unit() as unit:
            run = dict(kind="backtest", job_id="j", title=f"breakout {number}", spec=dict(datasets=[], strategy="breakout"), manifest=dict(spec=spec, spec_hash=str(number) * 64, code="c", libraries={}, data=[]), frames=frames)
            summary = dict(metrics=measure(trades, fills, equity, start), balance=start, currency="USD", bars=len(equity), curve=[], benchmark=dict(metrics=dict.fromkeys(METRICS, 1.0), sentence="1 lots EURUSD."))
            names.append(unit.runs.add(**run, summary=summary, actor="ana", created_at=datetime(2024, 1, 1 + number, tzinfo=UTC)))
            unit.audit("ana", "run_finished", f"run:{names[-1]}")
    return names
