"""What ``tidemark backtest`` on the tape of a session takes as the session did: signals of bars that never came, commands to series of which none has."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any


def with_absent(texts: Sequence[str], series: Sequence[Any], commands: Sequence[Any], table: Mapping[str, Any]) -> tuple[Sequence[Any], bool]:
    """The series with those that commands name and the tape has no bar of; and whether ``--bars``, ``texts``, is the tape of a session."""
    if not _is_tape(texts):
        return series, False
    there = {f"{each.instrument.name} {each.timeframe}" for each in series}
    named = dict.fromkeys(text for command in commands for text in _named(command.payload, series))
    absent = [(table[instrument], timeframe) for instrument, timeframe in named if instrument in table and f"{instrument} {timeframe}" not in there]
    return [*series, *(replace(series[0], instrument=instrument, timeframe=timeframe, bars=series[0].bars.iloc[:0], history=None, finer=None) for instrument, timeframe in absent)], True


def _named(payload: Any, series: Sequence[Any]) -> Iterator[tuple[str, Any]]:
    from domain.live.market_series import SeriesName

    if text := getattr(payload, "series", ""):
        given = SeriesName.read(text)
        yield given.instrument, given.timeframe
    elif (instrument := getattr(payload, "instrument", "")) and instrument not in {each.instrument.name for each in series}:
        yield instrument, series[0].timeframe


def of_tape(texts: Sequence[str], signals: Any, series: Sequence[Any], table: Mapping[str, Any]) -> Any:
    """The signals as read, on a tape without those of other instruments in ``table``."""
    if "instrument" not in signals or not _is_tape(texts):
        return signals
    others = signals["instrument"].isin(set(table) - {each.instrument.name for each in series})
    if others.any():
        print(f"tidemark: {others.sum():,} of {len(signals):,} signals are of instruments that the tape has no bar of and are left out", file=sys.stderr)
    return signals[~others].reset_index(drop=True)


def print_missed(signals: Any, series: Sequence[Any]) -> None:
    """How many signals are at no bar of the tape."""
    opens = {each.instrument.name: each.bars["ts"] for each in series}
    if left := sum(int((~own["ts"].isin(opens[name])).sum()) for name, own in signals.groupby("instrument", observed=True)):
        print(f"tidemark: {left:,} of {len(signals):,} signals are at no bar of the tape and are left out, as the session missed them", file=sys.stderr)


def _is_tape(texts: Sequence[str]) -> bool:
    from worker.terminal.traded_series import names_its_series

    return bool(texts) and all(map(names_its_series, texts))
