"""``tidemark compliance chance``: the chance that more days like those of a run pass a rule set."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import typer

from domain.errors import BadRequest
from domain.parsing import is_file
from worker.terminal.chance_days import Source, sample_of
from worker.terminal.judge import PHASE, PRESET, RULES, rule_set_of
from worker.terminal.say import Json, plain, say

RISK = "Risk per trade, a share of equity (0.01) or percent (1%); default: as the run traded. Needs trades with R."
EQUITY = (
    "CSV of the account in UTC, ts balance equity [equity_low] [equity_high]; without it days are made of --trades."
)


def chance(
    preset: str = PRESET,
    rules: Path | None = RULES,
    phase: str = PHASE,
    trades: Path | None = typer.Option(None, help="CSV of closed trades, with the columns of tidemark backtest."),
    equity: Path | None = typer.Option(None, help=EQUITY),
    run: str = typer.Option("", help="Run id of a stored backtest, instead of files."),
    history: str = typer.Option("", help="Id of an imported account history, instead of files."),
    session: str = typer.Option("", help="Trading session, by name, instead of files; one that goes on is taken so far."),
    allow_gaps: bool = typer.Option(
        False, "--allow-gaps", help="Take days of an equity file with a gap; the gap is reported."
    ),
    initial: float | None = typer.Option(
        None,
        help="Balance that the trades began with; default: the first of --equity, else the account of the rule set.",
    ),
    risk: str = typer.Option("", help=RISK),
    paths: int = typer.Option(10_000, help="Number of sampled paths."),
    horizon: int = typer.Option(60, help="Trading days after which a path counts as open."),
    seed: int = typer.Option(0, help="Random seed; the same seed gives the same numbers."),
    block: float = typer.Option(0.0, help="Mean block length, days; 0: automatic (Politis & White)."),
    sizing: bool = typer.Option(
        True, "--sizing/--no-sizing", help="The chance by the risk per trade, where trades have R."
    ),
    payouts: bool = typer.Option(
        False, "--payouts", help="Expected payouts before a breach, by the rules that can break."
    ),
    every: int = typer.Option(10, help="Trading days between two payouts."),
    split: float = typer.Option(0.8, help="Share of the profit paid to the trader."),
    fee: float = typer.Option(0.0, help="Fee of the attempt, account currency."),
    refund: bool = typer.Option(False, "--refund", help="The first payout refunds the fee."),
    keep: float = typer.Option(0.0, help="Profit that stays in the account as a buffer, account currency."),
    out: Path | None = typer.Option(
        None, help="Folder for chance.json, breaches.csv, progress.csv, days.csv, sizing.csv and payouts.csv."
    ),
    as_json: Json = False,
) -> None:
    """Estimate the chance of passing, of each breach, and the days to the target. Exit status 0, or 2 for bad input."""
    from domain.compliance.chance_report import chance_report
    from domain.compliance.drawing import ChanceConfig
    from domain.compliance.passing import chance as estimate
    from domain.compliance.payouts import PayoutConfig
    from domain.compliance.payouts import payouts as pay
    from domain.compliance.run_sample import risk_of
    from domain.params import build

    rule_set = rule_set_of(preset, rules, phase)
    config = build(ChanceConfig, dict(paths=paths, horizon=horizon, seed=seed, block=block))
    terms = build(PayoutConfig, dict(every=every, split=split, fee=fee, refund=refund, keep=keep))
    if out is not None and is_file(out):
        raise BadRequest(f"--out is {out}, which is a file; give a folder")
    source = Source(trades, equity, run, history, allow_gaps, initial, session)
    sample, account, notes = sample_of(source, rule_set, risk_of(risk))
    result = estimate(sample.days, rule_set, config, sample.risk, account)
    curve = _curve(sample, rule_set, config, account) if sizing and result.passed is not None else None
    paid = pay(sample.days, _funded(rule_set), terms, _year(config), sample.risk, account) if payouts else None
    report = _about(rule_set, sample) | chance_report(result, curve, paid)
    report |= dict(risk=risk_of(risk) or None, notes=[*notes, *report["notes"]])
    if sizing and curve is None and sample.no_curve:
        report["notes"].append(sample.no_curve)
    if out is not None:
        _write(out, report, sample.days, result, curve, paid)
    if as_json:
        return say(report, True)
    _show(report, out)


def _curve(sample: Any, rule_set: Any, config: Any, account: float) -> Any:
    """At the horizon, seed and blocks of the estimate, with fewer paths: it is computed for every risk."""
    from dataclasses import replace

    from domain.compliance.sizing_curve import CURVE, sizing_curve

    if sample.curve is None:
        return None
    drawing = replace(CURVE, horizon=config.horizon, seed=config.seed, block=config.block)
    return sizing_curve(sample.curve, rule_set, drawing, sample.usual, initial=account)


def _funded(rule_set: Any) -> Any:
    """Its funded phase, where it has one of that name."""
    return rule_set.in_phase("funded") if "funded" in rule_set.phases else rule_set


def _year(config: Any) -> Any:
    """A year of trading days for the funded phase."""
    from dataclasses import replace

    from domain.compliance.payouts import YEAR

    return replace(YEAR, seed=config.seed, block=config.block)


def _about(rule_set: Any, sample: Any) -> dict[str, Any]:
    today = datetime.now(UTC).date()
    return dict(
        preset=rule_set.name,
        title=rule_set.title,
        firm=rule_set.firm,
        programme=rule_set.programme,
        currency=rule_set.currency,
        day=dict(reset=rule_set.day.reset, tz=rule_set.day.tz),
        traded_risk=sample.traded or None,
        warnings=rule_set.warnings(today),
    )


def _write(out: Path, report: dict[str, Any], days: Any, result: Any, curve: Any, paid: Any) -> None:
    from worker.terminal import csv

    tables = dict(breaches=result.breaches, progress=result.progress, days=days.table())
    tables |= {} if curve is None else dict(sizing=curve.table)
    tables |= {} if paid is None else dict(payouts=paid.counts)
    try:
        out.mkdir(parents=True, exist_ok=True)
        (out / "chance.json").write_text(
            json.dumps(plain(report), indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
        )
        for name, table in tables.items():
            csv.write(table, out / f"{name}.csv")
    except OSError as error:
        raise BadRequest(f"{out} cannot be written: {error.strerror}. Choose another folder for --out") from None


def _show(report: dict[str, Any], out: Path | None) -> None:
    print(
        f"{report['title']}, {report['phase']}, {report['initial']:,.2f} {report['currency']}\n\n{report['sentence']}\n"
    )
    rows = [dict(row, probability=_percent(row["probability"]), interval=_interval(row)) for row in report["breaches"]]
    if rows:
        say(rows, False, ("rule", "effect", "probability", "interval"))
    if days := report["days_to_target"]:
        between = f"(95 % interval {days['q50_low']:.0f} to {days['q50_high']:.0f})"
        nine = f"nine of ten between {days['q05']:.0f} and {days['q95']:.0f}"
        print(f"\nTrading days to the target, where it passes: median {days['q50']:.0f} {between}, {nine}.")
    for part in ("sizing", "payouts"):
        if part in report:
            print(f"\n{report[part]['sentence']}")
    if "sizing" in report and report["sizing"]["curve"]:
        say(list(map(_point, report["sizing"]["curve"])), False, ("risk", "passed", "interval", "failed", "days"))
    drawn = f"{report['paths']:,} paths, seed {report['seed']}, blocks of {report['block_days']:.1f} days on average"
    print(f"\n{report['horizon']} trading days, {drawn}, {report['days']} days of the run.")
    for row in report["not_judged"]:
        print(f"- {row['rule']}: {row['sentence']}")
    for sentence in (*report["warnings"], *report["notes"]):
        print(f"! {sentence}")
    if out is not None:
        print(f"\nwritten  {out}: {', '.join(sorted(path.name for path in out.iterdir()))}")


def _point(row: dict[str, Any]) -> dict[str, Any]:
    """A risk of the sizing curve as a row."""
    ends = dict(low=row["passed_low"], high=row["passed_high"])
    shares = {name: _percent(row[name]) for name in ("risk", "passed", "failed")}
    return dict(shares, interval=_interval(ends), days=row["median_days"])


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"


def _interval(row: dict[str, Any]) -> str:
    return f"{100 * row['low']:.1f} to {100 * row['high']:.1f} %"
