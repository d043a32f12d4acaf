"""A table of stresses of open positions: what each would cost now, how much of equity, and who loses most."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import pandas as pd

from domain.params import param
from domain.risk.market_now import MarketNow
from domain.risk.positions import Holding
from domain.risk.value_at_risk import LEVEL, ewma_deviation, tail

STRESSES = ("stress", "loss", "share_of_equity", "largest", "largest_share", "stops_reached")


@dataclass(frozen=True)
class Stresses:
    """How hard the positions are stressed."""

    spread: float = param(
        3.0,
        low=1.0,
        high=1_000.0,
        unit="× spread",
        help="spread at which the positions are closed, in multiples of the one now",
    )
    gap: float = param(
        3.0,
        low=0.0,
        high=100.0,
        unit="ATR",
        title="Gap beyond the stop",
        help="how far beyond its stop each position is closed; without a stop, beyond the price now",
    )
    latency: float = param(60.0, low=0.0, high=86_400.0, unit="s", help="seconds for which nothing can be closed")


def stress_table(
    held: Sequence[Holding], market: MarketNow, equity: float, stresses: Stresses = Stresses(), level: float = LEVEL
) -> pd.DataFrame:
    """``stress, loss, share_of_equity, largest, largest_share, stops_reached``, one row a stress; losses positive,
    account currency.

    - ``spread``: the closing side of each market moves against the position by the spread's increase.
    - ``gap``: each position is closed ``gap`` ATR beyond its stop (beyond the price where it has none), all at once.
    - ``latency``: each price moves against its position by what it moves in that time with a probability of ``1 -
      level`` or less: z · sigma · √(latency ÷ bar), sigma from the EWMA of its returns (a normal move; a gap can be
      larger).
    - ``correlations to one``: every position loses its own VaR of one bar at the same time; nothing offsets.

    ``largest`` is the instrument with the largest part of the loss and ``largest_share`` its share of all parts that
    lose; ``stops_reached`` counts the positions whose stop lies within the move. """
    moves = {
        f"spread × {stresses.spread:g}": [(stresses.spread - 1.0) * market.spread[h.position.instrument] for h in held],
        f"gap of {stresses.gap:g} ATR beyond the stop": [
            stresses.gap * market.atr[h.position.instrument] + _distance_to_stop(h) for h in held
        ],
        f"latency of {stresses.latency:g} s": _latency(held, market, stresses.latency, level),
    }
    rows = [
        _row(name, held, np.array(move) * [abs(h.point) for h in held], move, equity) for name, move in moves.items()
    ]
    rows.append(_row("correlations to one", held, _own_tails(held, market, level), None, equity))
    return pd.DataFrame(rows, columns=list(STRESSES))


def _distance_to_stop(h: Holding) -> float:
    """Price units from the price now to the stop; 0 without a stop, or where it is passed already."""
    room = h.position.side * (h.position.price - h.position.stop)
    return max(room, 0.0) if np.isfinite(room) else 0.0


def _latency(held: Sequence[Holding], market: MarketNow, seconds: float, level: float) -> list[float]:
    sigma = deviations(market)
    reach = NormalDist().inv_cdf(level) * np.sqrt(seconds / market.bar)
    return [reach * sigma[h.position.instrument] * abs(h.position.price) for h in held]


def deviations(market: MarketNow) -> Mapping[str, float]:
    """Deviation of one bar's return by instrument as the EWMA forecasts it now; plain where there are too few returns
    for it."""
    values = market.returns.to_numpy(float)
    last = ewma_deviation(values)[-1]
    plain = np.sqrt((values**2).mean(axis=0))
    return dict(zip(market.returns.columns, np.where(np.isfinite(last), last, plain), strict=True))


def _own_tails(held: Sequence[Holding], market: MarketNow, level: float) -> np.ndarray:
    """VaR of each position by itself."""
    values = market.returns
    return np.array([tail(-h.notional * values[h.position.instrument].to_numpy(float), level)[0] for h in held])


def _row(
    name: str, held: Sequence[Holding], losses: np.ndarray, moves: Sequence[float] | None, equity: float
) -> tuple[str, float, float, str, float, int]:
    instruments = [h.position.instrument for h in held]
    largest, share = largest_of(instruments, losses)
    reached = (
        0
        if moves is None
        else sum(
            np.isfinite(h.position.stop) and move > 0 and move >= _distance_to_stop(h) for h, move in zip(held, moves, strict=True)
        )
    )
    return name, float(losses.sum()), float(losses.sum()) / equity, largest, share, int(reached)


def largest_of(instruments: Sequence[str], losses: np.ndarray) -> tuple[str, float]:
    """The instrument with the largest loss and its share of all that is lost.

    >>> largest_of(["EURUSD", "XAUUSD", "EURUSD"], np.array([10.0, 60.0, 30.0]))
    ('XAUUSD', 0.6)
    >>> largest_of([], np.array([]))
    ('', nan)
    """
    by = (
        pd.Series(losses, dtype=float).groupby(np.asarray(instruments, dtype=object)).sum()
        if len(instruments)
        else pd.Series(dtype=float)
    )
    lost = by[by > 0]
    return (str(lost.idxmax()), float(lost.max() / lost.sum())) if len(lost) else ("", float("nan"))
