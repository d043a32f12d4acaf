"""``tidemark scan``: every strategy on every instrument and timeframe, on files in this process or on the workspace's bars as a job."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import typer

from domain.errors import BadRequest
from worker.terminal.bars import Clock
from worker.terminal.options import From, To
from worker.terminal.say import Json, plain, say

SHOWN = ("rank", "instrument", "strategy", "timeframe", "side", "grade", "q_star", "entry", "stop_loss", "lots", "es95", "correlation")
OTHERS = ("instrument", "strategy", "timeframe", "reason", "grade", "q_star", "trades", "detail")
COLUMNS = ("instrument", "side", "lots", "entry_price")
FILES = ("verdicts", "trades", "correlations")


def scan(
    bars: list[str] = typer.Option([], help="Bars, as [NAME=]FILE, once per instrument; or --data."),
    instrument: str = typer.Option("", help="Instrument of a file of --bars without NAME."),
    data: list[str] = typer.Option([], help="Dataset of the workspace, by id or version, once per instrument. Default without --bars: the newest of each instrument."),
    timeframe: list[str] = typer.Option([], help="Timeframe to scan: M1 M5 M15 M30 H1 H4 D1; longer ones than the bars' are built from them. May repeat. Default: those of the bars."),
    strategy: list[str] = typer.Option([], help="Strategy name. May repeat. Default: every strategy that decides with its defaults."),
    strategy_file: list[Path] = typer.Option([], "--strategy-file", help="Strategy that you wrote, as JSON (docs/expressions.md), beside --strategy. May repeat."),
    params: str = typer.Option("{}", help='Strategy parameters as JSON, by strategy: {"breakout": {"lookback": 20}}.'),
    model: str = typer.Option("", help="Calibrated model of the workspace, trained on the target win, whose chance of a win takes the place of (wins + 1)/(n + 2) for its strategy: NAME or NAME@VERSION."),
    positions: Path | None = typer.Option(None, help="CSV of the open positions: instrument, side (long or short), lots, entry_price."),
    equity: float = typer.Option(0.0, min=0.0, help="Equity now, in account currency; 0: the start balance of [account]."),
    risk: float = typer.Option(0.0, min=0.0, max=1.0, help="Share of equity at risk to the stop, in place of [sizing]; 0: as [sizing] says."),
    history: int = typer.Option(250, help="Maximum number of closed trades of a combination to read."),
    fewest: int = typer.Option(40, help="Closed trades that a grade needs."),
    max_es95: float = typer.Option(10.0, help="Highest expected shortfall of a trade, per 1,000 of equity."),
    max_correlation: float = typer.Option(0.3, help="Highest signed correlation with an open position or an earlier proposal."),
    correlation_days: int = typer.Option(60, help="Daily changes that the correlation is computed over."),
    proposals: int = typer.Option(3, help="Most proposals; three at most."),
    rates: list[str] = typer.Option([], help="With --bars: bars of a currency pair for conversion, as PAIR=FILE. May repeat."),
    side: str = typer.Option("", help="With --bars: the side that they quote, bid or mid; default: as the file says, else bid."),
    clock: Clock = "",
    start: From = "",
    end: To = "",
    config: Path | None = typer.Option(None, help="TOML file with [account] [costs] [execution] [sizing] [limits], over the defaults of config.toml."),
    costs: str = typer.Option("", help="With the workspace's bars: name of a saved cost profile, in place of [costs]."),
    out: Path | None = typer.Option(None, help="Folder for verdicts.csv, trades.csv, correlations.csv and scan.json."),
    as_json: Json = False,
) -> None:
    """Grade every combination of instrument, strategy and timeframe at the last closed bar, and propose three at most."""
    criteria = dict(history=history, fewest=fewest, es95=max_es95, correlation=max_correlation, correlation_days=correlation_days, proposals=proposals)
    request = ScanOptions(list(timeframe), chosen(strategy, params, strategy_file), model, read_positions(positions) if positions else [], equity or None, risk, criteria, start, end, config, out)
    if bars and (data or costs):
        raise BadRequest(f"{'--data' if data else '--costs'} is for the workspace's bars, and --bars names files; give the one or the other")
    if not bars and (rates or side or clock or instrument):
        raise BadRequest("--rates, --side, --clock and --instrument are for files; give --bars, or leave them out")
    if bars:
        summary, table = on_files(request, bars, instrument, side, clock, rates)
    else:
        summary, table = on_datasets(request, data, costs, as_json)
    if as_json:
        return say(dict(summary, verdicts=table), True)
    show(summary, table, out)


class ScanOptions:
    """The options that both ways share."""

    def __init__(
        self, timeframes: Sequence[str], strategies: Sequence[Any], model: str, positions: Sequence[Mapping[str, Any]], equity: float | None, risk: float, criteria: Mapping[str, Any],
        start: str, end: str, config: Path | None, out: Path | None,
    ) -> None:  # fmt: skip
        self.timeframes, self.strategies, self.model, self.positions, self.equity, self.risk = timeframes, strategies, model, positions, equity, risk
        self.criteria, self.start, self.end, self.config, self.out = criteria, start, end, config, out

    def rules(self) -> tuple[Any, str]:
        """The rules with the risk that was requested, and the file of instruments."""
        from domain.risk.sizing import Sizing
        from worker.terminal.backtest import rules_in

        rules, extra = rules_in(self.config)
        return (replace(rules, sizing=Sizing("fraction_at_risk", self.risk)) if self.risk else rules), extra


def chosen(names: Sequence[str], params: str, files: Sequence[Path] = ()) -> list[Any]:
    """The strategies that were named, or all that decide with their defaults, each with its parameters."""
    from domain.errors import unknown
    from domain.strategies import STRATEGIES
    from worker.desk.scanner import Choice, usable
    from worker.terminal.options import once, params_of
    from worker.terminal.strategy_file import read

    given = params_of(params)
    wanted = [name for name, _ in once("--strategy", ((name, None) for name in names))] or ([] if files else list(usable()))
    for name in (*wanted, *given):
        if name not in STRATEGIES:
            raise unknown("strategy", name, STRATEGIES)
    if unused := [name for name in given if name not in wanted]:
        raise BadRequest(f"--params names {unused[0]}, which is not scanned; add --strategy {unused[0]}, or leave it out")
    if wrong := [name for name, values in given.items() if not isinstance(values, Mapping)]:
        raise BadRequest(f'--params of {wrong[0]} are {given[wrong[0]]!r}; write {{"{wrong[0]}": {{"name": value}}}}')
    written = [read(file) for file in files]
    return [*(Choice(name, given.get(name, {})) for name in wanted), *(Choice("written", definition.params, definition.name) for definition in written)]


def read_positions(path: Path) -> list[dict[str, Any]]:
    """The rows of a CSV of open positions; a bad one is named by its line."""
    import csv

    from domain.parsing import is_file, shown
    from domain.trading.signals import SIDES

    if not is_file(path):
        raise BadRequest(f"there is no file {shown(path)}")
    try:
        with path.open(newline="", encoding="utf-8-sig") as source:
            rows = list(csv.DictReader(source))
    except (UnicodeDecodeError, csv.Error):
        raise BadRequest(f"{shown(path)} is not a CSV in UTF-8; write it with the columns {', '.join(COLUMNS)}") from None
    read = []
    for line, row in enumerate(rows, 2):
        if missing := [name for name in COLUMNS if not (row.get(name) or "").strip()]:
            raise BadRequest(f"{shown(path)}, line {line}: {missing[0]} is missing; each position needs {', '.join(COLUMNS)}")
        try:
            lots, entry, way = float(row["lots"]), float(row["entry_price"]), SIDES[row["side"].strip().lower()]
        except (ValueError, KeyError):
            raise BadRequest(f"{shown(path)}, line {line}: side, lots and entry_price are {row['side']!r}, {row['lots']!r}, {row['entry_price']!r}; write long or short and two numbers") from None
        read.append(dict(instrument=row["instrument"].strip(), side=way, lots=lots, entry=entry))
    return read


def on_files(wanted: ScanOptions, bars: Sequence[str], instrument: str, side: str, clock: str, rates: Sequence[str]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    from domain.market import instruments
    from domain.params import build
    from domain.risk.positions import OpenPosition
    from domain.scanner import Criteria
    from domain.scanner.scan import ScanRequest
    from domain.scanner.scan import scan as scanned
    from domain.scanner.tables import correlation_table, trade_table, verdict_table
    from domain.strategies.base import make
    from worker.jobs.scan import summary_of
    from worker.terminal.bars import BarFiles
    from worker.terminal.period import period_of, within
    from worker.terminal.traded_series import rates_of

    rules, extra = wanted.rules()
    files = BarFiles(instruments(extra), clock)
    series, along = _series(files, bars, instrument, side, wanted.timeframes), rates_of(files, rates, side)
    files.finish()
    rules.costs.check([entry.instrument for entry in series])
    series = within(series, period_of(wanted.start, wanted.end))
    strategies = {choice.shown: make(choice.name, choice.params) for choice in wanted.strategies}
    held = [OpenPosition(row["instrument"], row["side"], row["lots"], row["entry"], row["entry"]) for row in wanted.positions]
    request = ScanRequest(series, strategies, rules, build(Criteria, wanted.criteria), along, held, wanted.equity, **_probability(wanted, series, rules, along, strategies))
    result = scanned(request)
    verdicts = verdict_table(result)
    summary = summary_of(result, verdicts)
    if wanted.out:
        _write(wanted.out, dict(verdicts=verdicts, trades=trade_table(result), correlations=correlation_table(result)), dict(summary=summary, **_decided(request)))
    return summary, _rows(verdicts)


def _decided(request: Any) -> dict[str, Any]:
    """What decided a scan of files: its data, rules, strategies, positions and code."""
    from domain.audit.record import plain as plain_values
    from domain.params import values_of
    from domain.strategies.base import name_of
    from worker.code import manifest_of

    data = [dict(instrument=entry.instrument.name, timeframe=str(entry.timeframe), side=entry.side, version=entry.version, bars=len(entry.bars), history=entry.bars_of_history) for entry in request.series]
    strategies = [dict(label=label, name=name_of(strategy), params=values_of(strategy)) for label, strategy in request.strategies.items()]
    spec = plain_values(dict(data=data, strategies=strategies, criteria=values_of(request.criteria), positions=[dict(instrument=held.instrument, side=held.side, lots=held.lots, entry=held.entry) for held in request.positions], equity=request.equity, **request.rules.values()))
    return dict(spec=spec, manifest=manifest_of(spec, "scan"))


def _series(files: Any, bars: Sequence[str], instrument: str, side: str, timeframes: Sequence[str]) -> list[Any]:
    """The series of every file in every timeframe that its bars make up."""
    from domain.backtest.study import Series
    from domain.market import content_version, resample
    from domain.market.side import resolve_side
    from domain.market.timeframe import Timeframe
    from worker.terminal.options import once
    from worker.terminal.traded_series import named_file

    wanted = [Timeframe.named(name) for name, _ in once("--timeframe", ((name, None) for name in timeframes))]
    series = []
    for name, path in once("--bars", (named_file(text, instrument, files.table) for text in bars)):
        read, market = files.read(path, name), files.table[name]
        quoted = resolve_side(side, read.side, path.name)
        version = content_version(read.bars, name, read.timeframe, quoted)
        for frame in wanted or [read.timeframe]:
            if frame == read.timeframe:
                series.append(Series(market, frame, read.bars, quoted, version))
            elif frame > read.timeframe:
                longer = resample(read.bars, read.timeframe, frame, market.calendar)
                if longer.empty:
                    raise BadRequest(f"{path.name} has no complete {frame} bar; give a longer file")
                series.append(Series(market, frame, longer, quoted, version, read.bars, read.timeframe))
    if missing := [frame for frame in wanted if frame not in {entry.timeframe for entry in series}]:
        raise BadRequest(f"no file of --bars has bars of {missing[0]} or shorter ones; choose a longer timeframe")
    return series


def _probability(request: ScanOptions, series: Sequence[Any], rules: Any, rates: Sequence[Any], strategies: Mapping[str, Any]) -> dict[str, Any]:
    if not request.model:
        return {}
    from worker.terminal.here import desk
    from worker.win_chance import chance_of_win

    at = desk()
    version = at.models.get(request.model)
    own = str(version.manifest.get("question", {}).get("strategy", ""))
    if own not in strategies:
        raise BadRequest(f"{version.title} was trained on {'signals of ' + own if own else 'no signals of a strategy'}, which {'is' if own else 'are'} not scanned; choose another model, or scan that strategy")
    store = at.models.store
    with store.read() as unit:
        model = unit.models.get(version.id)
    assert model is not None        # the desk has just shown it
    return dict(probability=chance_of_win(store, model, at.user, own, strategies[own], series, rules, rates))


def on_datasets(wanted: ScanOptions, data: Sequence[str], costs: str, quiet: bool) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    from worker.desk.scanner import ScanRequest
    from worker.terminal.here import desk, finished
    from worker.terminal.options import instant

    at = desk()
    datasets = [at.data.get(name) for name in data] or at.scanner.newest_datasets()
    if not datasets:
        raise BadRequest("the workspace has no bars; give --bars FILE, or import some with: tidemark data import FILE")
    first, last = min(dataset.first_ts for dataset in datasets), max(dataset.last_ts for dataset in datasets)
    period = (instant("--from", wanted.start, first) if wanted.start else None), (instant("--to", wanted.end, last) if wanted.end else None)
    rules = wanted.rules()[0].values() if wanted.config or wanted.risk else {}
    request = ScanRequest(wanted.strategies, [dataset.id for dataset in datasets], wanted.timeframes, *period, rules, costs, wanted.criteria, wanted.positions, wanted.equity, wanted.model)
    run = at.scanner.get(finished(at, at.scanner.submit(request), quiet).result["run"])
    if wanted.out:
        tables = {name: at.scanner.table(run.id, name) for name in FILES}
        _write(wanted.out, tables, dict(run=run.id, summary=run.summary, spec=run.spec, manifest=run.manifest))
    return dict(run=run.id, **run.summary), _rows(at.scanner.table(run.id))


def _rows(verdicts: Any) -> list[dict[str, Any]]:
    return [{str(name): value for name, value in row.items()} for row in verdicts.to_dict("records")]


def _write(out: Path, tables: Mapping[str, Any], content: Mapping[str, Any]) -> None:
    from domain.scanner.criteria import GRADES
    from domain.scanner.reasons import REASONS
    from domain.scanner.tables import DEFINITIONS
    from worker.terminal import csv

    about = dict(content, grades=[dict(grade=name, lowest=lowest) for name, lowest in GRADES], reasons=[dict(zip(("key", "title", "sentence"), row, strict=True)) for row in REASONS], definitions=DEFINITIONS)
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name, table in tables.items():
            csv.write(table, out / f"{name}.csv")
        (out / "scan.json").write_text(json.dumps(plain(about), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    except OSError as error:
        raise BadRequest(f"{out} cannot be written: {error.strerror}. Choose another folder for --out") from None


def show(summary: Mapping[str, Any], table: Sequence[Mapping[str, Any]], out: Path | None) -> None:
    count = len(summary["proposals"])
    print(f"{summary['combinations']:,} combinations at {summary['at'][:16].replace('T', ' ')} UTC: {count or 'no'} {'proposal' if count == 1 else 'proposals'}.\n")
    say(summary["proposals"], False, SHOWN)
    print()
    say({key: number for key, number in summary["reasons"].items()}, False)
    print()
    say([row for row in table if not row["rank"]][:20], False, OTHERS)
    if out:
        print(f"\nwritten  {out}: {', '.join(sorted((*(f'{name}.csv' for name in FILES), 'scan.json')))}")
