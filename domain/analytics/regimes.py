"""A run by the regime that was known at the time: its equity, its trades, its figures, and their sensitivity to the delay with which the regime is known.

Trades and equity are attributed separately. A trade belongs to the regime known when it was entered: that of the last bar that had ended by its entry. A change of
equity belongs to the regime known when it began: at the instant of the row before it. So a trade entered in a calm and still open in a panic
counts as a trade of the calm, and what it earned in the panic as equity of the panic.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from domain.analytics.daily import USUAL, nanoseconds
from domain.analytics.guards import over, size_of
from domain.analytics.metrics import measure
from domain.errors import BadRequest
from domain.features.regimes.labels import Regimes
from domain.market.sessions import Calendar

UNKNOWN = "unknown"     # before the first bar that has a regime, and where it has none
LATE = (0, 1, 2, 5, 10, 20)
PARTS = 10              # regimes that a run is split by; rarer ones are merged
RARER = "all others"


@dataclass(frozen=True)
class Split:
    """``table``: one row a regime, in its order, ``unknown`` last where there is any: ``regime, share, trades, net, equity``.
    ``share`` is of the rows of equity, ``net`` money of the trades entered in it, ``equity`` money by which equity changed in it; both columns
    of money add up to the run's. ``equity``: ``ts`` and for each regime the account had it moved in that regime alone.
    ``trades``: those of the run with their ``regime``. ``metrics``: every figure of every regime, from its trades and that equity; days on
    which it did not move are days of return 0, and a closed trade's balance counts in the regime in which it was closed."""

    table: pd.DataFrame
    equity: pd.DataFrame
    trades: pd.DataFrame
    metrics: dict[str, dict[str, float | None]]


def split(trades: pd.DataFrame, fills: pd.DataFrame, equity: pd.DataFrame, start: float, regimes: Regimes, market: Calendar = USUAL) -> Split:
    """A run taken apart by regime; ``start`` is the money it began with, ``market`` the calendar of its trading days."""
    labelled = trades.assign(regime=entered(trades, regimes))
    ts = nanoseconds(equity["ts"])
    labels = _named(regimes.at(np.concatenate((ts[:1] - 1, ts[:-1]))))
    rows, curves, metrics = [], {}, {}
    for name in labels.categories:
        inside, own = np.asarray(labels == name), labelled[(labelled["regime"] == name).to_numpy()]
        if not inside.any() and own.empty:
            continue
        part = _alone(equity, start, inside)
        curves[name] = part["equity"]
        metrics[name] = measure(own, fills[fills["trade_id"].isin(own["trade_id"])], part, start, market=market)
        gained = float(part["equity"].iloc[-1] - start) if len(part) else 0.0
        rows.append((name, float(inside.mean()) if len(inside) else np.nan, len(own), float(own["pnl"].sum()), gained))
    table = pd.DataFrame(rows, columns=["regime", "share", "trades", "net", "equity"])
    return Split(table, pd.DataFrame(dict(ts=equity["ts"]) | curves), labelled, metrics)


def pooled(regimes: Regimes, trades: pd.DataFrame) -> tuple[Regimes, int]:
    """The same with all but the regimes of most trades, then most bars, under one name; and how many that are."""
    names = regimes.names
    if len(names) <= PARTS:
        return regimes, 0
    counted = pd.Series(entered(trades, regimes)).value_counts()
    bars = np.bincount(regimes.labels.codes[regimes.labels.codes >= 0], minlength=len(names))
    order = sorted(range(len(names)), key=lambda k: (-int(counted.get(names[k], 0)), -bars[k]))
    largest = sorted(order[: PARTS - 1])
    place = np.full(len(names) + 1, len(largest))
    place[largest], place[-1] = np.arange(len(largest)), -1
    codes = place[np.asarray(regimes.labels.codes, np.int64)]
    labels = pd.Categorical.from_codes(codes, categories=[*(names[k] for k in largest), RARER], ordered=True)
    return Regimes(regimes.ends, labels), len(names) - len(largest)


def entered(trades: pd.DataFrame, regimes: Regimes, late: int = 0) -> pd.Categorical:
    """The regime known when each trade was entered, or the one ``late`` bars before; ``unknown`` where there was none.

    A market order decided at a close fills at the next open: the last bar that had ended is the one it was decided on. A stop or limit order
    fills inside a bar, and the last bar that had ended when that one opened is the last at which it could have been taken back.
    """
    return _named(regimes.at(nanoseconds(trades["entry_ts"]), late))


def lag_sensitivity(trades: pd.DataFrame, regimes: Regimes, late: Sequence[int] = LATE) -> pd.DataFrame:
    """``regime, late, trades, net, average, win_rate, profit_factor, r_mean``: the trades of each regime, had it been known ``late`` bars later than it was.
    NaN where there is no value. A regime whose result is gone after a few bars cannot be traded by."""
    return _by_delay(trades, regimes, late, {name: (name,) for name in regimes.names})


def _by_delay(trades: pd.DataFrame, regimes: Regimes, late: Sequence[int], sets: dict[str, tuple[str, ...]]) -> pd.DataFrame:
    if not late:
        raise BadRequest("no number of bars is given; late needs one at least, 0 for what was known")
    labels = {bars: entered(trades, regimes, bars) for bars in late}
    rows = [dict(regime=name, late=bars) | _figures(trades[labels[bars].isin(wanted)]) for name, wanted in sets.items() for bars in late]
    return pd.DataFrame(rows)


def _figures(trades: pd.DataFrame) -> dict[str, float]:
    pnl, r = trades["pnl"].to_numpy(float), trades["r"].to_numpy(float)
    count, lost = len(pnl), -pnl[pnl < 0].sum()
    measured = r[np.isfinite(r)]
    return dict(
        trades=count, net=pnl.sum(), average=pnl.mean() if count else np.nan, win_rate=(pnl > 0).mean() if count else np.nan,
        profit_factor=over(pnl[pnl > 0].sum(), lost, size_of(pnl)), r_mean=measured.mean() if len(measured) else np.nan,
    )  # fmt: skip


def _named(labels: pd.Categorical) -> pd.Categorical:
    """The same, with ``unknown`` as its own regime, the last."""
    names = [*map(str, labels.categories), UNKNOWN]
    return pd.Categorical.from_codes(np.where(labels.codes < 0, len(names) - 1, labels.codes), categories=names, ordered=True)


def _alone(equity: pd.DataFrame, start: float, inside: np.ndarray) -> pd.DataFrame:
    """The account had it moved in the rows ``inside`` alone."""
    columns = dict(ts=equity["ts"])
    value = equity["equity"].to_numpy(float)
    for name in ("balance", "equity"):
        if name in equity:
            line = equity[name].to_numpy(float)
            columns[name] = pd.Series(start + np.cumsum(np.where(inside, np.diff(line, prepend=start), 0.0)), equity.index)
    if "equity_low" in equity:
        columns["equity_low"] = columns["equity"] + np.where(inside, equity["equity_low"].to_numpy(float) - value, 0.0)
    return pd.DataFrame(columns)
