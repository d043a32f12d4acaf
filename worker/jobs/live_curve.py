"""The loss of a fit while it runs, short enough for the job's row."""

from __future__ import annotations

from typing import Any

MOST = 200          # points


class LiveCurve:
    """Keeps every point until there are ``MOST``, then every second, and so on; the last one always. A point is its share of the fit, its loss, and what the loss is of."""

    def __init__(self, fold: int) -> None:
        self._fold, self._every, self._seen = fold, 1, 0
        self._points: list[list[Any]] = []
        self._last: list[Any] = []

    def add(self, share: float, loss: float) -> dict[str, Any]:
        """What the job shows.

        >>> curve = LiveCurve(3)
        >>> shown = [curve.add(k / 1000, 1.0 - k / 1000) for k in range(1000)][-1]
        >>> shown["fold"], len(shown["points"]) <= MOST, shown["points"][0], shown["points"][-1]
        (3, True, [0.0, 1.0, ''], [0.999, 0.001, ''])
        """
        self._last = [round(float(share), 4), float(f"{loss:.6g}"), getattr(loss, "of", "")]
        if self._seen % self._every == 0:
            self._points.append(self._last)
        self._seen += 1
        if len(self._points) >= MOST:
            self._points, self._every = self._points[::2], 2 * self._every
        points = self._points if self._points[-1] is self._last else [*self._points, self._last]
        return dict(fold=self._fold, points=[list(point) for point in points])
