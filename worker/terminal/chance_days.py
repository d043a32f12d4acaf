"""The days that ``tidemark compliance chance`` is computed from: of files, of a stored run, of a session, or of an imported history."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from domain.errors import BadRequest


class Source(NamedTuple):
    """Where the days come from, as the options say it."""

    trades: Path | None
    equity: Path | None
    run: str
    history: str
    allow_gaps: bool
    initial: float | None
    session: str = ""


def sample_of(source: Source, rule_set: Any, risk: float) -> tuple[Any, float, list[str]]:
    """The days, the account that lives through them where the rule set has none (else 0), and what was decided on the
    way."""
    from domain.compliance.run_sample import sample_of_path

    _check(source)
    if source.trades is not None and source.equity is None:
        return _of_trades(source.trades, rule_set, source.initial, risk)
    path, notes = _path(source, rule_set)
    return sample_of_path(path, rule_set.day, risk), 0.0 if rule_set.account else path.initial, notes


def _check(source: Source) -> None:
    files = source.trades is not None or source.equity is not None
    if sum(map(bool, (files, source.run, source.history, source.session))) != 1:
        raise BadRequest("give --trades FILE.csv and --equity FILE.csv, or one of both, or --run ID, or --session NAME, or --history ID")
    if source.initial is not None and not 0 < source.initial < float("inf"):
        raise BadRequest(f"--initial is {source.initial:g}; it must be above 0")
    if source.initial is not None and not files:
        raise BadRequest("--initial goes with --trades and --equity; a run, a session or a history has its own")
    if source.allow_gaps and source.equity is None:
        raise BadRequest("--allow-gaps goes with --equity")


def _of_trades(file: Path, rule_set: Any, initial: float | None, risk: float) -> tuple[Any, float, list[str]]:
    from domain.compliance.files import read_trades
    from domain.compliance.run_sample import sample_of_trades
    from domain.compliance.trade_results import results_of

    results = results_of(read_trades(file))
    if not len(results):
        raise BadRequest(f"the trades {file} hold no closed trade; it needs at least one")
    start = initial or rule_set.account
    return sample_of_trades(results, rule_set.day, start, risk), 0.0 if rule_set.account else start, []


def _path(source: Source, rule_set: Any) -> tuple[Any, list[str]]:
    from worker.terminal.judge import path_of_history, path_of_session

    if source.session:
        return path_of_session(rule_set, source.session)
    if source.history:
        return path_of_history(rule_set, source.history, False)
    return (_path_of_run(source.run), []) if source.run else _path_of_files(source, rule_set)


def _path_of_run(run: str) -> Any:
    from domain.compliance.path import path_of
    from worker.terminal.here import desk

    backtests = desk().backtests
    stored = backtests.get(run)
    if stored.kind != "backtest":
        raise BadRequest(f"{run} is no backtest but a {stored.kind.replace('_', ' ')}; give the id of a backtest")
    start, currency = stored.summary["balance"], stored.summary["currency"]
    return path_of(backtests.whole_equity(run), backtests.trades(run), start, currency)


def _path_of_files(source: Source, rule_set: Any) -> tuple[Any, list[str]]:
    from domain.compliance.files import read_equity, read_trades
    from domain.compliance.gaps import refuse_gaps
    from domain.compliance.path import path_of

    curve = read_equity(source.equity or Path())
    if not len(curve):
        raise BadRequest(f"the equity {source.equity} holds no row; it needs at least one instant")
    table = None if source.trades is None else read_trades(source.trades)
    path = path_of(curve, table, source.initial or 0.0, rule_set.currency)
    return path, list(refuse_gaps(path, _markets(path), source.allow_gaps))


def _markets(path: Any) -> set[str]:
    from domain.market import instruments
    from worker.settings import load

    known = instruments(load().instruments_file)
    return {known[name].calendar for name in set(path.rows.instrument.tolist()) if name in known} or {"fx"}
