"""Everything that a report contains, and the verdict on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from domain.analytics import (
    Belief,
    MonteCarloConfig,
    Remark,
    believe,
    daily_returns,
    drawdown_table,
    monte_carlo_of,
    significance_of,
    underwater,
)
from domain.analytics.columns import statistics
from domain.analytics.daily import USUAL, days_a_year, enough
from domain.market.sessions import Calendar
from domain.report import charts
from domain.report.figures import clock, exact, words
from domain.report.settings import declared, stated
from domain.report.svg import Chart
from domain.trading.outcomes import DROPS

HISTORIES = 200         # drawn of the daily returns; a share of them is known to about three in a hundred
WORTH_NAMING = 0.05     # of the deepest fall
UNCOUNTED = "Uncounted trials possible: this run was made on files, where no ledger counts what else was tried on these bars; the best of many tries looks better than it is."


@dataclass(frozen=True)
class Material:
    """One run. ``manifest`` is what decided it: spec (plain values), spec_hash, code, libraries; ``hashes`` names the results by content.

    ``created`` is a time in words, or empty: nothing here reads a clock, so the same run gives the same report.
    """

    trades: pd.DataFrame
    fills: pd.DataFrame
    equity: pd.DataFrame
    metrics: Mapping[str, float | None]
    counts: Mapping[str, int]
    bars: int
    ambiguous: int
    manifest: Mapping[str, Any]
    belief: Belief
    remarks: Sequence[Remark] = ()
    trials: str = ""                                # a sentence on what else was tried
    hashes: Mapping[str, str] = field(default_factory=dict)
    reviews: pd.DataFrame = field(default_factory=pd.DataFrame)
    run: str = ""
    name: str = ""
    note: str = ""
    synthetic: bool = False
    created: str = ""
    hold: Mapping[str, float | None] | None = None      # metrics of buy and hold, where it is known

    @cached_property
    def statistics(self) -> pd.DataFrame:
        """Every metric of all, long and short trades and of buy and hold."""
        return statistics(self.metrics, self.trades, self.fills, self.equity, self.start, self.hold)

    @property
    def spec(self) -> Mapping[str, Any]:
        return self.manifest["spec"]

    @property
    def bars_of_history(self) -> int:
        """Bars before the period that features knew, over all series."""
        return sum(int(dataset.get("history", 0)) for dataset in self.spec["data"])

    @property
    def currency(self) -> str:
        return str(self.spec["account"]["currency"])

    @property
    def start(self) -> float:
        return float(self.spec["account"]["balance"])

    @cached_property
    def entries(self) -> int:
        """Orders that opened a trade."""
        return int(self.fills.drop_duplicates("trade_id")["order_id"].nunique())

    @property
    def dropped(self) -> int:
        return sum(self.counts.get(key, 0) for key in DROPS)

    @property
    def title(self) -> str:
        """The strategy and its instruments.

        >>> nothing = pd.DataFrame()
        >>> spec = dict(strategy=dict(name="signals", params={}), data=[dict(instrument="EURUSD", timeframe="M5")])
        >>> Material(nothing, nothing, nothing, {}, {}, 0, 0, dict(spec=spec), believe({})).title
        'own signals · EURUSD M5'
        """
        strategy, data = self.spec["strategy"]["name"], self.spec["data"]
        frames = dict.fromkeys(dataset["timeframe"] for dataset in data)
        return f"{'own signals' if strategy == 'signals' else strategy} · {', '.join(dataset['instrument'] for dataset in data)} {', '.join(frames)}"

    @property
    def sentence(self) -> str:
        """The settings in one line."""
        spec, sizing = self.spec, self.spec["sizing"]
        params = declared("strategy", spec["strategy"]["name"])
        changed = [stated(params, name, value) for name, value in spec["strategy"]["params"].items()]
        size = f"{float(sizing['value']):.2%} at risk" if sizing["kind"] == "fraction_at_risk" else f"{words(sizing['kind'])} {exact(sizing['value'])}"
        span = [f"{clock(spec['span'][0])} to {clock(spec['span'][1])} UTC"] if spec.get("span") else []
        sides = f"{' and '.join(dict.fromkeys(dataset['side'] for dataset in spec['data']))} prices"
        return "\u00a0· ".join([*span, f"{self.bars:,} bars{f' after {self.bars_of_history:,} of history' if self.bars_of_history else ''}, {sides}", *changed, f"{exact(self.start)} {self.currency}, {size}"])

    @cached_property
    def depth(self) -> np.ndarray:
        """How far equity is below its highest value so far, share, one a row."""
        return underwater(self.equity, self.start)["share"].to_numpy(float) if len(self.equity) else np.zeros(0)

    @cached_property
    def drawdowns(self) -> pd.DataFrame:
        """The deepest drawdowns of equity, without those too small to name beside the deepest."""
        drawdowns = drawdown_table(self.equity, self.start, most=5) if len(self.equity) else pd.DataFrame(columns=["share"])
        return drawdowns[drawdowns["share"] <= drawdowns["share"].min() * WORTH_NAMING]

    @cached_property
    def equity_chart(self) -> Chart:
        return charts.equity(self.equity, self.start, self.currency)

    @cached_property
    def drawdown_chart(self) -> Chart:
        return charts.drawdown(self.equity["ts"], self.depth, self.drawdowns)

    @property
    def pips(self) -> dict[str, float]:
        """Price units of a pip, by instrument."""
        return {name: float(instrument["pip"]) for name, instrument in self.spec["instruments"].items()}

    @property
    def pip(self) -> float | None:
        """The pip of the one instrument that is traded; None for several."""
        return next(iter(self.pips.values())) if len(self.pips) == 1 else None


def belief_of(
    equity: pd.DataFrame,
    metrics: Mapping[str, float | None],
    remarks: Sequence[Remark],
    *,
    start: float,
    ambiguous: int,
    trials: int = 1,
    variance: float | None = None,
    band: tuple[float, float] | None = None,
    market: Calendar = USUAL,
) -> Belief:
    """Robustness of a run as far as its equity alone shows it; 200 Monte Carlo paths are drawn from its daily returns.

    ``trials`` were run on this data, ``variance`` is that of their daily Sharpe ratios, if known. ``band`` as for ``believe``, ``market`` as for ``measure``.
    """
    daily = enough(daily_returns(equity, start, market).to_numpy()) if len(equity) else np.zeros(0)
    histories = monte_carlo_of(daily, MonteCarloConfig(paths=HISTORIES), "days") if daily.any() and bool((daily > -1.0).all()) else None
    significance = significance_of(daily, trials, variance, days_a_year(market.name)) if daily.any() else None
    return believe(
        metrics, significance=significance, ambiguous=ambiguous, band=band, monte_carlo=histories, remarks=list(remarks),
    )  # fmt: skip
