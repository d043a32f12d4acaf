"""What stands beside the trail, compared with the seals that its events carry."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Connection, func, select

from worker.store.blobs import Blobs
from worker.store.frames import Frames
from worker.store.schema import models, rule_sets, trials
from worker.store.seals import KINDS, digest, digest_of_rule_set, digest_of_trials

AT_ONCE = 500             # rows of one question
Seals = Mapping[str, tuple[int, str | None]]
TOGETHER = {"trials": trials, "rule_set": rule_sets}      # kinds of which several rows have one hash


def compared(c: Connection, seals: Seals, tables: set[str], progress: Callable[[float, str], None]) -> tuple[list[tuple[int, str]], int]:
    """``(number of the event, sentence)`` for each sealed row that is gone, came back or was altered; and how many rows are as sealed."""
    faults, intact, done = [], 0, 0
    for kind, names in _by_kind(seals).items():
        for first in range(0, len(names), AT_ONCE):
            progress(done / max(len(seals), 1), f"{done:,} of {len(seals):,} rows beside the trail")
            some = names[first : first + AT_ONCE]
            hashes = _hashes(c, kind, some) if (TOGETHER[kind] if kind in TOGETHER else KINDS[kind].table).name in tables else {}
            for name in some:
                row, sealed = seals[f"{kind}:{name}"]
                if why := _fault(kind, name, row, sealed, hashes.get(name)):
                    faults.append((row, why))
                intact += not why and sealed is not None
            done += len(some)
    return faults, intact


def uncovered(c: Connection, seals: Seals, tables: set[str]) -> int:
    """How many rows no event seals: they are from before there were seals."""
    sealed = {entity for entity, (_, hash_) in seals.items() if hash_ is not None}
    count = 0
    for kind, kept in KINDS.items():
        if kept.table.name in tables:
            query = select(kept.table.c[kept.key])
            names = c.scalars(query.where(kept.table.c.state == "done") if kind == "job" else query)
            count += sum(f"{kind}:{name}" not in sealed for name in names)
    if trials.name in tables:
        ranges = (entity.partition(":")[2].split("-") for entity in sealed if entity.startswith("trials:"))
        count += (c.scalar(select(func.count()).select_from(trials)) or 0) - sum(int(last) - int(first) + 1 for first, last in ranges)
    if rule_sets.name in tables:
        count += sum(f"rule_set:{name}" not in sealed for name in c.scalars(select(rule_sets.c.name).distinct()))
    return max(count, 0)


def frames_of(c: Connection, tables: set[str]) -> dict[str, str]:
    """Name of a frame -> the first run, dataset or external data that names it, in words."""
    frames: dict[str, str] = {}
    for kind in ("run", "dataset", "outside", "history", "model"):
        kept = KINDS[kind]
        if kept.table.name in tables:
            columns = [kept.table.c[name] for name in (kept.key, "frames", "frame", "ledger") if name in kept.table.c]
            for row in c.execute(select(*columns)).mappings():
                frames_ = row.get("frames")
                for name in (*(frames_.values() if isinstance(frames_, Mapping) else ()), row.get("frame"), row.get("ledger")):
                    if isinstance(name, str) and name:
                        frames.setdefault(name, f"{kept.word} {row[kept.key]}")
    return frames


def files_of(c: Connection, tables: set[str]) -> dict[str, str]:
    """Hash of a file -> the first model that names it, in words."""
    if models.name not in tables:
        return {}
    files: dict[str, str] = {}
    for row in c.execute(select(models.c.name, models.c.version, models.c.files)):
        for name, content in (row.files if isinstance(row.files, Mapping) else {}).items():
            if isinstance(content, str):
                files.setdefault(content, f"{name} of model {row.name}@{row.version}")
    return files


def lost_files(blobs: Blobs, names: Mapping[str, str]) -> list[str]:
    """A sentence for each file of a model that is gone or was altered."""
    faults = ((owner, blobs.fault(name)) for name, owner in names.items())
    return [f"The file {owner} {'is no longer in the workspace' if fault == 'gone' else 'was altered since it was written'}." for owner, fault in faults if fault]


def lost(frames: Frames, names: Mapping[str, str], progress: Callable[[float, str], None]) -> list[str]:
    """A sentence for each frame that is gone or was altered."""
    sentences = []
    for number, (name, owner) in enumerate(names.items()):
        progress(number / max(len(names), 1), f"{number:,} of {len(names):,} tables")
        if fault := frames.fault(name):
            sentences.append(f"The table {name[:8]} of {owner} {'is no longer in the workspace' if fault == 'gone' else 'was altered since it was written'}.")
    return sentences


def _by_kind(seals: Seals) -> dict[str, list[str]]:
    kinds: dict[str, list[str]] = {}
    for entity in seals:
        kind, _, name = entity.partition(":")
        if kind in KINDS or kind in TOGETHER:
            kinds.setdefault(kind, []).append(name)
    return kinds


def _hashes(c: Connection, kind: str, names: list[str]) -> dict[str, str]:
    if kind == "trials":
        return {name: _hash_of_trials(c, name) for name in names}
    if kind == "rule_set":
        return {name: hash_ for name in names if (hash_ := _hash_of_rule_set(c, name))}
    kept = KINDS[kind]
    try:
        rows = c.execute(select(kept.table).where(kept.table.c[kept.key].in_(names))).mappings().all()
    except (ValueError, TypeError):         # a column that cannot be read: which row has it
        return {names[0]: "unreadable"} if len(names) == 1 else {key: hash_ for name in names for key, hash_ in _hashes(c, kind, [name]).items()}
    return {row[kept.key]: _digest(kind, dict(row)) for row in rows}


def _hash_of_trials(c: Connection, name: str) -> str:
    first, _, last = name.partition("-")
    rows = c.execute(select(trials).where(trials.c.seq.between(int(first), int(last))).order_by(trials.c.seq)).mappings()
    return digest_of_trials([dict(row) for row in rows])


def _hash_of_rule_set(c: Connection, name: str) -> str | None:
    try:
        return digest_of_rule_set(c, name)
    except (TypeError, ValueError):
        return "unreadable"


def _digest(kind: str, row: Mapping[str, Any]) -> str:
    try:
        return digest(kind, row)
    except (TypeError, ValueError, AttributeError, RecursionError):
        return "unreadable"


def _fault(kind: str, name: str, row: int, sealed: str | None, actual: str | None) -> str:
    word = {"trials": "Trials", "rule_set": "Rule set"}.get(kind) or KINDS[kind].word.capitalize()
    if sealed == actual:
        return ""
    if actual is None:
        return f"{word} {name}, recorded by event {row:,}, is gone, and no event removed it."
    if sealed is None:
        return f"{word} {name} is there, although event {row:,} removed it."
    return f"{word} {name} was altered: its content is not the one that event {row:,} recorded."


