"""Incremental features: the cost of an appended bar depends on the windows, not on the length of the history."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from domain.errors import BadRequest
from domain.features.base import BAR_COLUMNS, FACTS, FAMILIES, FEATURES, Use, inputs_of, spec_of, use
from domain.features.context import Context
from domain.features.engine import COLUMNS, FeatureTable
from domain.market.bars import ts_of
from domain.market.calendar import bar_ends, calendar
from domain.market.longer_bars import BEFORE, LongerBars
from domain.market.resample import bucket_opens
from domain.market.timeframe import Timeframe
from domain.outside.timed_values import TimedValues


class Tail:
    """The latest values of a column, side by side in memory.

    >>> tail = Tail(np.array([1.0, 2.0, 3.0]), keep=2)
    >>> tail.append(4.0)
    >>> tail.latest(2).tolist(), tail.latest(9).tolist()
    ([3.0, 4.0], [3.0, 4.0])
    """

    def __init__(self, values: np.ndarray, keep: int) -> None:
        latest = values[max(len(values) - keep, 0) :]
        self._keep, self._end = keep, len(latest)
        self._values = np.empty(2 * keep + 16, values.dtype)
        self._values[: self._end] = latest

    def append(self, value: float) -> None:
        if self._end == len(self._values):
            self._values[: self._keep] = self._values[self._end - self._keep : self._end]
            self._end = self._keep
        self._values[self._end] = value
        self._end += 1

    def latest(self, count: int) -> np.ndarray:
        start = self._end - (count if count < self._keep else self._keep)
        return self._values[start if start > 0 else 0 : self._end]


class Family(Mapping[str, np.ndarray]):
    """The latest values of every column of a family; a feature reads few of them, so they are cut out when they are read."""

    def __init__(self, tails: Mapping[str, Tail], count: int) -> None:
        self._tails, self._count = tails, count

    def __getitem__(self, name: str) -> np.ndarray:
        return self._tails[name].latest(self._count)

    def __iter__(self) -> Iterator[str]:
        return iter(self._tails)

    def __len__(self) -> int:
        return len(self._tails)


class Step:
    """One feature with its parameters, as it is made for one bar."""

    def __init__(self, use_: Use) -> None:
        self.use, self.spec, self.params = use_, spec_of(use_.name), dict(use_.params)
        self.column = use_.column
        self.memory = 1 if self.spec.state is not None else self.spec.bars_of_memory(self.params)
        self.function = getattr(self.spec.function, "__wrapped__", self.spec.function)
        self.inputs = [use(name).column if name in FEATURES else name for name in self.spec.inputs]
        self.reads = [*(name for name in self.inputs if name != COLUMNS), *(BAR_COLUMNS if COLUMNS in self.inputs else ()), *(inner.column for inner in inputs_of(use_))]


Known = tuple[Mapping[str, float], Mapping[str, float]]         # closes of other instruments, and external series
Earlier = Callable[[int], Known]        # what was known at an instant
Making = tuple[str, Callable[..., Any], list[tuple[Any, int]], Tail | None]     # column, what makes it, what it reads of which memory (a fact: its name and 0), and where it is kept


class Stream:
    """``uses`` on bars that grow. What ``append`` gives for a bar is what ``compute`` gives for it: the same bits where a feature keeps a
    state or uses full windows, as all built-in ones do; 1e-9 where one is recursive and recomputed from its memory.

    >>> from domain.market.bars import frame
    >>> bars = frame(np.arange(3) * 300_000_000_000, **{name: np.array([1.0, 2.0, 4.0]) for name in ("open", "high", "low", "close")})
    >>> stream = Stream(bars.iloc[:2], [use("sma", window=2)])
    >>> stream.append(bars.iloc[2])
    {'sma(2)': 3.0}
    """

    def __init__(self, bars: pd.DataFrame, uses: Iterable[Use], context: Context = Context()) -> None:
        self.context, self.uses, self.bars = context, tuple(uses), len(bars)
        table = FeatureTable(bars, context)
        own = [use for use in self.uses if not table.is_longer(use)]
        self.steps = _in_order(own)
        self._needs_end = any(name in ("end", *FAMILIES) for step in self.steps for name in step.spec.inputs)
        self._tails, self._families = self._filled(table)
        self._bars = [(name, tail) for name, tail in self._tails.items() if name in BAR_COLUMNS]
        self._making = [self._step(step, table) for step in self.steps]
        self._columns = tuple(use.column for use in self.uses)
        self._longer = {name: _Longer(bars, [use_ for use_ in self.uses if use_.timeframe == name], context) for name in _timeframes(self.uses, table)}
        self._last = int(ts_of(bars)[-1]) if len(bars) and "ts" in bars else None

    def append(
        self, bar: Mapping[str, Any], others: Mapping[str, float] = {}, macro: Mapping[str, float] = {}, headlines: TimedValues | None = None, earlier: Earlier | None = None
    ) -> dict[str, float]:
        """The values at a bar that has just closed; ``end`` of it where that is not by timeframe and calendar. ``others`` and ``macro``: what is known now,
        where it changed; ``headlines``: all of them. ``earlier``: what was known between the bar before and this one, where a longer bar ended; without it what was known at the bar before."""
        ts = _nanoseconds(bar["ts"]) if "ts" in bar else None
        if ts is not None and self._last is not None and ts <= self._last:
            raise BadRequest(f"a bar of {pd.Timestamp(ts)} comes after one of {pd.Timestamp(self._last)}; bars are appended in order")
        if headlines is not None:
            self.context = replace(self.context, headlines=headlines)
        self._last, self.bars = ts, self.bars + 1
        self._take_in(bar, ts, others, macro)
        values = {}
        for column, make, reads, tail in self._making:
            values[column] = value = float(make(*[read(count) if count else getattr(self.context, read) for read, count in reads])[-1])
            if tail is not None:
                tail.append(value)
        if self._longer:
            values |= self._appended(bar, _instant(ts), Beside(others, macro, headlines, earlier))
        return {column: values[column] for column in self._columns}

    def _appended(self, bar: Mapping[str, Any], ts: int, beside: Beside) -> dict[str, float]:
        """The columns of longer bars."""
        assert self.context.timeframe is not None
        end = _nanoseconds(bar["end"]) if "end" in bar else ts + self.context.timeframe.nanoseconds
        row = [float(bar.get(name, np.nan)) for name in BAR_COLUMNS]
        return {name: value for longer in self._longer.values() for name, value in longer.append(ts, end, row, beside).items()}

    @property
    def reads_beside(self) -> bool:
        """Whether a feature reads other instruments or external series."""
        return bool(self._families)

    @property
    def longer_reads_beside(self) -> bool:
        """Whether a feature on longer bars does: then ``append`` needs ``earlier``."""
        return any(longer.stream.reads_beside for longer in self._longer.values())

    def _take_in(self, bar: Mapping[str, Any], ts: int | None, others: Mapping[str, float], macro: Mapping[str, float]) -> None:
        for name, tail in self._bars:
            tail.append(float(bar.get(name, np.nan)))
        if "ts" in self._tails:
            self._tails["ts"].append(_instant(ts))
        if "end" in self._tails:
            self._tails["end"].append(_nanoseconds(bar["end"]) if "end" in bar else self._end_of(_instant(ts)))
        if self._families:
            self._take_in_families(dict(others=others, macro=macro))

    def _take_in_families(self, values: Mapping[str, Mapping[str, float]]) -> None:
        for family, tails in self._families.items():
            for name, tail in tails.items():
                tail.append(values[family][name] if name in values[family] else float(tail.latest(1)[0]) if len(tail.latest(1)) else np.nan)

    def _step(self, step: Step, table: FeatureTable) -> Making:
        """How a feature is made, decided once."""
        state = {} if step.spec.state is None else dict(state=table.states[step.column])
        reads = [(name, 0) if (read := self._reader(name)) is None else (read, step.memory) for name in step.inputs]
        return step.column, partial(step.function, **step.params, **state), reads, self._tails.get(step.column)

    def _reader(self, name: str) -> Callable[[int], Any] | None:
        """None for a fact of the context."""
        if name == COLUMNS:
            return lambda count: lambda wanted: self._tails[wanted if isinstance(wanted, str) else wanted.column].latest(count)
        return self._tails[name].latest if name in self._tails else partial(Family, self._families[name]) if name in FAMILIES else None

    def _end_of(self, ts: int) -> int:
        assert self.context.timeframe is not None
        return int(bar_ends(np.array([ts]), self.context.timeframe, self.context.calendar)[0])

    def _filled(self, table: FeatureTable) -> tuple[dict[str, Tail], dict[str, dict[str, Tail]]]:
        lengths: dict[str, int] = {}
        columns = {step.column: table.column(step.use) for step in self.steps}
        for step in self.steps:
            for name in step.reads:
                if name not in FACTS:
                    lengths[name] = max(lengths.get(name, 1), step.memory)
        families = {name: {key: Tail(column, lengths[name]) for key, column in table.input(name).items()} for name in FAMILIES if name in lengths}
        return {name: Tail(columns[name] if name in columns else table.input(name), count) for name, count in lengths.items() if name not in FAMILIES}, families


class Beside(NamedTuple):
    """What is known beside a bar that comes in."""

    others: Mapping[str, float]
    macro: Mapping[str, float]
    headlines: TimedValues | None
    earlier: Earlier | None


class _Longer:
    """Longer bars put together from the bars that come in; their features move on when one of them has ended."""

    def __init__(self, bars: pd.DataFrame, uses: list[Use], context: Context) -> None:
        self._known_at: Earlier = lambda instant: (context.others_at(instant), context.macro_at(instant))
        self.timeframe, self.names = Timeframe.named(uses[0].timeframe), {item.column: replace(item, timeframe="").column for item in uses}
        own = FeatureTable(bars, context)
        table, row = own.longer(uses[0].timeframe)
        inner = [replace(item, timeframe="") for item in uses]
        ended = int(row[-1]) + 1 if len(row) else 0
        self.stream = Stream(table.bars.iloc[:ended], inner, context.on(self.timeframe))
        last = {item.column: float(table.column(item)[ended - 1]) if ended else np.nan for item in inner}
        self.latest = {name: last[column] for name, column in self.names.items()}
        self._bars = LongerBars(self.timeframe, context.calendar, int(ts_of(table.bars)[ended - 1]) if ended else BEFORE)
        self._reads_beside = self.stream.reads_beside
        self._known: Known = self._known_at(int(own.input("end")[-1])) if self._reads_beside and len(bars) else ({}, {})
        self._begin(own, context.calendar or "fx")

    def append(self, ts: int, end: int, row: list[float], beside: Beside) -> dict[str, float]:
        if beside.headlines is not None:
            self.stream.context = replace(self.stream.context, headlines=beside.headlines)
        if not self._reads_beside:
            self._grow(ts, end, row)
            return self.latest
        before = self._known
        self._known = {**before[0], **beside.others}, {**before[1], **beside.macro}
        self._grow(ts, end, row, beside.earlier or (lambda instant: before))
        return self.latest

    def _grow(self, ts: int, end: int, row: list[float], earlier: Earlier | None = None) -> None:
        for longer in self._bars.append(ts, end, row):
            columns = self.stream.append(longer, *(self._known if earlier is None or longer["end"] == end else earlier(longer["end"])))
            self.latest = {name: columns[column] for name, column in self.names.items()}

    def _begin(self, own: FeatureTable, calendar_name: str) -> None:
        """The bars of each longer bar that has not ended."""
        ts, ends, last = own.input("ts"), own.input("end"), self._bars.last
        first = int(np.searchsorted(ts, last))
        if first < len(ts):
            first += int(np.searchsorted(bucket_opens(ts[first:], self.timeframe, calendar(calendar_name)), last, side="right"))
        rows = np.column_stack([own.input(name)[first:] for name in BAR_COLUMNS])
        for at, end, row in zip(ts[first:].tolist(), ends[first:].tolist(), rows.tolist(), strict=True):
            if self._reads_beside:
                self._known = self._known_at(end)
            self._grow(at, end, row, self._known_at)


def _in_order(uses: Iterable[Use]) -> list[Step]:
    """Each use once, inputs first."""
    steps: dict[str, Step] = {}

    def add(item: Use) -> None:
        if item.column not in steps:
            step = Step(item)
            for inner in inputs_of(item):
                if inner.timeframe:
                    raise BadRequest(f"{item.column} reads longer bars inside longer ones, which is not known bar by bar; name one timeframe only")
                add(inner)
            steps[item.column] = step

    for use_ in uses:
        add(use_)
    return list(steps.values())


def _timeframes(uses: Iterable[Use], table: FeatureTable) -> list[str]:
    return list(dict.fromkeys(use.timeframe for use in uses if table.is_longer(use)))


def _nanoseconds(ts: Any) -> int:
    return int(ts) if isinstance(ts, (int, np.integer)) else pd.Timestamp(ts).as_unit("ns").value


def _instant(ts: int | None) -> int:
    if ts is None:
        raise BadRequest("a bar that is appended needs ts, when it opens")
    return ts
