"""``tidemark paper start`` and ``resume``: a session in the foreground, in the workspace, without a server."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from domain.errors import BadRequest, unknown
from worker.terminal import backtest_options as options
from worker.terminal import rule_set_options
from worker.terminal.bars import BarFiles, Clock
from worker.terminal.features import HEADLINES, MACRO, RELEASES, Impact, Utc
from worker.terminal.options import To
from worker.terminal.outside_files import OutsideFiles
from worker.terminal.paper_decides import AskedToDecide
from worker.terminal.paper_inputs import RATE_FILES, InputFiles, NoEach, Signals, live_series, refuse_of_replay, refuse_options
from worker.terminal.period import Period, period_of
from worker.terminal.say import Json, say
from worker.terminal.strategy_file import StrategyFile, chosen, timeframe_of
from worker.terminal.traded_series import SeriesOptions, one_timeframe, series_of, with_finer

BROKERS, FEEDS = ("paper", "oanda", "mt5"), ("oanda", "mt5")
Out = Annotated[Path | None, typer.Option("--out", help="Folder for trades.csv, fills.csv, equity.csv, decisions.csv, tape.csv and commands.csv.")]
Start = Annotated[str, typer.Option("--from", "--start", help="Start of trading, ISO 8601 in UTC; bars before it are history for features. Default: the first bar.")]


def start(
    session: str = typer.Option(..., "--session", help="Name of the new session."),
    replay: list[str] = typer.Option([], help=options.BARS),
    feed: str = typer.Option("", help="Live feed instead of files: oanda or mt5."),
    instrument: options.Name = "",
    broker: str = typer.Option("paper", help="Where orders go: paper, or a practice account at oanda or mt5."),
    timeframe: options.TimeframeName = "",
    side: options.Side = "",
    clock: Clock = "",
    strategy: options.Strategy = "",
    params: options.Params = "{}",
    preset: options.Preset = "",
    strategy_file: StrategyFile = None,
    signals: Signals = None,
    rates: list[str] = RATE_FILES,
    macro: list[str] = MACRO,
    headlines: Path | None = HEADLINES,
    releases: Path | None = RELEASES,
    impact: Impact = "high",
    utc: Utc = False,
    start: Start = "",
    end: To = "",
    config: options.Config = None,
    speed: str = typer.Option("max", help="Speed of a replay: times real time, or max."),
    commands: options.Commands = None,
    mode: options.Mode = "auto",
    rule_set: rule_set_options.Name = "",
    rules_file: rule_set_options.File = None,
    phase: rule_set_options.Phase = "",
    model: options.Model = "",
    forecasts: options.Forecasts = None,
    magnify: list[str] = options.MAGNIFY,
    scan: options.Scan = "",
    separate: NoEach = False,
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Start a session and work on it here, until it is over or Ctrl-C; `tidemark paper resume` goes on."""
    import pandas as pd

    from domain.market import instruments
    from worker.sessions.feed_source import LIVE
    from worker.store import session_asking as asking
    from worker.terminal.backtest import rules_in
    from worker.terminal.here import desk

    for what, value, known in (("broker", broker, BROKERS), ("mode", mode, options.MODES), ("feed", feed, ("", *FEEDS))):
        if value not in known:
            raise unknown(what, value, [name for name in known if name])
    if bool(replay) == bool(feed):
        raise BadRequest("give either --replay FILE or --feed oanda|mt5")
    if feed and not instrument:
        raise BadRequest("--feed needs instruments; give them, as in --instrument EURUSD,GBPUSD")
    refuse_options({"--each": separate})
    if feed:
        refuse_of_replay({"--side": side, "--speed": speed != "max", "--to": end, "--clock": clock and not (signals or rates), "--magnify": magnify, "--forecasts": forecasts})
    request = AskedToDecide(*chosen(strategy, params, strategy_file), preset, signals, model, forecasts, scan)
    timeframe = timeframe_of(timeframe, strategy_file)
    rules, extra = rules_in(config)
    period, given, times = period_of(start, end), options.commands_in(commands), _speed(speed)
    at = desk()
    extra = at.instruments.file() or extra
    files = BarFiles(instruments(extra), clock, checks=False)
    if feed:
        traded = live_series(instrument, timeframe, files.table)
        LIVE[feed].require(at.settings.vendors)
        source = _source(feed=feed, instruments=[name.strip() for name in instrument.split(",")])
    else:
        traded = _traded(files, SeriesOptions(replay, instrument, timeframe, side, magnify), period)
        source = _source(feed="replay", frames=_stored(at.paper.store, traded), speed=times, **(dict(lost=files.unread) if files.unread else {}))
    series, sides = [f"{each.instrument.name} {each.timeframe}" for each in traded], [each.side for each in traded]
    if request.of_one_timeframe:
        one_timeframe(traded)
    decides = request.decides(str(traded[0].timeframe))
    inputs = InputFiles(signals, rates, OutsideFiles(macro, headlines, releases, impact, utc)).read(files, traded, side, period, bool(replay))
    if len(set(sides)) > 1:
        raise BadRequest("the bars quote different sides, and a session trades one; give --side, or files of one side")
    begin = {} if period.start is None else {"from": int(pd.Timestamp(period.start).value)}
    plan = json.loads(json.dumps(dict(series=series, **decides.plan, rules=rules.values(), mode=mode, side=sides[0], **begin)))
    source = _checked(at.paper.store, extra, plan, source, inputs, decides.table)
    if given_rules := _rule_set(at, rule_set, rules_file, phase, plan["rules"]["account"]):
        plan, source = at.paper.with_rule_set(plan, source, given_rules)
    with at.paper.store.unit() as unit:
        asking.start(unit, session, plan, source, at.user, broker, mode)
        for number, each in enumerate(given):
            asking.ask(unit, session, each.command, each.arguments, each.who, each.reason, f"file:{number}", each.ts)
    _work(at, session, out, as_json)


def resume(
    name: str = typer.Argument(..., help="Name of the session."),
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Go on with a session after any death; of one that is over the files are written again."""
    from worker.store import session_asking as asking
    from worker.terminal.here import desk
    from worker.terminal.paper_run import refuse_in_use

    at = desk()
    refuse_in_use(at.paper.store, name)
    with at.paper.store.unit() as unit:
        asking.resume(unit, name, at.user)
    _work(at, name, out, as_json)


def _work(at: Any, name: str, out: Path | None, as_json: bool) -> None:
    """To the session's end, its files, and what it is."""
    from worker.terminal.paper_files import write
    from worker.terminal.paper_run import refused_commands, work
    from worker.terminal.paper_shown import shown

    with at.paper.store.read() as unit:
        session = unit.sessions.get(name)
    if not session.ended:
        work(at, name, as_json)
    written = write(at.paper, name, out) if out else []
    for answer in refused_commands(at.paper.store, name):
        print(answer, file=sys.stderr)
    facts = shown(at.paper.get(name))
    if as_json:
        return say(facts | dict(written=written), True)
    say({key: facts[key] for key in ("name", "state", "bars", "dropped", "trades", "balance", "equity")}, False)
    if out:
        print(f"\nwritten  {out}: {', '.join(sorted(written))}")


def _rule_set(at: Any, name: str, file: Path | None, phase: str, account: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """One of the workspace or a preset, or that of a file."""
    return rule_set_options.given_in(name, file, phase) if file or not name else at.paper.rule_set(name, phase, account)


def _traded(files: BarFiles, request: SeriesOptions, period: Period) -> list[Any]:
    """The series of the files up to the end of the period; its start is the plan's."""
    from dataclasses import replace

    import pandas as pd

    series = series_of(files, replace(request, magnify=()))
    if request.magnify:
        files.checks = True
        series = with_finer(files, request, series)
    if period.end is not None:
        series = [replace(each, bars=each.bars[each.bars["ts"] < pd.Timestamp(period.end)].reset_index(drop=True)) for each in series]
    if empty := next((each for each in series if each.bars.empty), None):
        raise BadRequest(f"{empty.instrument.name} {empty.timeframe} has no bar before --to; choose a later time")
    if period.start is not None and (old := next((each for each in series if each.bars["ts"].max() < pd.Timestamp(period.start)), None)):
        raise BadRequest(f"{old.instrument.name} {old.timeframe} has no bar to trade from --from on; choose an earlier time")
    return series


def _stored(store: Any, series: Sequence[Any]) -> dict[str, str]:
    """The stored table of each series' bars, by its name."""
    return {f"{each.instrument.name} {each.timeframe}": store.frames.put(_with_ends(each)) for each in series}


def _with_ends(series: Any) -> Any:
    """The bars with when each ends: of rows out of order as if they stood in it."""
    import numpy as np
    import pandas as pd

    from domain.market.bars import ts_of
    from domain.market.calendar import ends_of

    if "end" in series.bars or (series.bars["ts"].is_monotonic_increasing and series.bars["ts"].is_unique):
        return series.bars
    ts = ts_of(series.bars)
    every = np.unique(ts)
    ends = ends_of(pd.DataFrame(dict(ts=pd.to_datetime(every, utc=True))), series.timeframe, series.instrument.calendar)
    return series.bars.assign(end=pd.to_datetime(ends[np.searchsorted(every, ts)], utc=True))


def _checked(store: Any, instruments_file: str, plan: Mapping[str, Any], source: dict[str, Any], inputs: Any, table: Any) -> dict[str, Any]:
    """The source with its stored inputs; BadRequest for what a session can be refused for, before it is written. ``table``: forecasts of a file."""
    from worker.sessions.inputs import plan_of, refuse_unstartable
    from worker.sessions.models import with_forecast_table
    from worker.store.session_inputs import stored

    source = _named(source, stored(store.frames, inputs))
    if table is not None:
        source = _named(source, stored(store.frames, with_forecast_table(store, plan_of(store, instruments_file, plan, source), source, table).inputs))
    refuse_unstartable(store, instruments_file, plan, source)
    return source


def _named(source: dict[str, Any], entries: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The source, and the tables beside its bars where there are some."""
    return source | dict(inputs=list(entries)) if entries else source


def _source(**values: Any) -> dict[str, Any]:
    """Where bars come from; no worker takes a session of the foreground."""
    return values | dict(foreground=True)


def _speed(text: str) -> float:
    """
    >>> _speed("max"), _speed("60")
    (0.0, 60.0)
    """
    try:
        speed = 0.0 if text == "max" else float(text)
    except ValueError:
        speed = -1.0
    if not 0 <= speed < float("inf") or (speed == 0 and text != "max"):
        raise BadRequest(f"--speed is {text!r}; it must be a number above 0, times real time, or max")
    return speed
