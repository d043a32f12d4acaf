"""A scanner that trades: at every instant it judges the signals of all combinations, and its proposals are what a session, or its backtest, trades.

Each combination trades alone on an account of its own, from the first bar on, history included; its closed trades so far grade its signal, as a scan of
the bars up to then would. What is open, margin and limits are the account's to review, which trades the proposals.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from domain.backtest.study import Series
from domain.errors import BadRequest
from domain.features.stream import Earlier
from domain.live.command import Command
from domain.live.plan import Plan
from domain.live.selecting import Market, Selected
from domain.live.tape import TapeBar
from domain.params import build
from domain.scanner import reasons
from domain.scanner.alone import Alone
from domain.scanner.correlation import DailyCloses, correlations
from domain.scanner.criteria import Criteria
from domain.scanner.quality import side_by_side
from domain.scanner.reasons import REASONS
from domain.scanner.signal import EntrySignal
from domain.scanner.verdict import Book, Candidates, Verdicts, judge
from domain.trading.signal_row import Row
from domain.trading.task import Outcome

FIELDS = ("criteria", "equity")
NAN = float("nan")


@dataclass(frozen=True)
class ScanSelection:
    """``domain.live.selecting.Selection`` of a scanner. ``equity``: in account currency, what sizes and ES95 are judged by; None: the start balance."""

    criteria: Criteria = Criteria()
    equity: float | None = None

    @classmethod
    def of(cls, scan: Mapping[str, Any]) -> ScanSelection:
        """Of a plan's ``scan``, checked."""
        from domain.errors import unknown

        for name in scan:
            if name not in FIELDS:
                raise unknown("field of the plan's scan", name, FIELDS)
        equity = scan.get("equity")
        if equity is not None and not (isinstance(equity, (int, float)) and 0 < equity < 1e15):
            raise BadRequest(f"the equity of the scan is {equity!r}; it must be an amount above 0, or left out for the start balance")
        return cls(build(Criteria, scan.get("criteria", {})), equity)

    def live(self, market: Market) -> ScanSelector:
        return ScanSelector(self, market)

    def backtested(self, plan: Plan, series: Mapping[str, Series], commands: Sequence[Command]) -> Outcome:
        from domain.scanner.traded import run

        return run(plan, series, commands).outcome


class ScanSelector:
    """``domain.live.selecting.Selector`` of a scanner."""

    def __init__(self, selection: ScanSelection, market: Market) -> None:
        plan = market.plan
        if plan.rules.sizing.kind == "volatility":
            raise BadRequest("sizing by volatility needs the whole past of a series; choose another sizing for a scanner that trades bar by bar")
        self.criteria, self.plan = selection.criteria, plan
        self.equity = plan.rules.account.balance if selection.equity is None else float(selection.equity)
        self._alone = [Alone(market, k, self.equity, self.criteria.history) for k in range(len(plan.decided))]
        self._daily = {text: Daily() for text in _finest(plan)}
        self._names = tuple(dict.fromkeys(plan.instrument(text).name for text in plan.series))
        self._order = sorted(range(len(plan.decided)), key=lambda k: (self._instrument(k), plan.decided[k][1], plan.name_of(plan.decided[k][0]).timeframe))
        self._ended: list[TapeBar] = []
        self._catch_up(market)

    def ended(self, bar: TapeBar, others: Mapping[str, float], macro: Mapping[str, float], earlier: Earlier) -> None:
        self._ended.append(bar)

    def select(self, at: int, decided: Mapping[int, list[Row]]) -> Selected:
        bars = self._worked({bar.series: bar for bar in self._ended}, decided)
        self._ended = []
        judged = [k for k in self._order if any(row["order"] != "exit" for row in decided.get(k, ()))]
        if not judged:
            return Selected(dict(decided))
        return self._selected(decided, judged, self._judged(at, judged, bars, decided))

    def _selected(self, decided: Mapping[int, list[Row]], judged: Sequence[int], verdicts: Verdicts) -> Selected:
        lost = {k: REASONS[int(reason)][0] for k, reason in zip(judged, verdicts.reason.tolist(), strict=True) if reason != reasons.PROPOSED}
        taken = {k: [row for row in rows if k not in lost or row["order"] == "exit"] for k, rows in decided.items()}
        return Selected(taken, {k: [(row, why) for row in decided[k] if row["order"] != "exit"] for k, why in lost.items()})

    def _worked(self, bars: dict[str, TapeBar], decided: Mapping[int, list[Row]]) -> dict[str, TapeBar]:
        """The accounts of the combinations up to the bars that have ended."""
        for bar in bars.values():
            if bar.series in self._daily:
                self._daily[bar.series].add(bar)
        for k, alone in enumerate(self._alone):
            alone.quote(bars.values())
            if alone.series in bars:
                alone.ended(bars[alone.series], decided.get(k, []))
        return bars

    def _judged(self, at: int, judged: Sequence[int], bars: Mapping[str, TapeBar], decided: Mapping[int, list[Row]]) -> Verdicts:
        alone = [self._alone[k] for k in judged]
        signals = [each.signal(next(row for row in decided[k] if row["order"] != "exit"), bars[each.series]) for k, each in zip(judged, alone, strict=True)]
        return judge(self._candidates(judged, alone, signals), Book(self.equity, self._correlations(at, judged)), self.criteria)

    def _candidates(self, judged: Sequence[int], alone: Sequence[Alone], signals: Sequence[EntrySignal]) -> Candidates:
        def column(values: list[float]) -> np.ndarray:
            return np.array(values, np.float64)

        return Candidates(
            np.array([self._instrument(k) for k in judged]),
            np.array([signal.side for signal in signals], np.int8),
            np.array([each.ready for each in alone]),
            side_by_side([each.r for each in alone], self.criteria.history),
            column([each.spread for each in alone]),
            column([each.spread_at_entries for each in alone]),
            column([signal.stop_distance for signal in signals]),
            column([signal.at_risk for signal in signals]),
            np.full(len(alone), NAN),
        )

    def _correlations(self, at: int, judged: Sequence[int]) -> np.ndarray:
        """Of every two instruments; only where several are judged at once it is requested."""
        if len({self._instrument(k) for k in judged}) < 2:
            return np.eye(len(self._names))
        closes = {self.plan.instrument(text).name: daily.closes for text, daily in self._daily.items()}
        matrix = correlations({name: closes[name] for name in self._names}, at, self.criteria.correlation_days)
        return matrix.rho

    def _instrument(self, k: int) -> int:
        return self._names.index(self.plan.instrument(self.plan.decided[k][0]).name)

    def _catch_up(self, market: Market) -> None:
        """Work the bars that have ended: of the history, and after a crash all."""
        past = sorted((bar for text in self.plan.series for bar in market.seen(text)), key=lambda bar: bar.end)
        for bars in together(past):
            by_series = {bar.series: bar for bar in bars}
            self._worked(by_series, {k: alone.past(by_series[alone.series]) for k, alone in enumerate(self._alone) if alone.series in by_series})
        for alone in self._alone:
            alone.forget_past()


class Daily:
    """The last close of each day."""

    def __init__(self) -> None:
        self._days: list[int] = []
        self._closes: list[float] = []

    def add(self, bar: TapeBar) -> None:
        from domain.market.zones import DAY

        day = bar.end // DAY
        if self._days and self._days[-1] == day:
            self._closes[-1] = bar.close
        else:
            self._days.append(day)
            self._closes.append(bar.close)

    @property
    def closes(self) -> DailyCloses:
        return DailyCloses(np.array(self._days, np.int64), np.array(self._closes, np.float64))


def _finest(plan: Plan) -> list[str]:
    """The finest series of each instrument."""
    finest: dict[str, str] = {}
    for text in sorted(plan.series, key=lambda text: plan.name_of(text).timeframe):
        finest.setdefault(plan.instrument(text).name, text)
    return list(finest.values())


def together(bars: Sequence[TapeBar]) -> list[list[TapeBar]]:
    """Bars in the order of their ends, those of one instant side by side."""
    groups: list[list[TapeBar]] = []
    for bar in bars:
        if groups and groups[-1][0].end == bar.end:
            groups[-1].append(bar)
        else:
            groups.append([bar])
    return groups
