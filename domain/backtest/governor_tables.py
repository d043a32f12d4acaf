"""Inputs of the limits ``news``, ``session`` and ``drift``, bar by bar."""

from __future__ import annotations

import math

import numpy as np

from domain.backtest.kernel import drifts
from domain.backtest.kernel.codes import DRIFTED, NEWS, OFF_SESSION
from domain.backtest.limit_tables import inside
from domain.errors import BadRequest
from domain.market.instrument import Instrument
from domain.market.zones import SECOND
from domain.risk.limits import Limits

MINUTE = 60 * SECOND
DRIFT_ROWS = drifts.BEFORE + drifts.RECENT      # values that the drift of a bar depends on, its own included
STRONG = 0.25                                   # PSI above which a feature has drifted


def bits(limits: Limits, instrument: Instrument, end: np.ndarray, releases: np.ndarray | None, monitored: np.ndarray | None) -> np.ndarray:
    """Per bar, as bits: its end is near a release; its end is outside every session; the monitored feature has drifted by then.

    ``end``: when each bar ends. ``monitored``: values of the feature on any bars before and on these. News and session need no other row than the
    bar's own, drift the last ``DRIFT_ROWS`` values: on those it has the same bits. Raises BadRequest for a limit whose input is not given.
    """
    warn = np.zeros(len(end), np.int8)
    if limits.news:
        warn |= NEWS * near(end, _releases(limits, instrument, releases), limits.news)
    if limits.session.strip():
        warn |= OFF_SESSION * ~in_sessions(limits.session, end)
    if limits.drift.strip():
        warn |= DRIFTED * (drifted(_monitored(limits, instrument, monitored, len(end)))[-len(end) :] if len(end) else np.zeros(0, bool))
    return warn


def refuse_blind(limits: Limits, instrument: Instrument, releases: np.ndarray | None) -> None:
    """Raises BadRequest where ``news`` has no release to keep away from, or ``session`` names none that there is."""
    if limits.news:
        _releases(limits, instrument, releases)
    in_sessions(limits.session, np.zeros(0, np.int64))


def near(moments: np.ndarray, releases: np.ndarray, minutes: float) -> np.ndarray:
    """Which moments are at most so many minutes before or after a release. ``releases``: in order.

    >>> near(np.array([0, 61, 119, 180]) * MINUTE, np.array([60, 120]) * MINUTE, 1.0).tolist()
    [False, True, True, False]
    """
    distance = round(minutes * MINUTE)
    return np.searchsorted(releases, moments + distance, side="right") > np.searchsorted(releases, moments - distance, side="left")


def in_sessions(names: str, moments: np.ndarray) -> np.ndarray:
    """Which moments are in one of the sessions named, separated by commas: an open included, a close not.

    >>> at = np.array(["2024-07-10T06:59", "2024-07-10T07:00", "2024-07-10T16:00", "2024-07-13T10:00"], "datetime64[ns]").astype(np.int64)
    >>> in_sessions("london", at).tolist(), in_sessions("london, new_york", at).tolist()
    ([False, True, False, False], [False, True, True, False])
    """
    from domain.features.sessions import spans

    open_ = np.zeros(len(moments), bool)
    for name in filter(None, (part.strip() for part in names.split(","))):
        open_ |= inside(np.stack(spans(name), axis=1), moments)
    return open_


def drifted(values: np.ndarray) -> np.ndarray:
    """Whether the PSI of the last 500 values, each value included, against the 5,000 before them is above 0.25; False before there are so many."""
    return drift_index(values) > STRONG


def drift_index(values: np.ndarray) -> np.ndarray:
    """The PSI at each value, NaN before there are enough: 500 against the 5,000 before, with at least 50 finite values in each.

    A bin begins at each distinct decile of the 5,000; a share of n in a bin of m with b bins is (n + 0.5) / (m + 0.5 b). Of a window of ``DRIFT_ROWS``
    values the last entry has the same bits as among more.
    """
    values, index = np.ascontiguousarray(values, np.float64), np.full(len(values), np.nan)
    drifts.rolling_psi(values, index)
    return index


def drift_now(values: np.ndarray) -> float:
    """``drift_index`` at the last of the values, to the last bit, without the others: some 50 µs."""
    window = np.asarray(values[-DRIFT_ROWS:], np.float64)
    if len(window) < DRIFT_ROWS:
        return float("nan")
    old, new = (np.sort(part[np.isfinite(part)]) for part in (window[: drifts.BEFORE], window[drifts.BEFORE :]))
    if min(len(old), len(new)) < drifts.LEAST:
        return float("nan")
    edges = np.unique(old[len(old) * np.arange(1, drifts.BINS) // drifts.BINS])
    earlier, later = (np.diff(np.searchsorted(part, edges), prepend=0, append=len(part)).tolist() for part in (old, new))
    bins, total = len(edges) + 1, 0.0
    for seen, count in zip(earlier, later, strict=True):
        b, a = (seen + 0.5) / (len(old) + 0.5 * bins), (count + 0.5) / (len(new) + 0.5 * bins)
        total += (a - b) * math.log(a / b)
    return total


def _releases(limits: Limits, instrument: Instrument, releases: np.ndarray | None) -> np.ndarray:
    if releases is None or not len(releases):
        raise BadRequest(f"limits.news is {limits.news:g} minutes, and no release of the currencies of {instrument.name} is known; give a calendar that has some, or set news to 0")
    return releases


def _monitored(limits: Limits, instrument: Instrument, values: np.ndarray | None, bars: int) -> np.ndarray:
    if values is None or len(values) < bars:
        raise BadRequest(f"limits.drift is {limits.drift!r}, and the values of that feature on the bars of {instrument.name} are not given; run a strategy or signals on them, or leave drift empty")
    return values
