"""The timeframe of a text as most of its rows say, wherever in the file they lie: its first rows may be of another one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from domain.errors import BadRequest
from domain.market.readers.base import Reader, Recognised
from domain.market.readers.files import HEAD, blocks

TOP = 3                 # lines that a header may take
LINES = 60              # of a sample
CLOSE, SPARE = 8, 2     # samples of each of the first blocks, and of those after them
FIRST = 16              # blocks


def by_most_rows(reader: Reader, recognised: Recognised, path: Path, head: bytes, name: str, max_bytes: int) -> Recognised:
    """``found`` with the timeframe that most samples of the file have; a file that the head shows whole, or that is no text, stays as it was found."""
    if len(head) < HEAD - 4:
        return recognised
    top = b"\n".join(head.split(b"\n", TOP)[:TOP]) + b"\n"
    counts: Counter[str] = Counter()
    try:
        for number, block in enumerate(blocks(path, max_bytes)):
            for sample in _samples(block.data, CLOSE if number < FIRST else SPARE):
                counts.update(_timeframe(reader, top + sample, name))
    except BadRequest:      # the whole file is judged when it is read
        return recognised
    if not counts or (usual := counts.most_common(1)[0][0]) == recognised.timeframe:
        return recognised
    return replace(recognised, timeframe=usual, evidence=f"{recognised.evidence}; most rows of the file are {usual} apart")


def _timeframe(reader: Reader, text: bytes, name: str) -> list[str]:
    try:
        steps = reader.recognise(text, name)
    except BadRequest:
        return []
    return [steps.timeframe] if steps and steps.timeframe else []


def _samples(data: bytes, count: int) -> Iterator[bytes]:
    """Whole lines from evenly spaced places of a block."""
    for at in range(0, len(data), max(1, len(data) // count)):
        start = data.find(b"\n", at) + 1 if at else 0
        lines = data[start : start + 200 * LINES].split(b"\n", LINES)[:LINES]
        if len(lines) > 2:
            yield b"\n".join(lines) + b"\n"
