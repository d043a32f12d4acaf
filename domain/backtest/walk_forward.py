"""Fit on a window, trade the choice in the next, move on: what a search would have earned if it had been done at the time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from domain.backtest.bench import NO_SIGNALS, Bench, Span
from domain.backtest.simulator import Watch
from domain.backtest.study import Rules
from domain.backtest.sweep import Ledger, SweepRequest, Trial, numbers_of
from domain.optimise.objective import Objective, chosen
from domain.optimise.windows import Fold

LARGEST_PART = 48       # combinations; their signals are cached from fold to fold


class Fits(NamedTuple):
    """``fold, number``, the point and its figures in sample: one row each. ``refused``: number -> sentence of each that the strategy refuses."""

    table: pd.DataFrame
    trials: list[Trial]
    refused: dict[int, str]


@dataclass(frozen=True)
class OutOfSample:
    """The result of the chosen combinations, one fold after the other, each starting with the balance of the one before."""

    folds: pd.DataFrame
    equity: pd.DataFrame
    trades: pd.DataFrame
    fills: pd.DataFrame


def fit(bench: Bench, sweep_request: SweepRequest, folds: Sequence[Fold], numbers: Sequence[int], watch: Watch = lambda share: None) -> Fits:
    """These combinations on every window to fit on. Each run has the bars of its window alone and ends with them."""
    rows, trials, done = list[dict[str, Any]](), list[Trial](), 0
    refused = {number: sentence for number in numbers if (sentence := bench.refusal(sweep_request.strategy_at(number)))}
    numbers = [number for number in numbers if number not in refused]
    if not numbers:
        return Fits(pd.DataFrame(dict(fold=np.zeros(0, np.int64), number=np.zeros(0, np.int64))), [], refused)
    for fold in folds:
        span = (fold.start, fold.end)
        ledger = Ledger(bench.prepared(sweep_request.rules, span).series, sweep_request.rules, sweep_request.strategy_at(numbers[0]))
        for number in numbers:
            watch(done / (len(folds) * len(numbers)))
            strategy, rules = sweep_request.strategy_at(number), sweep_request.rules_at(number)
            evaluation = bench.evaluate(strategy, rules, span)
            rows.append(dict(fold=fold.number, number=number, **sweep_request.points[number], **numbers_of(evaluation)))
            trials.append(ledger.trial(sweep_request.strategy, strategy, rules, evaluation))
            done += 1
    return Fits(pd.DataFrame(rows), trials, refused)


def merged(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Parts in any order as one frame, by fold and number."""
    return pd.concat(parts, ignore_index=True).sort_values(["fold", "number"], kind="stable", ignore_index=True)


def choices(fits: pd.DataFrame, folds: Sequence[Fold], objective: Objective) -> list[int | None]:
    """The number of the best fit of each fold; None where none qualifies, and the fold is not traded."""
    return [chosen(fits[fits["fold"] == fold.number], objective) for fold in folds]


def trade(bench: Bench, sweep_request: SweepRequest, folds: Sequence[Fold], picked: Sequence[int | None], fits: pd.DataFrame, watch: Watch = lambda share: None) -> OutOfSample:
    """Trade each choice in its test window. An account that is used up trades no more."""
    curves, trades, fills = list[pd.DataFrame](), list[pd.DataFrame](), list[pd.DataFrame]()
    balance, rows = sweep_request.rules.account.balance, list[dict[str, Any]]()
    for fold, number in zip(folds, picked, strict=True):
        watch(fold.number / len(folds))
        outcome = _test(bench, sweep_request, fold, number if balance >= 0.01 else None, max(balance, 0.01))
        ended = float(outcome.equity["equity"].iloc[-1]) if balance >= 0.01 else balance
        curves.append(outcome.equity.assign(fold=fold.number))
        offset = sum(map(len, trades))
        trades.append(outcome.trades.assign(trade_id=outcome.trades["trade_id"] + offset, fold=fold.number))
        fills.append(outcome.fills.assign(trade_id=outcome.fills["trade_id"] + offset, fold=fold.number))
        rows.append(_row(sweep_request, fold, number, fits, balance, ended, len(outcome.trades)))
        balance = ended
    merged = [pd.concat(frames, ignore_index=True) for frames in (curves, trades, fills)]
    return OutOfSample(pd.DataFrame(rows), *merged)


def _test(bench: Bench, sweep_request: SweepRequest, fold: Fold, number: int | None, balance: float) -> Any:
    span: Span = (fold.test_start, fold.test_end)
    at = 0 if number is None else number
    rules: Rules = sweep_request.rules_at(at)
    rules = replace(rules, account=replace(rules.account, balance=balance))
    nothing = [(NO_SIGNALS, None) for _ in bench.series]
    run, tasks = bench.simulation(sweep_request.strategy_at(at), rules, span, nothing if number is None else None)
    run.to_end()
    outcome = run.outcome(tasks)
    return replace(outcome, trades=_without_categories(outcome.trades), fills=_without_categories(outcome.fills))


def _without_categories(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(**{str(name): frame[name].astype(str) for name in frame if isinstance(frame[name].dtype, pd.CategoricalDtype)})


def _row(sweep_request: SweepRequest, fold: Fold, number: int | None, fits: pd.DataFrame, before: float, after: float, trades: int) -> dict[str, Any]:
    best = None if number is None else fits[(fits["fold"] == fold.number) & (fits["number"] == number)].iloc[0]
    names = list(sweep_request.points[0])
    return dict(
        fold=fold.number, start=fold.start, end=fold.end, test_start=fold.test_start, test_end=fold.test_end,
        number=np.nan if number is None else float(number), **{name: None if number is None else sweep_request.points[number][name] for name in names},
        in_sample_days=(fold.end - fold.start).total_seconds() / 86_400, in_sample_return=np.nan if best is None else float(best["net_return"]),
        in_sample_sharpe=np.nan if best is None else float(best["sharpe"]), in_sample_trades=np.nan if best is None else float(best["trades"]),
        out_of_sample_days=(fold.test_end - fold.test_start).total_seconds() / 86_400, out_of_sample_return=after / before - 1.0 if number is not None and before > 0 else np.nan,
        out_of_sample_trades=trades, balance=after,
    )  # fmt: skip
