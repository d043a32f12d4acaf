"""A scan: every strategy on every series, graded at the last closed bar; with the numbers that a stranger needs to compute each verdict again."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from domain.backtest.series import bars_of
from domain.backtest.study import Series
from domain.errors import BadRequest
from domain.risk.positions import OpenPosition
from domain.scanner.combination import Combination, Probability, SeriesRequest, combinations
from domain.scanner.correlation import Correlations, correlations, daily_closes
from domain.scanner.criteria import Criteria
from domain.scanner.limits import AccountLimits, Exposure
from domain.scanner.quality import side_by_side
from domain.scanner.verdict import Book, Candidates, Verdicts, judge
from domain.strategies import Strategy
from domain.trading.rules import Rules
from domain.trading.task import Rate

Watch = Callable[[float, str], None]


@dataclass(frozen=True)
class ScanRequest:
    """``series``: of every instrument and timeframe. ``strategies``: by the name they are shown under. ``equity``: account currency; None: the start balance.
    ``positions``: those open in the account. ``at``: the instant of the scan, nanoseconds UTC; None: when the newest bar closed."""

    series: Sequence[Series]
    strategies: Mapping[str, Strategy]
    rules: Rules = Rules()
    criteria: Criteria = Criteria()
    rates: Sequence[Rate] = ()
    positions: Sequence[OpenPosition] = ()
    equity: float | None = None
    at: int | None = None
    probability: Probability = lambda series, strategy, ts: None

    def __post_init__(self) -> None:
        if not self.series or not self.strategies:
            raise BadRequest(f"there is nothing to scan: {'no bars are' if not self.series else 'no strategy is'} chosen; choose at least one")
        keys = [(entry.instrument.name, str(entry.timeframe)) for entry in self.series]
        if repeated := next((key for key in keys if keys.count(key) > 1), None):
            raise BadRequest(f"{' '.join(repeated)} is there twice; choose one series of each instrument and timeframe")
        if not self.capital > 0:
            raise BadRequest(f"the equity is {self.capital:,.2f}; a scan needs an amount above 0")

    @property
    def capital(self) -> float:
        return self.rules.account.balance if self.equity is None else self.equity


@dataclass(frozen=True)
class Scan:
    """The combinations in the order instrument, strategy, timeframe, and their verdicts in the same one. ``at``: nanoseconds UTC."""

    request: ScanRequest
    at: int
    combinations: Sequence[Combination]
    verdicts: Verdicts
    correlations: Correlations
    stale: np.ndarray = field(default_factory=lambda: np.zeros(0, bool))

    @property
    def proposals(self) -> list[Combination]:
        return [self.combinations[k] for k in self.verdicts.proposals]


def scan(request: ScanRequest, watch: Watch = lambda share, note: None) -> Scan:
    """The verdict on every combination. ``watch(fraction, note)`` may raise to stop."""
    computed: list[Combination] = []
    for k, traded in enumerate(request.series):
        note = f"{traded.instrument.name} {traded.timeframe}"
        group = [entry for entry in request.series if entry.timeframe == traded.timeframe]
        shared = SeriesRequest(traded, group, _rates(request, traded), request.rules, request.capital, request.criteria.history, request.probability)
        computed += combinations(shared, request.strategies, lambda share, k=k, note=note: watch((k + share) / len(request.series), note))      # type: ignore[misc]
    watch(1.0, "Verdict")
    names = list(dict.fromkeys(entry.instrument.name for entry in request.series))
    order = {name: k for k, name in enumerate(request.strategies)}
    computed.sort(key=lambda each: (names.index(each.instrument), order[each.strategy], each.series.timeframe))
    return verdict_of(request, computed)


def verdict_of(request: ScanRequest, computed: Sequence[Combination]) -> Scan:
    """The verdict on combinations that are computed already."""
    at = max(each.ended for each in computed) if request.at is None else request.at
    stale = np.array([at - each.ended >= each.series.timeframe.nanoseconds for each in computed])
    rho = _correlations(request, at)
    names = list(dict.fromkeys([*rho.names, *(position.instrument for position in request.positions)]))
    table = np.array([[rho.of(a, b) for b in names] for a in names])
    limits = AccountLimits(request.rules.limits, request.rules.account, request.capital)
    open_ = exposures(request, computed)

    def limit(k: int, proposed: Sequence[int]) -> str:
        return limits.refusal(_exposure(computed[k]), [*open_, *(_exposure(computed[j]) for j in proposed)], computed[k].warnings)

    book = Book(request.capital, table, [(names.index(position.instrument), position.side) for position in request.positions], limit)
    return Scan(request, at, computed, judge(_candidates(computed, names, stale, request.criteria.history), book, request.criteria), rho, stale)


def _candidates(computed: Sequence[Combination], names: Sequence[str], stale: np.ndarray, most: int) -> Candidates:
    def column(values: Sequence[float]) -> np.ndarray:
        return np.array(values, np.float64)

    return Candidates(
        np.array([names.index(each.instrument) for each in computed]),
        np.array([0 if each.signal is None or old else each.signal.side for each, old in zip(computed, stale, strict=True)], np.int8),
        np.array([each.ready for each in computed]),
        side_by_side([each.r for each in computed], most),
        column([each.spread for each in computed]),
        column([each.spread_at_entries for each in computed]),
        column([each.stop_distance for each in computed]),
        column([np.nan if each.signal is None else each.signal.at_risk for each in computed]),
        column([each.probability for each in computed]),
    )


def _exposure(each: Combination) -> Exposure:
    assert each.signal is not None
    return Exposure(each.series.instrument, each.signal.side, each.signal.lots, each.signal.entry, each.rate)


def exposures(request: ScanRequest, computed: Sequence[Combination]) -> list[Exposure]:
    """The open positions, in account currency. Raises BadRequest for one whose instrument is not scanned: its correlation would not be known either."""
    known = {each.instrument: each for each in computed if not np.isnan(each.rate)}
    held = []
    for position in request.positions:
        if position.instrument not in known:
            raise BadRequest(f"{position.instrument} has an open position and is not scanned, or its money cannot be converted; its correlation is not known. Scan its bars too")
        each = known[position.instrument]
        held.append(Exposure(each.series.instrument, position.side, position.lots, position.entry, each.rate))
    return held


def _correlations(request: ScanRequest, at: int) -> Correlations:
    """Of the finest series of each instrument, from its bars that had closed by ``at``."""
    finest: dict[str, Series] = {}
    for entry in sorted(request.series, key=lambda entry: entry.timeframe):
        finest.setdefault(entry.instrument.name, entry)
    ordered = {name: finest[name] for name in dict.fromkeys(entry.instrument.name for entry in request.series)}
    closes = {}
    for name, entry in ordered.items():
        own = bars_of(Rate(entry.instrument, entry.timeframe, entry.seen, entry.side), request.rules.costs)
        closes[name] = daily_closes(own.end, own.close)
    return correlations(closes, at, request.criteria.correlation_days)


def _rates(request: ScanRequest, traded: Series) -> list[Rate]:
    """What is loaded to convert money, and the scanned pairs that do."""
    account, quote = request.rules.account.currency, traded.instrument.quote
    if quote == account:
        return list(request.rates)
    pairs = [{quote, account}, {quote, "USD"}, {"USD", account}]
    scanned = [entry for entry in request.series if entry is not traded and {entry.instrument.base, entry.instrument.quote} in pairs]
    return [*request.rates, *(Rate(entry.instrument, entry.timeframe, entry.bars, entry.side) for entry in scanned)]
