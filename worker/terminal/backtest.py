"""``tidemark backtest``: one run in this process, from files to files, without queue, server or workspace."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import typer

from domain.errors import BadRequest, unknown
from domain.trading.signal_file import read as read_signals
from worker.terminal import backtest_options as options
from worker.terminal import rule_set_options
from worker.terminal.bars import BarFiles, Clock
from worker.terminal.features import HEADLINES, MACRO, RELEASES, Impact, Utc
from worker.terminal.forecasts import ForecastSource
from worker.terminal.model_filter import ModelFilter
from worker.terminal.options import From, To, params_of
from worker.terminal.outside_files import OutsideFiles
from worker.terminal.paper_decides import AskedToDecide
from worker.terminal.period import period_of, signals_within, within
from worker.terminal.report import RunReport, show
from worker.terminal.say import Json, plain, say
from worker.terminal.scanned import backtested
from worker.terminal.strategy_file import StrategyFile, chosen, note, timeframe_of
from worker.terminal.tape_run import of_tape, print_missed, with_absent
from worker.terminal.traded_series import SeriesOptions, one_timeframe, rates_of, series_names, series_of

RULES = ("account", "costs", "execution", "sizing", "limits")


def backtest(
    bars: list[str] = typer.Option(..., help=options.BARS),
    instrument: options.Name = "",
    timeframe: options.TimeframeName = "",
    side: options.Side = "",
    clock: Clock = "",
    strategy: options.Strategy = "",
    params: options.Params = "{}",
    preset: options.Preset = "",
    strategy_file: StrategyFile = None,
    signals: Path | None = typer.Option(None, help="CSV of signals, instead of --strategy."),
    model: options.Model = "",
    forecasts: options.Forecasts = None,
    scan: options.Scan = "",
    rates: list[str] = typer.Option([], help="Bars of a currency pair for conversion, as PAIR=FILE. May repeat."),
    magnify: list[str] = options.MAGNIFY,
    macro: list[str] = MACRO,
    headlines: Path | None = HEADLINES,
    releases: Path | None = RELEASES,
    impact: Impact = "high",
    utc: Utc = False,
    commands: options.Commands = None,
    mode: options.Mode = "auto",
    start: From = "",
    end: To = "",
    config: options.Config = None,
    rule_set: rule_set_options.Preset = "",
    rules_file: rule_set_options.File = None,
    phase: rule_set_options.Phase = "",
    equity: str = typer.Option("csv", help="Format of the equity curve: csv, parquet or none."),
    out: Path = typer.Option(..., help="Folder for trades.csv, fills.csv, equity.csv, report.json and the report."),
    report: bool = typer.Option(True, help="Write report.html, report.txt, equity.svg and drawdown.svg too."),
    separate: bool = typer.Option(False, "--each", help="One backtest per series, each on a separate account and in a subfolder of --out; default: one shared account."),
    as_json: Json = False,
) -> None:
    """Backtest a strategy, your own signals, or a scanner, on files."""
    if equity not in ("csv", "parquet", "none"):
        raise unknown("form of equity", equity, ("csv", "parquet", "none"))
    if mode not in options.MODES:
        raise unknown("mode", mode, options.MODES)
    if separate and commands:
        raise BadRequest("--commands are given to one account, and --each makes one for each series; leave one of them out")
    from domain.backtest import study
    from domain.backtest.buy_and_hold import held_of
    from domain.market import instruments

    strategy, params = chosen(strategy, params, strategy_file)
    if scan:
        AskedToDecide(strategy, params, preset, signals, model, forecasts, scan)
    timeframe = timeframe_of(timeframe, strategy_file)
    rules, extra = rules_in(config)
    rules = rule_set_options.gated(rules, rule_set_options.given_in(rule_set, rules_file, phase))
    period, commanded = period_of(start, end), options.commands_in(commands)
    files = BarFiles(instruments(extra), clock)
    series, along = series_of(files, SeriesOptions(bars, instrument, timeframe, side, magnify)), rates_of(files, rates, side)
    files.finish()
    series = within(OutsideFiles(macro, headlines, releases, impact, utc).along(series), period)
    timeframe = str(series[0].timeframe)
    if signals or model or forecasts:
        one_timeframe(series)
    note(strategy_file, timeframe, [traded.instrument.name for traded in series])
    decided = signals_within(of_tape(bars, files.signals(read_signals(signals)), series, files.table), series, period) if signals else None

    params = options.with_preset(strategy, preset, timeframe, params)
    source = ForecastSource.named(strategy, model, forecasts)
    filtering = ModelFilter.named(model, strategy, bool(signals)) if model and not source else None

    def run_one(traded: Sequence[Any], folder: Path) -> RunReport:
        run_report = backtested(scan, traded, rules, along, commanded, mode) if scan else run_strategy(traded)
        run_report = replace(run_report, held=held_of(traded, rules, along).summary)
        for sentence in run_report.study.unworked:
            print(f"tidemark: {sentence}", file=sys.stderr)
        _write(folder, run_report, run_report.plain(), equity, report)
        return run_report

    def run_strategy(traded: Sequence[Any]) -> RunReport:
        strategy_ = filtering.strategy(strategy, params) if filtering else source.strategy(params, timeframe) if source else _strategy(strategy, params, signals)
        traded = source.series(traded, rules, along, strategy_) if source else traded
        used = filtering.applied(traded, rules, along, strategy_) if filtering else None
        every, is_tape = with_absent(() if separate else bars, traded, commanded, files.table)
        if decided is not None and is_tape:
            print_missed(decided, traded)
        result = study.run(every, rules, strategy_, decided, along, keep=used.keep if used else None, commands=commanded, ask=mode == "approve", of_tape=is_tape)
        named = filtering or source
        return RunReport(result, result.remarks(), _manifest(traded, rules, strategy_, named.spec if named else None, commands=commanded, ask=mode == "approve"), filtering.plain(used) if filtering else source.plain() if source else None)

    if separate:
        return _side_by_side(series, run_one, out, bool(signals), as_json)
    result = run_one(series, out)
    if as_json:
        return say(result.plain(), True)
    show(result)
    if result.model:
        print(f"\nmodel    {result.model['model']}: {result.model['sentence']}")
        print(f"         {result.model['badge']}" if result.model["badge"] else "", end="\n" if result.model["badge"] else "")
    if start.strip():
        print(f"\n{result.study.history.sentence}")
    print(f"\nwritten  {out}: {', '.join(sorted(path.name for path in out.iterdir()))}")


def _side_by_side(series: Sequence[Any], run_one: Callable[[Sequence[Any], Path], RunReport], out: Path, signals: bool, as_json: bool) -> None:
    """One backtest a series, and a table of their figures."""
    if signals:
        raise BadRequest("--each is for a strategy; split the signals by instrument and run them one by one")
    rows, reports = [], {}
    for traded, name in zip(series, series_names(series), strict=True):
        run_report = run_one([traded], out / name)
        metrics, reports[name] = run_report.study.metrics, run_report.plain()
        rows.append(dict(series=name, **{name: metrics[name] for name in ("trades", "net_return", "max_drawdown", "sharpe", "profit_factor")}))
    say(reports if as_json else rows, as_json, tuple(rows[0]))


def rules_in(config: Path | None, beside: Sequence[str] = ()) -> tuple[Any, str]:
    """The rules, and the user's own instrument table. ``beside``: sections of the file that others read."""
    from domain.market.instrument import instruments
    from domain.params import values_of
    from domain.trading.cost_units import overlaid
    from domain.trading.rules import Rules
    from worker.settings import load, read_toml, settings_from

    base = load()
    merged = {name: values_of(getattr(base, name)) for name in RULES}
    for section, values in (read_toml(config) if config else {}).items():
        if section in beside:
            continue
        if section not in merged:
            raise unknown(f"section of {config}", section, [*merged, *beside])
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
    return make(name, params_of(params))


def _manifest(series: Sequence[Any], rules: Any, strategy: Any, model: Mapping[str, Any] | None = None, **person: Any) -> dict[str, Any]:
    from domain.backtest import study
    from worker.code import manifest_of

    spec = study.spec_of(series, rules, strategy, model, **person)
    return {**manifest_of(spec, "backtest"), "spec_hash": study.spec_hash(spec)}


def _write(out: Path, run_report: RunReport, content: Mapping[str, Any], equity: str, report: bool) -> None:
    from worker.terminal import csv

    outcome = run_report.study.outcome
    try:
        out.mkdir(parents=True, exist_ok=True)
        csv.write(outcome.trades, out / "trades.csv")
        csv.write(outcome.fills, out / "fills.csv")
        if equity == "csv":
            csv.write(outcome.equity, out / "equity.csv")
        elif equity == "parquet":
            outcome.equity.to_parquet(out / "equity.parquet", index=False, compression="zstd")
        (out / "report.json").write_text(json.dumps(plain(content), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        if report:
            written = ["trades.csv", "fills.csv", *([f"equity.{equity}"] if equity != "none" else [])]
            run_report.write(out, written)
    except OSError as error:
        raise BadRequest(f"{out} cannot be written: {error.strerror}. Choose another folder for --out") from None
