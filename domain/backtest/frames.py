"""Frames of a run's results, from its records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd

from domain.backtest.prepare import Prepared
from domain.trading.outcomes import COUNTS, REASONS, VERDICTS
from domain.trading.task import FILLS, MOVES, REVIEWS, TRADES, Task

MEASURES = ("value", "allowed", "buffer")
UTC = pd.DatetimeTZDtype(tz="UTC")
PART = 4_096        # records that fit into the processor's cache

Records = Mapping[str, np.ndarray]      # a column of each field


def columns_of(parts: Sequence[np.ndarray], kind: np.dtype) -> dict[str, np.ndarray]:
    """Records as a column of each field: in pieces that stay in the processor's cache, as every column reads all of them.

    >>> columns_of([np.array([(1, 0.5)], "i8,f8"), np.array([(2, 1.5)], "i8,f8")], np.dtype("i8,f8"))["f1"].tolist()
    [0.5, 1.5]
    """
    columns, first = {name: np.empty(sum(map(len, parts)), kind[name]) for name in kind.names or ()}, 0
    for part in parts:
        for piece in (part[k : k + PART] for k in range(0, len(part), PART)):
            for name, column in columns.items():
                column[first : first + len(piece)] = piece[name]
            first += len(piece)
    return columns


def by_trade(trades: Records) -> Records:
    """In the order in which they opened; they come as they closed."""
    number = trades["trade"]
    if bool((number[1:] > number[:-1]).all()):
        return trades
    order = np.argsort(number, kind="stable")
    return {name: column[order] for name, column in trades.items()}


def times(nanoseconds: np.ndarray) -> pd.api.extensions.ExtensionArray:
    return pd.array(nanoseconds.view("datetime64[ns]"), dtype=UTC, copy=False)


def _named(names: Sequence[str], codes: np.ndarray) -> pd.Categorical:
    places, kind = _places(tuple(names))
    return pd.Categorical.from_codes(places[codes], dtype=kind)


@lru_cache(maxsize=256)
def _places(names: tuple[str, ...]) -> tuple[np.ndarray, pd.CategoricalDtype]:
    """The code of each name among the distinct ones, and these as a dtype, which pandas takes long to build."""
    unique = list(dict.fromkeys(names))
    return np.array([unique.index(name) for name in names] or [0]), pd.CategoricalDtype(unique or [""])


def _frame(columns: dict[str, Any], order: Sequence[str]) -> pd.DataFrame:
    return pd.DataFrame({name: columns[name] for name in order}, copy=False)


def fills_frame(fills: Records, trades: Records, tasks: Sequence[Task], p: Prepared) -> pd.DataFrame:
    task = trades["task"][fills["trade"] - 1]
    columns = dict(
        fill_id=np.arange(1, len(fills["trade"]) + 1),
        order_id=p.inputs["signals"]["number"][fills["order"]] + 1,
        trade_id=fills["trade"],
        ts=times(fills["ts"]),
        bar_ts=times(p.inputs["ts"][fills["bar"]]),
        instrument=_named([task.instrument.name for task in tasks], task),
        side=_named(["sell", "buy"], (fills["side"] > 0).astype(int)),
        **{name: fills[name] for name in ("lots", "price", "spread_cost", "slippage_cost", "commission")},
        reason=_named(REASONS, fills["reason"]),
    )
    return _frame(columns, FILLS)


def trades_frame(t: Records, tasks: Sequence[Task], p: Prepared) -> pd.DataFrame:
    columns = dict(
        trade_id=t["trade"],
        tag=_tags(t, p),
        instrument=_named([task.instrument.name for task in tasks], t["task"]),
        side=_named(["short", "long"], (t["side"] > 0).astype(int)),
        lots=t["lots"],
        entry_ts=times(t["entry_ts"]),
        entry_price=t["entry_price"],
        exit_ts=times(t["exit_ts"]),
        exit_price=t["exit_price"],
        stop_loss=t["stop"],
        pnl_gross=t["gross"],
        costs=t["costs"],
        swap=t["swap"],
        pnl=t["gross"] - t["costs"] + t["swap"],
        r=t["r"],
        mae_r=t["mae_r"],
        mfe_r=t["mfe_r"],
        bars_held=t["bars"],
        exit_reason=_named(REASONS, t["reason"]),
        regime=_named([""], np.zeros(len(t["trade"]), int)),
    )
    return _frame(columns, TRADES)


def _tags(trades: Records, p: Prepared) -> pd.Categorical:
    """The tag of each trade; every task has its own list of them."""
    if not len(trades["trade"]):
        return pd.Categorical([])
    first = np.cumsum([0, *(len(names) for names in p.tags)])
    codes, names = pd.factorize(np.concatenate(p.tags), sort=True)
    return pd.Categorical.from_codes(codes[first[trades["task"]] + p.inputs["signals"]["tag"][trades["signal"]]], names).remove_unused_categories()


def reviews_frame(r: Records, tasks: Sequence[Task], p: Prepared) -> pd.DataFrame:
    columns = dict(
        order_id=p.inputs["signals"]["number"][r["signal"]] + 1,
        ts=times(r["ts"]),
        instrument=_named([task.instrument.name for task in tasks], r["task"]),
        verdict=_named(VERDICTS, r["verdict"]),
        reason=_named(COUNTS, r["reason"]),
        lots_requested=r["requested"],
        lots_given=r["given"],
        **{name: r[name] for name in MEASURES},
    )
    return _frame(columns, REVIEWS)


def moves_frame(m: Records, p: Prepared) -> pd.DataFrame:
    columns = dict(trade_id=m["trade"], bar_ts=times(p.inputs["ts"][m["bar"]]), ts=times(p.inputs["end"][m["bar"]]), stop_loss=m["stop"], reason=_named(REASONS, m["reason"]))
    return _frame(columns, MOVES)
