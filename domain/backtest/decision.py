"""One order of a run, decided again: its signal from the bars, its size and its limits with every number they used.

The signal and its features come from the strategy, the size from ``decision_size`` (independent of the kernel), what became of the
order from the run computed again. The worker compares all of it with what was recorded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from domain.backtest.decision_limits import LimitCheck, Order, at_decision, at_fill
from domain.backtest.decision_size import Size, SizeInputs, expected_entry, sized
from domain.backtest.decision_state import Rerun
from domain.backtest.limit_tables import yearly_volatility
from domain.backtest.study import Series, Study, context_of
from domain.errors import BadRequest
from domain.features import compute
from domain.market.zones import HOUR
from domain.risk.sizing import BY_RESULTS
from domain.strategies import Strategy
from domain.strategies.base import uses_of
from domain.trading.task import Rate

ENTRIES = ("market", "stop", "limit")       # reasons of the fill that opens a trade
SIGNAL = ("side", "order", "price", "stop_loss", "target_1", "target_2", "target_3", "target_4", "target_r_1", "lots", "size", "tag")


@dataclass(frozen=True)
class Decision:
    """``decided``: the end of the bar that decided; ``fill``: the first fill, or nothing; ``reviews``: verdicts of sizing, margin and limits."""

    instrument: str
    order: int
    decided: pd.Timestamp
    signal: Mapping[str, Any]
    features: Mapping[str, float]
    inputs: SizeInputs
    size: Size
    limits: tuple[LimitCheck, ...]
    fill: Mapping[str, Any]
    reviews: tuple[Mapping[str, Any], ...]

    @property
    def lots(self) -> float | None:
        """The lots that the kernel decided, where anything records them: given by the first review, else filled."""
        if self.reviews:
            wanted = float(self.reviews[0]["lots_requested"])
            capped = self.reviews[0]["verdict"] == "capped"
            return (float(self.reviews[0]["lots_given"]) if capped else wanted) if np.isfinite(wanted) else None
        return float(self.fill["lots"]) if self.fill else None


def decision(study: Study, series: Sequence[Series], strategy: Strategy, rates: Sequence[Rate], instrument: str, order: int) -> Decision:
    """Order number ``order`` (from 1, as in fills and reviews) of ``instrument``. Raises BadRequest where the run has none."""
    k = next((number for number, task in enumerate(study.tasks) if task.instrument.name == instrument), -1)
    if k < 0:
        raise BadRequest(f"the run does not trade {instrument}; it trades {', '.join(task.instrument.name for task in study.tasks)}")
    task = study.tasks[k]
    if not 1 <= order <= task.count:
        raise BadRequest(f"order {order} is not among the {task.count:,} signals of {instrument}; choose 1 to {task.count:,}")
    signal = {name: task.signals[name][order - 1] for name in ("ts", *SIGNAL)} if isinstance(task.signals, dict) else task.signals.iloc[order - 1].to_dict()
    run = Rerun(study.tasks, study.rules, rates)
    bars, offset = run.market.bars[k], int(run.market.offsets[k])
    bar = int(np.searchsorted(bars.ts, pd.Timestamp(signal["ts"]).value))
    decided = int(bars.end[bar])
    inputs = _size_inputs(study, run, k, bar, signal)
    state = run.after(decided)
    wanted = Order(k, instrument, int(signal["side"]), order - 1, offset + bar, stop=float(signal["stop_loss"]))
    rows = study.outcome.equity[study.outcome.equity["ts"].array.as_unit("ns").asi8 <= decided]
    limits = list(at_decision(wanted, study.rules.limits, run, state, rows))
    fill, reviews = _first_fill(study, instrument, order), _reviews(study, instrument, order)
    size = sized(study.rules.sizing, task.instrument, inputs)
    limits += _limits_at_fill(study, run, wanted, size, bars, offset, fill, reviews)
    shown = {name: _plain(signal[name]) for name in SIGNAL}
    return Decision(instrument, order, pd.Timestamp(decided, tz="UTC"), shown, _features(series, strategy, k, bar), inputs, size, tuple(limits), fill, reviews)


def _limits_at_fill(study: Study, run: Rerun, wanted: Order, size: Size, bars: Any, offset: int, fill: Mapping[str, Any], reviews: Sequence[Mapping[str, Any]]) -> list[LimitCheck]:
    """Where the order reached its fill: filled, or refused, shrunk there."""
    later = [row["ts"] for row in reviews if pd.Timestamp(row["ts"]).value >= int(bars.end[wanted.bar - offset])]
    at = fill["bar_ts"] if fill else later[-1] if later else None
    if at is None or not np.isfinite(size.lots):
        return []
    bar = int(np.searchsorted(bars.ts, pd.Timestamp(at).value))
    if bar >= len(bars.ts) or bars.ts[bar] != pd.Timestamp(at).value:
        return []
    price = float(fill["price"]) if fill else float(bars.open[bar])
    order = Order(wanted.task, wanted.instrument, wanted.side, wanted.signal, offset + bar, size.lots, price, wanted.stop, _recent(study, fill, int(bars.ts[bar])))
    return list(at_fill(order, study.rules.limits, run, run.after(int(bars.ts[bar]))))


def _recent(study: Study, fill: Mapping[str, Any], ts: int) -> int:
    """Entries of the account in the 60 minutes up to a fill at ``ts``, booked before it."""
    trades = study.outcome.trades
    entered = trades["entry_ts"].array.as_unit("ns").asi8
    before = trades["trade_id"].to_numpy() < fill["trade_id"] if fill else entered <= ts
    return int((before & (entered > ts - HOUR)).sum())


def _size_inputs(study: Study, run: Rerun, k: int, bar: int, signal: Mapping[str, Any]) -> SizeInputs:
    task, bars, sizing = study.tasks[k], run.market.bars[k], study.rules.sizing
    end = int(bars.end[bar])
    equity, trades = study.outcome.equity, study.outcome.trades
    at_close = float(equity["equity"].to_numpy()[int(np.searchsorted(equity["ts"].array.as_unit("ns").asi8, end))])
    entry = expected_entry(task.side, int(signal["side"]), bars.close[bar], bars.spread[bar]) if signal["order"] == "market" else float(signal["price"])
    closed = trades[(trades["exit_ts"].array.as_unit("ns").asi8 <= end) & _closed_by(trades, end)] if sizing.kind in BY_RESULTS else trades.iloc[:0]
    results = closed.sort_values("exit_ts", kind="stable")["r"].dropna().tolist()
    volatility = float(yearly_volatility(bars.end, bars.close, sizing.volatility_window)[bar]) if sizing.kind == "volatility" else float("nan")
    return SizeInputs(at_close, entry, float(signal["stop_loss"]), run.rate(k, end), volatility, tuple(results), float(signal["lots"]), _or_one(float(signal["size"])))


def _or_one(size: float) -> float:
    return 1.0 if np.isnan(size) else size


def _closed_by(trades: pd.DataFrame, end: int) -> np.ndarray:
    """Closed when the bar that ends at ``end`` closed: a trade that left at the open of the next one, at the same instant, was not."""
    at = trades["exit_ts"].array.as_unit("ns").asi8
    return (at < end) | trades["exit_reason"].isin(["stop_out"]).to_numpy()


def _features(series: Sequence[Series], strategy: Strategy, k: int, bar: int) -> dict[str, float]:
    """The values that the strategy read at the bar."""
    uses = uses_of(strategy)
    if not uses:
        return {}
    traded = series[k]
    frame = compute(traded.seen, uses, context_of(traded, series))
    row = frame.iloc[traded.bars_of_history + bar]
    return {use.column: float(row[use.column]) for use in uses}


def _first_fill(study: Study, instrument: str, order: int) -> dict[str, Any]:
    fills = study.outcome.fills
    own = fills[(fills["instrument"] == instrument).to_numpy(bool) & (fills["order_id"] == order).to_numpy() & fills["reason"].isin(ENTRIES).to_numpy()]
    return {str(name): _plain(value) for name, value in own.iloc[0].items()} if len(own) else {}


def _reviews(study: Study, instrument: str, order: int) -> tuple[dict[str, Any], ...]:
    reviews = study.outcome.reviews
    own = reviews[(reviews["instrument"] == instrument).to_numpy(bool) & (reviews["order_id"] == order).to_numpy()]
    return tuple({str(name): _plain(value) for name, value in row.items()} for row in own.to_dict("records"))


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else value
