"""What a bundle of the audit trail holds beside the bodies of its events: the formats of docs/audit.md, as text."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from domain.audit.checkpoint import Checkpoint, read
from domain.audit.keys import VerifierKey
from domain.audit.merkle import Node, consistency_proof, inclusion_proof
from domain.audit.note import parse
from domain.audit.record import Record
from domain.audit.verifier import verify
from domain.errors import BadRequest

WHOLE, RANGE, SELECTION = "whole", "range", "selection"
MOST_PROOF = 1_024      # bytes of the proof of one event
NOTHING = bytes(32)     # in place of a node that is missing or no hash: a proof with it holds nowhere


@dataclass(frozen=True)
class Point:
    """A signed checkpoint: what it says, and the note that says it."""

    checkpoint: Checkpoint
    note: str

    @classmethod
    def of(cls, note: str) -> Point:
        return cls(read(parse(note).text), note)


@dataclass(frozen=True)
class Scope:
    """Which rows a bundle holds, and the tree that its proofs are of. ``first``, ``last``: rows of the trail, 0 of none."""

    kind: str
    first: int
    last: int
    rows: int
    size: int
    root: bytes


def one_a_size(points: Iterable[Point], most: int = 1_000) -> list[Point]:
    """Of each size the last checkpoint; of more than ``most`` the newest half of ``most``, the last of each day and the first."""
    kept = list({point.checkpoint.size: point for point in points}.values())
    if len(kept) <= most:
        return kept
    days = {(point.checkpoint.seconds or 0) // 86_400: point for point in kept}
    chosen = {point.checkpoint.size for point in (kept[0], *list(days.values())[-most // 2 :], *kept[-most // 2 :])}
    return [point for point in kept if point.checkpoint.size in chosen]


def csv_line(record: Record) -> str:
    """The row of events.csv, by the function that the verifier reads it with; of a garbage row what its columns say."""
    try:
        view = verify.view(json.loads(record.body))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        view = ",".join(map(verify.cell, (record.ts, record.kind, record.actor, "", record.body, record.event_id)))
    return f"{record.seq},{view},{verify.cell(record.prev_hash)},{verify.cell(record.hash)}"


def path_line(record: Record, size: int, node: Node) -> str:
    """The row of paths.jsonl: a selected row's own proof in the tree of ``size`` events; of a row after it none."""
    return _line(dict(seq=record.seq, path=_hex(_inclusion(record.seq, size, node))))


def proofs(scope: Scope, ends: Sequence[Record], points: Sequence[Point], node: Node) -> dict[str, Any]:
    """proofs.json: the first and the last row in the tree, and that each checkpoint's tree is the beginning of the next's."""
    sizes = sorted({size for size in (*(point.checkpoint.size for point in points), scope.size) if size})
    return dict(
        format=verify.PROOFS, size=scope.size, root=scope.root.hex(),
        inclusion=[dict(seq=r.seq, hash=_digest(r.hash).hex(), path=_hex(_inclusion(r.seq, scope.size, node))) for r in ends if r.seq <= scope.size],
        consistency=[{"from": old, "to": new, "path": _hex(consistency_proof(old, new, node))} for old, new in pairwise(sizes)],
    )  # fmt: skip


def manifest(scope: Scope, about: Mapping[str, Any], files: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """manifest.json: which rows, what was requested, and each file's size and SHA-256."""
    return dict(format=verify.BUNDLE, kind=scope.kind, first=scope.first, last=scope.last, rows=scope.rows, **about, files=dict(sorted(files.items())))


def public_key(chain: str) -> str:
    """public_key.txt: the text of a chain of keys, with the fingerprint of its first key as a comment.

    >>> print(public_key("example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k\\n").splitlines()[1])
    # fingerprint a05425c8f5f4739a4a96992c9dbd587dbe22ea38733b16167f399d44efb9d9f0
    """
    first, _, rest = chain.partition("\n")
    return f"{first}\n# fingerprint {VerifierKey.parse(first).fingerprint}\n{rest}" if first else "# This trail has no key yet.\n"


def checkpoints(points: Iterable[Point]) -> str:
    """checkpoints.txt: the signed notes with an empty line between them."""
    return "\n".join(point.note for point in points)


@dataclass(frozen=True)
class Proof:
    """``text``: at most 1 KB, with the event in it where it fits; else the event's bytes are a file of their own."""

    text: str
    body: str
    apart: bool


def proof_of(record: Record, size: int, node: Node) -> Proof:
    """That ``record`` stands at its place in the tree of ``size`` events. BadRequest where it came after it."""
    if not 1 <= record.seq <= size:
        raise BadRequest(f"row {record.seq:,} came after the checkpoint over {size:,} rows, so that checkpoint cannot prove it. Take a later one, or wait a minute for it")
    packed = {key: base64.b64encode(value).decode() for key, value in (("prev", _digest(record.prev_hash)), ("path", b"".join(_inclusion(record.seq, size, node))))}
    known = dict(tidemark_proof=1, seq=record.seq, size=size, **packed)
    text = _line({**known, "body": record.body})
    apart = len(text.encode("utf-8", "replace")) >= MOST_PROOF
    return Proof(_line(known) if apart else text, record.body, apart)


def _inclusion(seq: int, size: int, node: Node) -> list[bytes]:
    return [hash_ if len(hash_) == 32 else NOTHING for hash_ in inclusion_proof(seq - 1, size, node)] if seq <= size else []


def _hex(hashes: Iterable[bytes]) -> list[str]:
    return [(hash_ if len(hash_) == 32 else NOTHING).hex() for hash_ in hashes]


def _digest(text: str) -> bytes:
    """A stored hash; of garbage, one that fits nothing."""
    try:
        digest = bytes.fromhex(text)
    except ValueError:
        return NOTHING
    return digest if len(digest) == 32 else NOTHING


def _line(document: Mapping[str, Any]) -> str:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))
