"""``tidemark features``: what there is, computing it from files to files, and the gate against look-ahead."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from domain.errors import BadRequest
from worker.terminal.examine import examine, similar
from worker.terminal.say import Json, say

app = typer.Typer(no_args_is_help=True, help="Features: causal columns computed from bars.")
app.command("examine")(examine)
app.command("similar")(similar)
NAMES = "module_{}"
COLUMNS = ("name", "family", "unit", "inputs", "params", "source")

Bars = Annotated[str, typer.Option("--bars", help="FILE: CSV or Parquet with ts open high low close [volume spread].")]
Name = Annotated[str, typer.Option("--instrument", help="Whose bars they are.")]
Frame = Annotated[str, typer.Option("--timeframe", help="M1 M5 M15 M30 H1 H4 D1; default: as the bars lie.")]
Recipe = Annotated[str, typer.Option("--recipe", help="A set of columns by name; see tidemark features recipes.")]
COLUMN: list[str] = typer.Option([], "--columns", help='A column, such as "atr(14)" or "atr(14)@H1"; more may follow, and the option may repeat.')
Rest = Annotated[list[str] | None, typer.Argument(hidden=True)]
LONGER: list[str] = typer.Option([], "--htf", help="TIMEFRAME=FILE: longer bars of the same instrument; else they are joined from --bars. May repeat.")
OTHER: list[str] = typer.Option([], "--other", help="NAME=FILE: bars of another instrument. May repeat.")
MACRO: list[str] = typer.Option(
    [], "--macro", help="NAME=FILE: an outside series, CSV or Parquet with ts (when it became known, UTC) and value. A CSV without ts has a date in its first column, as FRED's, and is of a series of the table (tidemark data outside list --series): a value then counts from its lag after its date. May repeat."
)  # fmt: skip
HEADLINES = typer.Option(None, "--headlines", help="FILE: CSV of headlines with their times.")
RELEASES = typer.Option(None, "--releases", help="FILE: a calendar, CSV with time, event, country and impact, or ForexFactory's week as JSON or XML.")
Impact = Annotated[str, typer.Option("--impact", help="Releases with this impact or more: low, medium, high.")]
Utc = Annotated[bool, typer.Option("--utc", help="Times of headlines and releases without a zone are in UTC; default: refuse them.")]


@app.command("list")
def list_features(as_json: Json = False) -> None:
    """Every feature: family, unit, inputs, parameters, source."""
    from domain.features import FEATURES

    rows = [
        dict(name=f.name, family=f.family, unit=f.unit, inputs=", ".join(f.inputs), params=", ".join(f"{k}={v}" for k, v in f.params.items()), source=f.source, help=f.help)
        for f in FEATURES.values()
    ]
    say(rows, as_json, COLUMNS)


@app.command("recipes")
def recipes(name: str = typer.Argument("", help="One of them, to see its columns."), as_json: Json = False) -> None:
    """Sets of columns by name, or the columns of one."""
    from domain.features.recipes import recipe as named
    from domain.features.recipes import recipes as every

    if name:
        one = named(name)
        columns = [use.column for use in one.uses]
        return say(dict(recipe=name, about=one.about, columns=columns), True) if as_json else print("\n".join(columns))
    rows = [dict(recipe=one.name, columns=len(one.uses), about=one.about) for one in every().values()]
    say(rows, as_json, ("recipe", "columns", "about"))


@app.command("compute")
def compute(
    bars: Bars, instrument: Name, out: Annotated[Path, typer.Option(help="FILE.parquet or FILE.csv: ts and a column for each feature.")], timeframe: Frame = "", recipe: Recipe = "", columns: list[str] = COLUMN, htf: list[str] = LONGER,
    other: list[str] = OTHER, macro: list[str] = MACRO, headlines: Path | None = HEADLINES, releases: Path | None = RELEASES, impact: Impact = "high", utc: Utc = False, rest: Rest = None, as_json: Json = False,
) -> None:  # fmt: skip
    """Compute features of bars in a file into a file."""
    from domain.features import compute as computed

    uses = _uses(recipe, [*columns, *(rest or [])])
    read, around = _around(bars, instrument, timeframe, htf, other, macro, _told(headlines, releases, utc), impact)
    frame = computed(read, uses, around)[["ts", *dict.fromkeys(one.column for one in uses)]]
    _write(frame, out)
    empty = [name for name in frame if name != "ts" and frame[name].isna().all()]
    say(dict(bars=len(frame), columns=len(frame.columns) - 1, without_a_value=", ".join(empty) or "none", written=str(out)), as_json)


@app.command("check")
def check(
    bars: Bars, instrument: Name = "EURUSD", timeframe: Frame = "", recipe: Recipe = "", columns: list[str] = COLUMN, strategy: Annotated[str, typer.Option(help="A strategy by name,")] = "",
    params: Annotated[str, typer.Option(help="with its parameters as JSON.")] = "{}", module: Annotated[Path | None, typer.Option(help="FILE.py with features and strategies of your own. It is run. Without a choice all that it defines is checked.")] = None,
    htf: list[str] = LONGER, other: list[str] = OTHER, macro: list[str] = MACRO, headlines: Path | None = HEADLINES, releases: Path | None = RELEASES, impact: Impact = "high", utc: Utc = False, rest: Rest = None, as_json: Json = False,
) -> None:  # fmt: skip
    """Does anything read the future? Each column that does, with the bar and the size; exit status 1 if there is one, 0 if not."""
    from domain.causality import check_features, check_strategy
    from domain.strategies.base import make

    made, decided = _module(module) if module else ([], [])
    chosen = [*columns, *(rest or [])]
    if recipe or chosen or strategy:        # what is chosen, else all that the module defines
        made, decided = chosen, [strategy] if strategy else []
    read, around = _around(bars, instrument, timeframe, htf, other, macro, _told(headlines, releases, utc), impact)
    uses = _uses(recipe, made, bool(decided))
    verdicts = [check_features(read, uses, around)] if uses else []
    verdicts += [check_strategy(read, make(name, _json(params)), around) for name in decided]
    leaks = [leak for one in verdicts for leak in one.leaks]
    checked = list(dict.fromkeys(name for one in verdicts for name in one.checked))
    if as_json:
        say(dict(green=not leaks, checked=checked, bars=len(read), leaks=[dict(column=leak.column, bar=leak.bar, ts=leak.ts, size=leak.size, seen=leak.seen, unseen=leak.unseen, cut=leak.cut, bars=leak.bars, sentence=str(leak)) for leak in leaks]), True)
    else:
        for leak in leaks:
            print(leak)
        guilty = len({leak.column for leak in leaks})
        print(f"{guilty} of {len(checked)} columns read the future" if leaks else f"no look-ahead: {len(checked)} columns, {len(verdicts[0].cuts)} cuts of {len(read):,} bars")
    raise typer.Exit(1 if leaks else 0)


def _uses(recipe: str, columns: Sequence[str], may_be_none: bool = False) -> tuple[Any, ...]:
    """Of the recipe, or as written."""
    from domain.features import parse
    from domain.features.recipes import recipe as named

    if recipe and columns:
        raise BadRequest("give either --recipe or --columns")
    if recipe:
        return named(recipe).uses
    if not columns and not may_be_none:
        raise BadRequest('nothing is chosen; give --recipe NAME, or --columns "atr(14)" "rsi(14)"')
    return tuple({one.column: one for one in map(parse, columns)}.values())


def _around(bars: str, name: str, timeframe: str, htf: Sequence[str], other: Sequence[str], macro: Sequence[str], told: Mapping[str, Any] = {}, impact: str = "high") -> tuple[Any, Any]:
    """The bars of the file, and what stands around them."""
    from domain.errors import unknown
    from domain.features import Around, closes
    from domain.market import instruments
    from domain.market.timeframe import Timeframe
    from domain.outside.releases import concerning
    from worker.settings import load
    from worker.terminal.backtest import _bars, _timeframe

    table = instruments(load().instruments_file)
    if name not in table:
        raise unknown("instrument", name, table)
    read = _bars(Path(bars), table[name])
    frame = Timeframe.named(timeframe) if timeframe else _timeframe(read)
    others = {}
    for each, path in _pairs("--other", other, "NAME"):
        if each not in table:
            raise unknown("instrument", each, table)
        beside = _bars(path, table[each])
        others[each] = closes(beside, table[each], _timeframe(beside))
    longer = {}
    for each, path in _pairs("--htf", htf, "TIMEFRAME"):
        if Timeframe.named(each) <= frame:
            raise BadRequest(f"--htf {each} is not longer than the bars, which are {frame}")
        longer[str(Timeframe.named(each))] = _bars(path, table[name])
    series = {each: _series(each, path) for each, path in _pairs("--macro", macro, "NAME")}
    facts = {"releases": concerning(told["releases"], table[name], impact)} if "releases" in told else {}
    return read, Around(table[name], frame, others, series, longer=longer, **{**told, **facts})


def _told(headlines: Path | None, releases: Path | None, utc: bool) -> dict[str, Any]:
    """Scored headlines and the calendar of files, as far as they are given."""
    from domain.features.sentiment import read_headlines
    from domain.outside.headlines import headlines_of
    from domain.outside.releases import read_releases

    scored = {"headlines": read_headlines(headlines_of(headlines, utc).frame)} if headlines else {}
    return scored | ({"releases": read_releases(releases, utc).frame} if releases else {})


def _pairs(option: str, texts: Iterable[str], what: str) -> list[tuple[str, Path]]:
    found = []
    for text in texts:
        name, equals, path = text.partition("=")
        if not equals or not name or not path:
            raise BadRequest(f"{option} is {text!r}; write {option} {what}=FILE")
        found.append((name, Path(path)))
    return found


def _series(name: str, path: Path) -> Any:
    """An outside series by the instants at which its values became known: those of the file, or where it has dates those that the table of series gives."""
    import numpy as np
    import pandas as pd

    from domain.outside.known import Known
    from domain.outside.series import known_of, series_table

    try:
        frame = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)
        if "ts" not in frame and path.suffix != ".parquet":
            return known_of(series_table(path, name).frame)
        times = pd.to_datetime(frame["ts"], utc=True).dt.as_unit("ns").astype("int64").to_numpy()
        values = frame["value"].to_numpy(np.float64)
    except (OSError, KeyError, ValueError, TypeError) as error:
        raise BadRequest(f"{path} is no series: {error}. It needs the columns ts (UTC) and value, or a date and a value") from None
    if (np.diff(times) < 0).any():
        raise BadRequest(f"{path} is not in the order of its times; sort it by ts")
    return Known(times, values)


def _json(text: str) -> dict[str, Any]:
    try:
        values = json.loads(text)
    except json.JSONDecodeError as error:
        raise BadRequest(f"--params is not JSON: {error}. Write it like '{{\"lookback\": 20}}'") from None
    if not isinstance(values, dict):
        raise BadRequest(f"--params is {text}; it must be a JSON object like '{{\"lookback\": 20}}'")
    return values


def _module(path: Path) -> tuple[list[str], list[str]]:
    """The features and strategies that a file of the user's registers. It is code and is run, as ``python FILE.py`` would; the page never does."""
    from domain.features import FEATURES
    from domain.strategies import STRATEGIES

    features, strategies = set(FEATURES), set(STRATEGIES)
    spec = importlib.util.spec_from_file_location(NAMES.format(path.stem), path)
    if not path.is_file() or spec is None or spec.loader is None:
        raise BadRequest(f"there is no Python file {path}; give the path of a file that ends in .py")
    sys.modules[spec.name] = module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except (SyntaxError, ImportError, ValueError) as error:
        raise BadRequest(f"{path} cannot be used: {error}") from None
    found = sorted(set(FEATURES) - features), sorted(set(STRATEGIES) - strategies)
    if not any(found):
        raise BadRequest(f"{path} defines no feature and no strategy; mark them with @feature(unit=…, source=…) or @strategy(name)")
    return found


def _write(frame: Any, out: Path) -> None:
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
