"""The results of closed trades as numbers, from a table whose cells may be text."""

from __future__ import annotations

import numpy as np
import pandas as pd

from domain.compliance.trades import OPEN, trades_of
from domain.errors import BadRequest

MEASURED = ("r", "mae_r", "mfe_r", "pnl_gross")  # empty where a trade had no stop, or where it is not known


def results_of(table: pd.DataFrame) -> pd.DataFrame:
    """``entry_ts exit_ts pnl`` and, where the table has them, ``r mae_r mfe_r pnl_gross`` of the trades that were
    closed, in order of entry. The columns of ``tidemark backtest``; raises BadRequest with the row of what cannot be
    read.

    >>> table = pd.DataFrame(dict(instrument=["EURUSD"] * 2, side="long", lots="0.1",
    ...     entry_ts=["2024-01-02T10:00Z"] * 2,
    ...     entry_price="1.1", exit_ts=["2024-01-02T12:00Z", ""], exit_price=["1.2", ""], pnl=["50", ""],
    ...     r=["0.5", ""]))
    >>> results_of(table)[["pnl", "r"]].values.tolist()
    [[50.0, 0.5]]
    """
    trades = trades_of(table)
    order = np.argsort(_entry(table), kind="stable")
    columns = {name: _measured(table, name)[order] for name in MEASURED if name in table}
    for name in ("mae_r", "mfe_r"):
        if name in columns and (columns[name] < 0).any():
            row = int((columns[name] < 0).argmax())
            raise BadRequest(
                f"trade {trades.id[row]} has {name} {columns[name][row]:g}; excursions are sizes in R, never below 0"
            )
    frame = pd.DataFrame(dict(entry_ts=_utc(trades.entry_ts), exit_ts=_utc(trades.exit_ts), pnl=trades.pnl, **columns))
    return frame[trades.exit_ts < OPEN].reset_index(drop=True)


def _entry(table: pd.DataFrame) -> np.ndarray:
    return pd.to_datetime(table["entry_ts"], utc=True, format="ISO8601").dt.as_unit("ns").astype("int64").to_numpy()


def _utc(ns: np.ndarray) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(np.where(ns < OPEN, ns, 0).view("datetime64[ns]")).tz_localize("UTC")


def _measured(table: pd.DataFrame, name: str) -> np.ndarray:
    values = pd.to_numeric(table[name], errors="coerce").to_numpy(float)
    given = table[name].notna().to_numpy() & (table[name].astype(str).str.strip() != "").to_numpy()
    bad = given & ~np.isfinite(values)
    if bad.any():
        row = int(bad.argmax())
        raise BadRequest(
            f"row {row + 1} of the trades: {name} is {str(table[name].iloc[row])!r}; it must be a number, or empty"
        )
    return values
