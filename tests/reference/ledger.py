"""What is booked: money, fills, trades, counts (sections 5 to 8). Everything that happens to an account goes through here."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from domain.risk.limits import Limits
from domain.trading.account import Account
from domain.trading.costs import Costs
from domain.trading.execution import Execution
from domain.trading.task import COUNTS
from tests.reference.bars import Bar, on_grid
from tests.reference.clocks import utc
from tests.reference.conversion import Conversion
from tests.reference.costs import given, in_price_units
from tests.reference.orders import BUY_OR_SELL, LONG_OR_SHORT, STOP_REASONS, Position, Series, Signal

WORD = 2**64


def splitmix64(x: int) -> int:
    """Section 8, letter by letter.

    >>> hex(splitmix64(0))
    '0xe220a8397b1dcdaf'
    """
    z = (x + 0x9E3779B97F4A7C15) % WORD
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 % WORD
    z = (z ^ z >> 27) * 0x94D049BB133111EB % WORD
    return z ^ z >> 31


@dataclass(frozen=True, slots=True)
class Place:
    """Where and when something fills. ``ts`` is the time of the fill and of its rate (section 7), ``atr_bar`` the last closed bar."""

    how: str  # open, inside, close, elsewhere (at an instant at which no bar of the series ends), end
    bar: Bar
    ts: int
    spread: float
    atr_bar: int


def at_open(bar: Bar) -> Place:
    return Place("open", bar, bar.ts, bar.spread, bar.number - 1)


def inside(bar: Bar, piece: Bar) -> Place:
    """In step 2 of ``bar``, on ``piece``: the bar itself, or in ``magnify`` one of its finer bars, with its own spread."""
    return Place("inside", bar, bar.ts, piece.spread, bar.number - 1)


def at_close(bar: Bar, how: str = "close") -> Place:
    return Place(how, bar, bar.end, bar.spread, bar.number)


def elsewhere(series: Series, instant: int) -> Place:
    """At the last known close of a series none of whose bars ends at ``instant``."""
    return Place("elsewhere", series.opened, instant, series.closed.spread, series.closed.number)


@dataclass(slots=True)
class Exposure:
    """A position open at some moment of a step 2: its lots and average after the step's entries, and its stop (equity low, section 6)."""

    position: Position
    lots: float
    entry_price: float
    stop: float | None
    fill_number: int


Measured = tuple[float, float, float]
NOTHING: Measured = (math.nan, math.nan, math.nan)


class Ledger:
    """The account as it runs."""

    def __init__(
        self,
        account: Account,
        costs: Costs,
        execution: Execution,
        conversion: Conversion,
        limits: Limits = Limits(),
        every_series: Sequence[Series] = (),
    ) -> None:
        self.account, self.costs, self.execution, self.conversion = account, costs, execution, conversion
        self.limits, self.every_series = limits, every_series
        self.balance = account.balance
        self.open: dict[int, Position] = {}  # by trade_id: oldest first
        self.fills: list[dict] = []
        self.trades: list[dict] = []
        self.equity: list[dict] = []
        self.counts: Counter[str] = Counter(dict.fromkeys(COUNTS, 0))
        self.entries = 0
        self.exits_at_the_end = 0
        self.ambiguous: set[tuple[int, int]] = set()  # (trade, bar)
        self.reviews: list[dict] = []
        self.ended_r: list[float] = []  # of the trades that have ended and have an R, in the order of their last fills
        self.results: dict[int, list[float]] = {series.number: [] for series in every_series}  # the same by series
        self.entry_times: list[int] = []
        self.day, self.day_start, self.last_equity, self.peak = -1, account.balance, account.balance, account.balance
        self.halted_today = self.halted_for_good = False
        self.held_back: set[str] = set()  # why a person lets nothing enter
        self.ask = False  # entries are proposals
        self.floors: Any = None  # of a rule set
        self._daily_closes: dict[str, dict[int, float]] = {}
        self.begin_instant()

    def begin_instant(self) -> None:
        """Section 6, ``equity_low``: the balance before step 2, and what the instant books in step 2, stop-out and step 3."""
        self.balance_before, self.instant_costs = self.balance, 0.0
        self.exposures: dict[int, Exposure] = {}

    def expose(self, position: Position) -> None:
        self.exposures[position.trade_id] = Exposure(position, position.lots, position.entry_price, position.stop, position.fills)

    # --- what is refused, shrunk or capped ---

    @property
    def halted(self) -> bool:
        return self.halted_today or self.halted_for_good or bool(self.held_back)

    def refuse(self, series: Series, signal: Signal, instant: int, reason: str, lots: float, measured: Measured = NOTHING) -> None:
        self.count_and_review(series, signal, instant, "refused", reason, lots, 0.0, measured)

    def count_and_review(self, series: Series, signal: Signal, instant: int, verdict: str, reason: str, lots: float, given: float, measured: Measured = NOTHING) -> None:
        """Section 9: ``lots`` are those that the check was given, NaN where the order was not yet sized. ``measured``: what was found, and allowed, and a buffer."""
        value, allowed, buffer = measured
        self.counts[reason] += 1
        self.reviews.append({
            "order_id": signal.number + 1, "ts": instant, "instrument": series.instrument.name, "verdict": verdict, "reason": reason,
            "lots_requested": lots, "lots_given": given, "value": value, "allowed": allowed if math.isfinite(allowed) else math.nan, "buffer": buffer,
        })  # fmt: skip

    # --- what the account is worth ---

    def rate(self, series: Series, instant: int, counted: bool) -> float:
        """Account currency per unit of the series' quote currency; ``stale_rate`` counts fills, swap bookings and sizings, not marks."""
        quoted = self.conversion.rate(series.instrument.quote, instant)
        if counted and quoted.stale:
            self.counts["stale_rate"] += 1
        return quoted.value

    def used_margin(self) -> float:
        return sum(position.margin for position in self.open.values())

    def equity_at_last_known_closes(self) -> float:
        """Section 8: balance + the marks of open positions."""
        return self.balance + sum(position.mark for position in self.open.values())

    def margin_needed(self, series: Series, lots: float, price: float, instant: int) -> float:
        """Lots × contract × |fill price| ÷ min(account leverage, instrument's), or the instrument's margin per lot, in quote currency."""
        instrument = series.instrument
        if instrument.margin_per_lot > 0:
            needed = lots * instrument.margin_per_lot
        else:
            needed = lots * instrument.contract * abs(price) / min(self.account.leverage, instrument.leverage)
        return needed * self.rate(series, instant, counted=False)

    def notional(self, series: Series, lots: float, price: float, instant: int) -> float:
        """Lots × contract × |fill price| × rate, in account currency."""
        return lots * series.instrument.contract * abs(price) * self.rate(series, instant, counted=False)

    def daily_closes(self, name: str) -> dict[int, float]:
        """By UTC day: the last close of a bar, of the instrument's first task, that ended on that day."""
        if name not in self._daily_closes:
            first = next(series for series in self.every_series if series.instrument.name == name)
            self._daily_closes[name] = {utc(bar.end).date().toordinal(): bar.close for bar in first.bars}
        return self._daily_closes[name]

    def has_margin_for(self, needed: float) -> bool:
        free = self.equity_at_last_known_closes() - self.used_margin()
        return needed <= free + 1e-9 * abs(free)

    # --- costs ---

    def slippage(self, series: Series, signal: Signal, fill_number: int, atr_bar: int) -> float:
        """Section 5, always adverse: ``fixed`` price units; ``atr`` k × ATR of the last closed bar; ``random`` up to the amount."""
        costs = self.costs
        if costs.slippage_kind == "fixed":
            return in_price_units(costs, series.instrument, "slippage")
        if costs.slippage_kind == "atr":
            atr = series.atr(costs.slippage_window, atr_bar)
            return 0.0 if math.isnan(atr) else given(costs, series.instrument, "slippage") * atr
        return in_price_units(costs, series.instrument, "slippage") * (splitmix64((costs.seed ^ (signal.number * 16 + fill_number)) % WORD) / WORD)

    def commission(self, series: Series, lots: float, price: float, rate: float) -> float:
        """Account currency per lot and side; or per million of notional; or basis points of notional."""
        notional = lots * series.instrument.contract * abs(price) * rate
        amount = given(self.costs, series.instrument, "commission_per_lot")
        return {"per_lot": amount * lots, "per_million": notional / 1e6 * amount, "bps": notional * amount / 1e4}[
            self.costs.commission_kind
        ]

    # --- bookings ---

    def book_entry(self, position: Position, lots: float, price: float, slippage: float, reason: str, place: Place) -> None:
        """The fill of an entry or of an add: its commission is booked at once."""
        rate = self.rate(position.series, place.ts, counted=True)
        commission = self.commission(position.series, lots, price, rate)
        self._pay(position, commission)
        self._record(position, position.side, lots, price, slippage, commission, reason, place, rate)

    def book_exit(self, position: Position, lots: float, price: float, slippage: float, reason: str, place: Place) -> None:
        """``lots`` leave at ``price``, worse by ``slippage``; margin and mark are released pro rata."""
        rate = self.rate(position.series, place.ts, counted=True)
        fill = price - position.side * slippage
        gross = position.profit(fill, lots) * rate
        commission = self.commission(position.series, lots, fill, rate)
        self.balance += gross
        position.gross += gross
        self._pay(position, commission)
        self._release(position, lots)
        position.exit_money += lots * fill
        position.fills += 1
        self._record(position, -position.side, lots, fill, slippage, commission, reason, place, rate)
        self._note_exit_price(position, fill, place)
        if position.lots == 0:
            self._finish(position, price, fill, reason, place)

    def book_swap(self, position: Position, nights: int, instant: int) -> None:
        """Section 5: per lot and night in the quote currency, negative = paid; one booking for the nights of one bar or gap."""
        instrument = position.series.instrument
        own = instrument.swap_long if position.side > 0 else instrument.swap_short
        overridden = given(self.costs, instrument, "swap_long" if position.side > 0 else "swap_short")
        per_night = own if overridden is None else overridden
        if per_night == 0:
            return
        swap = per_night * position.lots * nights * self.rate(position.series, instant, counted=True)
        self.balance += swap
        position.swap += swap
        self.instant_costs -= swap

    def _pay(self, position: Position, commission: float) -> None:
        self.balance -= commission
        position.costs += commission
        self.instant_costs += commission

    def _release(self, position: Position, lots: float) -> None:
        left = on_grid(position.lots - lots)
        position.margin *= left / position.lots
        position.notional *= left / position.lots
        position.mark *= left / position.lots
        position.lots = left

    def _record(
        self,
        position: Position,
        side: int,
        lots: float,
        price: float,
        slippage: float,
        commission: float,
        reason: str,
        place: Place,
        rate: float,
    ) -> None:
        """Section 7: half the spread and the slippage are already in the prices; here they are information, in account currency."""
        money = lots * position.series.instrument.contract * rate
        position.series.filled = place.bar.number
        self.fills.append({
            "fill_id": len(self.fills) + 1, "order_id": position.signal.number + 1, "trade_id": position.trade_id,
            "ts": place.ts, "bar_ts": place.bar.ts, "instrument": position.series.instrument.name, "side": BUY_OR_SELL[side],
            "lots": lots, "price": price, "spread_cost": place.spread / 2 * money, "slippage_cost": slippage * money,
            "commission": commission, "reason": reason,
        })  # fmt: skip

    # --- the end of a trade ---

    def _note_exit_price(self, position: Position, fill: float, place: Place) -> None:
        bar, best = position.exits_in_bar
        if bar == place.bar.number:
            fill = max(fill * position.side, best * position.side) * position.side
        position.exits_in_bar = (place.bar.number, fill)

    def _finish(self, position: Position, price: float, fill: float, reason: str, place: Place) -> None:
        """The position is gone: its tag is free, the add of its grid with it, and the trade is written."""
        self._see_exit_bar(position, price, fill, reason, place)
        series = position.series
        del self.open[position.trade_id]
        del series.positions[position.signal.tag]
        series.pending = [order for order in series.pending if order.position is not position]
        self.trades.append(self._trade(position, reason, place))
        if position.risk is not None:
            self.ended_r.append(self.trades[-1]["r"])
            self.results[series.number].append(self.trades[-1]["r"])

    def _see_exit_bar(self, position: Position, price: float, fill: float, reason: str, place: Place) -> None:
        """Section 7, MAE/MFE: an exit at an open: that price only; else favourable to the exit price, adverse not beyond a stop's fill."""
        if place.how in ("open", "elsewhere"):
            position.see_favourable(price)
            position.see_adverse(price)
        elif place.how in ("inside", "close"):
            position.see_favourable(position.exits_in_bar[1])
            extreme = place.bar.closing(position.side).adverse(position.side)
            position.see_adverse(max(extreme * position.side, fill * position.side) * position.side if reason in STOP_REASONS else extreme)

    def _trade(self, position: Position, reason: str, place: Place) -> dict:
        pnl = position.gross - position.costs + position.swap
        r = math.nan if position.risk is None else pnl / (position.risk * position.unit_value * position.entry_lots)
        stop = position.signal.stop_loss
        return {
            "trade_id": position.trade_id, "tag": position.signal.tag, "instrument": position.series.instrument.name,
            "side": LONG_OR_SHORT[position.side], "lots": position.all_lots,
            "entry_ts": position.entry_ts, "entry_price": position.entry_price,
            "exit_ts": place.ts, "exit_price": position.exit_money / position.all_lots, "stop_loss": math.nan if stop is None else stop,
            "pnl_gross": position.gross, "costs": position.costs, "swap": position.swap, "pnl": pnl, "r": r,
            "mae_r": position.excursion(position.worst, -1), "mfe_r": position.excursion(position.best, 1),
            "bars_held": place.bar.number - position.entry_bar, "exit_reason": reason, "regime": "",
        }  # fmt: skip
