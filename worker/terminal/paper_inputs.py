"""What ``tidemark paper start`` takes beside bars, read as ``tidemark backtest`` reads it; and the options that no session takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from domain.errors import BadRequest
from domain.trading.signal_file import read as read_signals
from worker.terminal.bars import BarFiles
from worker.terminal.outside_files import OutsideFiles
from worker.terminal.period import Period, signals_within
from worker.terminal.traded_series import named_series, rates_of

REFUSED = {
    "--each": "a session is one account; start one session for each series",
}
SIGNALS = "CSV of signals, instead of --strategy."
RATES = "Bars of a currency pair for conversion, as PAIR=FILE. May repeat."

Signals = Annotated[Path | None, typer.Option("--signals", help=SIGNALS)]
RATE_FILES: list[str] = typer.Option([], "--rates", help=RATES)
NoEach = Annotated[bool, typer.Option("--each", hidden=True)]


def refuse_options(given: Mapping[str, Any]) -> None:
    """
    >>> refuse_options({"--each": True})
    Traceback (most recent call last):
    ...
    domain.errors.BadRequest: --each: a session is one account; start one session for each series
    """
    for option, value in given.items():
        if value:
            raise BadRequest(f"{option}: {REFUSED[option]}")


def refuse_of_replay(given: Mapping[str, Any]) -> None:
    """Options of stored bars, beside a live feed."""
    if named := [option for option, value in given.items() if value]:
        raise BadRequest(f"{' and '.join(named)} {'is' if len(named) == 1 else 'are'} for --replay, and a live feed has none of it; leave it out")


@dataclass(frozen=True)
class InputFiles:
    signals: Path | None
    rates: Sequence[str]
    outside: OutsideFiles

    def read(self, files: BarFiles, series: Sequence[Any], side: str, period: Period, replayed: bool) -> Any:
        """``domain.live.inputs.Inputs`` for these series. ``replayed``: their bars are all there, so a signal must name one."""
        from domain.live.inputs import Finer, Inputs

        files.checks = True
        rates = rates_of(files, self.rates, side)
        if replayed or rates:
            files.finish()
        contexts = {f"{each.instrument.name} {each.timeframe}": each.context for each in self.outside.along(series)} if self.outside.given else {}
        finer = {f"{each.instrument.name} {each.timeframe}": Finer(each.finer_timeframe, each.finer, each.instrument.calendar) for each in series if each.finer is not None}
        return Inputs(self._signals(files, series, period, replayed), rates, contexts, finer)

    def _signals(self, files: BarFiles, series: Sequence[Any], period: Period, replayed: bool) -> Any:
        from domain.live.signal_rows import refuse_off_bars
        from domain.market.bars import ts_of
        from worker.terminal.traded_series import one_timeframe

        if self.signals is None:
            return None
        one_timeframe(series)
        table = signals_within(files.signals(read_signals(self.signals)), series, period)
        for each in series if replayed else ():
            refuse_off_bars(table[table["instrument"] == each.instrument.name].reset_index(drop=True), f"{each.instrument.name} {each.timeframe}", ts_of(each.bars))
        return table


def live_series(instrument: str, timeframe: str, table: Mapping[str, Any]) -> list[Any]:
    """The series of a live feed, which have no bars yet."""
    import pandas as pd

    from domain.backtest.study import Series
    from domain.market.timeframe import Timeframe

    if not timeframe:
        raise BadRequest("--timeframe is missing; give it a value, as in --timeframe M5 or M5,H1")
    names = [named_series("-", name.strip(), table)[0] for name in instrument.split(",")]
    return [Series(table[name], Timeframe.named(each.strip()), pd.DataFrame()) for name in names for each in timeframe.split(",")]
