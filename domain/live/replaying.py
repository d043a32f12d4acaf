"""A session over bars that are there already, and the backtest of the same plan on a tape: the two give the same bytes."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby

from domain.features import Context
from domain.live.command import Command
from domain.live.lacking import refuse_without_volume
from domain.live.plan import Plan
from domain.live.session import Session
from domain.live.tape import TapeBar
from domain.live.worked import Worked


def replay(plan: Plan, bars: Iterable[TapeBar], commands: Iterable[Command] = (), contexts: Mapping[str, Context] = {}) -> Iterator[Worked]:
    """Every instant of the session on these bars, to the end of the data. Bars before the plan's ``start`` are its history; those of a series come in
    their order, and one that does not fit in is dropped."""
    history, traded = split(bars, plan)
    refuse_without_volume(plan, [*history, *traded])
    session = Session.start(plan, history, contexts)
    for command in commands:
        session.command(command)
    final = {bar.series: bar for bar in traded if not bar.fault}
    for ts, together in groupby(opening(traded), key=lambda bar: bar.ts):
        for bar in together:
            session.bar(bar, bar is final.get(bar.series))
        yield from session.work(ts)
    yield from session.finish()


def split(bars: Iterable[TapeBar], plan: Plan) -> tuple[list[TapeBar], list[TapeBar]]:
    """The history of a session, and the bars that it trades, in the order given."""
    every, start = list(bars), plan.start
    if start is None:
        return [], every
    return [bar for bar in every if bar.ts < start], [bar for bar in every if bar.ts >= start]


def opening(bars: Iterable[TapeBar]) -> Iterator[TapeBar]:
    """Bars by their opens; those of one series stay in their order, and one that is late comes late."""
    by_series: dict[str, list[TapeBar]] = {}
    for bar in bars:
        by_series.setdefault(bar.series, []).append(bar)
    return heapq.merge(*by_series.values(), key=lambda bar: bar.ts)
