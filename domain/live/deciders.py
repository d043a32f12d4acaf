"""The strategies of a session, each on its series, and what they read beside its bars."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from operator import attrgetter

import numpy as np

from domain.backtest.volatility_stops import VolatilityStops
from domain.features import Context, parse
from domain.features.stream import Known, Stream
from domain.live.deciding import Deciding
from domain.live.lacking import refuse_unread
from domain.live.plan import Plan
from domain.live.selecting import Market, Selected
from domain.live.shared import Follower, Lines
from domain.live.signal_rows import SignalRows, Signals
from domain.live.tape import TapeBar, columns_of, frame_of
from domain.outside.timed_values import TimedValues
from domain.params import values_of
from domain.strategies import Strategy
from domain.trading.limit_inputs import monitored
from domain.trading.signal_row import Row

BEFORE = -(1 << 62)
Seen = Callable[[str], Sequence[TapeBar]]       # series -> its bars that have ended, in order


class Deciders:
    """One for each pair of ``plan.decided``. ``contexts``: by series, what is read beside bars; ``seen``: the bars that have ended.
    ``lines``: what other sessions of the process decide, where they have the same question."""

    def __init__(self, plan: Plan, contexts: Mapping[str, Context], seen: Seen, lines: Lines | None = None) -> None:
        self._lines = lines
        self.plan, self.contexts, self.seen = plan, contexts, seen
        self.strategies = [planned.built for planned in plan.strategies]
        self.parameters = [values_of(strategy) for strategy in self.strategies]
        self._closes = {text: bars[-1].close for text in plan.series if (bars := seen(text))}
        self._names = {text: plan.name_of(text) for text in plan.series}
        self._others = {text: self._others_of(text) for text in plan.series}
        self._deciding = [self._begun(text, self.strategies[number]) for text, number in plan.decided]
        self._selector = plan.inputs.selection.live(Market(plan, self._context, seen)) if plan.inputs.selection else None
        self._tasks = {text: [k for k, (series, _) in enumerate(plan.decided) if series == text] for text in plan.series}
        drift = plan.rules.limits.drift.strip()
        self._monitors = {text: Stream(frame_of(seen(text)), [parse(drift)], self._context(text)) for text in plan.series} if drift else {}
        self._stops = {text: VolatilityStops(frame_of(seen(text))) for text in plan.series} if plan.rules.execution.stops == "volatility" else {}

    def closed(self, bar: TapeBar) -> None:
        """A bar has ended: other series know its close from now on."""
        self._closes[bar.series] = bar.close
        if self._stops:
            self._stops[bar.series].ended(dict(ts=bar.ts, open=bar.open, high=bar.high, low=bar.low, close=bar.close))

    def decide(self, at: int, bars: Sequence[TapeBar]) -> Selected:
        """The signals of the bars that ended at the instant ``at``, after all of their closes are known; those that are traded with their stops."""
        decided = {k: self._decided(k, bar) for bar in bars for k in self._tasks[bar.series]}
        selected = self._selected(at, bars, decided) if self._selector else Selected(decided)
        if not self._stops:
            return selected
        closes = {bar.series: bar.close for bar in bars}
        taken = {k: [self._stops[text].of(row, closes[text]) for row in rows] for k, rows in selected.taken.items() for text in (self.plan.decided[k][0],)}
        return replace(selected, taken=taken)

    def _decided(self, k: int, bar: TapeBar) -> list[Row]:
        text, deciding = bar.series, self._deciding[k]
        if isinstance(deciding, Follower):
            return deciding.ended(bar)
        if isinstance(deciding, SignalRows):
            return deciding.ended(columns_of(bar))
        return deciding.ended(columns_of(bar), self._known_others(text), self._macro_at(text, bar.end), partial(self._known_at, text))

    def _selected(self, at: int, bars: Sequence[TapeBar], decided: Mapping[int, list[Row]]) -> Selected:
        assert self._selector is not None
        for bar in bars:
            self._selector.ended(bar, self._known_others(bar.series), self._macro_at(bar.series, bar.end), partial(self._known_at, bar.series))
        return self._selector.select(at, decided)

    @property
    def monitors(self) -> bool:
        """Whether a limit names a feature to be monitored."""
        return bool(self._monitors)

    def monitored(self, bar: TapeBar) -> float | None:
        """The value of the feature that the limit ``drift`` names, at a bar that has just ended; to be called once. None where there is no such limit."""
        if bar.series not in self._monitors:
            return None
        known = self._known_others(bar.series), self._macro_at(bar.series, bar.end)
        (value,) = self._monitors[bar.series].append(columns_of(bar), *known, earlier=partial(self._known_at, bar.series)).values()
        return value

    def remembered(self, text: str) -> np.ndarray | None:
        """The same on all bars of a series that have ended."""
        return monitored(self.plan.rules.limits, frame_of(self.seen(text)), self._context(text)) if text in self._monitors else None

    def check(self, number: int, strategy: Strategy) -> None:
        """Raises BadRequest for parameters with which it could not decide on one of its series."""
        for text, other in self.plan.decided:
            if other == number:
                refuse_unread(self.plan, text, self.plan.strategies[number].name, strategy, self.contexts)
                self._begun(text, strategy)

    def change(self, number: int, strategy: Strategy) -> None:
        """Other parameters of a strategy, from the next decision on."""
        self.strategies[number], self.parameters[number] = strategy, values_of(strategy)
        for k, (text, other) in enumerate(self.plan.decided):
            if other == number:
                self._deciding[k] = self._begun(text, strategy)

    def remarks(self) -> tuple[str, ...]:
        """What was missed since the last call."""
        return tuple(remark for each in self._deciding if isinstance(each, SignalRows) for remark in each.remarks())

    def _begun(self, text: str, strategy: Strategy) -> Deciding | Follower | SignalRows:
        if isinstance(strategy, Signals):
            seen = self.seen(text)
            return SignalRows(text, self.plan.inputs.signals_of(self._names[text].instrument), max(seen[-1].ts if seen else BEFORE, BEFORE if self.plan.start is None else self.plan.start - 1))
        if self._lines is not None and text not in self.contexts and not self._others[text]:
            return self._lines.follow(strategy, self._context(text), self.plan.model is not None, partial(self.seen, text))
        return Deciding(strategy, frame_of(self.seen(text)), self._context(text), self.plan.model is not None)

    def _context(self, text: str) -> Context:
        given, name = self.contexts.get(text, Context()), self.plan.name_of(text)
        others = {instrument: _closes(self.seen(other)) for instrument, other in self._others[text].items()}
        return replace(given, instrument=self.plan.instrument(text), timeframe=name.timeframe, others=others)

    def _others_of(self, text: str) -> dict[str, str]:
        """Each other instrument and the series whose closes stand for it: that of the same timeframe, else the finest."""
        own = self._names[text]
        by_fit = sorted(self.plan.series, key=lambda other: (self._names[other].timeframe == own.timeframe, -self._names[other].timeframe.minutes))
        return {self._names[other].instrument: other for other in by_fit if self._names[other].instrument != own.instrument}

    def _known_others(self, text: str) -> dict[str, float]:
        return {name: self._closes[other] for name, other in self._others[text].items() if other in self._closes}

    def _known_at(self, text: str, instant: int) -> Known:
        """The same, and the external series, as known at an instant that has passed."""
        rows = {name: (seen, bisect_right(seen, instant, key=attrgetter("end"))) for name, other in self._others[text].items() for seen in (self.seen(other),)}
        return {name: seen[row - 1].close for name, (seen, row) in rows.items() if row}, self._macro_at(text, instant)

    def _macro_at(self, text: str, end: int) -> dict[str, float]:
        """The external series as known at an instant."""
        if text not in self.contexts:
            return {}
        known = {name: (values, int(np.searchsorted(values.times, end, side="right"))) for name, values in self.contexts[text].macro.items()}
        return {name: float(values.values[row - 1]) for name, (values, row) in known.items() if row}


def _closes(bars: Sequence[TapeBar]) -> TimedValues:
    return TimedValues(np.array([bar.end for bar in bars], np.int64), np.array([bar.close for bar in bars], np.float64))
