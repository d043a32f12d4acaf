"""``tidemark compliance presets`` and ``judge``: rule sets, and an equity path replayed under one."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import typer

from domain.errors import BadRequest
from worker.terminal.histories import path_of_history
from worker.terminal.say import Json, plain, say

HONEST = ("Not a certification.", "A gap can jump any floor.")
PRESET = typer.Option("", help="Name of a rule set that comes with Tidemark; tidemark compliance presets lists them.")
RULES = typer.Option(None, help="TOML file of a rule set, instead of --preset.")
PHASE = typer.Option("", help="Phase of the rule set; default: the one that it names, else its first.")


def presets(as_json: Json = False) -> None:
    """List the rule sets that come with Tidemark, each with its phases, rules and where its figures come from."""
    from domain.compliance import preset
    from domain.compliance import presets as names

    rows = [_preset(preset(name)) for name in names()]
    if as_json:
        return say(rows, True)
    say(
        [row | dict(phases=", ".join(row["phases"]), rules=", ".join(row["rules"])) for row in rows],
        False,
        ("name", "title", "account", "phases", "confidence", "retrieved", "source"),
    )
    for row in rows:
        for warning in row["warnings"]:
            print(f"! {row['name']}: {warning}")


def judge(
    preset: str = PRESET,
    rules: Path | None = RULES,
    phase: str = PHASE,
    run: str = typer.Option("", help="Run id, as tidemark runs list gives it."),
    history: str = typer.Option("", help="Imported account history, by id, as tidemark compliance histories gives it."),
    session: str = typer.Option("", help="Trading session, by name; one that goes on is judged so far."),
    rebuilt: bool = typer.Option(
        False, "--rebuilt", help="With --history: judge the equity that was rebuilt from bars, not the balance alone."
    ),
    equity: Path | None = typer.Option(
        None, help="CSV of the account in UTC: ts balance equity [equity_low] [equity_high]."
    ),
    trades: Path | None = typer.Option(
        None, help="CSV of its trades, with the columns of tidemark backtest; for rules that need them."
    ),
    initial: float | None = typer.Option(
        None, help="Balance before the first row; default: the account of the rule set."
    ),
    releases: Path | None = typer.Option(
        None, help="Calendar of economic releases, for rules on news: CSV, or ForexFactory's week as JSON or XML."
    ),
    allow_gaps: bool = typer.Option(
        False, "--allow-gaps", help="With --equity: judge a file with gaps; a note says what was not seen."
    ),
    out: Path = typer.Option(..., help="Folder for verdict.json, floors.csv, days.csv and breaches.csv."),
    as_json: Json = False,
) -> None:
    """Replay a rule set over a run, a session, an imported history or an equity file. Exit status 0: passed or open, 1: failed, 2: bad input."""
    from domain.compliance import judge as replay

    rule_set = rule_set_of(preset, rules, phase)
    known = _instruments()
    path, notes = _path(rule_set, (run, session, history, equity), (rebuilt, allow_gaps), trades, initial, known)
    judgement = replay(path, rule_set, known, _releases(releases))
    verdict = verdict_of(judgement, rule_set, path, notes)
    write(out, judgement, verdict, rule_set, path, known)
    if as_json:
        say(verdict, True)
    else:
        _show(verdict, out)
    raise typer.Exit(1 if judgement.state == "failed" else 0)


def rule_set_of(preset: str, rules: Path | None, phase: str) -> Any:
    """The rule set of ``--preset`` or ``--rules``."""
    from domain.compliance import load
    from domain.compliance import preset as named
    from domain.parsing import text_in

    if bool(preset) == bool(rules):
        raise BadRequest("give either --preset NAME or --rules FILE.toml")
    return named(preset, phase) if rules is None else load(text_in(rules), str(rules), phase)


def _instruments() -> Any:
    from domain.market import instruments
    from worker.settings import load

    return instruments(load().instruments_file)


def _path(
    rule_set: Any,
    source: tuple[str, str, str, Path | None],
    flags: tuple[bool, bool],
    trades: Path | None,
    initial: float | None,
    known: Any,
) -> tuple[Any, list[str]]:
    """The path of a run, of a session, of a history or of files, of which one is given."""
    (run, session, history, equity), (rebuilt, allow_gaps) = source, flags
    if sum(map(bool, source)) != 1:
        raise BadRequest("give one of --run ID, --history ID and --equity FILE.csv, or --session NAME")
    if initial is not None and not 0 < initial < float("inf"):
        raise BadRequest(f"--initial is {initial:g}; it must be above 0")
    if equity is not None:
        return _path_of_files(rule_set, equity, trades, initial, known, allow_gaps)
    if trades is not None:
        raise BadRequest("--trades goes with --equity; a run or a history has its own")
    if allow_gaps:
        raise BadRequest("--allow-gaps goes with --equity")
    if rebuilt and not history:
        raise BadRequest("--rebuilt goes with --history")
    if history and initial is not None:
        raise BadRequest(
            "--initial goes with --run and --equity; a history has its own start, given when it was imported"
        )
    if session:
        if initial is not None:
            raise BadRequest("--initial goes with --run and --equity; a session has its own start")
        return path_of_session(rule_set, session)
    return path_of_history(rule_set, history, rebuilt) if history else _path_of_run(rule_set, run, initial)


def _path_of_run(rule_set: Any, run: str, initial: float | None) -> tuple[Any, list[str]]:
    """A run on an account of another size than the rules are for is scaled to theirs."""
    from domain.compliance.account import fitted
    from domain.compliance.path import path_of
    from worker.terminal.here import desk

    backtests = desk().backtests
    stored = backtests.get(run)
    if stored.kind != "backtest":
        raise BadRequest(f"{run} is no backtest but a {stored.kind.replace('_', ' ')}; give the id of a backtest")
    path = path_of(
        backtests.whole_equity(run),
        backtests.trades(run),
        initial or stored.summary["balance"],
        stored.summary["currency"],
    )
    return (path, []) if initial else fitted(path, rule_set)


def path_of_session(rule_set: Any, name: str) -> tuple[Any, list[str]]:
    """The account of a session, scaled where the rules are for another size; the notes say until when it is."""
    from domain.compliance.account import fitted
    from worker.terminal.here import desk

    read = desk().compliance.session_path(name)
    path, notes = fitted(read.path(), rule_set)
    return path, [*filter(None, [read.note]), *notes]


def _path_of_files(
    rule_set: Any, equity: Path, trades: Path | None, initial: float | None, known: Any, allow_gaps: bool
) -> tuple[Any, list[str]]:
    from domain.compliance.account import initial_of
    from domain.compliance.files import read_equity, read_trades
    from domain.compliance.gaps import refuse_gaps
    from domain.compliance.path import path_of

    table = read_equity(equity)
    if not len(table):
        raise BadRequest(f"the equity {equity} holds no row; it needs at least one instant")
    start, notes = (initial, []) if initial else initial_of(float(table["balance"].iloc[0]), rule_set)
    path = path_of(table, read_trades(trades) if trades else None, start, rule_set.currency)
    markets = {known[name].calendar for name in set(path.rows.instrument.tolist()) if name in known}
    return path, [*notes, *refuse_gaps(path, markets or ("fx",), allow_gaps)]


def _releases(file: Path | None) -> Any:
    from domain.outside.releases import read_releases

    return read_releases(file, utc=True).frame if file else None


def verdict_of(judgement: Any, rule_set: Any, path: Any, notes: Sequence[str]) -> dict[str, Any]:
    """What ``verdict.json`` holds. Money in the account's currency; shares in percent."""
    from domain.compliance.path import stamp

    failed_by = judgement.failed_by
    return dict(
        state=judgement.state, sentence=judgement.sentence, preset=rule_set.name, title=rule_set.title, firm=rule_set.firm, programme=rule_set.programme,
        phase=rule_set.phase, initial=judgement.initial, currency=path.currency, day=dict(reset=rule_set.day.reset, tz=rule_set.day.tz),
        passed_at=_time(judgement.passed_at), failed_at=_time(judgement.failed_at), failed_by=failed_by.column if failed_by else None,
        rules=[_rule(verdict) for verdict in judgement.rules],
        path=dict(first=stamp(path.ts[0]), last=stamp(path.ts[-1]), rows=len(path), trades=None if path.trades is None else len(path.trades)),
        figures=_figures(rule_set), warnings=rule_set.warnings(datetime.now(UTC).date()), notes=[*notes, *([rule_set.note] if rule_set.note else []), *HONEST],
    )  # fmt: skip


def _rule(verdict: Any) -> dict[str, Any]:
    from domain.compliance.path import stamp

    first = verdict.first_breach
    return dict(
        rule=verdict.column, kind=verdict.kind, clause=verdict.clause, state=verdict.state, unit=verdict.rule.unit or None, floor=verdict.floor,
        value=verdict.value, headroom=verdict.headroom, headroom_percent=None if verdict.share is None else verdict.share * 100.0, breaches=verdict.breaches,
        first_breach=None if first is None else dict(
            ts=stamp(first.ts), clause=first.clause, value=first.value, floor=first.floor, effect=first.effect, trades=list(first.trades), detail=first.detail,
        ),
        sentence=verdict.sentence,
    )  # fmt: skip


def write(out: Path, judgement: Any, verdict: dict[str, Any], rule_set: Any, path: Any, known: Any) -> None:
    """The files of a judgement; those of margin and of first in, first out where the rules ask for them."""
    from domain.compliance.regulatory import fifo_table, margin_table

    tables = dict(
        floors=judgement.floors,
        days=judgement.days,
        breaches=judgement.breaches,
        orders=margin_table(path, rule_set, known),
        fifo=fifo_table(path, rule_set),
    )
    try:
        out.mkdir(parents=True, exist_ok=True)
        (out / "verdict.json").write_text(
            json.dumps(plain(verdict), indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
        )
        for name, table in tables.items():
            if table is not None:
                _csv(table, out / f"{name}.csv")
    except OSError as error:
        raise BadRequest(f"{out} cannot be written: {error.strerror}. Choose another folder for --out") from None


def _csv(table: Any, file: Path) -> None:
    """Times keep their fractions of a second where there are any."""
    from domain.compliance.path import stamp
    from worker.terminal import csv

    for name in table:
        if (
            hasattr(table[name], "dt")
            and len(table)
            and (ns := table[name].dt.as_unit("ns").astype("int64")).mod(1_000_000_000).any()
        ):
            table = table.assign(**{name: ns.map(stamp)})
    csv.write(table, file)


def _preset(rule_set: Any) -> dict[str, Any]:
    figures = rule_set.figures.values()
    order = ("official", "secondary", "assumed", "own")
    return dict(
        name=rule_set.name, title=rule_set.title, firm=rule_set.firm, programme=rule_set.programme, account=rule_set.account or None, currency=rule_set.currency,
        phase=rule_set.phase, phases=list(rule_set.phases), day=dict(reset=rule_set.day.reset, tz=rule_set.day.tz),
        source=str(rule_set.document.get("source", "")), rules=list(rule_set.columns), clauses=[rule.clause() for rule in rule_set.rules], confidence=str(rule_set.document.get("confidence", "")),
        least_confidence=max((figure.confidence for figure in figures), key=order.index),
        retrieved=min(figure.retrieved for figure in figures).isoformat(), note=rule_set.note, figures=_figures(rule_set),
        warnings=rule_set.warnings(datetime.now(UTC).date()),
    )  # fmt: skip


def _figures(rule_set: Any) -> dict[str, dict[str, str]]:
    return {
        name: dict(
            value=rule_set.value(name),
            source=figure.source,
            retrieved=figure.retrieved.isoformat(),
            confidence=figure.confidence,
        )
        for name, figure in rule_set.figures.items()
    }


def _time(at: Any) -> str | None:
    from domain.compliance.path import stamp

    return None if at is None else stamp(at.value)


def _show(verdict: dict[str, Any], out: Path) -> None:
    print(
        f"{verdict['title']}, {verdict['phase']}, {verdict['initial']:,.2f} {verdict['currency']}\n\n{verdict['sentence']}\n"
    )
    rows = [
        row | dict(headroom_percent=None if row["headroom_percent"] is None else f"{row['headroom_percent']:.1f} %")
        for row in verdict["rules"]
    ]
    say(rows, False, ("rule", "state", "floor", "value", "headroom", "headroom_percent", "breaches"))
    print()
    for row in verdict["rules"]:
        print(f"- {row['rule']}: {row['sentence']}")
    for sentence in (*verdict["warnings"], *verdict["notes"]):
        print(f"! {sentence}")
    print(f"\nwritten  {out}: {', '.join(sorted(path.name for path in out.iterdir()))}")
