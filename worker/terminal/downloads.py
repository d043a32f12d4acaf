"""``tidemark data download`` and ``tidemark data sources``: bars from vendors."""

from __future__ import annotations

from datetime import UTC, datetime

import typer

from domain.errors import BadRequest
from worker.terminal.options import instant
from worker.terminal.say import Json, say

PARTIAL = 3         # exit status: something is stored, and something that was requested is missing
SHORT = {"mt5": "metatrader"}      # what people call a vendor beside its name
VENDORS = ("source", "title", "kind", "state", "gives")


def download(
    source: str = typer.Option(..., "--source", help="Vendor: one that `tidemark data sources` lists; mt5 is metatrader."),
    instrument: str = typer.Option(..., "--instrument", help="Instrument, as the instrument table names it."),
    timeframe: str = typer.Option(..., "--timeframe", help="Timeframe of the bars: M1, M5, M15, M30, H1, H4 or D1, as far as the vendor has it."),
    start: str = typer.Option(..., "--from", help="First date or time (UTC), such as 2024-01-02."),
    end: str = typer.Option(..., "--to", help="Date or time (UTC) before which the bars open."),
    as_json: Json = False,
) -> None:
    """Download bars from a vendor, only those that no earlier download has.

    Exit status 0: all of it is stored. 3: a part is stored, and the rest is named. 2: refused; nothing new is stored.
    """
    from worker.terminal.here import desk, finished

    source = SHORT.get(source, source)
    at, unset = desk(), datetime.min.replace(tzinfo=UTC)
    first, last = (_edge(option, text, unset) for option, text in (("--from", start), ("--to", end)))
    for sentence in at.downloads.beforehand(source, instrument, timeframe, first, last) if not as_json else ():
        print(f"Note: {sentence}.")
    result = finished(at, at.downloads.submit(source, instrument, timeframe, first, last), as_json).result
    dataset = at.data.get(result["dataset"])
    facts = dict(
        dataset=dataset.id, instrument=dataset.instrument, timeframe=dataset.timeframe, source=dataset.source, side=dataset.side, first=dataset.first_ts, last=dataset.last_ts,
        bars=dataset.bars, spread=dataset.spread, new=result["new"], pages=result["pages"], cached=result["cached"], revised=result["revised_count"], version=dataset.version,
    )  # fmt: skip
    if as_json:
        say(facts | dict(missing=result["missing"], notes=result["notes"], revisions=result["revised"], findings=dataset.quality["sentence"]), True)
    else:
        say(facts | dict(quality=dataset.quality["sentence"]), False)
        for note in result["notes"]:
            print(f"Note: {note}.")
        for each in result["missing"]:
            print(f"Missing: {each['from']} to {each['to']} ({each['reason']}): {each['sentence']}")
    if result["missing"]:
        raise typer.Exit(PARTIAL)


def sources(as_json: Json = False) -> None:
    """List the vendors, what each gives and needs, and whether it is available."""
    from worker.terminal.here import desk

    vendors = desk().downloads.vendors()
    rows = [dict(source=each.name, title=each.title, kind=each.kind, state=each.state, gives=each.gives, needs=list(each.needs), double=each.double) for each in vendors]
    say(rows, as_json, VENDORS)


def _edge(option: str, text: str, unset: datetime) -> datetime:
    if not text.strip():
        raise BadRequest(f"{option} is empty; write it like 2024-01-31")
    return instant(option, text, unset)
