"""Seeded random cases, valid and unkind: levels lie where prices go, and every rule of docs/execution.md is met often.

About half of the cases have one task and a few features, half mix many; two in five have limits, and often a sizer that looks back.
``case(seed)`` is the same on every machine.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from domain.market.instrument import Instrument, instruments
from domain.market.timeframe import Timeframe
from domain.risk.limits import Limits
from domain.risk.sizing import Sizing
from domain.trading.account import Account
from domain.trading.costs import Costs, OwnByInstrument
from domain.trading.execution import Execution
from domain.trading.gate import Gate
from domain.trading.rules import Rules
from domain.trading.signals import NUMBERS, SIGNAL_COLUMNS
from domain.trading.task import Rate, Task
from tests.reference.clocks import utc
from tests.reference.floors import draw_gate
from tests.reference.guards import Plan, draw_governors, draw_limits, draw_plan, draw_sizing, with_governors
from tests.reference.walks import MINUTE, Walk, anchor, open_times, random_style, random_walk, with_finer

IN_DOLLARS = {"USD": 1.0, "EUR": 1.10, "GBP": 1.27, "JPY": 1 / 150}
TRADED = ("EURUSD", "EURUSD", "GBPUSD", "USDJPY", "EURGBP", "EURJPY", "GBPJPY", "XAUUSD", "NAS100", "CL=F", "CL=F", "ES=F")
STARTS = {"XAUUSD": 2000.0, "NAS100": 18_000.0, "ES=F": 5_000.0}
TIMEFRAMES = ("M5", "M15", "H1", "H4")
FINER = {"M5": "M1", "M15": "M5", "H1": "M15", "H4": "H1", "D1": "H4"}
FEATURES = (
    "pending", "targets", "many_targets", "r_targets", "break_even", "trail", "trail_start", "max_bars", "flat_by", "exit", "reverse",
    "tags", "oco", "grid", "own_lots", "edges", "crowd", "wrong_side", "no_stop",
)  # fmt: skip
FRACTIONS = {
    1: ((math.nan,), (1.0,), (0.5,), (0.3,), (0.001,)),
    2: ((0.5, 0.5), (0.3, 0.3), (0.05, 0.95), (0.001, 0.5), (0.7, 0.3)),
    3: ((0.1, 0.2, 0.7), (1 / 3, 1 / 3, 1 / 3), (0.001, 0.5, 0.4), (0.5, 0.25, 0.25)),
    4: ((0.25, 0.25, 0.25, 0.25), (0.4, 0.3, 0.2, 0.1), (0.1, 0.1, 0.1, 0.1), (0.002, 0.003, 0.495, 0.5)),
}
FLAT_BY = (
    "Fri 20:00 Europe/Athens", "Fri 16:59 America/New_York", "Fri 17:00 America/New_York", "Fri 16:00 America/New_York",
    "Sun 02:30 America/New_York", "Sun 01:30 America/New_York", "Sun 03:30 Europe/Athens", "Sun 18:00 America/New_York",
    "Wed 17:00 America/New_York", "Mon 00:00 Asia/Tokyo", "Tue 23:30 Europe/London", "Sat 12:00 UTC",
)  # fmt: skip
ZONES = ("UTC", "Europe/Athens", "America/New_York", "Asia/Tokyo", "Asia/Kolkata")


@dataclass(frozen=True)
class Case:
    """All arguments of ``simulate``."""

    tasks: tuple[Task, ...]
    account: Account
    costs: Costs
    execution: Execution
    sizing: Sizing
    rates: tuple[Rate, ...]
    limits: Limits = Limits()
    gate: Gate = Gate()

    @property
    def rules(self) -> Rules:
        return Rules(self.account, self.costs, self.execution, self.sizing, self.limits, self.gate)


@dataclass(frozen=True)
class Market:
    """One series to trade: an instrument, its random bars and, for ``magnify``, finer ones."""

    instrument: Instrument
    walk: Walk
    finer: Walk | None
    side: str
    spreads: list[float]  # as the bars will have them
    usual_lots: float

    def quote(self, bar: int, column: int, ask: bool) -> float:
        price, spread = self.walk.style.price(self.walk.ticks[bar][column]), self.spreads[bar]
        if self.side == "mid":
            return price + spread / 2 if ask else price - spread / 2
        return price + spread if ask else price


def case(seed: int) -> Case:
    """The case of that number."""
    rng = Random(seed)
    mixed = rng.random() < 0.5
    features = frozenset(rng.sample(FEATURES, rng.randint(8, len(FEATURES)) if mixed else rng.randint(0, 4)))
    plan, governors = draw_plan(seed, mixed), draw_governors(seed)
    if "es95" in governors and seed % 2:  # enough trades for a tail
        plan = replace(plan, more=60, features=plan.features | {"tags"})
    features |= plan.features
    execution = Execution(intrabar=rng.choice(("pessimistic", "optimistic", "path", "magnify")), reverse_on_opposite="reverse" in features)
    prone = rng.random() < 0.25
    costs_seed = rng.random()
    markets = _markets(rng, mixed, execution, prone, costs_seed, plan)
    costs = one_sided(seed, _costs(rng, mixed, markets[0].instrument.tick, costs_seed))
    costs = by_instrument(seed, costs, [market.instrument for market in markets])
    currency = rng.choice(("USD", "EUR", "JPY", "GBP")) if mixed or rng.random() < 0.3 else markets[0].instrument.quote
    markets, account, sizing = _money(rng, markets, currency, prone)
    risk = _risk(markets[0], currency, account.balance)
    sizing = draw_sizing(plan, sizing, risk, _yearly(markets[0], currency, account.balance))
    tasks = tuple(_task(rng, market, features, mixed, sizing, plan.more) for market in markets)
    if mixed and rng.random() < 0.04:
        tasks = (*tasks, tasks[0])
    tasks, sizing = with_first_factors(seed, with_sizes(seed, tasks)), with_entropy(seed, sizing)
    limits = draw_limits(plan, [market.walk.times for market in markets], _stretch(markets[0], currency, account.balance), risk)
    limits, tasks = with_governors(seed, governors, limits, tasks, risk)
    return Case(tasks, account, costs, execution, sizing, _rates(rng, markets, currency), limits, draw_gate(seed, risk, currency))


def with_sizes(seed: int, tasks: tuple[Task, ...]) -> tuple[Task, ...]:
    """Three cases of ten with a ``size`` at some of their signals; drawn apart, so that everything else of a case is as it was before there were sizes."""
    rng = Random(f"{seed} size")
    if rng.random() >= 0.3:
        return tasks
    shares = (math.nan, math.nan, 1.0, 0.5, 1 / 3, 0.07, 0.9, 2.0, 10.0, 0.0)
    return tuple(replace(task, signals=task.signals.assign(size=[rng.choice(shares) for _ in range(task.count)])) for task in tasks)


def with_first_factors(seed: int, tasks: tuple[Task, ...]) -> tuple[Task, ...]:
    """Half of the cases with a factor of its own for the first add at some of their grids, drawn apart too."""
    rng, factors = Random(f"{seed} first factor"), (math.nan, 1.0, 1.5, 2.0, 0.5, 0.01)
    if rng.random() < 0.5:
        return tasks
    return tuple(replace(task, signals=task.signals.assign(grid_first_factor=_where_grids(task, [rng.choice(factors) for _ in range(task.count)]))) for task in tasks)


def as_read(task: Task) -> pd.DataFrame:
    """A task's signals with what reading fills in: an empty first factor of a grid is that of its further adds."""
    return task.signals.assign(grid_first_factor=task.signals["grid_first_factor"].fillna(task.signals["grid_lots_factor"]))


def _where_grids(task: Task, factors: list[float]) -> list[float]:
    return [math.nan if math.isnan(spacing) else factor for spacing, factor in zip(task.signals["grid_spacing"], factors, strict=True)]


def with_entropy(seed: int, sizing: Sizing) -> Sizing:
    """Half of the Kelly bets shrunk by their entropy, drawn apart too."""
    rng = Random(f"{seed} entropy")
    return replace(sizing, kind="kelly_entropy", entropy_lambda=rng.choice((0.3, 0.7, 1.0))) if sizing.kind == "kelly" and rng.random() < 0.5 else sizing


# --- bars ---


def _markets(rng: Random, mixed: bool, execution: Execution, prone: bool, costs_seed: float, plan: Plan) -> list[Market]:
    context = anchor(rng)
    count = rng.choice((1, 1, 2, 2, 3)) if mixed else 1
    count = max(count, plan.markets)
    same = rng.random() < 0.25 and not plan.daily
    names = [rng.choice(TRADED)] * count if same else [rng.choice(TRADED) for _ in range(count)]
    return [_market(rng, name, context, execution, prone, costs_seed, plan.daily) for name in names]


def _market(rng: Random, name: str, context: int, execution: Execution, prone: bool, costs_seed: float, daily: str) -> Market:
    traded = _variant(rng, instruments()[name])
    timeframe = Timeframe.named(daily or rng.choice(TIMEFRAMES))
    style = random_style(rng, traded.tick, rng.choice((15, 25, 40)) if prone else None)
    magnify = execution.intrabar == "magnify" or rng.random() < 0.03
    fewest, most = (40, 60) if daily == "H4" else (15, 30 if magnify else 80)
    times = open_times(rng, context, timeframe, rng.randint(fewest, most), style.missing)
    start = _start(rng, traded)
    if magnify and rng.random() < 0.95:
        walk, finer = with_finer(rng, timeframe, Timeframe.named(FINER[timeframe.name]), times, start, style)
    else:
        walk, finer = random_walk(rng, timeframe, times, start, style), None
    default = _spread(costs_seed, traded.tick)
    default = traded.spread if default is None else default
    spreads = [default if math.isnan(s) else s for s in (walk.spreads or [math.nan] * len(times))]
    usual = traded.lot_step * rng.choice((1, 2, 5) if traded.lot_step == 1 else (10, 30, 100))
    return Market(traded, walk, finer, rng.choice(("bid", "bid", "mid")), spreads, usual)


def _variant(rng: Random, traded: Instrument) -> Instrument:
    """The instrument with swaps, a limit that binds, and for futures a margin per lot, now and then."""
    changes: dict[str, Any] = {}
    if rng.random() < 0.5:
        changes |= {"swap_long": rng.choice((-6.5, -1.0, 2.0)), "swap_short": rng.choice((-3.0, 1.5, 0.0))}
    if rng.random() < 0.15:
        changes |= {"min_lot": traded.lot_step * rng.choice((2, 5))}
    if traded.kind == "future" and rng.random() < 0.3:
        changes |= {"margin_per_lot": rng.choice((50.0, 500.0, 5_000.0))}
    return replace(traded, **changes)


def _start(rng: Random, traded: Instrument) -> int:
    """The first price in ticks; oil often near zero, on either side."""
    if traded.negative_prices and traded.name == "CL=F":
        return rng.choice((rng.randint(-60, 60), rng.randint(-3000, -100), 7000))
    price = STARTS.get(traded.name) or IN_DOLLARS[traded.base] / IN_DOLLARS[traded.quote]
    return round(price / traded.tick)


# --- money ---


def _spread(costs_seed: float, tick: float) -> float | None:
    return None if costs_seed < 0.6 else round(costs_seed * 10 - 6) * tick


def _costs(rng: Random, mixed: bool, tick: float, costs_seed: float) -> Costs:
    often = 0.6 if mixed else 0.4
    slippage_kind = rng.choice(("fixed", "atr", "random"))
    slippage = rng.choice((0.1, 0.5)) if slippage_kind == "atr" else tick * rng.choice((0.5, 1, 1.3, 3, 12))
    commission_kind = rng.choice(("per_lot", "per_million", "bps"))
    given = rng.random() < 0.3
    return Costs(
        spread=_spread(costs_seed, tick),
        slippage=slippage if rng.random() < often else 0.0,
        slippage_kind=slippage_kind,
        slippage_window=rng.choice((1, 3, 5, 14)),
        seed=rng.choice((0, 7, 2**63 - 1, rng.randrange(2**63))),
        commission_per_lot={"per_lot": 3.5, "per_million": 30.0, "bps": 0.5}[commission_kind] if rng.random() < often else 0.0,
        commission_kind=commission_kind,
        swap_long=rng.choice((-6.5, 0.0, 4.0)) if given else None,
        swap_short=rng.choice((-2.5, 0.0, 1.0)) if given else None,
    )


def one_sided(seed: int, costs: Costs) -> Costs:
    """Where both swaps are given, sometimes only one of them."""
    which = Random(f"swaps of case {seed}").choice(("both", "both", "long", "short"))
    if which == "both":
        return costs
    return replace(costs, swap_short=None) if which == "long" else replace(costs, swap_long=None)


def by_instrument(seed: int, costs: Costs, traded: list[Instrument]) -> Costs:
    """Costs in pips, always where the pips differ (one number of price units for them is refused), and some that are an instrument's own."""
    rng = Random(f"costs of instruments of case {seed}")
    pip = traded[0].pip
    if rng.random() < 0.3 or len({instrument.pip for instrument in traded}) > 1:
        spread = None if costs.spread is None else costs.spread / pip
        costs = replace(costs, unit="pips", spread=spread, slippage=costs.slippage if costs.slippage_kind == "atr" else costs.slippage / pip)
    own: dict[str, dict[str, float]] = {}
    for instrument in traded:
        if rng.random() < 0.3:
            scale = instrument.pip if costs.unit == "price" else 1.0
            slippage = rng.choice((0.0, 0.3)) if costs.slippage_kind == "atr" else rng.choice((0.0, 0.3, 1.0, 4.0)) * scale
            values = dict(spread=rng.choice((0.0, 0.7, 2.0)) * scale, slippage=slippage, commission_per_lot=rng.choice((0.0, 1.5)), swap_long=-3.0, swap_short=rng.choice((0.0, 2.0)))
            own[instrument.name] = {name: value for name, value in values.items() if rng.random() < 0.5}
    return replace(costs, instruments=OwnByInstrument(own))


def _money(rng: Random, markets: list[Market], currency: str, prone: bool) -> tuple[list[Market], Account, Sizing]:
    """A balance and leverages that are loose, tight, or such that a stop-out is near."""
    leverage = 2000.0 if prone else rng.choice((1.0, 10.0, 30.0, 100.0, 500.0))
    if prone or rng.random() < 0.4:
        markets = [replace(market, instrument=replace(market.instrument, leverage=leverage)) for market in markets]
    needed = sum(_margin(market, currency, leverage) * market.usual_lots for market in markets)
    factor = rng.uniform(1.1, 3.0) if prone else rng.choice((rng.uniform(0.6, 2.5), rng.uniform(5, 50), rng.uniform(20, 500)))
    balance = max(1.0, round(needed * factor, 2))
    account = Account(balance, currency, leverage if rng.random() < 0.7 else 2000.0, rng.choice((0.0, 0.2, 0.5, 0.5, 1.0)))
    first = markets[0]
    kind = rng.choice(("fixed_lots", "fixed_lots", "notional", "fraction_at_risk"))
    point = _worth(first, currency)
    value = {
        "fixed_lots": first.usual_lots * rng.choice((1, 1, 1, 0.337, 2)),
        "notional": first.usual_lots * _height(first) * point / balance * rng.uniform(0.3, 1.5),
        "fraction_at_risk": _risk(first, currency, balance) * rng.uniform(0.3, 2.0),
    }[kind]
    if rng.random() < 0.1:
        markets = [replace(m, instrument=replace(m.instrument, max_lot=max(m.instrument.min_lot, m.usual_lots))) for m in markets]
    return markets, account, Sizing(kind, value)


def _worth(market: Market, currency: str) -> float:
    """Account currency per lot and price unit, about."""
    return market.instrument.contract * IN_DOLLARS[market.instrument.quote] / IN_DOLLARS[currency]


def _risk(market: Market, currency: str, balance: float) -> float:
    """Share of the balance lost by the usual lots in a few bars, about."""
    move = market.walk.style.volatility * market.instrument.tick
    return market.usual_lots * 3 * move * _worth(market, currency) / balance


def _yearly(market: Market, currency: str, balance: float) -> float:
    """The yearly volatility of the balance that the usual lots have, about."""
    bars = 365.25 * 1440 / market.walk.timeframe.minutes
    return _risk(market, currency, balance) / 3 * math.sqrt(bars)


def _stretch(market: Market, currency: str, balance: float) -> float:
    """Notional of the usual lots over the balance, about."""
    return market.usual_lots * _height(market) * _worth(market, currency) / balance


def _height(market: Market) -> float:
    return max(abs(market.walk.style.price(market.walk.ticks[0][0])), 50 * market.instrument.tick)


def _margin(market: Market, currency: str, leverage: float) -> float:
    """Account currency per lot, about."""
    if market.instrument.margin_per_lot:
        return market.instrument.margin_per_lot * IN_DOLLARS[market.instrument.quote] / IN_DOLLARS[currency]
    return _height(market) * _worth(market, currency) / min(leverage, market.instrument.leverage)


# --- rates ---


def _rates(rng: Random, markets: list[Market], currency: str) -> tuple[Rate, ...]:
    """Bars that convert every quote currency: direct, inverse or through USD; sometimes old; sometimes more than are needed."""
    begin, end = min(m.walk.times[0] for m in markets), max(m.walk.times[-1] for m in markets)
    pairs: list[tuple[str, str]] = []
    for quote in dict.fromkeys(m.instrument.quote for m in markets):
        own = all(m.instrument.base == currency for m in markets if m.instrument.quote == quote)
        if quote != currency and not (own and rng.random() < 0.6):
            pairs += _way(rng, quote, currency)
    if pairs and rng.random() < 0.15:
        pairs.append(rng.choice(pairs)[::-1] if rng.random() < 0.5 else rng.choice(pairs))
    return tuple(_rate(rng, pair, begin, end) for pair in pairs)


def _way(rng: Random, source: str, target: str) -> list[tuple[str, str]]:
    legs = [(source, target)]
    if "USD" not in (source, target) and rng.random() < 0.5:
        legs = [(source, "USD"), ("USD", target)]
    return [leg if rng.random() < 0.5 else leg[::-1] for leg in legs]


def _rate(rng: Random, pair: tuple[str, str], begin: int, end: int) -> Rate:
    price = IN_DOLLARS[pair[0]] / IN_DOLLARS[pair[1]]
    shape = instruments()["USDJPY" if price > 20 else "EURUSD"]
    instrument = instruments().get("".join(pair)) or replace(
        shape, name="".join(pair), base=pair[0], quote=pair[1], tick=shape.tick / (1000 if price < 0.1 else 1)
    )
    timeframe = Timeframe.named(rng.choice(TIMEFRAMES))
    step = timeframe.nanoseconds
    old = rng.choice((0, 0, 0, 0, 3 * 1440, 4 * 1440 - 60, 4 * 1440, 5 * 1440)) * MINUTE
    first = (begin - old) // step - rng.randint(1, 6)
    last = first + rng.randint(0, 5) if old else max(first, end // step + 1)
    numbers = list(range(first, last + 1))
    chosen = sorted({first, *rng.sample(numbers, min(len(numbers), 40))})
    walk = random_walk(rng, timeframe, [n * step for n in chosen], round(price / instrument.tick), random_style(rng, instrument.tick, 30))
    return Rate(instrument, timeframe, walk.frame(), rng.choice(("bid", "bid", "mid")))


# --- signals ---


def _task(rng: Random, market: Market, features: frozenset[str], mixed: bool, sizing: Sizing, more: int) -> Task:
    rows = [_signal(rng, market, bar, features, sizing) for bar in _signal_bars(rng, market, features, mixed, more)]
    if "exit" in features:
        rows = [signal for row in rows for signal in _with_exit(rng, row, len(market.walk.times) - 1)]
    walk, finer = market.walk, market.finer
    return Task(
        instrument=market.instrument, timeframe=walk.timeframe, bars=walk.frame(), signals=_table(market, rows), side=market.side,
        finer=finer.frame() if finer else None, finer_timeframe=finer.timeframe if finer else None,
        trail_price=_trail_price(rng, market) if "trail" in features else None,
    )  # fmt: skip


def _signal_bars(rng: Random, market: Market, features: frozenset[str], mixed: bool, more: int) -> list[int]:
    count, last = (rng.randint(2, 12) if mixed else rng.randint(1, 5)) + more, len(market.walk.times) - 1
    bars = [rng.randrange(last) for _ in range(count)]
    if "crowd" in features:
        bars += [rng.choice(bars) for _ in range(rng.randint(1, 4))]
    if "edges" in features:
        bars += rng.choice(([0], [last], [0, last], [last - 1, last]))
    return bars if rng.random() < 0.1 else sorted(bars)


def _signal(rng: Random, market: Market, bar: int, features: frozenset[str], sizing: Sizing) -> dict:
    def has(feature: str) -> bool:
        return feature in features and rng.random() < 0.55

    row: dict = {"at": bar, "order": "market", "side": rng.choice((1, -1))}
    row["tag"] = rng.choice(("a", "b", "c")) if "tags" in features else ""
    if "exit" in features and rng.random() < 0.03:
        return row | {"order": "exit", "side": rng.choice((0, 0, 1, -1))}
    side, ask = row["side"], row["side"] > 0
    entry = market.quote(bar, 3, ask)
    if has("pending"):
        row["order"] = rng.choice(("stop", "limit"))
        beyond = side if row["order"] == "stop" else -side
        entry = row["price"] = _level(rng, market, bar, ask, entry, -beyond if rng.random() < 0.1 else beyond)
        if rng.random() < 0.6:
            row["valid_bars"] = rng.choice((1, 1, 2, 3, 5, 10, 100))
    if rng.random() < (0.95 if sizing.kind in ("fraction_at_risk", "kelly", "kelly_entropy") else 0.5 if "no_stop" in features else 0.85):
        wrong = has("wrong_side") and rng.random() < 0.2
        row["stop_loss"] = _level(rng, market, bar, not ask, entry - side * market.spreads[bar], side if wrong else -side)
    if has("own_lots"):
        row["lots"] = _own_lots(rng, market)
    if has("oco"):
        row["oco"] = rng.choice(("x", "x", "y"))
    if has("max_bars"):
        row["max_bars"] = rng.choice((1, 1, 2, 3, 5, 8, 20))
    if has("flat_by"):
        row["flat_by"] = _flat_by(rng, market, bar)
    return row | (_grid(rng, market) if has("grid") else _protection(rng, market, row, entry, features))


def _with_exit(rng: Random, row: dict, last: int) -> list[dict]:
    """Some signals are followed by an exit of their tag, a few bars later."""
    if row["order"] == "exit" or rng.random() < 0.6:
        return [row]
    return [row, {"at": min(last, row["at"] + rng.randint(0, 5)), "order": "exit", "side": rng.choice((0, 0, 1, -1)), "tag": row["tag"]}]


def _level(rng: Random, market: Market, bar: int, ask: bool, reference: float, direction: int) -> float:
    """A price that the bars to come will touch, miss or overrun by little, on the wanted side of ``reference``; else some ticks from it."""
    tick, last = market.instrument.tick, len(market.walk.times) - 1
    level = math.nan
    near = rng.random() < 0.3
    for _ in range(0 if near else 4):
        future = min(last, bar + 1 + min(rng.randrange(12), rng.randrange(12)))
        level = market.quote(future, rng.randrange(4), ask) + rng.choice((0, 0, 0, 0, 1, -1, 2, -3, 0.5)) * tick
        if (level - reference) * direction > 0:
            break
    else:
        level = reference + direction * rng.randint(1, (1 if near else 4) * market.walk.style.volatility) * tick
    return round(level, 9) if rng.random() < 0.7 else level


def _own_lots(rng: Random, market: Market) -> float:
    step = market.instrument.lot_step
    return rng.choice((*[market.usual_lots] * 4, step, step * 3.7, step * 29, step * 10.5, step * 0.5, market.instrument.max_lot * 1.5))


def _flat_by(rng: Random, market: Market, bar: int) -> str:
    """A moment near a bar to come, in words of some zone; or one that only a clock has."""
    if rng.random() < 0.3:
        return rng.choice(FLAT_BY)
    times = market.walk.times
    future = min(len(times) - 1, bar + rng.randint(1, 15))
    moment = times[future] + rng.choice((0, 0, -MINUTE, MINUTE, market.walk.timeframe.nanoseconds, 7 * MINUTE))
    zone = rng.choice(ZONES)
    return utc(moment).astimezone(ZoneInfo(zone)).strftime("%a %H:%M ") + zone


def _grid(rng: Random, market: Market) -> dict:
    tick, volatility = market.instrument.tick, market.walk.style.volatility
    return {
        "grid_spacing": rng.randint(1, 3 * volatility) * tick,
        "grid_max_adds": rng.choice((0, 1, 2, 3, 5)),
        "grid_lots_factor": rng.choice((1.0, 1.5, 2.0, 0.5, 0.01)),
        "grid_basket_target": rng.choice((1, rng.randint(1, 4 * volatility), 3 * volatility)) * tick,
    }


def _protection(rng: Random, market: Market, row: dict, entry: float, features: frozenset[str]) -> dict:
    """Targets, break-even and trail."""
    values: dict = {}
    may_ask_for_r = "stop_loss" in row or rng.random() < 0.05
    tick, side = market.instrument.tick, row["side"]
    count = rng.randint(2, 4) if "many_targets" in features and rng.random() < 0.55 else 1
    if ("targets" in features or "many_targets" in features or rng.random() < 0.3) and rng.random() < 0.7:
        for k, fraction in enumerate(rng.choice(FRACTIONS[count]), 1):
            if ("r_targets" in features and "stop_loss" in row and rng.random() < 0.6) or ("r_targets" in features and rng.random() < 0.03):
                values[f"target_r_{k}"] = rng.choice((0.3, 0.5, 1.0, 1.5, 2.0, 3.0))
            else:
                wrong = "wrong_side" in features and rng.random() < 0.1
                values[f"target_{k}"] = values.get(f"target_{k - 1}", math.nan) if rng.random() < 0.1 else math.nan
                if math.isnan(values[f"target_{k}"]):
                    values[f"target_{k}"] = _level(rng, market, row["at"], side < 0, entry, -side if wrong else side)
            values[f"fraction_{k}"] = 1.0 if math.isnan(fraction) else fraction
    if "break_even" in features and may_ask_for_r and rng.random() < 0.75:
        values |= {
            "break_even_r": rng.choice((0.2, 0.3, 0.5, 1.0)),
            "break_even_offset": rng.choice((math.nan, 0.0, 0.0, 1.0, 3.0, -2.0, 8.0)) * tick,
        }
    if "trail" in features and rng.random() < 0.6:
        values |= _trail(rng, market)
    if "trail_start" in features and may_ask_for_r and rng.random() < 0.5:
        values["trail_start_r"] = rng.choice((0.0, 0.3, 1.0, 1.0))
    return values


def _trail(rng: Random, market: Market) -> dict:
    kind = rng.choice(("points", "percent", "atr", "quantile"))
    volatility, tick = market.walk.style.volatility, market.instrument.tick
    value = {
        "points": rng.randint(1, 4 * volatility) * tick,
        "percent": rng.choice((0.004, 0.02, 0.04, 0.1, 0.5)),
        "atr": rng.choice((0.5, 1.0, 1.3, 2.5)),
        "quantile": math.nan,
    }[kind]
    return {"trail_kind": kind, "trail_value": value, "trail_window": rng.choice((1.0, 3.0, 5.0, 14.0)) if kind == "atr" else math.nan}


def _trail_price(rng: Random, market: Market) -> np.ndarray:
    """Below or above each bar, or nothing."""
    volatility, style = market.walk.style.volatility, market.walk.style
    below = [style.price(bar[2] - rng.randint(0, 2 * volatility)) for bar in market.walk.ticks]
    above = [style.price(bar[1] + rng.randint(0, 2 * volatility)) for bar in market.walk.ticks]
    return np.array([rng.choice((low, high, math.nan)) for low, high in zip(below, above, strict=True)])


def _table(market: Market, rows: list[dict]) -> pd.DataFrame:
    """The signals as ``read_signals`` returns them; built directly because reading costs more than simulating."""
    opens = np.array([market.walk.times[row["at"]] for row in rows], np.int64)
    columns: dict[str, object] = {
        "ts": pd.DatetimeIndex(opens.view("datetime64[ns]"), tz="UTC"),
        "instrument": as_words([market.instrument.name] * len(rows)),
    }
    columns["side"] = np.array([row["side"] for row in rows], np.int8)
    columns["order"] = as_words([row["order"] for row in rows])
    for name in SIGNAL_COLUMNS[4:]:
        if name in NUMBERS:
            columns[name] = np.array([row.get(name, math.nan) for row in rows], np.float64)
        else:
            columns[name] = as_words([row.get(name, "") for row in rows])
    order = ["ts", "instrument", "order", "side", *SIGNAL_COLUMNS[4:]]
    return pd.DataFrame({name: columns[name] for name in order})


def as_words(words: list[str]) -> pd.api.extensions.ExtensionArray:
    """``str``, stored as Python's own words: much cheaper than Arrow's for a few."""
    return pd.array(words, dtype=pd.StringDtype("python", na_value=math.nan))
