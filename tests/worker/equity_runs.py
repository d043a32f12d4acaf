"""Finished runs with an equity that a test writes by hand, without bars and without the engine."""

from __future__ import annotations

from typing import Any

import pandas as pd

TRADE: dict[str, Any] = dict(
    trade_id=1, tag="", instrument="EURUSD", side="long", lots=1.0, entry_price=1.1, exit_price=1.1, stop_loss=1.09, pnl_gross=0.0, costs=0.0, swap=0.0, pnl=0.0, r=0.0, mae_r=0.0, mfe_r=0.0,
    bars_held=1, exit_reason="signal", regime="",
)  # fmt: skip


def equity_of(*rows: tuple[str, float, float]) -> pd.DataFrame:
    """``(instant, balance, equity)`` as the equity of a run."""
    table = pd.DataFrame(rows, columns=["ts", "balance", "equity"])
    return table.assign(ts=pd.to_datetime(table["ts"], utc=True).dt.as_unit("ns"), equity_low=table["equity"], used_margin=0.0)


def trades_of(*rows: dict[str, Any]) -> pd.DataFrame:
    """Trades of a run: those columns that a test gives over a long position of one lot of EURUSD."""
    table = pd.DataFrame([{**TRADE, "trade_id": number, **row} for number, row in enumerate(rows, 1)], columns=[*TRADE, "entry_ts", "exit_ts"])
    return table.assign(**{name: pd.to_datetime(table[name], utc=True).dt.as_unit("ns") for name in ("entry_ts", "exit_ts")})


def stored_run(desk: Any, equity: pd.DataFrame, trades: pd.DataFrame, balance: float = 100_000.0, name: str = "by hand", **spec: Any) -> str:
    """The id of a finished backtest with this equity and these trades."""
    store = desk.jobs._context.store
    frames = dict(equity=store.frames.put(equity), trades=store.frames.put(trades))
    metrics = dict(net_return=0.0, max_drawdown=0.0, trades=float(len(trades)), profit_factor=None)
    with store.unit() as unit:
        return unit.runs.add(
            kind="backtest", job_id="byhand", title=name, spec=dict(datasets=[], strategy="breakout", params={}, timeframe="H1", **spec), manifest=dict(data=[]), frames=frames,
            summary=dict(balance=balance, currency="USD", metrics=metrics, curve=[]), actor="ana", created_at=unit.now(),
        )  # fmt: skip
