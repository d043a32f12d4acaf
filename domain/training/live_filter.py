"""A model that filters the signals of a session: what ``applied`` decides over all bars, bar by bar.

Up to the model's last label its stored predictions of the walk-forward decide; after it the model itself, on the columns of the deciding bar.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
import pandas as pd

from domain.backtest.study import Series, context_of, run
from domain.errors import BadRequest
from domain.features import Context, Use, compute, parse, warm_up_of
from domain.features.stream import Earlier, Stream
from domain.live.command import Command
from domain.live.plan import Plan
from domain.live.selecting import Market, Selected
from domain.live.tape import TapeBar, columns_of, frame_of
from domain.models.base import Samples
from domain.trading.rules import Rules
from domain.trading.signal_row import Row
from domain.trading.task import Outcome
from domain.training import applied
from domain.training.columns import LARGEST
from domain.training.fitted_pipeline import FittedPipeline
from domain.training.inputs import Inputs
from domain.training.lacking import refuse_lacking
from domain.training.live_regimes import LiveRegimes
from domain.training.question import Question
from domain.training.regime_columns import PREFIX, regimes_learnt
from domain.training.signals import ATR, OWN

LEFT = "model"          # the reason of a signal that the model does not take


class LiveModel(NamedTuple):
    """``domain.live.selecting.Selection`` of a model. ``stored``: the predictions of its walk-forward with ``instrument start taken size``, empty without one.
    ``last``: the last end of a label of its samples."""

    question: Question
    pipeline: FittedPipeline
    stored: pd.DataFrame
    last: pd.Timestamp

    def live(self, market: Market) -> LiveFilter:
        return LiveFilter(self, market)

    def backtested(self, plan: Plan, series: Mapping[str, Series], commands: Sequence[Command]) -> Outcome:
        every, planned, rates = list(series.values()), plan.strategies[0], tuple(plan.inputs.rates)
        inputs = [Inputs(each, context_of(each, every), uses_of(self.question), plan.rules, rates) for each in every]
        applied.check(self.question, planned.built, planned.name, inputs)
        used = applied.applied(self.question, self.pipeline, regimes_learnt(self.question.data, inputs), planned.built, self.stored, self.last)
        return run(every, plan.rules, planned.built, rates=rates, keep=used.keep, commands=commands, ask=plan.mode == "approve").outcome


class LiveFilter:
    """``domain.live.selecting.Selector`` of a model. BadRequest where the model says nothing about these signals, as ``applied`` has it."""

    def __init__(self, model: LiveModel, market: Market) -> None:
        self.market, self.model = market, model
        if model.pipeline.filter is None:
            raise BadRequest("the model has no filter of signals; train it on signals of a strategy")
        self._check()
        self._until = max(int(model.last.value), model.pipeline.until)
        self._lines = {text: Line(model, market, text) for text in market.plan.series}
        self._walked = _walked(model.stored)

    def ended(self, bar: TapeBar, others: Mapping[str, float], macro: Mapping[str, float], earlier: Earlier) -> None:
        self._lines[bar.series].ended(bar, others, macro, earlier)

    def select(self, at: int, decided: Mapping[int, list[Row]]) -> Selected:
        taken: dict[int, list[Row]] = {}
        left: dict[int, list[tuple[Row, str]]] = {}
        for k, rows in decided.items():
            entries = [row for row in rows if row["order"] != "exit"]
            sizes = dict(zip(map(id, entries), self._sizes(self.market.plan.decided[k][0], at, entries), strict=True))
            taken[k] = [_sized(row, sizes[id(row)]) if id(row) in sizes else row for row in rows if sizes.get(id(row), 1.0) > 0.0]
            if lost := [(row, LEFT) for row in entries if not sizes[id(row)] > 0.0]:
                left[k] = lost
        return Selected(taken, left)

    def _sizes(self, text: str, at: int, entries: Sequence[Row]) -> list[float]:
        """The share of the sizer's lots of each entry of a bar, 0 where it is not taken."""
        line = self._lines[text]
        if not entries or not line.warm:
            return [0.0] * len(entries)
        own = line.predicted(at, entries)
        if at > self._until:
            return own
        walked = self._walked.get((self.market.plan.instrument(text).name, at), [])
        return walked if len(walked) == len(entries) else [0.0] * len(entries)

    def _check(self) -> None:
        plan, question = self.market.plan, self.model.question
        names = [plan.instrument(text).name for text in plan.series]
        if len(set(names)) < len(names) or len(plan.strategies) > 1:
            raise BadRequest("a model filters one strategy on one timeframe of each instrument; name one strategy, and each instrument once")
        nothing, rules = pd.DataFrame(), Rules()
        inputs = [Inputs(Series(plan.instrument(text), plan.name_of(text).timeframe, nothing), self.market.context(text), uses_of(question), rules) for text in plan.series]
        applied.check(question, plan.strategies[0].built, plan.strategies[0].name, inputs)
        refuse_lacking(self.model.pipeline.columns, inputs)


class Line:
    """The columns of one series as they grow. A signal's own columns stand in its bar's row, of the first of a bar; the others get a row without a history."""

    def __init__(self, model: LiveModel, market: Market, text: str) -> None:
        self._pipeline, plan = model.pipeline, market.plan
        self._uses = tuple(dict.fromkeys((*uses_of(model.question), ATR)))
        bars, context = frame_of(market.seen(text)), market.context(text)
        self._spread = float(plan.rules.costs.of(plan.instrument(text)).spread)
        self._bid, self._count = plan.side == "bid", len(bars)
        self._needed = max((warm_up_of(use, context) for use in uses_of(model.question)), default=0)
        self._stream = Stream(bars, self._uses, context)
        self._regimes = _regimes_of(model.question, market, text)
        self._rows = self._past(bars, context, market, text)
        self._atr = np.nan
        self._bar: TapeBar | None = None

    @property
    def warm(self) -> bool:
        """Whether every column has a value at the bar that has just ended."""
        return self._count - 1 >= self._needed

    def ended(self, bar: TapeBar, others: Mapping[str, float], macro: Mapping[str, float], earlier: Earlier) -> None:
        values = self._stream.append(columns_of(bar), others, macro, earlier=earlier)
        if self._regimes is not None:
            self._regimes.ended(bar)
        self._atr, self._bar, self._count = values[ATR.column], bar, self._count + 1
        self._rows = [*self._rows[1 - self._pipeline.bars :], self._row(values)] if self._pipeline.bars > 1 else [self._row(values)]

    def predicted(self, at: int, entries: Sequence[Row]) -> list[float]:
        """What the model says of each entry of the bar that has just ended: its size, 0 where it is not taken."""
        assert self._bar is not None
        own = [self._own(row, self._bar.close, self._bar.spread, self._atr) for row in entries]
        if self._regimes is not None:
            self._put(self._regimes.last(len(self._rows)))
        last = self._rows[-1]
        self._rows[-1] = self._with(last, own[0])
        matrix = np.array([*self._rows, *(self._with(last, each) for each in own[1:])], np.float32)
        places = np.arange(len(self._rows) - 1, len(matrix))
        first = np.where(np.arange(len(own)) == 0, 0, places)
        count = len(own)
        samples = Samples(
            matrix, self._pipeline.columns, places, np.full(count, np.nan), np.full(count, at), np.full(count, np.iinfo(np.int64).max), np.ones(count),
            np.zeros(count, np.int64), first, self._pipeline.task, self._pipeline.classes,
        )  # fmt: skip
        outputs = self._pipeline.predict(samples)
        return np.where(outputs["taken"].to_numpy(bool), outputs["size"].to_numpy(np.float64), 0.0).tolist()

    def _row(self, values: Mapping[str, float]) -> np.ndarray:
        """The model's columns, its own of a signal unknown; what does not fit into float32 is no value."""
        row = np.array([np.nan if name in OWN else values.get(name, np.nan) if name.startswith(PREFIX) else values[name] for name in self._pipeline.columns])
        return np.where(np.abs(row) <= LARGEST, row, np.nan).astype(np.float32)

    def _put(self, regimes: Mapping[str, np.ndarray]) -> None:
        """The columns of regimes into the rows, oldest first."""
        for name, values in regimes.items():
            if name in self._pipeline.columns:
                place = self._pipeline.columns.index(name)
                for row, value in zip(self._rows, values.astype(np.float32), strict=True):
                    row[place] = value

    def _with(self, row: np.ndarray, own: Mapping[str, float]) -> np.ndarray:
        filled = row.copy()
        for name, value in own.items():
            if name in self._pipeline.columns:
                filled[self._pipeline.columns.index(name)] = value
        return filled

    def _own(self, row: Row, close: float, spread: float, atr: float) -> dict[str, float]:
        """A signal's own columns: its side, and how far its stop lies from the price expected, in ATRs."""
        spread = self._spread if np.isnan(spread) else spread
        middle = close + (spread / 2 if self._bid else 0.0)
        market = middle + row["side"] * spread / 2
        distance = abs((row["price"] if row["order"] != "market" else market) - row["stop_loss"])
        return dict(zip(OWN, (float(row["side"]), distance / atr if atr > 0 else np.nan), strict=True))

    def _past(self, bars: pd.DataFrame, context: Context, market: Market, text: str) -> list[np.ndarray]:
        """The rows of the last bars that a model of sequences looks back on, with the signals that were decided at them."""
        if self._pipeline.bars == 1 or not len(bars):
            return []
        frame = compute(bars, self._uses, context)
        keep = min(self._pipeline.bars, len(bars))
        rows = [self._row(values) for values in frame[[use.column for use in self._uses]].tail(keep).to_dict("records")]
        for place, row in _decided_before(market, text, bars, context):
            if (near := place - len(bars) + keep) >= 0 and place >= self._needed:
                rows[near] = self._with(rows[near], self._own(row, float(bars["close"].iloc[place]), float(bars["spread"].iloc[place]), float(frame[ATR.column].iloc[place])))
        return rows


def _regimes_of(question: Question, market: Market, text: str) -> LiveRegimes | None:
    """Those that the model learnt from, with the bars that have ended."""
    name = market.plan.instrument(text).name
    plan = next((each["regimes"] for each in question.data if each["instrument"] == name and each.get("regimes")), None)
    if plan is None:
        return None
    regimes = LiveRegimes(plan, partial(market.context, text))
    for bar in market.seen(text):
        regimes.ended(bar)
    return regimes


def uses_of(question: Question) -> tuple[Use, ...]:
    return tuple({use.column: use for use in map(parse, question.columns)}.values())


def _decided_before(market: Market, text: str, bars: pd.DataFrame, context: Context) -> list[tuple[int, Row]]:
    """The first entry of each traded bar that has ended, with the bar's place."""
    from domain.strategies import decide
    from domain.trading.signals import read_columns

    plan = market.plan
    table = decide(plan.strategies[0].built, bars, context, part=True).table
    columns = read_columns(table, (plan.instrument(text).name,))
    ts, opens = columns["ts"].as_unit("ns").asi8, bars["ts"].array.as_unit("ns").asi8
    rows: dict[int, Row] = {}
    for number in np.flatnonzero(np.asarray(columns["order"] != "exit", bool)).tolist():
        if plan.start is None or ts[number] >= plan.start:
            rows.setdefault(int(np.searchsorted(opens, ts[number])), {name: columns[name][number] for name in ("side", "order", "price", "stop_loss")})
    return list(rows.items())


def _walked(stored: pd.DataFrame) -> dict[tuple[str, int], list[float]]:
    """Instrument and instant of the decision -> the sizes of its signals, in their order, 0 where one was not taken."""
    walked: dict[tuple[str, int], list[float]] = {}
    if len(stored):
        starts = stored["start"].dt.as_unit("ns").astype("int64").tolist()
        for instrument, start, taken, size in zip(stored["instrument"].astype(str), starts, stored["taken"], stored["size"], strict=True):
            walked.setdefault((instrument, start), []).append(float(size) if taken else 0.0)
    return walked


def _sized(row: Row, size: float) -> Row:
    """With its share of the sizer's lots."""
    return row if size == 1.0 else {**row, "size": (1.0 if np.isnan(row["size"]) else row["size"]) * size}
