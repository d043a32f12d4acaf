"""The series that a backtest or a session trades, from the files of ``--bars``: one a file, or all that a file of several names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from domain.errors import BadRequest, unknown
from domain.parsing import is_file, shown
from worker.terminal import tape_bars
from worker.terminal.bars import BarFiles, FileBars
from worker.terminal.options import once


@dataclass(frozen=True)
class SeriesOptions:
    """The options that name series. ``timeframe``: one, or several separated by commas where there are files of several."""

    bars: Sequence[str]
    instrument: str = ""
    timeframe: str = ""
    side: str = ""
    magnify: Sequence[str] = ()

    @property
    def timeframes(self) -> list[Any]:
        from domain.market.timeframe import Timeframe

        return [Timeframe.named(text.strip()) for text in self.timeframe.split(",")] if self.timeframe else []


def series_of(files: BarFiles, request: SeriesOptions) -> list[Any]:
    """Every series, each once, in the order of the files; of a file of several in the order in which their bars of one instant stand."""
    _check_names(files, request)
    series = [each for text in request.bars for each in _of_file(files, request, text)]
    names = [f"{each.instrument.name} {each.timeframe}" for each in series]
    if twice := next((name for k, name in enumerate(names) if name in names[:k]), ""):
        raise BadRequest(f"--bars gives {twice} twice; give it once")
    return with_finer(files, request, series)


def _check_names(files: BarFiles, request: SeriesOptions) -> None:
    """Before the first file is read: no series is named twice."""
    plain = [named_series(text, request.instrument, files.table) for text in request.bars if not names_its_series(text)]
    if len(request.timeframes) < 2:
        list(once("--bars", ((f"{name} {own}" if own else name, path) for name, path, own in plain)))


def names_its_series(text: str) -> bool:
    """Whether a value of ``--bars`` is the tape of a session."""
    path = _path(text)
    return is_file(path) and tape_bars.is_tape(path) and tape_bars.SERIES in tape_bars.columns_of(path)


def _path(text: str) -> Path:
    return Path(text) if is_file(Path(text)) else Path(text.partition("=")[2])


def _of_file(files: BarFiles, request: SeriesOptions, text: str) -> Iterator[Any]:
    path = _path(text)
    if is_file(path) and tape_bars.is_tape(path):
        yield from _of_tape(files, request, text, path)
        return
    name, path, own = named_series(text, request.instrument, files.table)
    yield _series(files.table[name], _read(files, request, name, path, own), request.side, path)


def _read(files: BarFiles, request: SeriesOptions, name: str, path: Path, own: Any) -> FileBars:
    """The bars of a file, of the timeframe ``own`` that its name says; else of the only one that is requested, or of that of several which they have."""
    wanted = [own] if own else request.timeframes
    if not wanted:
        raise BadRequest("--timeframe is missing; give it a value, as in --timeframe M15")
    if len(wanted) == 1:
        return files.read(path, name, wanted[0])
    read = files.read(path, name)
    if read.timeframe not in wanted:
        raise BadRequest(f"bars of {shown(path.name)} are {read.timeframe}, and --timeframe is {request.timeframe}; add {read.timeframe}, or leave the file out")
    return read


def _of_tape(files: BarFiles, request: SeriesOptions, text: str, path: Path) -> Iterator[Any]:
    parts = tape_bars.read(path)
    if parts[0].series:
        if text != str(path):
            raise BadRequest(f"--bars is {text}, and the column series of {shown(path)} names its instruments; give --bars {shown(path)}")
        for part in _in_order(parts):
            yield _traded(files, part, *_named(part.series, files.table, path), request.side, path)
        return
    name, path, own = named_series(text, request.instrument, files.table)
    wanted = [own] if own else request.timeframes
    if len(wanted) != 1:
        raise BadRequest(f"the timeframe of {shown(path)} is not known; give one, as in --timeframe M15, or name the file by its series, as in --bars 'EURUSD M15={shown(path)}'")
    yield _traded(files, parts[0], name, wanted[0], request.side, path)


def _traded(files: BarFiles, part: tape_bars.Part, name: str, timeframe: Any, side: str, path: Path) -> Any:
    bars = tape_bars.checked(part, files.table[name], timeframe, path) if files.checks else part.bars
    return _series(files.table[name], FileBars(bars, timeframe, None), side, path)


def _series(instrument: Any, read: FileBars, side: str, path: Path) -> Any:
    from domain.backtest.study import Series
    from domain.market import content_version
    from domain.market.side import resolve_side

    quoted = resolve_side(side, read.side, path.name)
    return Series(instrument, read.timeframe, read.bars, quoted, content_version(read.bars, instrument.name, read.timeframe, quoted))


def _in_order(parts: Sequence[tape_bars.Part]) -> list[tape_bars.Part]:
    """The order of the account: rows of one instant stand in it. Series that share none stay as the file first names them."""
    import pandas as pd

    if "end" not in parts[0].bars:
        return list(parts)
    rows = pd.concat([part.bars[["end"]].assign(series=k, row=part.rows) for k, part in enumerate(parts)]).sort_values(["end", "row"])
    together = (rows["end"] == rows["end"].shift(-1)).to_numpy()[:-1]
    number = rows["series"].to_numpy()
    before = set(zip(number[:-1][together].tolist(), number[1:][together].tolist(), strict=True))
    order, waiting = [], list(range(len(parts)))
    while waiting:
        order.append(next((k for k in waiting if not any((earlier, k) in before for earlier in waiting)), waiting[0]))
        waiting.remove(order[-1])
    return [parts[k] for k in order]


def with_finer(files: BarFiles, request: SeriesOptions, series: Sequence[Any]) -> list[Any]:
    """The series with the finer bars of their instruments."""
    from dataclasses import replace

    finer = dict(once("--magnify", (named_file(text, request.instrument, files.table) for text in request.magnify)))
    if strange := [name for name in finer if name not in {each.instrument.name for each in series}]:
        raise BadRequest(f"--magnify names {', '.join(strange)}, which no --bars names")
    read = {name: files.read(path, name) for name, path in finer.items()}
    return [replace(each, finer=fine.bars, finer_timeframe=fine.timeframe) if (fine := _finer(read, finer, each)) else each for each in series]


def _finer(read: dict[str, FileBars], paths: dict[str, Path], series: Any) -> FileBars | None:
    """Finer bars of the same side."""
    from domain.market.side import resolve_side

    name = series.instrument.name
    if name not in read:
        return None
    if read[name].timeframe >= series.timeframe:
        raise BadRequest(f"the bars of --magnify are {read[name].timeframe}, not finer than {series.timeframe}")
    resolve_side(series.side, read[name].side, paths[name].name)
    return read[name]


def series_names(series: Sequence[Any]) -> list[str]:
    """Of each its instrument; with the timeframe where there are several of the instrument."""
    instruments = [each.instrument.name for each in series]
    return [name if instruments.count(name) == 1 else f"{name} {each.timeframe}" for name, each in zip(instruments, series, strict=True)]


def one_timeframe(series: Sequence[Any]) -> None:
    """Raises BadRequest for several timeframes of an instrument, where signals or forecasts name the instrument only."""
    names = [each.instrument.name for each in series]
    if twice := next((name for k, name in enumerate(names) if name in names[:k]), ""):
        raise BadRequest(f"{twice} is traded in several timeframes, and signals, models and forecasts name the instrument only; give one timeframe of it")


def named_series(text: str, default: str, table: Any) -> tuple[str, Path, Any]:
    """``NAME=FILE``, where NAME may be an instrument with a timeframe, as in ``EURUSD M5``; the timeframe is None where it names none."""
    from domain.market.timeframe import MINUTES, Timeframe

    name, equals, path = text.partition("=")
    instrument, _, timeframe = name.rpartition(" ")
    if equals and instrument in table and timeframe in MINUTES:
        return instrument, Path(path), Timeframe.named(timeframe)
    return *named_file(text, default, table), None


def named_file(text: str, default: str, table: Any) -> tuple[str, Path]:
    """``NAME=FILE`` where NAME is an instrument (names may hold a =), or ``FILE``."""
    for at in (k for k, letter in enumerate(text) if letter == "="):
        if text[:at] in table:
            return text[:at], Path(text[at + 1 :])
    name, equals, _ = text.partition("=")
    if equals and not is_file(Path(text)):
        raise unknown("instrument", name, table)
    if not default:
        raise BadRequest(f"{text} has no name; write NAME={text}, or give --instrument")
    if default not in table:
        raise unknown("instrument", default, table)
    return default, Path(text)


def _named(series: str, table: Any, path: Path) -> tuple[str, Any]:
    """Instrument and timeframe of a series as a file writes it."""
    from domain.market.timeframe import MINUTES, Timeframe

    name, _, timeframe = series.rpartition(" ")
    if not name or timeframe not in MINUTES:
        raise BadRequest(f"{shown(path)} names the series {series!r}; write an instrument and a timeframe, as in EURUSD M5")
    if name not in table:
        raise unknown("instrument", name, table)
    return name, Timeframe.named(timeframe)


def rates_of(files: BarFiles, texts: Sequence[str], side: str) -> list[Any]:
    """Pairs for currency conversion, each of the side that its file states."""
    from domain.market.side import resolve_side
    from domain.trading.task import Rate

    rates = []
    for name, path in list(once("--rates", (named_file(text, "", files.table) for text in texts))):     # all names before the first file
        read = files.read(path, name)
        rates.append(Rate(files.table[name], read.timeframe, read.bars, resolve_side("" if read.side else side, read.side, path.name)))
    return rates
