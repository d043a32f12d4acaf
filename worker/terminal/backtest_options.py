"""Options that a backtest and a session share: what is traded, by which strategy, under which rules."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

BARS = (
    "Bars, as [NAME=]FILE: CSV or Parquet with ts open high low close [volume spread end]. NAME is an instrument, or a series like EURUSD M5. "
    "A column series names several in one file, as tape.csv of a session does. May repeat, once per series; all share one account."
)
TIMEFRAME = "Timeframe of the bars: M1 M5 M15 M30 H1 H4 D1, or several like M5,H1 for files of several. Default: that of --strategy-file, or as the files name it."
PRESET = "Named parameters of the strategy, for bars of the preset's timeframe: gold_buy_dip has conservative (M15), aggressive (M1) and H1; --params go over them."

Name = Annotated[str, typer.Option("--instrument", help="Instrument of a file of bars without NAME.")]
TimeframeName = Annotated[str, typer.Option("--timeframe", help=TIMEFRAME)]
Side = Annotated[str, typer.Option("--side", help="Side that the bars quote: bid or mid; default: as the file says, else bid.")]
Strategy = Annotated[str, typer.Option("--strategy", help="Strategy name.")]
Params = Annotated[str, typer.Option("--params", help="Strategy parameters as JSON.")]
Preset = Annotated[str, typer.Option("--preset", help=PRESET)]
Config = Annotated[Path | None, typer.Option("--config", help="TOML file with [account] [costs] [execution] [sizing] [limits], over the defaults of config.toml.")]
Commands = Annotated[Path | None, typer.Option("--commands", help="CSV of commands to the account (ts who command arguments reason), as commands.csv of a session; each is worked after the last instant up to its ts.")]
Mode = Annotated[str, typer.Option("--mode", help="Mode of entries: auto, or approve, where an order waits until a command approves it.")]
Model = Annotated[str, typer.Option("--model", help="Model of the workspace that filters the strategy's signals, or forecasts for a strategy by quantiles: NAME, the version in production, or NAME@VERSION. Up to its last label only stored walk-forward predictions are used.")]
Forecasts = Annotated[Path | None, typer.Option("--forecasts", help="CSV or Parquet of quantiles for a strategy that decides on them (conservative, moderate, aggressive): ts, the open of the deciding bar, or start, its end; q05 q10 q25 q50 q75 q90 q95. tidemark predict writes such files.")]
MAGNIFY: list[str] = typer.Option([], "--magnify", help='Lower-timeframe bars for intrabar = "magnify", as [NAME=]FILE. May repeat.')
Scan = Annotated[str, typer.Option("--scan", help="Scanner whose proposals are traded, instead of --strategy: id of a scan of the workspace, or scan.json as tidemark scan --out writes it (docs/scanner.md).")]
MODES = ("auto", "approve")


def commands_in(path: Path | None) -> list[Any]:
    """The commands of a file; none without one."""
    from domain.parsing import text_in
    from domain.trading.command import read_commands

    return read_commands(text_in(path), path.name) if path else []


def with_preset(strategy: str, preset: str, timeframe: str, params: str) -> str:
    """The parameters as JSON, over those of the preset where one is named."""
    import json

    from domain.market.timeframe import Timeframe
    from domain.strategies.presets import preset_params
    from worker.terminal.options import params_of

    return json.dumps({**preset_params(strategy, preset, Timeframe.named(timeframe)), **params_of(params)}) if preset else params
