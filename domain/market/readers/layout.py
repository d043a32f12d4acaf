"""The layout of bars in a text, and the values read so far."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np

from domain.market.bars import OPTIONAL, PRICES
from domain.market.readers.base import BadLine

ASKS = ("ask_open", "ask_high", "ask_low", "ask_close")
QUOTES = ("bid", "ask")
SHOWN, CLIP = 200, 120


@dataclass(frozen=True)
class Layout:
    """How a text lays out its bars: what each column is ("" for one not read), how times are written, how many lines
    come first.

    ``columns`` name ``ts``, or ``date`` and ``time``, and open, high, low, close, volume, spread; the ask's four prices
    (ask_open …) where open to close are the bid's; or the bid and ask of ticks. ``origin`` (ns) is the midnight that
    times of day count from; ``decimal``: what stands between the whole and the fraction of a number.
    """

    separator: str
    columns: tuple[str, ...]
    kind: str
    skip: int = 0
    origin: int = 0
    decimal: str = "."

    @property
    def times(self) -> tuple[str, ...]:
        return tuple(name for name in ("ts", "date", "time") if name in self.columns)

    @property
    def numbers(self) -> tuple[str, ...]:
        return tuple(name for name in (*PRICES, *ASKS, *QUOTES, *OPTIONAL) if name in self.columns)

    @property
    def required(self) -> tuple[str, ...]:
        """Numbers without which a line is no bar."""
        return tuple(name for name in (*PRICES, *ASKS) if name in self.columns)


@dataclass
class Parts:
    """What has been read so far: lists of arrays by column, and the lines that are no bars."""

    columns: defaultdict[str, list[np.ndarray]] = field(default_factory=lambda: defaultdict(list))
    aware: bool | None = None
    rows: int = 0
    malformed: list[BadLine] = field(default_factory=list)
    malformed_count: int = 0

    def add(self, columns: dict[str, np.ndarray]) -> None:
        for name, values in columns.items():
            self.columns[name].append(values)
        self.rows += len(columns["line"])

    def refuse(self, line: int, text: str, reason: str) -> None:
        self.malformed_count += 1
        if len(self.malformed) < SHOWN:
            self.malformed.append(BadLine(line, text[:CLIP] + ("…" if len(text) > CLIP else ""), reason))

    def joined(self, name: str) -> np.ndarray:
        return (
            np.concatenate(self.columns.pop(name))
            if name in self.columns
            else np.empty(0, np.int64 if name in ("ts", "line") else np.float64)
        )
