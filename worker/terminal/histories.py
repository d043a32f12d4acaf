"""``tidemark compliance import`` and ``histories``: account histories from elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import typer

from worker.terminal.say import Json, say

COLUMNS = ("id", "name", "format", "currency", "initial", "balance", "trades", "flows", "first", "last", "clock")


def import_(
    file: str = typer.Argument(
        ...,
        help="Statement of an account: MetaTrader 4 or 5 (HTML or CSV), Myfxbook CSV, an MQL5 signal's CSV, "
        "or our own equity or trades CSV; .gz and .zip too.",
    ),
    clock: str = typer.Option(
        "",
        help="Clock of the file's times, which statements do not say: mt5_us, mt5_eu, a zone such as Europe/Prague, UTC+2.",
    ),
    currency: str = typer.Option("", help="Currency of the account; default: as the file says."),
    initial: float | None = typer.Option(
        None, help="Balance at the start; default: the deposits before the first trade."
    ),
    name: str = typer.Option("", help="Name of the history; default: the file's."),
    check: bool = typer.Option(
        False, "--check", help="Check only: print what the file holds and what was found, and store nothing."
    ),
    as_json: Json = False,
) -> None:
    """Import the account history in FILE, to be judged by compliance rules."""
    from worker.terminal.here import desk, finished

    if check:
        return _check(Path(file), clock, currency, initial, as_json)
    at = desk()
    staged = at.histories.stage_path(file, own_rights=True)
    job = finished(at, at.histories.import_(staged, clock, currency, initial, name), as_json)
    history = at.histories.get(job.result["history"])
    row = _row(history) | dict(new=job.result["new"])
    if as_json:
        return say(row | dict(findings=list(history.findings)), True)
    say(row, False)
    _findings(history.findings)


def _check(path: Path, clock: str, currency: str, initial: float | None, as_json: bool) -> None:
    """Read the file here, from file to screen: no workspace is opened."""
    from dataclasses import asdict

    from domain.compliance.histories import read, recognise
    from domain.market import instruments
    from worker.settings import load

    recognised = recognise(path)
    history = read(
        path,
        recognised.format,
        clock=clock,
        currency=currency,
        initial=initial,
        known=instruments(load().instruments_file),
    )
    findings = [asdict(finding) for finding in history.findings]
    row = dict(
        file=path.name,
        format=recognised.format,
        title=recognised.title,
        account=history.account,
        currency=history.currency,
        initial=history.initial,
        balance=history.balance,
        trades=len(history.trades),
        flows=len(history.flows),
        first=history.points["ts"].iloc[0].to_pydatetime(),
        last=history.points["ts"].iloc[-1].to_pydatetime(),
        clock=history.clock,
        knows=list(history.knows) if as_json else ", ".join(history.knows),
    )
    if as_json:
        return say(row | dict(findings=findings), True)
    say(row, False)
    _findings(findings)


def histories(
    history: str = typer.Argument("", help="History, by id or version: shows it. Without: lists all."),
    out: Path | None = typer.Option(
        None, help="Folder to write points.csv, trades.csv and flows.csv of the history to."
    ),
    delete: bool = typer.Option(False, "--delete", help="Delete the history; with --yes."),
    yes: bool = typer.Option(False, "--yes", help="Delete without confirmation."),
    as_json: Json = False,
) -> None:
    """List the imported account histories, or show, export or delete one."""
    from domain.errors import BadRequest
    from worker.terminal.here import desk

    at = desk()
    if not history:
        if delete or out:
            raise BadRequest("say which history: tidemark compliance histories ID")
        return say([_row(stored) for stored in at.histories.all()], as_json, COLUMNS)
    stored = at.histories.get(history)
    if delete:
        if not yes:
            raise BadRequest(
                f"this would delete the account history {stored.name} ({stored.trades:,} trades, imported "
                f"{stored.created_at:%Y-%m-%d %H:%M} UTC); give --yes to delete it"
            )
        return say(dict(deleted=at.histories.delete(stored.id).id), as_json)
    written = _written(at, stored, out) if out else []
    row = _row(stored) | dict(
        file=stored.file,
        account=stored.account,
        company=stored.company,
        knows=list(stored.knows) if as_json else ", ".join(stored.knows),
    )
    if as_json:
        return say(row | dict(findings=list(stored.findings)) | (dict(written=written) if written else {}), True)
    say(row | (dict(written=", ".join(written)) if written else {}), False)
    _findings(stored.findings)


def rebuild(history: str = typer.Argument(..., help="History, by id or version."), as_json: Json = False) -> None:
    """Rebuild a history's equity between its bookings from the workspace's bars, marked at the adverse side; judge
    --rebuilt then judges it."""
    from worker.terminal.here import desk, finished

    at = desk()
    job = finished(at, at.histories.rebuild(history), as_json)
    stored = at.histories.get(job.result["history"])
    finding = next(finding for finding in stored.findings if finding["key"] == "rebuilt")
    bars = {instrument: dataset.id for instrument, dataset in at.histories.bars_for(stored.id).items()}
    if as_json:
        return say(dict(history=stored.id, rows=job.result["rows"], bars=bars, finding=dict(finding)), True)
    say(
        dict(
            history=stored.id,
            rows=job.result["rows"],
            bars=", ".join(f"{name} {dataset}" for name, dataset in bars.items()),
        ),
        False,
    )
    _findings([finding])


def path_of_history(rule_set: Any, history: str, rebuilt: bool) -> tuple[Any, list[str]]:
    """The path of an imported history, on the account of the rules, and the remarks on it."""
    from domain.compliance.account import fitted
    from domain.errors import BadRequest
    from worker.terminal.here import desk

    at = desk().histories
    stored = at.get(history)
    if stored.currency != rule_set.currency and not rule_set.relative:
        raise BadRequest(
            f"{stored.name} is an account in {stored.currency}, and the rules of {rule_set.title} are money in "
            f"{rule_set.currency}; write rules in {stored.currency} and give them with --rules"
        )
    path, notes = fitted(at.path(stored.id, rebuilt), rule_set)
    left_out = ("balance_only",) if rebuilt else ("rebuilt",)
    sentences = [
        finding["sentence"]
        for finding in stored.findings
        if finding["severity"] == "warning" or finding["key"] in ("balance_only", "rebuilt")
    ]
    dropped = {finding["sentence"] for finding in stored.findings if finding["key"] in left_out}
    return path, [*notes, *(sentence for sentence in sentences if sentence not in dropped)]


def _written(at, stored, out: Path) -> list[str]:
    from domain.errors import BadRequest

    try:
        out.mkdir(parents=True, exist_ok=True)
        for table in at.histories.tables(stored.id):
            (out / f"{table}.csv").write_bytes(at.histories.download(stored.id, table))
    except OSError as error:
        raise BadRequest(f"{out} cannot be written: {error.strerror}. Choose another folder for --out") from None
    return [f"{table}.csv" for table in at.histories.tables(stored.id)]


def _findings(findings) -> None:
    print()
    for finding in findings:
        print(f"{'!' if finding['severity'] == 'warning' else '-'} {finding['sentence']}")


def _row(history) -> dict:
    return dict(
        id=history.id,
        name=history.name,
        format=history.format,
        source=history.source,
        currency=history.currency,
        initial=history.initial,
        balance=history.balance,
        trades=history.trades,
        flows=history.flows,
        first=history.first_ts,
        last=history.last_ts,
        clock=history.clock,
        version=history.version,
    )
