"""``--strategy-file``: a written strategy from a JSON file, in every command that takes a strategy."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from domain.errors import BadRequest

HELP = "Strategy that you wrote, as JSON with name long short exit_long exit_short stop_atr reward_to_risk drawdown_tolerance (docs/expressions.md), instead of --strategy."
StrategyFile = Annotated[Path | None, typer.Option("--strategy-file", help=HELP)]


def chosen(strategy: str, params: str, file: Path | None) -> tuple[str, str]:
    """Name and parameters (as JSON) of the strategy that ``--strategy`` names or ``--strategy-file`` defines; ``--params`` are over those of the file."""
    from worker.terminal.options import params_of

    if file is None:
        return strategy, params
    if strategy:
        raise BadRequest("give either --strategy NAME or --strategy-file FILE")
    return "written", json.dumps(read(file).params | params_of(params))


def needed(strategy: str, params: str, file: Path | None) -> tuple[str, str]:
    """The same, where one of them must be given."""
    name, params = chosen(strategy, params, file)
    if not name:
        raise BadRequest("no strategy is chosen; give --strategy NAME or --strategy-file FILE")
    return name, params


def read(file: Path) -> Any:
    from domain.parsing import shown, text_in
    from domain.strategies.definition import definition_of

    return definition_of(text_in(file), shown(file.name), file.stem)


def timeframe_of(timeframe: str, file: Path | None) -> str:
    """The timeframe that is requested, else that of the file."""
    return timeframe or (read(file).timeframe if file else "")


def note(file: Path | None, timeframe: str, instruments: Sequence[str]) -> None:
    """On the error stream, where a run is not on what the strategy was written for."""
    for sentence in read(file).notes(timeframe, list(instruments)) if file else ():
        print(f"Note: {sentence}", file=sys.stderr)
