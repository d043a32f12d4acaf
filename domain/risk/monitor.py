"""The risk monitor: what the open positions of an account could lose now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from domain.errors import BadRequest
from domain.market.instrument import Instrument
from domain.risk.exposure import correlation, exposures
from domain.risk.market_now import MarketNow
from domain.risk.positions import Holding, OpenPosition, holdings
from domain.risk.stresses import Stresses, largest_of, stress_table
from domain.risk.value_at_risk import LEVEL, enough, filtered, tail, tail_shares

CONTRIBUTIONS = ("instrument", "notional", "floating", "es_part", "es_share")


@dataclass(frozen=True)
class RiskNow:
    """Money in account currency, losses positive. VaR and ES are for one bar of ``bar`` seconds at ``level``.

    ``contributions``: ``instrument, notional, floating, es_part, es_share``: parts of the filtered ES, which add up to
    it; a negative part hedges the others. """

    equity: float
    currency: str
    level: float
    bar: float  # seconds
    scenarios: int
    var_historical: float
    es_historical: float
    var_filtered: float
    es_filtered: float
    to_stops: float  # loss if every stop fills at its price; positions without a stop are not in it
    without_stop: int
    exposures: pd.DataFrame
    correlation: pd.DataFrame
    contributions: pd.DataFrame
    stresses: pd.DataFrame
    largest: str  # the instrument with the largest part of the filtered ES
    largest_share: float


def risk_now(
    positions: Sequence[OpenPosition],
    instruments: Mapping[str, Instrument],
    market: MarketNow,
    equity: float,
    currency: str,
    rates: Mapping[str, float],
    stresses: Stresses = Stresses(),
    level: float = LEVEL,
) -> RiskNow:
    """The risk of open positions.

    ``market``: see ``market_now``; daily bars give the risk of a day. ``rates``: account currency per unit of each
    quote currency (the account's own need not be named). Scenarios are past returns of all instruments together,
    applied to the positions as they are now; rates of conversion stay. *Historical*: the returns as they were.
    *Filtered*: each scaled to the volatility now (``filtered``).

    An account without positions has no loss anywhere. Refused in a sentence: an instrument without specification, rate
    or returns, and fewer returns than three beyond the quantile. """
    if not equity > 0:
        raise BadRequest(f"the equity is {equity:,.2f}; shares of it need an amount above 0")
    if not 0.5 < level < 1:
        raise BadRequest(f"the level is {level}; give a share between 0.5 and 1, 0.95 for 95 %")
    held = holdings(positions, instruments, rates, currency)
    names = list(dict.fromkeys(h.position.instrument for h in held))
    if missing := [name for name in names if name not in market.returns]:
        raise BadRequest(
            f"{', '.join(missing)} has open positions and no recent returns; give bars of each instrument held"
        )
    if held:
        enough(len(market.returns), level)
    figures = _figures(held, names, market.returns[names].to_numpy(float), level)
    rooms = np.array([h.point * (h.position.price - h.position.stop) for h in held])
    return RiskNow(
        equity, currency, level, market.bar, len(market.returns), *figures[:4],
        to_stops=float(np.nansum(np.maximum(rooms, 0.0))),
        without_stop=int(np.isnan(rooms).sum()),
        exposures=exposures(held, equity),
        correlation=correlation(held, market.returns),
        contributions=figures[4],
        stresses=stress_table(held, market, equity, stresses, level),
        largest=figures[5][0],
        largest_share=figures[5][1],
    )  # fmt: skip


def _figures(
    held: Sequence[Holding], names: Sequence[str], returns: np.ndarray, level: float
) -> tuple[float, float, float, float, pd.DataFrame, tuple[str, float]]:
    """VaR and ES, historical and filtered, and each instrument's part of the filtered ES."""
    if not held:
        return 0.0, 0.0, 0.0, 0.0, pd.DataFrame(columns=list(CONTRIBUTIONS)), ("", float("nan"))
    notional = np.array([sum(h.notional for h in held if h.position.instrument == name) for name in names])
    floating = [sum(h.floating for h in held if h.position.instrument == name) for name in names]
    losses = -filtered(returns) * notional
    var, es = tail(losses.sum(axis=1), level)
    parts = tail_shares(losses.sum(axis=1), level) @ losses
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = parts / es if es else np.full(len(parts), np.nan)
    frame = pd.DataFrame(dict(instrument=names, notional=notional, floating=floating, es_part=parts, es_share=shares))
    frame = frame.sort_values("es_part", ascending=False, kind="stable").reset_index(drop=True)
    return *tail(-returns @ notional, level), var, es, frame, largest_of(names, parts)
