"""MAE and MFE: how far trades moved against and for their side, and the expectancy that other stops and targets would have given."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from domain.analytics.trades import risked
from domain.errors import BadRequest

STOPS = tuple(round(0.1 * step, 1) for step in range(1, 16))        # R
TARGETS = tuple(round(0.25 * step, 2) for step in range(1, 21))
SURFACE = ("stop", "target", "expectancy_r", "optimistic_r", "per_risk", "stopped", "reached", "both", "kept")


def excursion_points(trades: pd.DataFrame, most: int = 2_000) -> pd.DataFrame:
    """``trade_id, mae_r, mfe_r, r, won`` of at most ``most`` trades: the extremes of each always, the rest evenly through time.

    ``mae_r`` is how far a trade went against its side, ``mfe_r`` how far for it, both 0 or above, in R. Trades without R are left out.
    """
    columns = [trades[name].to_numpy(float) for name in ("mae_r", "mfe_r", "r")]
    rows = np.flatnonzero(np.isfinite(columns).all(axis=0))
    rows = rows[even_rows([column[rows] for column in columns], most)]
    mae, mfe, r = (column[rows] for column in columns)
    return pd.DataFrame(dict(trade_id=trades["trade_id"].to_numpy()[rows], mae_r=mae, mfe_r=mfe, r=r, won=trades["pnl"].to_numpy(float)[rows] > 0))


def even_rows(columns: Sequence[np.ndarray], most: int) -> np.ndarray:
    """At most ``most`` positions of points: the extremes of each column always, the rest evenly."""
    if len(columns[0]) <= most:
        return np.arange(len(columns[0]))
    count = most // 20
    extremes = [np.argpartition(sign * column, count)[:count] for column in columns for sign in (-1, 1)]
    chosen = np.unique(np.concatenate(extremes))
    rest = np.setdiff1d(np.arange(len(columns[0])), chosen, assume_unique=True)
    even = rest[np.unique(np.linspace(0, len(rest) - 1, most - len(chosen)).astype(int))]
    return np.sort(np.concatenate((chosen, even)))


def stop_target_surface(trades: pd.DataFrame, stops: Sequence[float] = STOPS, targets: Sequence[float] = TARGETS) -> pd.DataFrame:
    """``stop, target, expectancy_r, optimistic_r, per_risk, stopped, reached, both, kept`` for each pair of a stop and a target in R.

    The mean R if all trades had this stop and this target, on all of the position, from what is known of each:
    its largest excursion either way while it lasted. A trade with mae_r ≥ stop loses the stop; else one with mfe_r ≥ target wins the target;
    any other keeps its r. What it paid in commission and swap is taken off in each case.

    ``expectancy_r`` is pessimistic: a trade that reached both is taken as stopped; ``optimistic_r`` takes it as having reached the target.
    Both are in R of the trades' own risk, ``per_risk`` is expectancy_r ÷ stop. ``stopped``, ``reached``, ``both`` (reached both, counted in
    stopped), ``kept`` are shares of trades. Excursions end where the trade ended: for stops wider than a trade's own, and targets beyond its
    exit, nothing is known and its own result stands, so those regions flatter nothing and promise nothing. Fills at exactly the level.
    No trade with R: no rows.
    """
    stop, target = _levels(stops, "stop"), _levels(targets, "target")
    mae, mfe, r, paid = _measured(trades)
    if not len(r):
        return pd.DataFrame(columns=list(SURFACE), dtype=float)
    open_, gross = _sums(mae, mfe, np.ones(len(r)), stop, target), _sums(mae, mfe, r + paid, stop, target)
    safe, short = open_[:-1, -1:], open_[-1:, :-1]                        # trades that did not reach the stop, the target
    open_, gross = open_[:-1, :-1], gross[:-1, :-1]
    stopped, reached, both = len(r) - safe, safe - open_, len(r) - safe - short + open_
    down, up = stop[:, None], target[None, :]
    expectancy = (gross + reached * up - stopped * down - paid.sum()) / len(r)
    columns = (down, up, expectancy, expectancy + both * (down + up) / len(r), expectancy / down, stopped / len(r), reached / len(r), both / len(r), open_ / len(r))
    return pd.DataFrame({name: np.broadcast_to(column, open_.shape).ravel() for name, column in zip(SURFACE, columns, strict=True)})


def _levels(levels: Sequence[float], name: str) -> np.ndarray:
    sorted_levels = np.unique(np.asarray(levels, float))
    if not len(sorted_levels) or not sorted_levels[0] > 0:
        raise BadRequest(f"a {name} of the surface is {sorted_levels[0] if len(sorted_levels) else 'missing'}; give distances in R above 0")
    return sorted_levels


def _measured(trades: pd.DataFrame) -> tuple[np.ndarray, ...]:
    """mae, mfe, r and what was paid in commission and swap, all in R, of the trades that have them."""
    paid = (trades["pnl_gross"].to_numpy(float) - trades["pnl"].to_numpy(float)) / risked(trades)
    columns = np.column_stack([trades[name].to_numpy(float) for name in ("mae_r", "mfe_r", "r")] + [np.nan_to_num(paid)])
    return tuple(columns[np.isfinite(columns).all(axis=1)].T)


def _sums(mae: np.ndarray, mfe: np.ndarray, weights: np.ndarray, stop: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Sum of weights over the trades below both levels, for each pair; the last row and column stand for no stop and no target."""
    place = np.searchsorted(stop, mae, side="right") * (len(target) + 1) + np.searchsorted(target, mfe, side="right")
    table = np.bincount(place, weights, minlength=(len(stop) + 1) * (len(target) + 1))
    return table.reshape(len(stop) + 1, len(target) + 1).cumsum(axis=0).cumsum(axis=1)
