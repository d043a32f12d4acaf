"""Trades, fills and equity of synthetic runs, with the columns of a simulation."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from domain.trading.task import EQUITY, FILLS, TRADES

ORACLES = Path(os.environ.get("TIDEMARK_DATA", ""), "oracles")
VALUE = 100_000.0       # account currency per unit of price and lot
SPREAD = 0.0001


def oracle(name: str):
    return pytest.mark.skipif(not (ORACLES / name).is_file(), reason=f"TIDEMARK_DATA names no folder with oracles/{name}")


def trades(r: np.ndarray, risk: float = 100.0, start: str = "2024-01-02T10:00Z", every: str = "1h", **columns) -> pd.DataFrame:
    """One trade an ``every``, long and short by turns, of one lot, with these results in R of ``risk`` money."""
    r = np.asarray(r, float)
    n = len(r)
    entry = pd.Series(pd.date_range(start, periods=n, freq=every, unit="ns"))
    long = np.arange(n) % 2 == 0
    frame = pd.DataFrame(
        dict(
            trade_id=np.arange(1, n + 1), tag="", instrument="EURUSD", side=np.where(long, "long", "short"), lots=1.0, entry_ts=entry, entry_price=1.1,
            exit_ts=entry + pd.Timedelta("30min"), stop_loss=1.1 - np.where(long, 1, -1) * risk / VALUE, costs=0.0, swap=0.0,
            r=r, mae_r=np.maximum(-r, 0.1), mfe_r=np.maximum(r, 0.1), bars_held=6, exit_reason=np.where(r > 0, "target_1", "stop_loss"), regime="",
        ) | columns
    )  # fmt: skip
    frame["pnl"] = frame["r"] * risk
    frame["pnl_gross"] = frame["pnl"] + frame["costs"] - frame["swap"]
    frame["exit_price"] = frame["entry_price"] + np.where(frame["side"] == "long", 1, -1) * frame["pnl_gross"] / VALUE
    return frame[list(TRADES)]


def fills(trades: pd.DataFrame, spread: float = SPREAD, slippage: float = 0.0) -> pd.DataFrame:
    """An entry and an exit for each trade, half of ``spread`` at each."""
    parts = []
    for edge, opens in (("entry", True), ("exit", False)):
        buys = (trades["side"] == "long") == opens
        parts.append(
            pd.DataFrame(
                dict(
                    order_id=trades["trade_id"], trade_id=trades["trade_id"], ts=trades[f"{edge}_ts"], bar_ts=trades[f"{edge}_ts"], instrument=trades["instrument"],
                    side=np.where(buys, "buy", "sell"), lots=trades["lots"], price=trades[f"{edge}_price"], spread_cost=spread / 2 * VALUE * trades["lots"],
                    slippage_cost=slippage * VALUE * trades["lots"], commission=trades["costs"] / 2, reason="market" if opens else trades["exit_reason"],
                )
            )
        )  # fmt: skip
    frame = pd.concat(parts).sort_values(["ts", "trade_id"], kind="stable").reset_index(drop=True)
    return frame.assign(fill_id=np.arange(1, len(frame) + 1))[list(FILLS)]


def equity(trades: pd.DataFrame, start: float = 10_000.0, days: float | None = None) -> pd.DataFrame:
    """A row at each exit, and one long after the last if ``days`` is given; open losses are half the last result deeper."""
    balance = start + trades["pnl"].cumsum().to_numpy()
    lows = balance - trades["pnl"].abs().to_numpy() / 2
    frame = pd.DataFrame(dict(ts=trades["exit_ts"].reset_index(drop=True), balance=balance, equity=balance, equity_low=lows, used_margin=0.0))
    if days is not None:
        last = frame.iloc[[-1]].assign(ts=frame["ts"].iloc[0] + pd.Timedelta(days=days))
        frame = pd.concat([frame, last], ignore_index=True)
    return frame[list(EQUITY)]


def curve(*values: float, low: list[float] | None = None, start: str = "2024-01-01", freq: str = "D") -> pd.DataFrame:
    ts = pd.date_range(start, periods=len(values), freq=freq, tz="UTC", unit="ns")
    return pd.DataFrame(dict(ts=ts, balance=values, equity=values, equity_low=low or values, used_margin=0.0))
