"""The headroom gate (section 9), sentence by sentence: its floors are those of the engine that judges any equity path, row by row."""

from __future__ import annotations

import math
from random import Random
from typing import TYPE_CHECKING, Any

from domain.compliance import Instant, Judge, load
from domain.compliance.rule import DAY_LOCK
from domain.trading.account import Account
from domain.trading.gate import Gate
from tests.reference.costs import in_price_units

if TYPE_CHECKING:
    from tests.reference.ledger import Ledger, Place
    from tests.reference.orders import Position, Series, Signal

TOLERANCE = 1e-9  # of the floor
CLOCKS = ("00:00 Europe/Prague", "17:00 America/New_York", "00:00 MT5 server", "17:00 America/Chicago", "09:30 UTC+2", "23:55 UTC")
KINDS = ("static", "trailing end-of-day balance", "trailing intraday balance", "trailing intraday equity peak")


class Floors:
    """Of a rule set's daily losses and drawdowns."""

    def __init__(self, gate: Gate, account: Account) -> None:
        self.judge = Judge(load(gate.rule_set, gate.name, gate.phase), account.balance, currency=account.currency)
        self.standings = [standing for standing in self.judge.standings if standing.rule.kind in ("daily_loss", "max_drawdown")]

    def row(self, row: dict) -> None:
        self.judge.step(Instant(row["ts"], row["balance"], row["equity"], row["equity_low"]))

    def refusal(self, ledger: Ledger, series: Series, signal: Signal, lots: float, price: float, stop: float | None, place: Place) -> tuple[float, float, float] | None:
        """Worst case, headroom and buffer of the tightest floor, if any floor is broken or would be."""
        result, refused = [], False
        for standing in self.standings:
            closed, strict = standing.rule.watch == "closed", standing.rule.comparator == "<="
            loss = math.nan if stop is None else _worst(ledger, series, signal, lots, price, stop, place) + _worst_of_open(ledger, closed)
            value = ledger.balance if closed else ledger.equity_at_last_known_closes()
            room, near = value - standing.line, TOLERANCE * abs(standing.line)
            left = room - standing.rule.buffer - loss
            refused = refused or self._broken(standing) or not (left > near if strict else left >= -near)
            result.append((left, (loss, room, standing.rule.buffer)))
        if not refused:
            return None
        return result[-1][1] if math.isnan(result[-1][0]) else min(result, key=lambda each: each[0])[1]

    def _broken(self, standing: Any) -> bool:
        """For good; or where it only locks the day, on the day of the last row."""
        if getattr(standing.rule, "effect", "") != DAY_LOCK:
            return bool(standing.breaches)
        return any(int(self.judge.clock.day_of(breach.ts)) == self.judge.carry.day for breach in standing.breaches[-1:])


def _worst(ledger: Ledger, series: Series, signal: Signal, lots: float, price: float, stop: float, place: Place) -> float:
    """The order: the distance to its stop, the spread of its bar and the slippage there, the commission of both fills."""
    rate = ledger.rate(series, place.ts, counted=False)
    beyond = place.bar.spread + _slippage(ledger, series, signal, place.bar.number - 1)
    money = (abs(price - stop) + beyond) * lots * series.instrument.contract * rate
    return money + ledger.commission(series, lots, price, rate) + ledger.commission(series, lots, stop, rate)


def _worst_of_open(ledger: Ledger, closed: bool) -> float:
    """What the open positions still lose at their stops; one without a stop: no number."""
    return math.nan if any(position.stop is None for position in ledger.open.values()) else sum(_still(ledger, position, closed) for position in ledger.open.values())


def _still(ledger: Ledger, position: Position, closed: bool) -> float:
    """From the last known close, before there is one from the fill; under the balance from the fill. With slippage and commission, at the value of the first fill."""
    series, last = position.series, position.series.closed
    seen = not closed and last is not None and last.number >= position.entry_bar
    price = last.closing(position.side).close if seen else position.entry_price
    distance = max(0.0, (price - position.stop) * position.side) + _slippage(ledger, series, position.signal, -1 if last is None else last.number)
    rate = position.unit_value / series.instrument.contract
    return distance * position.unit_value * position.lots + ledger.commission(series, position.lots, position.stop, rate)


def _slippage(ledger: Ledger, series: Series, signal: Signal, closed: int) -> float:
    """Of an exit after that bar; where it is random, the most."""
    if ledger.costs.slippage_kind == "random":
        return in_price_units(ledger.costs, series.instrument, "slippage")
    return ledger.slippage(series, signal, 0, closed)


# --- drawn apart from everything else of a case ---


def draw_gate(seed: int, risk: float, currency: str) -> Gate:
    """One case of six has a rule set, whose floors are some usual losses away. ``risk``: share of the balance of one."""
    rng = Random(f"{seed} gate")
    if rng.random() >= 1 / 6:
        return Gate()
    reset, _, tz = rng.choice(CLOCKS).partition(" ")
    lines = [f'currency = "{currency}"', "[day]", f'reset = "{reset}"', f'tz = "{tz}"']
    chosen = rng.choice(("daily", "drawdown", "both", "both"))
    lines += _daily(rng, risk) if chosen != "drawdown" else []
    lines += _drawdown(rng, risk) if chosen != "daily" else []
    return Gate("\n".join(lines), "drawn")


def _daily(rng: Random, risk: float) -> list[str]:
    percent, of = max(min(100 * risk * rng.uniform(0.5, 8), 90), 1e-6), rng.choice(("initial", "basis"))
    basis, effect = rng.choice(("balance", "equity", "max")), rng.choice(("FAIL", "DAY_LOCK"))
    return ["[daily]", f'basis = "{basis}"', f'amount = "{percent:.9f} % of {of}"', f'effect = "{effect}"', *_watched(rng)]


def _drawdown(rng: Random, risk: float) -> list[str]:
    percent, kind, lock = max(min(100 * risk * rng.uniform(1, 12), 95), 1e-6), rng.choice(KINDS), rng.choice(("none", "start", "start + 1"))
    return ["[drawdown]", f'kind = "{kind}"', f'amount = "{percent:.9f} %"', f'lock = "{lock}"', *_watched(rng)]


def _watched(rng: Random) -> list[str]:
    watch, comparator, buffer = rng.choice(("equity", "equity", "closed")), rng.choice(("<", "<=")), rng.choice((0.0, 0.0, 1.5))
    return [f'watch = "{watch}"', f'comparator = "{comparator}"', f"buffer = {buffer}"]
