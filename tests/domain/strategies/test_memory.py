"""The last rows decide as all rows do, byte for byte, from columns computed at once and from those that come bar by bar."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from domain.features import compute
from domain.features.base import BAR_COLUMNS, spec_of
from domain.features.stream import Stream
from domain.strategies import STRATEGIES, OnColumns, memory_of
from domain.strategies.base import make, uses_of
from domain.strategies.columns import columns_of
from domain.strategies.deciding import decide_last
from domain.trading.signals import read_columns
from tests.domain.strategies.world import LENGTH, params_of, world

SETS = [(name, params) for name in STRATEGIES for params in params_of(name)]
APPENDED = 150


@pytest.fixture(scope="module")
def frames():
    """The frame of each strategy, the columns that several read computed once."""
    bars, context = world()
    strategies = [make(name, params) for name, params in SETS]
    table = compute(bars, {use.column: use for strategy in strategies for use in uses_of(strategy)}.values(), context)
    return {strategy: table[[*bars.columns, *dict.fromkeys(use.column for use in uses_of(strategy))]] for strategy in strategies}


def rows_at(table: pd.DataFrame, ts: pd.Timestamp) -> dict[str, list]:
    """The rows of one bar in their order: words as they are, numbers as their bytes."""
    own = table[(table["ts"] == ts).to_numpy()]
    return {name: [value.item().hex() if isinstance(value, np.floating) else value for value in own[name].to_numpy()] for name in own if len(own)}


@pytest.mark.parametrize("name", STRATEGIES)
def test_a_strategy_says_how_many_rows_decide(name):
    assert memory_of(STRATEGIES[name]()) is not None


@pytest.mark.parametrize(("name", "params"), SETS)
def test_the_last_rows_decide_as_all_rows_do(frames, name, params):
    strategy = make(name, params)
    frame, memory = frames[strategy], memory_of(strategy)
    full = strategy.signals(frame)
    assert len(full)
    deciding = np.unique(np.searchsorted(frame["ts"].array, full["ts"].array))
    some = np.random.default_rng(1).choice(np.arange(memory, len(frame)), 15, replace=False)
    for t in {*deciding[:: max(len(deciding) // 15, 1)].tolist(), *some.tolist()}:
        part = strategy.signals(frame.iloc[max(t + 1 - memory, 0) : t + 1].reset_index(drop=True))
        ts = frame["ts"].iloc[t]
        assert rows_at(part, ts) == rows_at(full, ts), t


def test_bar_by_bar_the_same_signals(frames):
    """Features as a stream gives them, the last ``memory`` rows of each in hand: what is decided is what the whole history decides."""
    bars, context = world()
    start = LENGTH - APPENDED
    strategies = [strategy for strategy in frames if isinstance(strategy, OnColumns)]
    uses = {use.column: use for strategy in strategies for use in uses_of(strategy)}
    stream = Stream(bars.iloc[:start], uses.values(), context)
    ends = context.ends(bars)
    keep = max(strategy.memory for strategy in strategies)
    columns = columns_of(compute(bars.iloc[:start], uses.values(), context))
    latest = {name: list(column[-keep:]) for name, column in columns.items()}
    live = {strategy: [] for strategy in strategies}
    for t in range(start, LENGTH):
        bar = bars.iloc[t]
        values = stream.append(bar, *({name: series.at(ends[t : t + 1])[0] for name, series in family.items()} for family in (context.others, context.macro)))
        for name, column in latest.items():
            column.append(float(bar[name]) if name in BAR_COLUMNS else values[name])
        for strategy in strategies:
            ready = {name: np.array(latest[name][-strategy.memory :]) for name in (*strategy.names, *BAR_COLUMNS)}
            live[strategy] += [(bar["ts"], row) for row in decide_last(strategy, ready)]
    decided = 0
    for strategy, rows in live.items():
        full = strategy.signals(frames[strategy])
        full = full[(full["ts"] >= bars["ts"].iloc[start]).to_numpy()]
        assert [ts for ts, _ in rows] == list(full["ts"]), strategy
        read = read_columns(full, ("EURUSD",))
        for name in rows[0][1] if rows else ():
            np.testing.assert_array_equal([row[name] for _, row in rows], np.asarray(read[name]), err_msg=f"{strategy} {name}")
        decided += len(rows)
    assert decided > 200


def test_the_features_that_strategies_read_keep_a_state_or_full_windows():
    """None is recursive over a memory of its own, which would give other last bits bar by bar."""
    names = {use.name for name, params in SETS for use in uses_of(make(name, params))}
    assert {"atr_ratio"} <= names
    for name in {*names, "slope_in_atr"} - {"expression"}:     # a part of an expression reads full windows only
        spec = spec_of(name)
        assert spec.state is not None or spec.bars_of_memory(spec.params) <= spec.bars_before(spec.params) + 2, name
