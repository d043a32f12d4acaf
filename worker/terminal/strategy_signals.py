"""``tidemark signals``: what a strategy decides on bars of a file, as a table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import typer

from domain.errors import BadRequest
from worker.terminal.bars import Clock
from worker.terminal.features import (
    HEADLINES,
    LONGER,
    MACRO,
    OTHER,
    RELEASES,
    Bars,
    Frame,
    Impact,
    Name,
    Utc,
    context_of,
    outside_of,
    write_frame,
)
from worker.terminal.forecasts import ForecastSource
from worker.terminal.options import params_of
from worker.terminal.say import Json, say
from worker.terminal.strategy_file import StrategyFile, chosen, timeframe_of


def signals(
    bars: Bars, instrument: Name, strategy: str = typer.Option("", help="Strategy name."), strategy_file: StrategyFile = None, out: Path = typer.Option(..., help="FILE.csv or FILE.parquet to write: a row for each signal, as --signals of tidemark backtest reads them."),
    params: str = typer.Option("{}", help="Strategy parameters as JSON."), timeframe: Frame = "", htf: list[str] = LONGER, other: list[str] = OTHER, macro: list[str] = MACRO, headlines: Path | None = HEADLINES,
    releases: Path | None = RELEASES, impact: Impact = "high", utc: Utc = False, forecasts: Path | None = typer.Option(None, help="CSV or Parquet of quantiles for a strategy that decides on them, as for tidemark backtest."),
    clock: Clock = "", as_json: Json = False,
) -> None:  # fmt: skip
    """Write the signals of a strategy: decided at the close of the bar that opens at ts, filled from the next bar on."""
    from domain.backtest.study import Series
    from domain.strategies.base import decide, make, refuse_without_model
    from domain.trading.rules import Rules

    strategy, params = chosen(strategy, params, strategy_file)
    if not strategy:
        raise BadRequest("give either --strategy NAME or --strategy-file FILE")
    decides = make(strategy, params_of(params))
    refuse_without_model(decides, False)
    source = ForecastSource.named(strategy, "", forecasts)
    read, context = context_of(bars, instrument, timeframe_of(timeframe, strategy_file), htf, other, macro, outside_of(headlines, releases, utc), impact, clock)
    if source:
        series = Series(context.instrument, context.timeframe, read, context=context)
        context = source.series([series], Rules(), (), decides)[0].context
    table = _shown(decide(decides, read, context).table)
    write_frame(table, out)
    entries = int((table["order"] != "exit").sum())
    say(dict(bars=len(read), signals=len(table), entries=entries, exits=len(table) - entries, written=str(out)), as_json)


def _shown(table: Any) -> Any:
    """Every signal has an order and a side in words of the import; columns that hold nothing are left out."""
    import numpy as np

    sides = table["side"].to_numpy()
    words = np.where(sides == 1, "long", np.where(sides == -1, "short", "")) if sides.dtype.kind in "iuf" else sides
    full = table.assign(side=words, order=table.get("order", "market"))
    first = [name for name in ("ts", "instrument", "side", "order") if name in full]
    return full[first + [name for name in full if name not in first and full[name].notna().any()]].reset_index(drop=True)
