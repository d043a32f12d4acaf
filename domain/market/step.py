"""How far apart bars are: the step between opens that most rows keep, and whether it is the timeframe's."""

from __future__ import annotations

import numpy as np

from domain.market.timeframe import MINUTES, Timeframe

MINUTE = 60_000_000_000
DAY = 1_440 * MINUTE


def usual_step(ts_ns: np.ndarray) -> int:
    """The step between neighbouring times that is the most frequent, in nanoseconds: the shortest of equally frequent ones, 0 where there is none.

    Rows that share a time have no step; the order of the rows does not matter.

    >>> hourly = np.arange(6) * 60 * MINUTE
    >>> usual_step(np.r_[hourly, hourly, 9 * DAY]) // MINUTE, usual_step(np.array([5, 5]))
    (60, 0)
    """
    return _most_frequent(np.asarray(ts_ns, np.int64))[0]


def usual_timeframe(ts_ns: np.ndarray) -> str | None:
    """The timeframe whose step most rows keep; None where it is no known one.

    >>> daily, hourly = np.arange(100) * DAY, 200 * DAY + np.arange(300) * 60 * MINUTE
    >>> usual_timeframe(np.r_[daily, hourly]), usual_timeframe(np.array([0, 7 * MINUTE]))
    ('H1', None)
    """
    step = usual_step(ts_ns)
    return next((name for name, minutes in MINUTES.items() if minutes * MINUTE == step), None)


def not_apart(ts_ns: np.ndarray, timeframe: Timeframe) -> str | None:
    """How the bars' step differs from the timeframe, "H1 apart, not M5"; None where it does not, or where two bars may have a gap between them.

    >>> not_apart(np.arange(3) * 60 * MINUTE, Timeframe.named("M5"))
    'H1 apart, not M5'
    >>> not_apart(np.array([0, 60 * MINUTE]), Timeframe.named("M5")), not_apart(np.array([0, MINUTE]), Timeframe.named("M5"))
    (None, 'M1 apart, not M5')
    """
    step, count = _most_frequent(np.asarray(ts_ns, np.int64))
    if not step or abs(step - timeframe.nanoseconds) <= 0.1 * timeframe.nanoseconds or (step > timeframe.nanoseconds and count < 2):
        return None
    return f"{step_words(step)} apart, not {timeframe}"


def step_words(step: int) -> str:
    """
    >>> step_words(60 * MINUTE), step_words(7 * DAY), step_words(MINUTE // 2)
    ('H1', '7 days', '0.5 minutes')
    """
    named = next((name for name, minutes in MINUTES.items() if minutes * MINUTE == step), None)
    return named or (f"{step // DAY} days" if step % DAY == 0 else f"{step / MINUTE:g} minutes")


def _most_frequent(ts_ns: np.ndarray) -> tuple[int, int]:
    """The step and how often it occurs."""
    steps = np.diff(ts_ns)
    if (steps < 0).any():
        steps = np.diff(np.sort(ts_ns))
    values, counts = np.unique(steps[steps > 0], return_counts=True)
    return (int(values[np.argmax(counts)]), int(counts.max())) if len(values) else (0, 0)
