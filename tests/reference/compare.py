"""Where the kernel and its slow twin disagree on a case."""

from __future__ import annotations

import numpy as np
import pandas as pd

from domain.backtest.simulator import simulate as fast
from domain.errors import BadRequest
from domain.trading.task import COUNTS, Outcome
from tests.reference.cases import Case
from tests.reference.execution import simulate as slow

PRICE, MONEY = 1e-9, 1e-6
PRICES = ("price", "entry_price", "exit_price", "stop_loss", "lots")
RATIOS = ("r", "mae_r", "mfe_r")


def outcome(run, case: Case) -> Outcome | str:
    try:
        return run(case.tasks, case.account, case.costs, case.execution, case.sizing, case.rates)
    except BadRequest:
        return "refused"


def differences(case: Case) -> list[str]:
    """Every difference in counts, fills, trades and equity, each a line; none if the two agree."""
    ours, theirs = outcome(fast, case), outcome(slow, case)
    if isinstance(ours, str) or isinstance(theirs, str):
        return [] if ours == theirs else [f"kernel: {type(ours).__name__}, twin: {type(theirs).__name__}"]
    found = [f"count {name}: {ours.counts[name]} != {theirs.counts[name]}" for name in COUNTS if ours.counts[name] != theirs.counts[name]]
    if ours.ambiguous != theirs.ambiguous:
        found.append(f"ambiguous: {ours.ambiguous} != {theirs.ambiguous}")
    for name in ("fills", "trades", "equity"):
        found += _frames(name, getattr(ours, name), getattr(theirs, name))
    return found


def _frames(name: str, ours: pd.DataFrame, theirs: pd.DataFrame) -> list[str]:
    if list(ours.columns) != list(theirs.columns):
        return [f"{name}: columns {list(ours.columns)} != {list(theirs.columns)}"]
    if len(ours) != len(theirs):
        return [f"{name}: {len(ours)} rows != {len(theirs)}"]
    return [line for column in ours for line in _column(f"{name}.{column}", column, ours[column], theirs[column])]


def _column(where: str, column: str, ours: pd.Series, theirs: pd.Series) -> list[str]:
    a, b = ours.to_numpy(), theirs.to_numpy()
    if a.dtype.kind == "f":
        bad = ~_close(column, a, b.astype(float))
    else:
        bad = np.asarray(ours.astype(object)) != np.asarray(theirs.astype(object))
    return [f"{where}[{k}]: {a[k]!r} != {b[k]!r}" for k in np.flatnonzero(bad)[:1]]


def _close(column: str, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    both = np.isnan(a) & np.isnan(b)
    with np.errstate(invalid="ignore"):
        if column in PRICES:
            near = np.abs(a - b) <= PRICE
        else:
            near = np.abs(a - b) <= np.maximum(MONEY, 1e-9 * np.abs(b))
    return both | near
