"""A walk along the trail: its rows, their links and tree nodes, and what its events say of the rest, page by page."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from domain.audit import Record, verify_inclusion
from domain.audit.merkle import inclusion_proof
from domain.audit.verify import Checker
from worker.store.seals import seals_in
from worker.store.trail import Trail, raw

Progress = Callable[[float, str], None]
EVERY = 2_000           # rows between two reports of progress
MOST_CLAIMS = 1_000     # verifications that the trail itself records and that are compared


@dataclass
class Walked:
    """``why``: where the chain breaks, after ``checker.rows`` rows. ``beside``: ``(row, sentence)`` of what stands beside it and differs.

    ``seals``: entity -> (number of the event, hash or None once removed). ``claims``: (row, rows, root) of verifications that events record.
    """

    checker: Checker
    why: str = ""
    beside: list[tuple[int, str]] = field(default_factory=list)
    seals: dict[str, tuple[int, str | None]] = field(default_factory=dict)
    claims: list[tuple[int, int, str]] = field(default_factory=list)


def walk(c: Connection, trail: Trail, until: int, checker: Checker, signed: bool, progress: Progress) -> Walked:
    """Take every row after those of ``checker`` up to number ``until``. ``signed``: there are checkpoints to compare with."""
    walked, reported, start = Walked(checker), checker.rows, checker.rows
    checker.nodes = []
    while checker.rows < until:
        if checker.rows >= reported:
            progress((checker.rows - start) / max(until - start, 1), f"{checker.rows:,} of {until:,} events")
            reported = checker.rows + EVERY
        page = trail.rows(checker.rows, until)
        if not page:
            break
        first = checker.rows
        links = _take(walked, page, _checkpoints(c, first, until) if signed else {})
        if walked.why:
            break
        _compare_links(c, walked, links, first, checker.rows)
        _compare_nodes(c, walked, checker.nodes)
        checker.nodes.clear()
    return walked


def trusted(trail: Trail, rows: int, root: str) -> Checker | None:
    """A checker that stands after the first ``rows`` rows, whose ``root`` is trusted; None where the stored tree is another.

    Its peaks hash to the root, and the hash of the last row is in the tree under it: both are then as good as the root.
    """
    if not 0 < rows <= trail.head()[0] or trail.root(rows) != root:
        return None
    head, proof = trail.node(0, rows - 1), inclusion_proof(rows - 1, rows, trail.node)
    if not verify_inclusion(rows - 1, rows, head, proof, bytes.fromhex(root)):
        return None
    peaks = [(level, trail.node(level, (rows >> level) - 1)) for level in range(rows.bit_length() - 1, -1, -1) if rows >> level & 1]
    return Checker(rows, head.hex(), peaks)


def _take(walked: Walked, page: Sequence[tuple[Any, ...]], signed: dict[int, list[tuple[int, str]]]) -> set[tuple[int, str]]:
    """Take a page of rows until one does not follow; the links that they name."""
    checker = walked.checker
    links: set[tuple[int, str]] = set()
    for row in page:
        record = Record(*row)
        walked.why = checker.take(record)
        if walked.why:
            break
        body = checker.body
        links.update((record.seq, entity) for entity in body.get("entities") or () if isinstance(entity, str))
        if "seals" in record.body:
            for entity, hash_ in seals_in(body).items():
                walked.seals[entity] = record.seq, hash_
        if record.kind == "audit_verified":
            _claim(walked, record.seq, body.get("detail"))
        for number, root in signed.get(record.seq, ()):
            if root != checker.root():
                walked.beside.append((record.seq, f"The first {record.seq:,} rows are not those that checkpoint {number:,} signed."))
    return links


def _claim(walked: Walked, row: int, detail: Any) -> None:
    rows, root = (detail.get("rows"), detail.get("root")) if isinstance(detail, dict) else (None, None)
    if isinstance(rows, int) and isinstance(root, str) and detail.get("holds") is True:
        walked.claims = [*walked.claims[1 - MOST_CLAIMS :], (row, rows, root)]


def _checkpoints(c: Connection, after: int, until: int) -> dict[int, list[tuple[int, str]]]:
    """Size -> number and root of the checkpoints that signed it, of the next page of rows and beyond."""
    sizes: dict[int, list[tuple[int, str]]] = {}
    query = f"SELECT number, size, root FROM checkpoints WHERE size > {after:d} AND size <= {min(until, after + _page()):d} AND NOT heartbeat ORDER BY size"
    for number, size, root in c.exec_driver_sql(query):
        sizes.setdefault(size, []).append((number, root))
    return sizes


def _page() -> int:
    from worker.store import trail

    return trail.PAGE


def _compare_links(c: Connection, walked: Walked, expected: set[tuple[int, str]], after: int, until: int) -> None:
    stored = set(raw(c.exec_driver_sql(f"SELECT seq, entity FROM audit_links WHERE seq > {after:d} AND seq <= {until:d}")))
    if wrong := stored ^ expected:
        row, entity = min(wrong, key=lambda pair: (pair[0], str(pair[1])))
        what = "is linked to" if (row, entity) in stored else "is no longer linked to"
        walked.beside.append((row, f"Row {row:,} {what} {entity!r:.80}, which its record {'does not name' if (row, entity) in stored else 'names'}."))


def _compare_nodes(c: Connection, walked: Walked, expected: Iterable[tuple[int, int, bytes]]) -> None:
    levels: dict[int, dict[int, str]] = {}
    for level, position, hash_ in expected:
        levels.setdefault(level, {})[position] = hash_.hex()
    for level, nodes in levels.items():
        query = f"SELECT position, hash FROM audit_nodes WHERE level = {level:d} AND position >= {min(nodes):d} AND position <= {max(nodes):d}"
        stored = dict(raw(c.exec_driver_sql(query)))
        for position in nodes:
            if stored.get(position) != nodes[position]:
                row = (position + 1) << level
                walked.beside.append((row, f"The tree over these rows is not the one that was kept beside them: its node over rows {(position << level) + 1:,} to {row:,} differs."))
                break
