"""``tidemark signals``: what a strategy decides on bars of a file, as a table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import typer

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
from worker.terminal.options import params_of
from worker.terminal.say import Json, say


def signals(
    bars: Bars, instrument: Name, strategy: str = typer.Option(..., help="Strategy name."), out: Path = typer.Option(..., help="FILE.csv or FILE.parquet to write: a row for each signal, as --signals of tidemark backtest reads them."),
    params: str = typer.Option("{}", help="Strategy parameters as JSON."), timeframe: Frame = "", htf: list[str] = LONGER, other: list[str] = OTHER, macro: list[str] = MACRO, headlines: Path | None = HEADLINES,
    releases: Path | None = RELEASES, impact: Impact = "high", utc: Utc = False, clock: Clock = "", as_json: Json = False,
) -> None:  # fmt: skip
    """Write the signals of a strategy: decided at the close of the bar that opens at ts, filled from the next bar on."""
    from domain.strategies.base import decide, make, refuse_without_model

    chosen = make(strategy, params_of(params))
    refuse_without_model(chosen, False)
    read, context = context_of(bars, instrument, timeframe, htf, other, macro, outside_of(headlines, releases, utc), impact, clock)
    table = _shown(decide(chosen, read, context).table)
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
