"""What the series of a scan in memory read beside their bars, at instants that have passed."""

from __future__ import annotations

from bisect import bisect_right

from domain.features import Context
from domain.features.stream import Known


class Beside:
    """Closes of the series of one timeframe, as their bars come in. ``keeps``: whether any feature reads them at an instant that has passed; else they are not kept.

    >>> beside = Beside(keeps=True)
    >>> beside.closed("GBPUSD", 10, 1.3), beside.closed("GBPUSD", 20, 1.4)
    (None, None)
    >>> beside.at(Context(), 19)
    ({'GBPUSD': 1.3}, {})
    """

    def __init__(self, keeps: bool) -> None:
        self._keeps, self._closed = keeps, dict[str, tuple[list[int], list[float]]]()

    def closed(self, instrument: str, end: int, close: float) -> None:
        if self._keeps:
            ends, closes = self._closed.setdefault(instrument, ([], []))
            ends.append(end)
            closes.append(close)

    def at(self, context: Context, instant: int) -> Known:
        """``context``: what was known of the series before."""
        rows = {name: (closes, bisect_right(ends, instant)) for name, (ends, closes) in self._closed.items()}
        return {**context.others_at(instant), **{name: closes[row - 1] for name, (closes, row) in rows.items() if row}}, context.macro_at(instant)
