"""The differences between the kernel and the reference implementation on a case."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from domain.backtest.simulator import simulate as fast
from domain.errors import BadRequest
from domain.trading.task import COUNTS, EQUITY, FILLS, REVIEWS, TRADES
from tests.reference.cases import Case
from tests.reference.execution import replayed as slow

PRICE, MONEY = 1e-9, 1e-6
PRICES = ("price", "entry_price", "exit_price", "stop_loss", "lots", "lots_requested", "lots_given")
FRAMES = {"fills": FILLS, "trades": TRADES, "equity": EQUITY, "reviews": REVIEWS}


def run(simulate: Callable, case: Case) -> Any:
    try:
        return simulate(case.tasks, case.account, case.costs, case.execution, case.sizing, case.rates, limits=case.limits, gate=case.gate)
    except BadRequest:
        return "refused"


def differences(case: Case) -> list[str]:
    """Every difference in counts, fills, trades, equity and reviews, each a line; none if the two agree."""
    ours, theirs = run(fast, case), run(slow, case)
    if isinstance(ours, str) or isinstance(theirs, str):
        return [] if ours == theirs else [f"kernel: {type(ours).__name__}, reference: {type(theirs).__name__}"]
    lines = [f"count {name}: {ours.counts[name]} != {theirs.counts[name]}" for name in COUNTS if ours.counts[name] != theirs.counts[name]]
    if ours.ambiguous != len(theirs.ambiguous):
        lines.append(f"ambiguous: {ours.ambiguous} != {len(theirs.ambiguous)}")
    for name, columns in FRAMES.items():
        lines += _frames(name, columns, getattr(ours, name), getattr(theirs, name))
    return lines


def _frames(name: str, columns: tuple[str, ...], ours: pd.DataFrame, theirs: list[dict]) -> list[str]:
    """A frame of the kernel against rows of the reference implementation."""
    if tuple(ours.columns) != columns:
        return [f"{name}: columns {tuple(ours.columns)} != {columns}"]
    if len(ours) != len(theirs):
        return [f"{name}: {len(ours)} rows != {len(theirs)}"]
    if not theirs:
        return []
    return [line for column, values in ours.items() for line in _column(f"{name}.{column}", values, [row[column] for row in theirs])]


def _column(where: str, ours: pd.Series, theirs: list) -> list[str]:
    if ours.dtype.kind == "M":
        a, b = ours.array.as_unit("ns").asi8, np.array(theirs, np.int64)
    elif ours.dtype.kind == "f":
        a, b = ours.to_numpy(), np.array(theirs, np.float64)
    else:
        a, b = np.array(ours.tolist(), object), np.array(theirs, object)
    bad = ~_close(where.split(".")[1], a, b) if ours.dtype.kind == "f" else a != b
    return [f"{where}[{k}]: {a[k]!r} != {b[k]!r}" for k in np.flatnonzero(bad)[:1]]


def _close(column: str, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    tolerance = PRICE if column in PRICES else np.maximum(MONEY, 1e-9 * np.abs(b))
    with np.errstate(invalid="ignore"):
        return (np.abs(a - b) <= tolerance) | (np.isnan(a) & np.isnan(b))
