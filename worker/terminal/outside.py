"""``tidemark data outside``: series, headlines and release calendars that features use beside the bars."""

from __future__ import annotations

from datetime import date

import typer

from domain.errors import BadRequest
from worker.terminal.say import Json, say

app = typer.Typer(no_args_is_help=True, help="External data: series such as the VIX, headlines, economic calendars.")
COLUMNS = ("id", "kind", "name", "first", "last", "rows", "publication_lag", "in_use", "source", "version")
SERIES = ("series", "title", "unit", "file", "publication_lag", "revised", "last")


@app.command("list")
def list_(series: bool = typer.Option(False, "--series", help="List every supported series instead: title, unit, source id and publication lag."), every: bool = typer.Option(False, "--every", help="List every import, not only the newest of each name."), as_json: Json = False) -> None:
    """List external data. Features use the newest import of each name."""
    from worker.terminal.here import desk

    at = desk()
    if series:
        rows = [dict(series=choice.about.name, title=choice.about.title, unit=choice.about.unit, file=choice.about.file, publication_lag=choice.about.lag, known=choice.about.lag, revised=choice.about.revised, last=choice.newest.last_ts if choice.newest else None, source=choice.about.source) for choice in at.outside.choices()]
        return say(rows, as_json, SERIES)
    stored = at.outside.every() if every else at.outside.catalogue()
    say([_row(at, outside) | ({} if as_json else dict(version=outside.version[:12])) for outside in stored], as_json, COLUMNS)


@app.command("import")
def import_(
    file: str = typer.Argument(..., help="A series by date (FRED's CSV or any with a date and a value), headlines (CSV: time, headline), or releases (CSV: time, event, country, impact; ForexFactory's week as JSON or XML). .gz and .zip too."),
    kind: str = typer.Option("", help="Type: series, headlines or releases; default: inferred from the file."),
    name: str = typer.Option("", help="Name: of a series as in tidemark data outside list --series, of headlines and releases any; default: inferred from the file."),
    utc: bool = typer.Option(False, "--utc", help="Treat times without a zone as UTC; default: refuse them."),
    add: bool = typer.Option(False, "--add", help="Append to the existing import of that name; default: replace it."),
    check: bool = typer.Option(False, "--check", help="Check only: print the type of the file and its first rows, and store nothing."),
    as_json: Json = False,
) -> None:  # fmt: skip
    """Import FILE. An earlier import of that name stays for the runs that used it."""
    from worker.terminal.here import desk, finished

    at = desk()
    staged = at.outside.stage_path(file, own_rights=True)
    if check:
        return _report(staged, kind, as_json)
    job = finished(at, at.outside.import_(staged, kind, name, utc, add), as_json)
    outside = at.outside.get(job.result["outside"])
    say(_row(at, outside) | dict(new=job.result["new"], notes=list(outside.notes) if as_json else " ".join(outside.notes) or "none"), as_json)


def _report(staged, kind: str, as_json: bool) -> None:
    rows = staged.recognised.preview.astype(str).to_dict("records")
    report = dict(file=staged.name, kind=kind or staged.recognised.kind, what=staged.recognised.title, series=staged.recognised.series or None, zones=staged.recognised.zoned)
    if as_json:
        return say(report | dict(rows=rows), True)
    say(report, False)
    print()
    say(rows, False, tuple(staged.recognised.preview))


@app.command()
def download(
    source: str = typer.Option(..., "--source", help="Vendor: fred (series), calendar (releases) or headlines (a feed)."),
    name: str = typer.Option("", help="Name: of a series as in tidemark data outside list --series, of headlines and releases any; default: headlines or calendar."),
    url: str = typer.Option("", "--url", help="Address of a calendar (ForexFactory's week as JSON or XML, or our CSV) or of a feed (RSS, Atom); default: ForexFactory's export of this week."),
    start: str = typer.Option("", "--from", help="First date of observations of a series, such as 2010-01-01; default: all, or what is newer than the stored ones."),
    end: str = typer.Option("", "--to", help="Last date of observations of a series."),
    utc: bool = typer.Option(False, "--utc", help="Treat times without a zone as UTC; default: refuse them."),
    as_json: Json = False,
) -> None:  # fmt: skip
    """Download a series, calendar or feed, and add it to the stored rows of that name."""
    from worker.terminal.here import desk, finished

    at = desk()
    job = finished(at, at.outside_downloads.submit(source, name, url, _day("--from", start), _day("--to", end), utc, own_rights=True), as_json)
    outside = at.outside.get(job.result["outside"])
    say(_row(at, outside) | dict(new=job.result["new"], notes=list(outside.notes) if as_json else " ".join(outside.notes) or "none"), as_json)


def _day(option: str, text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise BadRequest(f"{option} is {text!r}; write it like 2010-01-31") from None


@app.command()
def show(what: str = typer.Argument(..., help="Id, version or name of an import."), rows: int = typer.Option(10, "--rows", min=1, help="Number of its last rows to show."), as_json: Json = False) -> None:
    """Show the source of an import, its repairs, the runs that used it, and its last rows."""
    from worker.terminal.here import desk

    at = desk()
    outside = at.outside.get(what)
    last = at.outside.latest(outside.id, rows)
    row = _row(at, outside) | dict(notes=list(outside.notes), runs=at.outside.used_by(outside.id))
    if as_json:
        return say(row | dict(latest=last.to_dict("records")), True)
    say(row | dict(notes=" ".join(outside.notes) or "none", runs=", ".join(row["runs"]) or "none"), False)
    print()
    say(last.to_dict("records"), False, tuple(last))


@app.command()
def remove(what: str = typer.Argument(..., help="Id or version of an import."), yes: bool = typer.Option(False, "--yes", help="Delete without confirmation."), as_json: Json = False) -> None:
    """Delete an import. One that a run uses stays."""
    from worker.terminal.here import desk

    at = desk()
    outside = at.outside.get(what)
    if not yes:
        typer.confirm(f"Remove {outside.name} ({outside.rows:,} rows from {outside.source}, imported {outside.created_at:%Y-%m-%d %H:%M} UTC)?", abort=True)
    at.outside.remove(outside.id)
    say(dict(removed=outside.id), as_json)


def _row(at, outside) -> dict:
    about = at.outside.about(outside)
    return dict(
        id=outside.id, kind=outside.kind, name=outside.name, first=outside.first_ts, last=outside.last_ts, rows=outside.rows, publication_lag=(lag := about.lag if about else "at its time"), known=lag, in_use="yes" if at.outside.is_used(outside) else "no",
        source=outside.source, scorer=outside.scorer or None, imported=outside.created_at, actor=outside.actor, version=outside.version,
    )  # fmt: skip
