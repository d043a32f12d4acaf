"""Limits and sizers for the cases, drawn so that they bind often: sizes follow the market, windows lie where its bars are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from random import Random
from zoneinfo import ZoneInfo

import numpy as np

from domain.risk.limits import Limits
from domain.risk.sizing import Sizing
from domain.trading.task import Task
from tests.reference.clocks import utc

MINUTE = 60_000_000_000
ZONES = ("UTC", "Europe/Athens", "America/New_York", "Asia/Tokyo", "Asia/Kolkata")
WINDOWS = (
    "Fri 20:00-Sun 23:00 Europe/Athens", "12:25-12:35 UTC", "23:30-00:30 UTC", "16:45-17:15 America/New_York", "22:00-02:00 Asia/Tokyo",
    "02:15-02:45 America/New_York", "01:30-02:30 America/New_York", "03:15-03:45 Europe/Athens", "Sun 01:45-Sun 02:15 America/New_York",
    "Wed 12:00-Wed 11:00 UTC",
)  # fmt: skip
RESETS = ("17:00 America/New_York", "00:00 UTC", "00:00 Europe/Prague", "02:30 America/New_York", "01:30 America/New_York", "23:59 Asia/Kolkata")


GOVERNORS = ("news", "session", "rate", "sector", "es95", "open_risk", "daily_gate", "drift")
SESSIONS = ("asia", "india", "london", "new_york")
COMPARED = 5_500  # values of a monitored feature that one bar's drift looks at


@dataclass(frozen=True)
class Plan:
    """What the limits of a case ask of its markets and signals; ``rng`` is their own, so that cases without limits stay what they were."""

    rng: Random
    names: frozenset[str] = frozenset()  # of the limits that are on
    sizer: str = ""
    features: frozenset[str] = field(default=frozenset())
    markets: int = 1
    daily: str = ""  # the timeframe of every series, where days have to be many
    more: int = 0  # signals


NAMES = (
    "max_leverage", "max_positions", "max_per_symbol", "max_currency", "daily_loss", "max_drawdown", "spread_spike", "volatility_spike", "blackout",
)  # fmt: skip


def draw_plan(seed: int, mixed: bool) -> Plan:
    """Two in five cases have limits, one of them or many."""
    rng = Random(f"limits of case {seed}")
    if rng.random() >= 0.4:
        return Plan(rng)
    names = frozenset(rng.sample(NAMES, rng.choice((0, 1, 1, 2, 3, 6))))
    correlated = rng.random() < 0.2
    sizer = rng.choice(("", "", "kelly", "volatility")) if names or correlated else rng.choice(("kelly", "volatility"))
    return Plan(
        rng=rng,
        names=names | ({"max_correlation"} if correlated else set()),
        sizer=sizer,
        features=frozenset({"tags"} if rng.random() < 0.6 else ()),
        markets=rng.choice((2, 2, 3)) if correlated else 1,
        daily=rng.choice(("H4", "D1", "D1")) if correlated else "",
        more=rng.randint(0, 6),
    )


def draw_sizing(plan: Plan, before: Sizing, risk: float, yearly: float) -> Sizing:
    """``risk`` and ``yearly``: share of the balance, and yearly volatility of it, that usual lots have."""
    rng = plan.rng
    if plan.sizer == "kelly":
        return Sizing(
            "kelly", rng.choice((0.25, 1.0, 3 * risk)), kelly_window=rng.choice((5, 5, 7)), kelly_first=rng.randint(1, 3),
            kelly_start=min(1.0, risk * rng.uniform(0.3, 2.0)), kelly_cap=min(1.0, risk * rng.uniform(0.3, 3.0)),
        )  # fmt: skip
    if plan.sizer == "volatility":
        return Sizing("volatility", min(1e6, yearly * rng.uniform(0.3, 2.0)), volatility_window=rng.randint(3, 20))
    return before


def draw_limits(plan: Plan, times: Sequence[Sequence[int]], stretch: float, risk: float) -> Limits:
    """``times``: the opens of each series; ``stretch``: notional of usual lots over the balance."""
    if not plan.names:
        return Limits()
    rng = plan.rng
    drawn: dict[str, object] = {
        "max_leverage": rng.choice((rng.uniform(0.5, 10), stretch * rng.uniform(0.2, 2.5))),
        "max_currency": rng.choice((rng.uniform(0.5, 10), stretch * rng.uniform(0.2, 2.5))),
        "max_positions": rng.randint(1, 2),
        "max_per_symbol": rng.randint(1, 2),
        "max_correlation": rng.uniform(0.01, 0.5),
        "daily_loss": rng.choice((rng.uniform(0.002, 0.03), min(1.0, risk * rng.uniform(0.1, 2.0)))),
        "max_drawdown": rng.choice((rng.uniform(0.005, 0.05), min(1.0, risk * rng.uniform(0.2, 3.0)))),
        "spread_spike": rng.uniform(1.2, 3.0),
        "volatility_spike": rng.uniform(1.2, 3.0),
        "blackout": "; ".join(_window(rng, rng.choice(times)) for _ in range(rng.choice((1, 1, 2, 3)))),
    }
    reset = rng.choice(RESETS) if rng.random() < 0.6 else _local(rng, rng.choice(times), "%H:%M ")
    limits = Limits(correlation_days=rng.choice((5, 5, 6, 8)), spike_window=rng.randint(2, 8), flatten=rng.random() < 0.5, day_reset=reset)
    return Limits(**{**limits.__dict__, **{name: value for name, value in drawn.items() if name in plan.names}})


def _local(rng: Random, times: Sequence[int], form: str) -> str:
    """A bar's open, or a minute beside it, in words of some zone."""
    zone = rng.choice(ZONES)
    return utc(rng.choice(times) + rng.choice((0, 0, MINUTE, -MINUTE))).astimezone(ZoneInfo(zone)).strftime(form) + zone


def _window(rng: Random, times: Sequence[int]) -> str:
    """A window that begins or ends at some bars of the series, daily or weekly; or one that only a clock has."""
    if rng.random() < 0.3:
        return rng.choice(WINDOWS)
    first = rng.randrange(len(times))
    start, end = times[first], times[min(len(times) - 1, first + rng.randint(0, 12))] + rng.choice((0, 0, MINUTE, -MINUTE))
    zone, form = rng.choice(ZONES), rng.choice(("%H:%M", "%a %H:%M"))
    opens, closes = (utc(moment).astimezone(ZoneInfo(zone)).strftime(form) for moment in (start, end))
    return f"{opens}-{closes} {zone}"


# --- governors, drawn apart from everything else of a case ---


def draw_governors(seed: int) -> frozenset[str]:
    """Three cases of ten have some, one of them or more."""
    rng = Random(f"{seed} governors")
    return frozenset(rng.sample(GOVERNORS, rng.choice((1, 1, 2, 3, 5)))) if rng.random() < 0.3 else frozenset()


def with_governors(seed: int, names: frozenset[str], limits: Limits, tasks: tuple[Task, ...], risk: float) -> tuple[Limits, tuple[Task, ...]]:
    """The limits with these governors, and the tasks with what those read."""
    if not names:
        return limits, tasks
    rng = Random(f"{seed} values of governors")
    drawn: dict[str, object] = {
        "news": rng.choice((1.0, 5.0, 7.5, 60.0)),
        "session": rng.choice((", ".join(rng.sample(SESSIONS, 2)), rng.choice(SESSIONS))),
        "rate": rng.choice((1, 1, 2, 3)),
        "sector": rng.randint(1, 2),
        "es95": min(1_000.0, 1_000 * risk * rng.uniform(0.1, 2.5)),
        "open_risk": min(1.0, risk * rng.uniform(0.1, 4.0)),
        "daily_gate": True,
        "drift": "rsi(14)",
    }
    limits = replace(limits, es95_trades=rng.choice((20, 20, 21, 40)), daily_loss=limits.daily_loss or (min(1.0, risk * rng.uniform(0.3, 3.0)) if "daily_gate" in names else 0.0))
    tasks = tuple(_informed(rng, task, limits, names) for task in tasks)
    return replace(limits, **{name: value for name, value in drawn.items() if name in names}), tasks


def _informed(rng: Random, task: Task, limits: Limits, names: frozenset[str]) -> Task:
    """``releases`` at ends of bars or beside them; ``monitored``: values that shift by about as much as an alarm needs."""
    if "news" in names:
        times = task.bars["ts"].array.as_unit("ns").asi8
        at = [int(rng.choice(times)) + task.timeframe.nanoseconds * rng.choice((0, 1)) + rng.choice((0, 1, -1, 5, -5, 60)) * MINUTE for _ in range(rng.randint(1, 6))]
        task = replace(task, releases=np.unique(np.array(at, np.int64)))
    if "drift" in names:
        task = replace(task, monitored=_monitored(rng, len(task.bars)))
    return task


def _monitored(rng: Random, bars: int) -> np.ndarray:
    values = np.random.default_rng(rng.randrange(2**32)).normal(size=COMPARED + rng.choice((-bars // 2, 0, bars)))
    late = rng.randint(250, 700)
    values[-late:] += rng.uniform(0.4, 1.0)
    values = np.round(values, rng.choice((0, 1, 6)))
    values[:: rng.choice((7, 500, len(values)))] = rng.choice((np.nan, np.inf, 0.0))
    return values
