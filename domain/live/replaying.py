"""A session over bars that are there already, and the backtest of the same plan on a tape: the two give the same bytes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from domain.features import Context
from domain.live.plan import Plan
from domain.live.session import Session
from domain.live.tape import TapeBar, in_order
from domain.live.worked import Worked


def replay(plan: Plan, bars: Iterable[TapeBar], commands: Iterable[Any] = (), contexts: Mapping[str, Context] = {}) -> Iterator[Worked]:
    """Every instant of the session on these bars, to the end of the data. Bars before the plan's ``start`` are its history."""
    every = in_order(bars, plan.series)
    start = plan.start
    session = Session.start(plan, [bar for bar in every if start is not None and bar.ts < start], contexts)
    for command in commands:
        session.command(command)
    for bar in every if start is None else [bar for bar in every if bar.ts >= start]:
        session.bar(bar)
    yield from session.finish()
