"""The margin that a regulator asks for: which orders would have been refused, and which positions closed out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from domain.compliance.amount import Percent
from domain.compliance.exposure import open_at, open_at_entries, specification, value_at, worth
from domain.compliance.margin_rates import RATES
from domain.compliance.needs import trades_needed
from domain.compliance.rule import (
    BLOCK,
    CLOSE_OUT,
    FLOOR,
    Breach,
    Known,
    Reading,
    Rule,
    Terms,
    first_of_days,
    rule,
    trades_behind,
)
from domain.compliance.stretch import Stretch
from domain.compliance.trades import Trades
from domain.params import param


@dataclass
class Memory:
    terms: Terms
    seen: int = -1
    largest: float = 0.0  # margin of one order


@rule("margin")
@dataclass(frozen=True)
class Margin(Rule):
    """Regulatory margin: an order whose margin, with that of all open positions, is more than the equity would have been refused."""

    line = FLOOR
    regulatory = True
    main = "regulator"
    required = ("regulator", "close_out")

    regulator: str = param(
        "ESMA", choices=tuple(RATES), title="Regulator", help="whose rates: ESMA (retail clients) or NFA (forex)"
    )
    close_out: Percent = param(
        Percent(50),
        unit="%",
        title="Close-out",
        help="share of the margin below which the equity may not fall; 0: no close-out",
    )

    def needs(self, known: Known) -> tuple[str, ...]:
        return trades_needed(known)

    def clause(self) -> str:
        out = f"; close-out when the equity falls below {self.close_out} of it" if self.close_out.value else ""
        return f"margin by the rates of {self.regulator}{out}"

    def start(self, terms: Terms) -> Memory:
        return Memory(terms)

    def margins(self, trades: Trades, terms: Terms) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
        """Rate and margin of each trade at its entry price, in account currency, and what is missing to know them."""
        value = worth(trades, terms.instruments, terms.currency)
        rates = np.full(len(trades), np.nan)
        for name in dict.fromkeys(trades.instrument.tolist()):
            about, rows = specification(name, terms.instruments), np.flatnonzero(trades.instrument == name)
            if about is not None:
                rates[rows] = RATES[self.regulator](about, trades.entry_ts[rows])
        return rates, np.where(rates == 0, 0.0, rates * value.notional), value.lacks

    def orders(self, trades: Trades, terms: Terms, ts: np.ndarray, equity: np.ndarray) -> pd.DataFrame:
        """``trade_id, ts, instrument, side, lots, entry_price, rate, margin, used, equity, refused`` of every entry: ``used`` is the margin of
        all positions that are then open, ``equity`` that of the last row at or before it."""
        rates, margin, _ = self.margins(trades, terms)
        used = open_at_entries(trades, np.nan_to_num(margin))
        rows = np.searchsorted(ts, trades.entry_ts, side="right") - 1
        has = np.where(rows >= 0, equity[np.maximum(rows, 0)], terms.initial)
        return pd.DataFrame(dict(
            trade_id=trades.id, ts=pd.DatetimeIndex(trades.entry_ts.view("datetime64[ns]")).tz_localize("UTC"), instrument=trades.instrument,
            side=np.where(trades.side > 0, "long", "short"), lots=trades.lots, entry_price=trades.entry_price, rate=rates, margin=margin,
            used=used, equity=has, refused=(used > has * (1 + 1e-9)) & (margin > 0),
        ))  # fmt: skip

    def read(self, memory: Memory, stretch: Stretch) -> Reading:
        trades = stretch.trades
        _, margin, lacks = self.margins(trades, memory.terms)
        margin = np.nan_to_num(margin)
        used = open_at_entries(trades, margin)
        equity = value_at(stretch, stretch.equity, stretch.equity_before, trades.entry_ts)
        rows = np.flatnonzero(stretch.opened & (used > equity * (1 + 1e-9)) & (margin > 0))
        breaches = [
            Breach(
                int(trades.entry_ts[row]),
                self.clause(),
                float(equity[row]),
                float(used[row]),
                BLOCK,
                (trades.id[row],),
                f"It needed {margin[row]:,.2f} of margin.",
            )
            for row in rows
        ]
        held = np.maximum(open_at(trades, margin, stretch.ts), 0.0)
        line = self.close_out.share * held if self.close_out.value else None
        if line is not None:
            breaches += self._closed_out(memory, stretch, line)
        memory.largest = max(memory.largest, float(margin[stretch.opened].max(initial=0.0)))
        detail = f"Margin in use: {held[-1]:,.2f}; of the largest order: {memory.largest:,.2f}."
        return Reading(
            line,
            float(stretch.equity[-1]),
            np.nan,
            sorted(breaches, key=lambda breach: breach.ts),
            limit=float(held[-1]),
            lacks=lacks,
            detail=detail,
        )

    def _closed_out(self, memory: Memory, stretch: Stretch, line: np.ndarray) -> list[Breach]:
        lowest = stretch.equity if stretch.low is None else stretch.low
        rows = first_of_days(stretch, (line > 0) & (lowest < line), memory.seen)
        if len(rows):
            memory.seen = int(stretch.days.number[stretch.day_of_rows(rows[-1:])[0]])
        return [
            Breach(
                int(stretch.ts[row]),
                self.clause(),
                float(lowest[row]),
                float(line[row]),
                CLOSE_OUT,
                trades_behind(stretch, int(row)),
            )
            for row in rows
        ]
