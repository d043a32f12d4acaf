"""A strategy whose parameters a person changes while it runs: each decision by those of its time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from domain.backtest.series import bars_of, nanoseconds
from domain.errors import BadRequest
from domain.params import build, values_of
from domain.strategies import Strategy
from domain.trading.command import Command, in_order, text_of
from domain.trading.costs import Costs
from domain.trading.task import Task

FOREVER = np.iinfo(np.int64).max


class Version(NamedTuple):
    """A strategy as it decides at instants after ``ts``; ``place``: of the command that made it, −1 for none."""

    ts: int
    strategy: Any
    place: int


def versions_of(strategy: Strategy | None, name: str, commands: Sequence[Command]) -> list[Version]:
    """The strategy as it begins, and as every ``set`` leaves it.

    >>> from domain.strategies.base import make
    >>> from domain.trading.command import command
    >>> [each.strategy.lookback for each in versions_of(make("breakout", {}), "breakout", [command(5, "ana", "set", {"parameters": {"lookback": 30}})])]
    [48, 30]
    """
    versions = [Version(np.iinfo(np.int64).min, strategy, -1)]
    for place, each in enumerate(in_order(commands)):
        if each.command == "set" and each.payload.strategy in ("", name):
            versions.append(Version(each.ts, _changed(versions[-1].strategy, each), place))
    return versions


def _changed(strategy: Any, command: Command) -> Any:
    if strategy is None:
        raise BadRequest(f"set of {text_of(command.ts)}: a table of signals has no parameters; name a strategy")
    return changed(strategy, command.payload.parameters)


def changed(strategy: Any, parameters: Mapping[str, Any]) -> Any:
    """The strategy with some parameters changed, checked."""
    return build(type(strategy), {**values_of(strategy), **parameters})


def spliced(versions: Sequence[Version], tasks: Sequence[Sequence[Task]]) -> list[Task]:
    """The tasks of each version, joined: signals and trailing prices of a bar are those of the version that stands at its end."""
    edges = [*(version.ts for version in versions), FOREVER]
    return [_joined(list(of_task), list(pairwise(edges))) for of_task in zip(*tasks, strict=True)]


def _joined(tasks: Sequence[Task], spans: Sequence[tuple[int, int]]) -> Task:
    bars = bars_of(tasks[0], Costs())
    ts, end = bars.ts, bars.end
    parts = []
    for task, (after, until) in zip(tasks, spans, strict=True):
        signals = pd.DataFrame(task.signals)
        decided = end[np.searchsorted(ts, nanoseconds(signals["ts"]))] if len(signals) else np.zeros(0, np.int64)
        parts.append(signals[(decided > after) & (decided <= until)])
    trails = [np.full(len(ts), np.nan) if task.trail_price is None else np.asarray(task.trail_price, np.float64) for task in tasks]
    trail = np.select([(end > after) & (end <= until) for after, until in spans], trails, np.nan)
    return replace(tasks[0], signals=pd.concat(parts, ignore_index=True), trail_price=None if all(task.trail_price is None for task in tasks) else trail)
