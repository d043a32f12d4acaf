"""``tidemark features``: catalogue, computation from files to files, and the look-ahead check."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from domain.errors import BadRequest, listed
from domain.parsing import shown
from worker.terminal.bars import BarFiles, Clock, FileBars, unnamed
from worker.terminal.examine import examine, similar
from worker.terminal.options import pairs, params_of
from worker.terminal.say import Json, say
from worker.terminal.strategy_file import StrategyFile
from worker.terminal.strategy_file import chosen as chosen_strategy
from worker.terminal.user_module import UserCode, load

app = typer.Typer(no_args_is_help=True, help="Features: causal columns computed from bars.")
app.command("examine")(examine)
app.command("similar")(similar)
COLUMNS = ("name", "family", "unit", "inputs", "params", "source")

Bars = Annotated[str, typer.Option("--bars", help="File of bars: CSV or Parquet with ts open high low close [volume spread].")]
Name = Annotated[str, typer.Option("--instrument", help="Instrument of --bars.")]
Frame = Annotated[str, typer.Option("--timeframe", help="Timeframe: M1 M5 M15 M30 H1 H4 D1; default: inferred from the bars.")]
Recipe = Annotated[str, typer.Option("--recipe", help="Feature set by name; see tidemark features recipes.")]
COLUMN: list[str] = typer.Option([], "--columns", help='Feature, such as "atr(14)" or "atr(14)@H1"; more may follow. May repeat.')
Rest = Annotated[list[str] | None, typer.Argument(hidden=True)]
LONGER: list[str] = typer.Option([], "--htf", help="Higher-timeframe bars of the same instrument, as TIMEFRAME=FILE; default: resampled from --bars. May repeat.")
OTHER: list[str] = typer.Option([], "--other", help="Bars of another instrument, as NAME=FILE. May repeat.")
MACRO: list[str] = typer.Option(
    [], "--macro", help="External series, as NAME=FILE: CSV or Parquet with ts (when the value became known, UTC) and value; or a CSV with a date first, as FRED's, of a series in tidemark data outside list --series, whose values count from their publication lag on. May repeat."
)  # fmt: skip
HEADLINES = typer.Option(None, "--headlines", help="Headlines: CSV with their times.")
RELEASES = typer.Option(None, "--releases", help="Economic calendar: CSV with time, event, country and impact, or ForexFactory's week as JSON or XML.")
Impact = Annotated[str, typer.Option("--impact", help="Minimum impact of releases: low, medium or high.")]
Utc = Annotated[bool, typer.Option("--utc", help="Treat times of headlines and releases without a zone as UTC; default: refuse them.")]


@app.command("list")
def list_features(as_json: Json = False) -> None:
    """List every feature: family, unit, inputs, parameters, source."""
    from domain.features import FEATURES

    rows = [
        dict(name=f.name, family=f.family, unit=f.unit, inputs=", ".join(f.inputs), params=", ".join(f"{k}={v}" for k, v in f.params.items()), source=f.source, help=f.help)
        for f in FEATURES.values()
    ]
    say(rows, as_json, COLUMNS)


@app.command("recipes")
def recipes(name: str = typer.Argument("", help="Feature set whose columns are shown."), as_json: Json = False) -> None:
    """List the feature sets, or the columns of one."""
    from domain.features.recipes import recipe as named
    from domain.features.recipes import recipes as every

    if name:
        feature_set = named(name)
        columns = [use.column for use in feature_set.uses]
        return say(dict(recipe=name, about=feature_set.about, columns=columns), True) if as_json else print("\n".join(columns))
    rows = [dict(recipe=feature_set.name, columns=len(feature_set.uses), about=feature_set.about) for feature_set in every().values()]
    say(rows, as_json, ("recipe", "columns", "about"))


@app.command("compute")
def compute(
    bars: Bars, instrument: Name, out: Annotated[Path, typer.Option(help="FILE.parquet or FILE.csv to write: ts and a column for each feature.")], timeframe: Frame = "", recipe: Recipe = "", columns: list[str] = COLUMN, htf: list[str] = LONGER,
    other: list[str] = OTHER, macro: list[str] = MACRO, headlines: Path | None = HEADLINES, releases: Path | None = RELEASES, impact: Impact = "high", utc: Utc = False, clock: Clock = "", rest: Rest = None, as_json: Json = False,
) -> None:  # fmt: skip
    """Compute features of bars in a file into a file."""
    from domain.features import compute as computed

    uses = uses_of(recipe, [*columns, *(rest or [])])
    read, context = context_of(bars, instrument, timeframe, htf, other, macro, outside_of(headlines, releases, utc), impact, clock)
    frame = computed(read, uses, context)[["ts", *dict.fromkeys(use.column for use in uses)]]
    write_frame(frame, out)
    empty = [name for name in frame if name != "ts" and frame[name].isna().all()]
    say(dict(bars=len(frame), columns=len(frame.columns) - 1, without_a_value=", ".join(empty) or "none", written=str(out)), as_json)


@app.command("check")
def check(
    bars: Bars, instrument: Name = "EURUSD", timeframe: Frame = "", recipe: Recipe = "", columns: list[str] = COLUMN, strategy: Annotated[str, typer.Option(help="Strategy name.")] = "",
    params: Annotated[str, typer.Option(help="Strategy parameters as JSON.")] = "{}", strategy_file: StrategyFile = None, module: Annotated[Path | None, typer.Option(help="FILE.py with your own features and strategies; it is executed. Default: everything it defines is checked.")] = None,
    htf: list[str] = LONGER, other: list[str] = OTHER, macro: list[str] = MACRO, headlines: Path | None = HEADLINES, releases: Path | None = RELEASES, impact: Impact = "high", utc: Utc = False, clock: Clock = "", rest: Rest = None, as_json: Json = False,
) -> None:  # fmt: skip
    """Look-ahead check: every column that has look-ahead bias, with the bar and the size. Exit status 1 if there is one, else 0."""
    from domain.causality import check_features, check_strategy
    from domain.strategies.base import make

    strategy, params = chosen_strategy(strategy, params, strategy_file)
    columns_, strategies = load(module) if module else ([], [])
    defined = list(columns_)
    chosen = [*columns, *(rest or [])]
    if recipe or chosen or strategy:        # what is chosen, else all that the module defines
        columns_, strategies = chosen, [strategy] if strategy else []
    read, context = context_of(bars, instrument, timeframe, htf, other, macro, outside_of(headlines, releases, utc), impact, clock)
    uses = uses_of(recipe, columns_, bool(strategies))
    with UserCode(module, defined):
        verdicts = [check_features(read, uses, context)] if uses else []
        verdicts += [check_strategy(read, make(name, params_of(params)), context) for name in strategies]
    leaks = [leak for verdict in verdicts for leak in verdict.leaks]
    checked = list(dict.fromkeys(name for verdict in verdicts for name in verdict.checked))
    if as_json:
        say(dict(green=not leaks, checked=checked, bars=len(read), leaks=[dict(column=leak.column, bar=leak.bar, ts=leak.ts, size=leak.size, seen=leak.seen, unseen=leak.unseen, cut=leak.cut, bars=leak.bars, sentence=str(leak)) for leak in leaks]), True)
    else:
        for leak in leaks:
            print(leak)
        guilty = len({leak.column for leak in leaks})
        columns_word = "column" if len(checked) == 1 else "columns"
        print(f"{guilty} of {len(checked)} {columns_word} have look-ahead bias" if leaks else f"no look-ahead: {len(checked)} {columns_word}, {len(verdicts[0].cuts)} cuts of {len(read):,} bars")
    raise typer.Exit(1 if leaks else 0)


def uses_of(recipe: str, columns: Sequence[str], may_be_none: bool = False) -> tuple[Any, ...]:
    """Of the recipe, or as written."""
    from domain.features import parse
    from domain.features.recipes import recipe as named

    if recipe and columns:
        raise BadRequest("give either --recipe or --columns")
    if recipe:
        return named(recipe).uses
    if not columns and not may_be_none:
        raise BadRequest('nothing is chosen; give --recipe NAME, or --columns "atr(14)" "rsi(14)"')
    return tuple({column.column: column for column in map(parse, columns)}.values())


def context_of(
    bars: str, name: str, timeframe: str, htf: Sequence[str], other: Sequence[str], macro: Sequence[str], outside: Mapping[str, Any] = {}, impact: str = "high", clock: str = "",
) -> tuple[Any, Any]:  # fmt: skip
    """The bars of the file, and their context."""
    read, context = read_with_context(bars, name, timeframe, htf, other, macro, outside, impact, clock)
    return read.bars, context


def read_with_context(
    bars: str, name: str, timeframe: str, htf: Sequence[str] = (), other: Sequence[str] = (), macro: Sequence[str] = (), outside: Mapping[str, Any] = {}, impact: str = "high", clock: str = "",
) -> tuple[FileBars, Any]:  # fmt: skip
    """The file of bars as it was read, and the context of its bars; without a ``name`` they are of no instrument that is known."""
    from domain.features import Context, closes
    from domain.market import instruments
    from domain.market.timeframe import Timeframe
    from domain.outside.releases import concerning
    from worker.settings import load

    table = instruments(load().instruments_file)
    files = BarFiles(table if name else {**table, "": unnamed()}, clock)
    read = files.read(Path(bars), name, Timeframe.named(timeframe) if timeframe else None)
    others = {}
    for label, path in pairs("--other", other, "NAME"):
        beside = files.read(path, label)
        others[label] = closes(beside.bars, files.table[label], beside.timeframe)
    longer = {}
    for label, path in pairs("--htf", htf, "TIMEFRAME"):
        if Timeframe.named(label) <= read.timeframe:
            raise BadRequest(f"--htf {label} is not longer than the bars, which are {read.timeframe}")
        longer[label] = files.read(path, name, Timeframe.named(label)).bars
    files.finish()
    series = {label: read_series(label, path) for label, path in pairs("--macro", macro, "NAME")}
    facts = {"releases": concerning(outside["releases"], files.table[name], impact)} if "releases" in outside and name else {}
    return read, Context(files.table[name] if name else None, read.timeframe, others, series, longer=longer, **{**outside, **facts})


def outside_of(headlines: Path | None, releases: Path | None, utc: bool) -> dict[str, Any]:
    """Scored headlines and the release calendar, where files are given."""
    from domain.features.sentiment import read_headlines
    from domain.outside.headlines import headlines_of
    from domain.outside.releases import read_releases

    scored = {"headlines": read_headlines(headlines_of(headlines, utc).frame)} if headlines else {}
    return scored | ({"releases": read_releases(releases, utc).frame} if releases else {})


def read_series(name: str, path: Path) -> Any:
    """An outside series by the instants at which its values became known: those of the file, or where it has dates those that the table of series gives."""
    import numpy as np
    import pandas as pd

    from domain.outside.series import known_of, series_table
    from domain.outside.timed_values import TimedValues

    columns = "It needs the columns ts (UTC) and value, or a date and a value"
    try:
        frame = _parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)
    except OSError as error:
        raise BadRequest(f"{shown(path)} cannot be read: {error.strerror or 'it is not a Parquet file'}. {columns}") from None
    except ValueError:
        raise BadRequest(f"{shown(path)} is not a valid series: it is not a CSV in UTF-8, or not a Parquet file. {columns}") from None
    if "ts" not in frame and path.suffix != ".parquet":
        return known_of(series_table(path, name).frame)
    if lacking := [column for column in ("ts", "value") if column not in frame]:
        raise BadRequest(f"{path} is not a valid series: it has no column {listed(lacking)}. {columns}")
    stamps, numbers = pd.to_datetime(frame["ts"], utc=True, errors="coerce"), pd.to_numeric(frame["value"], errors="coerce")
    for name_of, read in (("ts", stamps), ("value", numbers)):
        bad = (read.isna() & frame[name_of].notna()).to_numpy(bool) | (stamps.isna().to_numpy(bool) if name_of == "ts" else False)
        if bad.any():
            row = int(bad.argmax())
            raise BadRequest(f"{path} is not a valid series: in row {row + 1} {name_of} is {str(frame[name_of].iloc[row])!r}. {columns}")
    times, values = stamps.dt.as_unit("ns").astype("int64").to_numpy(), numbers.to_numpy(np.float64)
    if (np.diff(times) < 0).any():
        raise BadRequest(f"{path} is not in the order of its times; sort it by ts")
    return TimedValues(times, values)


def _parquet(path: Path) -> Any:
    """The columns ts and value, as far as there are any; types and sizes are checked before anything is decompressed."""
    import pyarrow as pa
    from pyarrow import parquet

    from domain.market.readers.base import ReadLimits
    from domain.market.readers.parquet_shape import check_shape

    try:
        with parquet.ParquetFile(path) as file:
            wanted = [name for name in ("ts", "value") if name in file.schema_arrow.names]
            if "ts" in wanted:
                check_shape(file, path, "ts", wanted[1:], ReadLimits())
            return file.read(wanted).to_pandas()
    except pa.ArrowException as error:
        raise ValueError(str(error)) from None


def write_frame(frame: Any, out: Path) -> None:
    from worker.terminal import csv

    try:
        if out.suffix == ".csv":
            csv.write(frame, out)
        elif out.suffix == ".parquet":
            frame.to_parquet(out, index=False, compression="zstd")
        else:
            raise BadRequest(f"--out is {out}; it must end in .parquet or .csv")
    except OSError as error:
        raise BadRequest(f"{out} cannot be written: {error.strerror}. Choose another file for --out") from None
