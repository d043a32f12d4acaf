"""Open positions as the risk monitor takes them, and those of a run at an instant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from domain.errors import BadRequest
from domain.market.instrument import Instrument

LONG = ("long", "buy")


@dataclass(frozen=True)
class OpenPosition:
    """One open position. ``price`` is the price it would be closed at now; ``stop`` NaN: none.

    >>> OpenPosition("EURUSD", 1, 0.5, entry=1.10, price=1.12, stop=1.09).lots
    0.5
    """

    instrument: str
    side: int  # 1 long, -1 short
    lots: float
    entry: float  # price units
    price: float
    stop: float = np.nan

    def __post_init__(self) -> None:
        if self.side not in (1, -1):
            raise BadRequest(f"the side of {self.instrument} is {self.side!r}; give 1 for long or -1 for short")
        if not (self.lots > 0 and np.isfinite([self.lots, self.entry, self.price]).all()):
            raise BadRequest(
                f"{self.instrument}: lots, entry and price are {self.lots}, {self.entry}, {self.price}; "
                "give lots above 0 and finite prices"
            )


@dataclass(frozen=True)
class Holding:
    """A position with what its money needs: its instrument and the account currency per unit of its quote currency."""

    position: OpenPosition
    instrument: Instrument
    rate: float

    @property
    def point(self) -> float:
        """Account currency per unit of price, signed: what the account gains if the price rises by 1."""
        return self.position.side * self.position.lots * self.instrument.contract * self.rate

    @property
    def notional(self) -> float:
        """Account currency, signed by the side."""
        return self.point * self.position.price

    @property
    def floating(self) -> float:
        """Profit or loss if it were closed at ``price``, account currency, before commission and swap."""
        return self.point * (self.position.price - self.position.entry)


def holdings(
    positions: Sequence[OpenPosition], instruments: Mapping[str, Instrument], rates: Mapping[str, float], currency: str
) -> list[Holding]:
    """Positions with their instruments and conversion rates. ``rates``: account currency per unit of a currency, by
    its name."""
    held = []
    for position in positions:
        if position.instrument not in instruments:
            raise BadRequest(
                f"there is no instrument {position.instrument!r}; "
                "the risk of a position needs its contract size and currencies"
            )
        instrument = instruments[position.instrument]
        rate = 1.0 if instrument.quote == currency else rates.get(instrument.quote, np.nan)
        if not (np.isfinite(rate) and rate > 0):
            raise BadRequest(
                f"{position.instrument} is quoted in {instrument.quote} and the account is in {currency}; "
                f"give the rate of {instrument.quote} in {currency}"
            )
        held.append(Holding(position, instrument, float(rate)))
    return held


def open_at(
    trades: pd.DataFrame, ts: pd.Timestamp, prices: Mapping[str, float], fills: pd.DataFrame | None = None
) -> list[OpenPosition]:
    """The positions of a run or an imported account that were open at ``ts``, at ``prices`` by instrument: entered at
    or before it and not yet closed; an empty ``exit_ts`` is not closed.

    ``trades`` and ``fills`` as ``tidemark backtest`` writes them; of trades the columns ``instrument side lots
    entry_ts entry_price exit_ts`` are needed and ``stop_loss`` is used. With fills the lots are those still open;
    without them the lots of the whole trade. The stop is the first one: a run stores no later ones with its trades.

    >>> trades = pd.DataFrame(dict(trade_id=1, instrument="EURUSD", side=["long"], lots=1.0, entry_price=1.1,
    ...     stop_loss=1.09, entry_ts=pd.Timestamp("2024-01-02T10:00Z"),
    ...     exit_ts=pd.Timestamp("2024-01-02T12:00Z")))
    >>> open_at(trades, pd.Timestamp("2024-01-02T11:00Z"), dict(EURUSD=1.105))
    [OpenPosition(instrument='EURUSD', side=1, lots=1.0, entry=1.1, price=1.105, stop=1.09)]
    >>> open_at(trades, pd.Timestamp("2024-01-02T12:00Z"), dict(EURUSD=1.105))
    []
    """
    rows = trades[(trades["entry_ts"] <= ts) & ~(trades["exit_ts"] <= ts)]
    remaining = _remaining(fills, ts) if fills is not None else {}
    positions = []
    for row in rows.to_dict("records"):
        name, lots = str(row["instrument"]), float(remaining.get(row.get("trade_id"), row["lots"]))
        if lots <= 0:
            continue
        if name not in prices:
            raise BadRequest(
                f"{name} has an open position at {ts:%Y-%m-%d %H:%M} UTC and no price; "
                "give the price of each instrument held"
            )
        side = 1 if str(row["side"]) in LONG else -1
        entry, stop = float(row["entry_price"]), float(row.get("stop_loss", np.nan))
        positions.append(OpenPosition(name, side, lots, entry, float(prices[name]), stop))
    return positions


def _remaining(fills: pd.DataFrame, ts: pd.Timestamp) -> dict[Any, float]:
    """Lots still open of each trade: those of its first side less those of the other."""
    until = fills[fills["ts"] <= ts]
    signed = until["lots"].to_numpy(float) * np.where(until["side"] == "buy", 1.0, -1.0)
    total = pd.Series(signed).groupby(until["trade_id"].to_numpy()).sum().abs().round(9)
    return {int(str(trade)): float(lots) for trade, lots in total.items()}
