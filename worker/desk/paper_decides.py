"""What decides in a session that a form starts: a strategy, with or without a model, a table of signals, or a scanner."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd

from domain.errors import BadRequest
from domain.live.signal_rows import SIGNALS, refuse_off_bars, refuse_unreadable
from domain.market.bars import ts_of
from domain.params import values_of
from domain.strategies.base import make, reads_forecasts, refuse_without_model
from domain.trading.signal_file import read
from domain.trading.signals import read_signals
from worker.desk.backtests import BacktestRequest, Backtests
from worker.desk.context import DeskContext
from worker.desk.paper_rows import StartRequest
from worker.desk.scanner import Scanner

LIVE_FORECASTS = "a strategy by quantiles reads forecasts of bars that are there when the session starts, and a live feed has none; replay stored bars, or choose another strategy"


@dataclass(frozen=True)
class Decides:
    """``strategies``, ``model``, ``scan``: as a plan names them."""

    strategies: list[dict[str, Any]]
    model: dict[str, Any] | None = None
    scan: dict[str, Any] | None = None

    @property
    def plan(self) -> dict[str, Any]:
        return dict(strategies=self.strategies, **({"model": self.model} if self.model else {}), **({"scan": self.scan} if self.scan else {}))


def decides(context: DeskContext, request: StartRequest, backtest: BacktestRequest) -> Decides:
    """``backtest``: the backtest request of the same strategy."""
    if sum(map(bool, (request.strategy, request.signals, request.scan))) != 1:
        raise BadRequest("choose one of a strategy, a file of signals and a scanner")
    if request.model and len(request.timeframes) > 1:
        raise BadRequest("a model filters one timeframe of each instrument; choose one timeframe")
    if request.scan and request.rules.get("sizing", {}).get("kind") == "volatility":
        raise BadRequest("sizing by volatility needs the whole past of a series; choose another sizing for a scanner that trades bar by bar")
    if request.signals:
        return Decides([dict(name=SIGNALS, params={}, series=[])])
    return _scanner(context, request.scan) if request.scan else _strategy(context, backtest, bool(request.feed))


def _strategy(context: DeskContext, request: BacktestRequest, live: bool) -> Decides:
    backtests = Backtests(context)
    meant = backtests.meant(request)
    if live and reads_forecasts(meant.strategy):
        raise BadRequest(LIVE_FORECASTS)
    strategy = make(meant.strategy, meant.params)
    refuse_without_model(strategy, bool(request.model))
    model = backtests.model_of(meant).get("model")
    return Decides([dict(name=meant.strategy, params=values_of(strategy), series=[])], model)


def _scanner(context: DeskContext, run: str) -> Decides:
    spec = Scanner(context).get(run).spec
    if spec.get("model"):
        raise BadRequest("the scan takes the chance of a win from a model, and a scanner that trades bar by bar takes it from its closed trades; choose a scan without one")
    strategies = [dict(name=each["name"], params=dict(each["params"]), series=[]) for each in spec["strategies"]]
    equity = {} if spec.get("equity") is None else dict(equity=spec["equity"])
    return Decides(strategies, None, dict(criteria=dict(spec["criteria"]), **equity))


def signals_of(content: bytes, series: Sequence[str], bars: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """The signals of an uploaded file, checked; ``bars``: of each series where they are there, for a signal must then name one of them."""
    instruments = [text.rpartition(" ")[0] for text in series]
    if twice := next((name for k, name in enumerate(instruments) if name in instruments[:k]), ""):
        raise BadRequest(f"{twice} is traded in several timeframes, and signals name the instrument only; choose one timeframe of it")
    with TemporaryDirectory() as folder:
        path = Path(folder) / "signals.csv"
        path.write_bytes(content)
        table = read_signals(read(path, "file"), tuple(instruments))
    refuse_unreadable(table)
    for text, name in zip(series, instruments, strict=True):
        if text in bars:
            refuse_off_bars(table[table["instrument"] == name].reset_index(drop=True), text, ts_of(bars[text]))
    return table
