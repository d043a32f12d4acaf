"""``tidemark data``: bars in files and in the catalogue; external data is a verb of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from domain.errors import BadRequest
from worker.terminal.downloads import download, sources
from worker.terminal.mappings import app as mappings
from worker.terminal.mappings import staged_file
from worker.terminal.outside import app as outside
from worker.terminal.say import Json, say

app = typer.Typer(no_args_is_help=True, help="Bars: download from vendors, import files, list datasets, show their quality; and external data used by features.")
app.add_typer(outside, name="outside")
app.add_typer(mappings, name="mappings")
app.command()(download)
app.command()(sources)
BarTime = Annotated[str, typer.Option("--bar-time", help="Time stamp of the bars: open or close; default: as the weeks show. TradeStation, MultiCharts and NinjaTrader stamp the close.")]
COLUMNS = ("id", "instrument", "timeframe", "source", "side", "first", "last", "bars", "gaps", "spread", "verdict", "version")


@app.command("import")
def import_(
    file: str = typer.Argument(
        ...,
        help="File of bars: CSV, Parquet, MetaTrader 4 or 5, HistData, Dukascopy, Yahoo (CSV, chart JSON), OANDA candles (JSON), LEAN, MetaStock, or ticks; .gz and .zip too. "
        "Of Dukascopy's .bi5 the file of an hour, a folder (SYMBOL/YYYY/MM/DD, months from 00) or a .zip of it.",
    ),
    instrument: str = typer.Option("", help="Instrument of the bars; default: inferred from the file's name."),
    timeframe: str = typer.Option("", help="Timeframe of the bars; default: the one that most rows keep. Ticks become bars of it, M1 by default."),
    start: str = typer.Option("", "--from", help="Import only the bars from this date or time on (UTC), such as 2012-01-02. A file whose early part is of another timeframe says from when it is complete."),
    clock: str = typer.Option("", help="Clock of the file: UTC, a zone, mt5_us, mt5_eu, histdata, UTC+2; default: inferred from the weekly open."),
    bar_time: BarTime = "",
    side: str = typer.Option("", help="Side that the prices quote: bid or mid; default: as the file says, else bid."),
    ask: str = typer.Option("", help="File with the asks of the same bars, when FILE has the bids: the spread is the mean difference."),
    mapping: str = typer.Option("", help="Column mapping, for a delimited file in no known format: the name of a saved one, or a TOML file (tidemark data mappings show NAME prints one)."),
    repair: bool = typer.Option(False, "--repair", help="Drop, merge and repair what is broken, and record it; default: refuse."),
    check: bool = typer.Option(False, "--check", help="Check only: print the findings and store nothing."),
    as_json: Json = False,
) -> None:
    """Import the bars of FILE, or --check them first."""
    from worker.terminal.here import desk, finished

    at = desk()
    staged = staged_file(at, file, mapping)
    asks = staged_file(at, ask, mapping, asks=True) if ask else None
    name = instrument or staged.recognised.instrument
    if not name:
        raise BadRequest(f"{staged.name} is {staged.recognised.title}, but does not say its instrument; give --instrument")
    if not (side or asks or staged.recognised.side or as_json):
        print(f"Note: {staged.name} does not say which side it quotes: taken as the bid; --side mid says otherwise.")
    if check:
        job = finished(at, at.data.inspect(staged, name, timeframe, side, clock, ask=asks, start=start, bar_time=bar_time), as_json)
        return _report(job.result, as_json)
    job = finished(at, at.data.import_(staged, name, timeframe, side, clock, repair=repair, ask=asks, start=start, bar_time=bar_time), as_json)
    dataset = at.data.get(job.result["dataset"])
    notes = dict(notes=list(dataset.quality["notes"])) if dataset.quality.get("notes") else {}
    say((_row(dataset) if as_json else _shown(dataset)) | dict(new=job.result["new"], quality=dataset.quality["sentence"]) | (dict(found=dataset.quality["sentence"]) if as_json else {}) | (notes if as_json else {name: "; ".join(sentences) for name, sentences in notes.items()}), as_json)


@app.command()
def append(
    dataset: str = typer.Argument(..., help="Dataset, by id or version."),
    file: str = typer.Argument(..., help="Newer file of the same series, in any format that import reads."),
    overlap: str = typer.Option("", help="Bars that both have and that differ: keep (those stored) or replace (those of the file). Without it they are shown and nothing is stored."),
    clock: str = typer.Option("", help="Clock of the file; default: as the file says, else that of the series."),
    bar_time: BarTime = "",
    ask: str = typer.Option("", help="File with the asks of the same bars, when FILE has the bids."),
    mapping: str = typer.Option("", help="Column mapping: the name of a saved one, or a TOML file."),
    repair: bool = typer.Option(False, "--repair", help="Drop, merge and repair what is broken in FILE, and record it; default: refuse."),
    check: bool = typer.Option(False, "--check", help="Compare only: print what differs and store nothing."),
    as_json: Json = False,
) -> None:
    """Append a newer FILE to a dataset as a new version; the old version stays, and runs keep what they used."""
    from worker.terminal.here import desk, finished

    at = desk()
    staged = staged_file(at, file, mapping)
    asks = staged_file(at, ask, mapping, asks=True) if ask else None
    if check:
        return _compared(finished(at, at.data.compare(dataset, staged, clock, asks, bar_time), as_json).result, as_json)
    job = finished(at, at.data.append(dataset, staged, overlap, clock, asks, repair, bar_time), as_json)
    stored = at.data.get(job.result["dataset"])
    say((_row(stored) if as_json else _shown(stored)) | dict(new=job.result["new"], appended_to=stored.provenance["appended_to"]["version"], overlap=stored.provenance["overlap"]["sentence"]), as_json)


def _compared(result: dict, as_json: bool) -> None:
    if as_json:
        return say(result, True)
    rows = [dict(ts=row["ts"], **{name: f"{row[f'{name}_before']} → {row[f'{name}_after']}" for name in ("open", "high", "low", "close")}, largest=row["largest"]) for row in result["rows"]]
    say(rows, False, ("ts", "open", "high", "low", "close", "largest"))
    _print_notes(result["report"])
    print(f"\n{result['sentence']}\n{_verdict(result['report'])}")


def _report(inspection: dict, as_json: bool) -> None:
    report = inspection["report"]
    if as_json:
        return say(inspection, True)
    say([dict(check=f["title"], count=f["count"], first=" ".join(f["examples"][0]) if f["examples"] else "") for f in report["findings"]], False, ("check", "count", "first"))
    _print_notes(report)
    evidence = next((clock["sentence"] for clock in inspection["clocks"] if clock["clock"] == report["clock"]), "As stated.")
    print(f"\nClock: {report['clock']}. {evidence}\n{_verdict(report)}")


def _print_notes(report: dict) -> None:
    for note in report["notes"]:
        print(f"\nNote: {note}.")


def _verdict(report: dict) -> str:
    """The report's sentence, with the verdict where the sentence does not contain it."""
    return report["sentence"] if report["verdict"] in ("clean", "refused") else f"{report['verdict'].capitalize()}: {report['sentence']}"


@app.command()
def example(
    name: str = typer.Argument("", help="Example: bars_m5, bars_h1, signals or trades; without it they are listed."),
    out: Path = typer.Option(Path("."), help="Folder to write it to."),
    as_json: Json = False,
) -> None:
    """Write an example file that imports without a question: bars, signals or trades."""
    from worker.terminal.here import desk

    at = desk()
    files = at.data.example_files()
    if not name:
        return say([dict(name=key, file=file, holds=title, used=use) for key, (file, title, use) in files.items()], as_json, ("name", "file", "holds", "used"))
    content = at.data.download_example(name)
    path = out / files[name][0]
    path.write_bytes(content)
    say(dict(written=str(path), bytes=len(content)), as_json)


@app.command("list")
def list_(as_json: Json = False) -> None:
    """List every dataset of the workspace."""
    from worker.terminal.here import desk

    datasets = desk().data.catalogue()
    say([_row(dataset) for dataset in datasets] if as_json else [_shown(dataset) | dict(version=dataset.version[:12]) for dataset in datasets], as_json, COLUMNS)


@app.command()
def quality(dataset: str = typer.Argument(..., help="Dataset, by id or version."), as_json: Json = False) -> None:
    """Show the findings of a dataset's import, and the repairs."""
    from worker.terminal.here import desk

    stored = desk().data.get(dataset)
    if as_json:
        from worker.store.former_names import both_named

        return say(dict(dataset=_row(stored), quality=dict(stored.quality), provenance=both_named(stored.provenance)), True)
    say([dict(check=f["title"], count=f["count"], action=f["did"], first=" ".join(f["examples"][0]) if f["examples"] else "") for f in stored.quality["findings"]], False, ("check", "count", "action", "first"))
    print(f"\nClock: {stored.clock}\n{stored.quality['sentence']}")


@app.command()
def delete(
    dataset: str = typer.Argument(..., help="Dataset, by id or version."),
    yes: bool = typer.Option(False, "--yes", help="Delete; without it the command says what would be deleted, and exits 2."),
    as_json: Json = False,
) -> None:
    """Delete a dataset and the runs that used it. Their audit events stay."""
    from worker.terminal.here import desk

    at = desk()
    stored = at.data.get(dataset)
    hanging = at.data.hanging_on(stored.id)
    if not yes:
        raise BadRequest(
            f"this would delete {stored.instrument} {stored.timeframe} of {stored.source} ({stored.bars:,} bars, {stored.first_ts:%Y-%m-%d} to {stored.last_ts:%Y-%m-%d}) "
            f"and {_counted(hanging)}; give --yes to delete them"
        )
    _, runs = at.data.delete(stored.id)
    say(dict(deleted=stored.id, instrument=stored.instrument, timeframe=stored.timeframe, bars=stored.bars, runs=runs, kinds=hanging) if as_json else dict(deleted=stored.id, with_it=_counted(hanging)), as_json)


def _counted(kinds: dict[str, int]) -> str:
    """
    >>> _counted({"backtest": 2, "sweep": 1}), _counted({})
    ('3 runs that used it (2 backtest, 1 sweep)', 'no run')
    """
    total = sum(kinds.values())
    parts = ", ".join(f"{count} {kind.replace('_', ' ')}" for kind, count in kinds.items())
    return f"{total:,} run{'s' if total > 1 else ''} that used it ({parts})" if total else "no run"


def _row(dataset) -> dict:
    return dict(
        id=dataset.id, instrument=dataset.instrument, timeframe=dataset.timeframe, source=dataset.source, side=dataset.side, clock=dataset.clock, first=dataset.first_ts, last=dataset.last_ts,
        bars=dataset.bars, gaps=dataset.gaps, spread=dataset.spread, verdict=dataset.verdict, synthetic=dataset.synthetic, version=dataset.version,
    )  # fmt: skip


def _shown(dataset) -> dict:
    """The same for people: a verdict of clean only where there is no warning."""
    from domain.market.report import verdict_words

    return _row(dataset) | dict(verdict=verdict_words(dataset.verdict, dataset.quality.get("findings", [])))
