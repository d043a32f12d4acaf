"""From the kernel's arrays after an instant to records with names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from domain.backtest.live_account import PLACE, LiveAccount
from domain.backtest.live_fields import reader
from domain.backtest.live_orders import Signals
from domain.backtest.live_records import Booked, EquityRow, Fill, Held, LiveSeries, Present, Resting, Review, Trade
from domain.backtest.state import ACCOUNT, ORDERS, POSITION, SIGNAL
from domain.trading.outcomes import COUNTS, REASONS, VERDICTS

FILLS, TRADES, REVIEWS, ROWS_OUT, ALL_ROWS, ALL_FILLS = (PLACE[name] for name in ("fills_out", "trades_out", "reviews_out", "rows_out", "rows", "fills"))
STANDING = reader(ACCOUNT, ("balance", "equity", "used", "day_start", "peak", "halted", "trades", "ambiguous", "positions", "pending", "waiting"))
WRITTEN = reader(ACCOUNT, ("rows", "fills_out", "reviews_out", "rows_out"))
ALL_COUNTS = slice(PLACE["counts"], PLACE["counts"] + len(COUNTS))
HELD = reader(POSITION, ("trade", "signal", "task", "side", "lots", "price", "stop", "reached", "entry_ts", "mark", "value", "swap", "margin", "leaves", "target"))
NAMED = reader(SIGNAL, ("number", "tag"))


class Carrier:
    """Carries fills, trades, reviews and rows out of the account. The last row stays: the end of the data rewrites it."""

    def __init__(self, series: Sequence[LiveSeries], account: LiveAccount, signals: Signals) -> None:
        self._account, self._signals = account, signals
        self._names = [each.instrument.name for each in series]
        self._rows = int(account.numbers[ALL_ROWS])
        self._counted, self._counts = b"", dict[str, int]()

    def booked(self, now: int) -> Booked:
        """What this instant booked; the row, if a bar ended at it."""
        (rows, fills, reviews, rows_out), row = WRITTEN(self._account.state["account"], 0), None
        if rows > self._rows:
            self._rows = rows
            row = self._new_row(rows_out)
        if not (fills or reviews):
            return Booked(now, row=row)
        return Booked(now, self._fills(), self._trades(), self._reviews(), row)

    def finished(self) -> Booked:
        """What the end of the data booked, with the last row as it is now."""
        booked = self.booked(0)
        row = self.last_row()
        return booked._replace(ts=row.ts if row else 0, row=row)

    def last_row(self) -> EquityRow | None:
        if not self._rows:
            return None
        _, *values = self._account.rows[:, 0].tolist()
        return EquityRow(int(self._account.outputs["row_ts"][0]), *values)

    def present(self) -> Present:
        account = self._account
        balance, equity, used, day_start, peak, halted, entries, ambiguous, positions, pending, waiting = STANDING(account.state["account"], 0)
        resting = tuple([self._resting(order) for orders in (account.waiting(), account.pending()) for order in orders]) if pending or waiting else ()
        held = tuple([self._held(place) for place in range(positions)])
        return Present(balance, equity, used, day_start, peak, halted, entries, ambiguous, self._present_counts(), held, resting)

    def _present_counts(self) -> Mapping[str, int]:
        """The same mapping as long as nothing more was counted."""
        counts = self._account.numbers[ALL_COUNTS]
        if (now := counts.tobytes()) != self._counted:
            self._counted, self._counts = now, dict(zip(COUNTS, counts.tolist(), strict=True))
        return self._counts

    def _new_row(self, rows_out: int) -> EquityRow | None:
        if rows_out == 2:
            self._account.rows[:, 0] = self._account.rows[:, 1]
            self._account.numbers[ROWS_OUT] = 1
        return self.last_row()

    def _fills(self) -> tuple[Fill, ...]:
        numbers, places = self._account.numbers, self._account.window.places
        count, signals = int(numbers[FILLS]), self._signals.table
        numbers[FILLS], first = 0, int(numbers[ALL_FILLS]) - count + 1
        return tuple(
            Fill(
                first + k, int(signals["number"][order]) + 1, trade, ts, self._bar_ts(bar, ts), self._names[bar // places], "buy" if side > 0 else "sell",
                lots, price, spread, slip, commission, REASONS[reason], bar // places,
            )
            for k, (order, trade, ts, bar, side, reason, lots, price, spread, slip, commission) in enumerate(self._account.outputs["fills"][:count].tolist())
        )  # fmt: skip

    def _bar_ts(self, bar: int, ts: int) -> int:
        """The open of the bar of a fill; of a broker's between two bars, the moment itself."""
        window = self._account.window
        k, b = divmod(bar, window.places)
        return int(window.columns["ts"][k, b]) if b < window.count[k] else ts

    def _trades(self) -> tuple[Trade, ...]:
        count, signals, words = int(self._account.numbers[TRADES]), self._signals.table, self._signals.tags.words
        self._account.numbers[TRADES] = 0
        return tuple(
            Trade(
                trade, words[int(signals["tag"][signal])], self._names[k], "long" if side > 0 else "short", lots, entered, entry, left, price, stop,
                gross, costs, swap, gross - costs + swap, r, mae, mfe, bars, REASONS[reason], "", k, int(signals["number"][signal]) + 1,
            )
            for trade, signal, k, side, reason, bars, entered, left, lots, entry, price, stop, gross, costs, swap, r, mae, mfe in self._account.outputs["trades"][:count].tolist()
        )  # fmt: skip

    def _reviews(self) -> tuple[Review, ...]:
        count, signals = int(self._account.numbers[REVIEWS]), self._signals.table
        self._account.numbers[REVIEWS] = 0
        return tuple(
            Review(int(signals["number"][signal]) + 1, ts, self._names[k], VERDICTS[verdict], COUNTS[reason], lots, given, value, most, buffer, k)
            for signal, ts, k, verdict, reason, lots, given, value, most, buffer in self._account.outputs["reviews"][:count].tolist()
        )

    def _held(self, place: int) -> Held:
        trade, signal, k, side, lots, price, stop, reached, entry_ts, mark, value, swap, margin, leaves, *target = HELD(self._account.state["positions"], place)
        number, tag = NAMED(self._signals.table, signal)
        targets = tuple([each for t, each in enumerate(target) if each == each and not reached & (1 << t)])
        risk = max(side * (price - stop) * lots * value + mark, 0.0) if stop == stop else stop
        return Held(trade, number + 1, k, self._names[k], self._signals.tags.words[tag], side, lots, price, stop, targets, entry_ts, mark, risk, swap, margin, bool(leaves))

    def _resting(self, order: np.void) -> Resting:
        s, k = self._signals.table[order["signal"]], int(order["task"])
        tag, group = self._signals.tags.words[int(s["tag"])], self._signals.groups.words[int(s["oco"])]
        targets = tuple(float(price) for price in s["target"] if price == price)
        return Resting(int(s["number"]) + 1, k, self._names[k], tag, int(s["side"]), ORDERS[int(s["order"])], float(order["lots"]), float(s["price"]), float(s["stop"]), targets, group, bool(order["held"]))
