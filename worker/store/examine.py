"""One examination of a database: chain and tree, links and nodes, earlier checks, sealed rows, tables, guards."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from domain.audit.verify import Checker, Verdict, concluded
from worker.store import beside, guards
from worker.store.blobs import Blobs
from worker.store.frames import Frames
from worker.store.unit import Unit
from worker.store.walk import Progress, Walked, trusted, walk

NEEDED = ("audit_events", "audit_links", "audit_nodes", "facts", "alembic_version")
STRUCTURE = re.compile(r"no such (table|column)|malformed|not a database|does not exist|invalid (byte|page|memory)|corrupt|could not read block|invalid input syntax|cannot cast")


@dataclass(frozen=True)
class Examination:
    """``faults``: all that is wrong, sentences, the first the verdict's own. ``covered``: rows beside the trail that are as sealed; ``uncovered``: those that no event seals.

    ``since``: rows that were trusted and not walked. ``guards``: a remark on who could remove them.
    """

    verdict: Verdict
    faults: list[str] = field(default_factory=list)
    covered: int = 0
    uncovered: int = 0
    since: int = 0
    guards: str = ""


def unreadable(error: DBAPIError) -> str:
    """The sentence for a database that answers, but has no trail that can be read; empty for one that does not answer."""
    message = str(error.orig).strip().splitlines()[0] if str(error.orig).strip() else ""
    return f"The audit trail cannot be read: {message.rstrip('.')}." if not error.connection_invalidated and STRUCTURE.search(message) else ""


def examined(unit: Unit, seen_fact: str, progress: Progress, since: tuple[int, str] | None = None, frames: Frames | None = None, blobs: Blobs | None = None) -> Examination:
    """Examine the state that ``unit`` reads."""
    c = unit.connection
    tables = set(sa.inspect(c).get_table_names())
    if missing := [name for name in NEEDED[:3] if name not in tables]:
        why = f"The table {missing[0]} is missing." if len(missing) == 1 else f"The tables {', '.join(missing)} are missing."
        return Examination(Verdict(0, "", "", 1, why), [why])
    rows, head = unit.trail.head()
    checker = trusted(unit.trail, *since) if since else Checker()
    if checker is None:
        assert since is not None
        why = f"The first {since[0]:,} rows are not those of the trusted checkpoint."
        return Examination(Verdict(0, str(head), "", min(since[0], rows + 1), why), [why])
    walked = walk(c, unit.trail, rows, checker, "checkpoints" in tables, progress)
    seen = unit.fact(seen_fact) if "facts" in tables else None
    verdict = _chain(unit, walked, rows, seen)
    faults = [*_beside(unit, walked, rows, seen, "facts" in tables), *((1, f"The table {name} is missing.") for name in NEEDED[3:] if name not in tables)]
    differing, covered = beside.compared(c, walked.seals, tables, progress)
    faults += differing
    if frames is not None:
        faults += [(rows, sentence) for sentence in beside.lost(frames, beside.frames_of(c, tables), progress)]
    if blobs is not None:
        faults += [(rows, sentence) for sentence in beside.lost_files(blobs, beside.files_of(c, tables))]
    if "alembic_version" in tables:
        faults += [(rows, sentence) for sentence in guards.faults(c)]
    sentences = [*([verdict.why] if not verdict.holds else []), *(sentence for _, sentence in faults)]
    if verdict.holds and faults:
        verdict = replace(verdict, broken_at=faults[0][0], why=faults[0][1])
    uncovered = beside.uncovered(c, walked.seals, tables) if not since else 0
    return Examination(verdict, list(dict.fromkeys(sentences)), covered, uncovered, since[0] if since else 0, guards.remark(c))


def _chain(unit: Unit, walked: Walked, rows: int, seen: Any) -> Verdict:
    """The rows themselves; then the stored tree and the last check, for a consistent trail may still be shorter than, or differ from, both."""
    checker = walked.checker
    if walked.why:
        return Verdict(checker.rows, checker.head, checker.root(), checker.rows + 1, walked.why + " Everything before it verifies.")
    verdict = concluded(checker, unit.trail.root(rows), rows)
    if not verdict.holds:
        return verdict
    if unit.trail.nodes() != rows - rows.bit_count():
        return replace(verdict, broken_at=rows + 1, why=f"The trail ends at row {rows:,}, and its tree was built over another number of rows.")
    if not _is_seen(seen):
        return verdict
    if rows < seen["rows"]:
        return replace(verdict, broken_at=rows + 1, why=f"The trail ends at row {rows:,}, and an earlier check went up to row {seen['rows']:,}.")
    if unit.trail.root(seen["rows"]) != seen["root"]:
        return replace(verdict, broken_at=seen["rows"], why=f"The first {seen['rows']:,} rows are not those that an earlier check saw.")
    return verdict


def _is_seen(seen: Any) -> bool:
    return isinstance(seen, dict) and isinstance(seen.get("rows"), int) and seen["rows"] >= 0 and isinstance(seen.get("root"), str)


def _beside(unit: Unit, walked: Walked, rows: int, seen: Any, facts: bool) -> list[tuple[int, str]]:
    faults = sorted(walked.beside)
    strays = unit.trail.strays(rows)
    if strays:
        faults.append((rows, f"{strays:,} rows of the trail or of its links have numbers outside of 1 to {rows:,}."))
    for row, size, root in walked.claims:
        if size > rows or unit.trail.root(size) != root:
            faults.append((row, f"Event {row:,} recorded that the first {size:,} rows were verified, and they are not those any more."))
    if facts and walked.claims and not _is_seen(seen):
        what = "was altered" if seen is not None else "was deleted"
        faults.append((walked.claims[-1][0], f"Event {walked.claims[-1][0]:,} recorded a verification, and the fact that the workspace remembered of it {what}."))
    return faults
