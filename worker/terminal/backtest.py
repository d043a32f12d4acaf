"""``tidemark backtest``: one run in this process, from files to files, without queue, server or workspace."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import typer

from domain.errors import BadRequest, unknown
from worker.terminal.report import Found, show
from worker.terminal.say import Json, plain, say

RULES = ("account", "costs", "execution", "sizing", "limits")


def backtest(
    bars: list[str] = typer.Option(..., help="[NAME=]FILE: CSV or Parquet with ts open high low close [volume spread]. May repeat."),
    instrument: str = typer.Option("", help="The instrument of a file without NAME."),
    timeframe: str = typer.Option(..., help="M1 M5 M15 M30 H1 H4 D1"),
    side: str = typer.Option("bid", help="Which side the bars quote: bid or mid."),
    strategy: str = typer.Option("", help="A strategy by name,"),
    params: str = typer.Option("{}", help="with its parameters as JSON;"),
    signals: Path | None = typer.Option(None, help="or a CSV of signals, one row each."),
    rates: list[str] = typer.Option([], help="PAIR=FILE: bars along which money is converted. May repeat."),
    magnify: list[str] = typer.Option([], help="[NAME=]FILE: finer bars for intrabar = \"magnify\". May repeat."),
    config: Path | None = typer.Option(None, help="TOML with [account] [costs] [execution] [sizing] [limits] over the defaults of config.toml."),
    equity: str = typer.Option("csv", help="How the equity curve is written: csv, parquet or none."),
    out: Path = typer.Option(..., help="Folder for trades.csv, fills.csv, equity.csv, report.json and the report."),
    report: bool = typer.Option(True, help="Also write report.html, report.txt, equity.svg and drawdown.svg."),
    each: bool = typer.Option(False, "--each", help="Every series on an account of its own, into a folder of its own under --out; else all on one."),
    as_json: Json = False,
) -> None:
    """Backtest a strategy, or signals of your own, on files."""
    if equity not in ("csv", "parquet", "none"):
        raise unknown("form of equity", equity, ("csv", "parquet", "none"))
    from domain.backtest import study

    rules, extra = _rules(config)
    series, along = _series(bars, instrument, timeframe, side, magnify, extra), [_rate(one, side, extra) for one in rates]

    def one(traded: Sequence[Any], folder: Path) -> Found:
        result = study.run(traded, rules, _strategy(strategy, params, signals), _signals(signals), along)
        found = Found(result, result.remarks(), _manifest(traded, rules, _strategy(strategy, params, signals)))
        _write(folder, found, found.plain(), equity, report)
        return found

    if each:
        return _side_by_side(series, one, out, bool(signals), as_json)
    found = one(series, out)
    if as_json:
        return say(found.plain(), True)
    show(found)
    print(f"\nwritten  {out}: {', '.join(sorted(path.name for path in out.iterdir()))}")


def _side_by_side(series: Sequence[Any], one: Callable[[Sequence[Any], Path], Found], out: Path, signals: bool, as_json: bool) -> None:
    """One backtest a series, and a table of their figures."""
    if signals:
        raise BadRequest("--each is for a strategy; split the signals by instrument and run them one by one")
    rows, whole = [], {}
    for traded in series:
        found = one([traded], out / traded.instrument.name)
        metrics, whole[traded.instrument.name] = found.study.metrics, found.plain()
        rows.append(dict(series=traded.instrument.name, **{name: metrics[name] for name in ("trades", "net_return", "max_drawdown", "sharpe", "profit_factor")}))
    say(whole if as_json else rows, as_json, tuple(rows[0]))


def _rules(config: Path | None) -> tuple[Any, str]:
    """The rules, and the user's own instrument table."""
    from domain.market.instrument import instruments
    from domain.params import values_of
    from domain.trading.cost_units import overlaid
    from domain.trading.rules import Rules
    from worker.settings import load, read_toml, settings_from

    base = load()
    merged = {name: values_of(getattr(base, name)) for name in RULES}
    for section, values in (read_toml(config) if config else {}).items():
        if section not in merged:
            raise unknown(f"section of {config}", section, merged)
        if not isinstance(values, dict):
            raise BadRequest(f"{config}: {section} is {values!r}; it must be a section, [{section}]")
        merged[section] = overlaid(merged[section], values) if section == "costs" else merged[section] | values
    settings = settings_from(merged)
    settings.costs.check_names(instruments(base.instruments_file))
    return Rules(settings.account, settings.costs, settings.execution, settings.sizing, settings.limits), base.instruments_file


def _strategy(name: str, params: str, signals: Path | None) -> Any:
    from domain.strategies.base import make

    if bool(name) == bool(signals):
        raise BadRequest("give either --strategy NAME or --signals FILE")
    if signals:
        return None
    try:
        values = json.loads(params)
    except json.JSONDecodeError as error:
        raise BadRequest(f"--params is not JSON: {error}. Write it like '{{\"lookback\": 20}}'") from None
    if not isinstance(values, dict):
        raise BadRequest(f"--params is {params}; it must be a JSON object like '{{\"lookback\": 20}}'")
    return make(name, values)


def _signals(path: Path | None) -> Any:
    import pandas as pd

    if path is None:
        return None
    try:
        return pd.read_csv(path, dtype=str, keep_default_na=False)
    except (OSError, pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise BadRequest(f"the signals {path} cannot be read: {error}") from None


def _series(bars: Sequence[str], instrument: str, timeframe: str, side: str, magnify: Sequence[str], extra: str) -> list[Any]:
    from domain.backtest.study import Series
    from domain.market import content_version, instruments
    from domain.market.timeframe import Timeframe

    if side not in ("bid", "mid"):
        raise unknown("side", side, ("bid", "mid"))
    table, frame = instruments(extra), Timeframe.named(timeframe)
    finer = dict(_named(one, instrument, table) for one in magnify)
    series = []
    for name, path in (_named(one, instrument, table) for one in bars):
        one = table[name]
        read, fine = _bars(path, one), _bars(finer.pop(name), one) if name in finer else None
        fine_frame = _timeframe(fine, frame) if fine is not None else None
        series.append(Series(one, frame, read, side, content_version(read, name, frame, side), fine, fine_frame))
    if finer:
        raise BadRequest(f"--magnify names {', '.join(finer)}, which no --bars brings")
    return series


def _named(text: str, default: str, table: Any) -> tuple[str, Path]:
    """``NAME=FILE`` where NAME is an instrument (names may hold a =), or ``FILE``."""
    for at in (k for k, letter in enumerate(text) if letter == "="):
        if text[:at] in table:
            return text[:at], Path(text[at + 1 :])
    name, equals, _ = text.partition("=")
    if equals and not Path(text).exists():
        raise unknown("instrument", name, table)
    if not default:
        raise BadRequest(f"{text} has no name; write NAME={text}, or give --instrument")
    if default not in table:
        raise unknown("instrument", default, table)
    return default, Path(text)


def _bars(path: Path, one: Any) -> Any:
    """The bars of a file in our own format, which must keep the contract; repairs are for ``tidemark data import``."""
    from domain.market import check, frame, readers

    if not path.exists():
        raise BadRequest(f"there is no file {path}")
    found = readers.recognise(path)
    raw = readers.read(path, found.format, one)
    if found.clock not in (None, "UTC") or raw.malformed_count:
        what = f"{raw.malformed[0].reason} in line {raw.malformed[0].line}" if raw.malformed_count else f"{found.title}, on a clock of its own"
        raise BadRequest(f"{path} is not a clean file of bars in UTC ({what}); bring it in with: tidemark data import {path}")
    return check(frame(raw.local_ns, open=raw.open, high=raw.high, low=raw.low, close=raw.close, volume=raw.volume, spread=raw.spread), one.negative_prices)


def _timeframe(bars: Any, below: Any = None) -> Any:
    """As the bars lie: the timeframe nearest to their median step."""
    from domain.market.timeframe import TIMEFRAMES

    minutes = bars["ts"].diff().dt.total_seconds().median() / 60
    near = min(TIMEFRAMES, key=lambda timeframe: abs(timeframe.minutes - minutes))
    if below is not None and near >= below:
        raise BadRequest(f"the bars of --magnify are {near}, not finer than {below}")
    return near


def _rate(text: str, side: str, extra: str) -> Any:
    from domain.market import instruments
    from domain.trading.task import Rate

    table = instruments(extra)
    name, path = _named(text, "", table)
    bars = _bars(path, table[name])
    return Rate(table[name], _timeframe(bars), bars, side)


def _manifest(series: Sequence[Any], rules: Any, strategy: Any) -> dict[str, Any]:
    from domain.backtest import study
    from domain.manifest import manifest

    spec = study.spec_of(series, rules, strategy)
    return {**manifest(spec), "spec_hash": study.spec_hash(spec)}


def _write(out: Path, found: Found, known: Mapping[str, Any], equity: str, report: bool) -> None:
    from worker.terminal import csv

    outcome = found.study.outcome
    try:
        out.mkdir(parents=True, exist_ok=True)
        csv.write(outcome.trades, out / "trades.csv")
        csv.write(outcome.fills, out / "fills.csv")
        if equity == "csv":
            csv.write(outcome.equity, out / "equity.csv")
        elif equity == "parquet":
            outcome.equity.to_parquet(out / "equity.parquet", index=False, compression="zstd")
        (out / "report.json").write_text(json.dumps(plain(known), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        if report:
            written = ["trades.csv", "fills.csv", *([f"equity.{equity}"] if equity != "none" else [])]
            found.write(out, written)
    except OSError as error:
        raise BadRequest(f"{out} cannot be written: {error.strerror}. Choose another folder for --out") from None
