"""A small writer of charts as SVG: scales, ticks, axes and paths. Every coordinate has one decimal, so the same data is the same bytes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise

import numpy as np

from domain.report.figures import MINUS
from domain.report.palette import standalone

HEAD = 56               # height of the title of a standalone chart, px
BROAD = 600             # px; wider charts are scrolled on a small screen, not shrunk
MOST = 2_000            # points of a line
MINUTE = 60_000_000_000     # nanoseconds
SPANS = (1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1_440, 2_880, 7_200, 14_400)     # minutes between ticks
MONTHS = (1, 2, 3, 6, 12, 24, 60, 120, 240, 600)                                       # months between ticks


@dataclass(frozen=True)
class Chart:
    """A drawing of ``width`` × ``height`` px. ``takeaway`` describes it in words."""

    width: int
    height: int
    body: str
    takeaway: str

    def inline(self) -> str:
        """For a page that has ``palette.variables`` and ``palette.CHART`` in its style."""
        kind = ' class="wide"' if self.width > BROAD else ""
        return f'<svg{kind} viewBox="0 0 {self.width} {self.height}" role="img" aria-label="{escape(self.takeaway)}">{self.body}</svg>'

    def standalone(self, title: str, note: str) -> bytes:
        """A standalone file, with title, background and colours for light and dark."""
        height = self.height + HEAD + 8
        words = f'<text class="name" x="16" y="26">{escape(title)}</text><text x="16" y="44">{escape(note)}</text>'
        return (
            f'<?xml version="1.0" encoding="UTF-8"?>\n<svg xmlns="http://www.w3.org/2000/svg" width="{self.width + 32}" height="{height}" viewBox="0 0 {self.width + 32} {height}" role="img">\n'
            f'<title>{escape(title)}</title>\n<desc>{escape(self.takeaway)}</desc>\n<style>\n{standalone()}\n</style>\n'
            f'<rect class="sheet" width="100%" height="100%"/>\n{words}\n<g transform="translate(16 {HEAD})">{self.body}</g>\n</svg>\n'
        ).encode()  # fmt: skip


@dataclass(frozen=True)
class Scale:
    """From ``low … high`` in data to ``start … end`` in px."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)

    def many(self, values: np.ndarray) -> np.ndarray:
        return self.start + (values - self.low) / (self.high - self.low) * (self.end - self.start)


def bounds(low: float, high: float, margin: float = 0.04) -> tuple[float, float]:
    """A domain with some room around it, also where all values are the same.

    >>> bounds(0.0, 100.0), bounds(5.0, 5.0)
    ((-4.0, 104.0), (4.75, 5.25))
    """
    span = (high - low) * margin or abs(high) * 0.05 or 1.0
    return low - span, high + span


def ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Round numbers inside ``low … high``: 1, 2, 2.5 or 5 times a power of ten apart.

    >>> ticks(0.0, 1.0, 5), ticks(97_313.0, 104_120.0, 4)
    ([0.0, 0.25, 0.5, 0.75, 1.0], [97500.0, 100000.0, 102500.0])
    """
    step = _step((high - low) / max(most - 1, 1))
    first = math.ceil(round(low / step, 9))
    return [round(k * step, 12) for k in range(first, math.floor(round(high / step, 9)) + 1)]


def _step(least: float) -> float:
    power = 10.0 ** math.floor(math.log10(least)) if least > 0 else 1.0
    return next(power * factor for factor in (1.0, 2.0, 2.5, 5.0, 10.0) if power * factor >= least * (1 - 1e-9))


def places(values: Sequence[float]) -> int:
    """Decimals that keep ticks apart.

    >>> places([0.0, 0.25, 0.5]), places([98_000.0, 100_000.0]), places([0.5])
    (2, 0, 1)
    """
    return next((digits for digits in range(8) if all(abs(round(value, digits) - value) < 1e-9 for value in values)), 8)


def label(value: float, digits: int, suffix: str = "") -> str:
    """
    >>> label(-1500.0, 0), label(-0.0, 1, "%")
    ('\u22121,500', '0.0%')
    """
    text = f"{abs(value):,.{digits}f}{suffix}"
    return f"{MINUS}{text}" if value < 0 and any(digit in text for digit in "123456789") else text


def moments(first: int, last: int, most: int) -> list[tuple[int, str]]:
    """At most ``most`` times between two, as nanoseconds and words.

    >>> hour = 3_600_000_000_000
    >>> [words for _, words in moments(0, 36 * hour, 4)]
    ['01 Jan', '12:00', '02 Jan', '12:00']
    """
    minutes = (last - first) / MINUTE
    for span in SPANS:
        if minutes / span < most:
            at = np.arange(-(-first // (span * MINUTE)), last // (span * MINUTE) + 1) * span * MINUTE
            return [(int(instant), _moment(int(instant), span)) for instant in at]
    for months in MONTHS:
        starts = _months(first, last, months)
        if len(starts) <= most:
            return starts
    return _months(first, last, 1_200)


def _moment(at: int, span: int) -> str:
    when = np.datetime64(at, "ns").astype("datetime64[m]").item()
    return f"{when:%d %b}" if span >= 1_440 or (when.hour, when.minute) == (0, 0) else f"{when:%H:%M}"


def _months(first: int, last: int, step: int) -> list[tuple[int, str]]:
    begin, end = (int(np.datetime64(at, "ns").astype("datetime64[M]").astype(int)) for at in (first, last))
    places = [month for month in range(-(-begin // step) * step, end + 1, step)]
    at = [int(np.datetime64(month, "M").astype("datetime64[ns]").astype(np.int64)) for month in places]
    names = [f"{np.datetime64(month, 'M').item():{'%Y' if step >= 12 else '%b %Y'}}" for month in places]
    return [(when, name) for when, name in zip(at, names, strict=True) if first <= when <= last]


def decimated(values: np.ndarray, most: int = MOST) -> np.ndarray:
    """Indices of at most ``most`` values that preserve each section's lowest and highest, and both ends.

    >>> decimated(np.array([0.0, 5.0, 1.0, 2.0, -4.0, 3.0]), 4).tolist()
    [0, 1, 4, 5]
    """
    if len(values) <= most:
        return np.arange(len(values))
    edges = np.linspace(0, len(values), most // 2).astype(int)
    indices = {0, len(values) - 1}
    for begin, end in pairwise(edges.tolist()):
        indices.update((begin + int(values[begin:end].argmin()), begin + int(values[begin:end].argmax())))
    return np.array(sorted(indices))


# -- marks ------------------------------------------------------------------------------------------------------------


def px(value: float) -> str:
    """
    >>> px(12.0), px(3.14159), px(-0.04)
    ('12', '3.1', '0')
    """
    text = f"{value:.1f}".removesuffix(".0")
    return "0" if text == "-0" else text


def text(x: float, y: float, words: str, kind: str = "") -> str:
    return f'<text{_class(kind)} x="{px(x)}" y="{px(y)}">{escape(words)}</text>'


def rule(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    return f'<path class="{kind}" d="M{px(x1)} {px(y1)}L{px(x2)} {px(y2)}"/>'


def box(x: float, y: float, width: float, height: float, kind: str, hint: str = "") -> str:
    inside = f"><title>{escape(hint)}</title></rect>" if hint else "/>"
    return f'<rect class="{kind}" x="{px(x)}" y="{px(y)}" width="{px(max(width, 0.6))}" height="{px(max(height, 0.6))}"{inside}'


def polyline(x: np.ndarray, y: np.ndarray) -> str:
    """The ``d`` of a path through all points."""
    return "M" + "L".join(f"{px(a)} {px(b)}" for a, b in zip(x.tolist(), y.tolist(), strict=True))


def path(d: str, kind: str) -> str:
    return f'<path class="{kind}" d="{d}"/>'


def dots(x: np.ndarray, y: np.ndarray, kind: str) -> str:
    """Round points in one path; none where there is nothing."""
    return path("".join(f"M{px(a)} {px(b)}h0" for a, b in zip(x.tolist(), y.tolist(), strict=True)), kind) if len(x) else ""


def rows(scale: Scale, left: float, right: float, values: Sequence[float], suffix: str = "", factor: float = 1.0) -> str:
    """Horizontal grid lines with their labels; the line at 0 is drawn as an axis."""
    digits = places([value * factor for value in values])
    drawn = [rule(left, scale(value), right, scale(value), "axis" if value == 0 else "grid") for value in values]
    return "".join(drawn + [text(left - 8, scale(value) + 4, label(value * factor, digits, suffix), "end") for value in values])


def columns(scale: Scale, bottom: float, at: Sequence[tuple[float, str]], last: str = "") -> str:
    """Labels below a horizontal axis, with small ticks; ``last`` names the unit at its end."""
    inside = [(scale(value), words) for value, words in at]
    drawn = [rule(scale.start, bottom, scale.end, bottom, "axis"), *(rule(x, bottom, x, bottom + 4, "axis") for x, _ in inside)]
    drawn += [text(x, bottom + 17, words, "mid") for x, words in inside if not last or x < scale.end - 7 * len(last) - 4 * len(words)]
    return "".join([*drawn, text(scale.end, bottom + 17, last, "end")] if last else drawn)


def _class(kind: str) -> str:
    return f' class="{kind}"' if kind else ""
