"""The bars of a session that have ended: those of its stored tape, and those that came since."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from domain.live.tape import TapeBar

Tape = Callable[[str], Iterable[TapeBar]]       # series -> its bars that have been stored, in order


class Seen:
    """``tape``: None keeps all bars in memory.

    >>> stored = [TapeBar("EURUSD M5", 0, 1, 1, 1, 1, 1), TapeBar("EURUSD M5", 1, 2, 1, 1, 1, 1)]
    >>> seen = Seen(("EURUSD M5",), lambda series: stored)
    >>> seen.add(stored[1]); seen.add(TapeBar("EURUSD M5", 2, 3, 1, 1, 1, 1))
    >>> [bar.ts for bar in seen.of("EURUSD M5")]
    [0, 1, 2]
    >>> seen.stored(3)
    >>> [bar.ts for bar in seen.of("EURUSD M5")]
    [0, 1]
    """

    def __init__(self, series: Iterable[str], tape: Tape | None = None) -> None:
        self._tape, self._since = tape, {text: list[TapeBar]() for text in series}
        self._read: dict[str, list[TapeBar]] | None = None

    def add(self, bar: TapeBar) -> None:
        self._since[bar.series].append(bar)

    def of(self, series: str) -> list[TapeBar]:
        """All of them, in order."""
        if self._tape is None:
            return self._since[series]
        bars, since = self._stored(series), self._since[series]
        known = bars[-1].ts if bars else None
        return [*bars, *(bar for bar in since if known is None or bar.ts > known)]

    @contextmanager
    def read_once(self) -> Iterator[None]:
        """Within it the tape of each series is requested once."""
        self._read = {}
        yield
        self._read = None

    def _stored(self, series: str) -> list[TapeBar]:
        assert self._tape is not None
        if self._read is None:
            return list(self._tape(series))
        if series not in self._read:
            self._read[series] = list(self._tape(series))
        return self._read[series]

    def follow(self, tape: Tape) -> None:
        """From now on the bars are read from a tape that has all of them."""
        self._tape, self._since = tape, {text: [] for text in self._since}

    def stored(self, until: int) -> None:
        """The tape has all that ended up to this instant, or will have it before it is requested again."""
        if self._tape is not None:
            for text, bars in self._since.items():
                if bars:
                    self._since[text] = [bar for bar in bars if bar.end > until]
