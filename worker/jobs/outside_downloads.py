"""External data from a vendor: a series from FRED, a calendar, a feed. What is stored already stays; what came is added to it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import pandas as pd

from domain.outside.rows import ReadTable
from domain.outside.source import OUTSIDE_SOURCES, OutsideRequest
from domain.venues import VENDORS
from domain.venues.document import place_of
from worker.jobs.base import Commit, Work, job
from worker.jobs.outside import before, saved, together
from worker.vendors import connection_to


@job("download_outside", limit=1_800, retries=0)
def download_outside(spec: Mapping[str, Any], work: Work) -> Commit:
    """``spec``: source, name (of a series as in the table), url ("" for the vendor's own), start and end (dates, "" for all), utc, after (id of the import
    that what comes is added to, or none)."""
    vendor, source = VENDORS[spec["source"]], OUTSIDE_SOURCES[spec["source"]]
    work.stage("Download")
    connection = connection_to(vendor, work.settings.vendors, lambda: work.progress(0.05), lambda sentence: work.progress(0.05, sentence))
    start, end = (date.fromisoformat(spec[name]) if spec[name] else None for name in ("start", "end"))
    read = source.fetch(OutsideRequest(spec["name"] if source.kind == "series" else "", spec["url"], start, end, spec["utc"], work.settings.data.max_rows), connection)
    if spec["after"]:
        stored, rows = before(spec, work)
        revised = _revised(rows, read.frame, vendor.title) if source.kind == "series" else ()
        read = together(source.kind, stored, rows, ReadTable(read.frame, (*read.notes, *revised)))
    where = place_of(spec["url"] or connection.url) if source.kind != "series" else spec["file"]
    return saved(source.kind, spec["name"], read, f"{vendor.title}: {where}{' (local double)' if connection.double else ''}", work)


def _revised(stored: pd.DataFrame, came: pd.DataFrame, title: str) -> tuple[str, ...]:
    """What the vendor says otherwise than before of dates that are stored: the new value counts, in a new version."""
    both = stored.merge(came, on="date", suffixes=("", "_now"))
    changed = both[both["value"] != both["value_now"]]
    if changed.empty:
        return ()
    first = changed.iloc[0]
    return (f"{title} revised {len(changed):,} value{'' if len(changed) == 1 else 's'} that {'was' if len(changed) == 1 else 'were'} stored, the first of {first['date']:%Y-%m-%d}: {first['value']:g} is now {first['value_now']:g}.",)
