"""Many combinations of one strategy's parameters on the same series: in parts that any worker may do, and put together in one order."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from domain.audit.record import canonical, plain
from domain.backtest.bench import Bench, key_of, within
from domain.backtest.evaluation import Evaluation
from domain.backtest.simulator import Watch
from domain.backtest.study import Rules, Series, spec_of
from domain.optimise.grid import Point, rules_at, strategy_of
from domain.optimise.objective import FIGURES
from domain.params import values_of

SECONDS_A_BAR = 4e-8        # of one combination, about, on one core, where there are many; under limits several times as long
PART_SECONDS = 4.0          # of work that a killed worker may lose
LARGEST_PART = 500          # combinations


@dataclass(frozen=True)
class SweepRequest:
    """The data, strategy and rules that stay the same while combinations change."""

    strategy: str
    params: Mapping[str, Any]
    rules: Rules
    points: Sequence[Point]

    def strategy_at(self, number: int) -> Any:
        return strategy_of(self.strategy, self.params, self.points[number])

    def rules_at(self, number: int) -> Rules:
        if not any("." in name for name in self.points[number]):
            return self.rules
        return replace(self.rules, **{field.name: rules_at(getattr(self.rules, field.name), field.name, self.points[number]) for field in fields(self.rules)})


class Trial(NamedTuple):
    """One line of the ledger: a trial by hash, and its result. ``sharpe`` is daily, not annualised."""

    strategy: str
    params: str
    spec: str
    sharpe: float | None
    days: int


class Part(NamedTuple):
    """Some of the combinations: a row each. ``matrix``: number, and a column a day of its profit or loss (share of the start balance, float32).
    ``refused``: number -> sentence of each that the strategy refuses, which has no row."""

    table: pd.DataFrame
    matrix: pd.DataFrame
    trials: list[Trial]
    refused: dict[int, str]


def order(sweep_request: SweepRequest) -> list[int]:
    """The numbers of the points, ordered so that those which share rules, then features, are adjacent."""
    keyed = [(key_of(sweep_request.rules_at(k)), tuple(feature.column for feature in sweep_request.strategy_at(k).features()), k) for k in range(len(sweep_request.points))]
    return [k for *_, k in sorted(keyed)]


def part_size(bars: int, points: int, workers: int = 2) -> int:
    """Combinations of a part: some seconds of work, and enough parts that all workers are busy until near the end.

    >>> part_size(224_000, 10_000), part_size(224_000, 12), part_size(1_000, 10)
    (446, 1, 1)
    """
    by_time = int(PART_SECONDS / max(SECONDS_A_BAR * bars, 1e-9))
    return max(min(by_time, LARGEST_PART, points // (4 * workers)), 1)


def evaluate(bench: Bench, sweep_request: SweepRequest, numbers: Sequence[int], watch: Watch = lambda share: None) -> Part:
    """These combinations, by their numbers; without a row where the strategy refuses to decide on these bars. ``watch(fraction)`` may raise to stop."""
    ledger = Ledger(bench.series, sweep_request.rules, sweep_request.strategy_at(numbers[0]))
    days, refused = np.zeros(0, np.int64), dict[int, str]()
    rows, lines, trials = list[dict[str, Any]](), list[np.ndarray](), list[Trial]()
    for k, number in enumerate(numbers):
        watch(k / len(numbers))
        strategy, rules = sweep_request.strategy_at(number), sweep_request.rules_at(number)
        if sentence := bench.refusal(strategy):
            refused[number] = sentence
            continue
        evaluation = bench.evaluate(strategy, rules, watch=within(watch, k / len(numbers), (k + 1) / len(numbers)))
        rows.append(dict(number=number, **sweep_request.points[number], **numbers_of(evaluation)))
        lines.append(evaluation.pnl.astype(np.float32))
        trials.append(ledger.trial(sweep_request.strategy, strategy, rules, evaluation))
        days = evaluation.days
    matrix = pd.DataFrame(np.array(lines, np.float32).reshape(len(rows), len(days)), columns=[str(day) for day in days.astype("datetime64[D]")], copy=False)
    matrix.insert(0, "number", np.array([row["number"] for row in rows], np.int64))
    return Part(pd.DataFrame(rows) if rows else matrix[["number"]], matrix, trials, refused)


def numbers_of(evaluation: Evaluation) -> dict[str, float]:
    """Figures as columns: NaN for none."""
    figures = {name: np.nan if evaluation.figures[name] is None else float(evaluation.figures[name] or 0.0) for name in FIGURES}
    return figures | dict(sharpe_daily=evaluation.sharpe, days=float(len(evaluation.pnl)), signals=float(evaluation.signals))


class Ledger:
    """Lines for trials on the same data. A spec's canonical bytes are those of its parts side by side: only the parts that change are encoded again."""

    def __init__(self, series: Sequence[Series], rules: Rules, strategy: Any) -> None:
        self._parts = {name: canonical(value) for name, value in spec_of(series, rules, strategy).items()}
        self._rules: dict[Rules, dict[str, bytes]] = {}

    def trial(self, name: str, strategy: Any, rules: Rules, evaluation: Evaluation) -> Trial:
        params, word = canonical(plain(values_of(strategy))), canonical(name)
        if rules not in self._rules:
            self._rules[rules] = {part: canonical(plain(value)) for part, value in rules.values().items()}
        parts = {**self._parts, **self._rules[rules], "strategy": b'{"name":%s,"params":%s}' % (word, params)}
        spec = b"{" + b",".join(b'"%s":%s' % (part.encode(), parts[part]) for part in sorted(parts)) + b"}"
        sharpe = evaluation.sharpe if np.isfinite(evaluation.sharpe) else None
        return Trial(name, _params_hash(word, params), hashlib.sha256(spec).hexdigest(), sharpe, len(evaluation.pnl))


def params_hash(strategy: str, params: Mapping[str, Any]) -> str:
    return _params_hash(canonical(strategy), canonical(plain(params)))


def _params_hash(strategy: bytes, params: bytes) -> str:
    """Of both as their canonical bytes: those of the two together."""
    return hashlib.sha256(b'{"params":%s,"strategy":%s}' % (params, strategy)).hexdigest()


def merged(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Parts in any order as one frame, by number: the same bytes however the work was split.

    >>> merged([pd.DataFrame({"number": [2]}), pd.DataFrame({"number": [1, 0]})])["number"].tolist()
    [0, 1, 2]
    """
    frame = pd.concat(parts, ignore_index=True)
    return frame.sort_values("number", kind="stable", ignore_index=True)
