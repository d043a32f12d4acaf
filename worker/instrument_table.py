"""The table of instruments with what people edited, as of a moment, as a file that every reader of tables reads.

A job uses the table as of its submission, one that computes a stored run again that of the run's; a session that of its start.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from domain.market import Instrument, instruments
from domain.market.instrument_edit import table_text
from worker.settings import Settings
from worker.store import Job, Store, Unit

BY_SESSION = ("consistency",)       # kinds of jobs that take the table of each session
_files: dict[tuple[str, ...], str] = {}


def table_file(unit: Unit, settings: Settings, at: datetime | None = None) -> str:
    """The path of the table as of ``at``, now if None; the file of ``[data] instruments``, or "", while nothing was edited."""
    newest = unit.instrument_versions.newest(at)
    if not newest:
        return settings.instruments_file
    key = (str(settings.home), settings.instruments_file, *(f"{name}@{each.version}" for name, each in newest.items()))
    if key not in _files or not os.path.exists(_files[key]):
        rows = {name: Instrument(name=name, **each.row) for name, each in newest.items()}
        _files[key] = _written({**instruments(settings.instruments_file), **rows}, settings.home)
    return _files[key]


def settings_as_of(store: Store, settings: Settings, at: datetime) -> Settings:
    """The settings with the table of instruments as of ``at``."""
    with store.read() as unit:
        return _with_table(settings, table_file(unit, settings, at))


def settings_of(store: Store, settings: Settings, job: Job) -> Settings:
    """The settings with the table of instruments that a job is to use."""
    if job.kind in BY_SESSION:
        return settings
    with store.read() as unit:
        return _with_table(settings, table_file(unit, settings, _moment(unit, job)))


def _with_table(settings: Settings, file: str) -> Settings:
    return settings if file == settings.instruments_file else replace(settings, data=replace(settings.data, instruments=file))


def _moment(unit: Unit, job: Job) -> datetime:
    """When the job was submitted; of one that works on a stored run, when that run's was."""
    name = _run_of(unit, job)
    run = unit.runs.as_stored(name) if name else None
    of_run = unit.jobs.get(run.job_id) if run and run.job_id else None
    return of_run.created_at if of_run else run.created_at if run else job.created_at


def _run_of(unit: Unit, job: Job) -> str:
    if job.kind == "replay":
        record = unit.trail_index.named(str(job.spec.get("seq", "")))
        return next((part.partition('"')[0] for part in record.body.split('"run:')[1:2]), "") if record else ""
    run = job.spec.get("run", "")
    return run if isinstance(run, str) else ""


def _written(table: Mapping[str, Instrument], home: Path) -> str:
    """The path of a file that is named by its content."""
    text = table_text(table)
    path = home / "instruments" / f"{hashlib.sha256(text.encode()).hexdigest()[:32]}.toml"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f"{path.name}.{os.getpid()}.part")
        part.write_text(text, encoding="utf-8")
        part.replace(path)
    return str(path)
