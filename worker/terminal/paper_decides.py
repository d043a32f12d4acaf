"""What decides in a session that the terminal starts: strategies, a table of signals, a scanner, and a model or forecasts beside them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from domain.errors import BadRequest
from worker.terminal import backtest_options as options
from worker.terminal.forecasts import ForecastSource
from worker.terminal.model_filter import ModelFilter
from worker.terminal.options import params_of


@dataclass(frozen=True)
class Decides:
    """``strategies``, ``model``, ``scan``: as the plan names them. ``table``: forecasts of a file, None without one."""

    strategies: list[dict[str, Any]]
    model: dict[str, Any] | None = None
    scan: dict[str, Any] | None = None
    table: Any = None

    @property
    def plan(self) -> dict[str, Any]:
        """Its part of the plan."""
        return dict(strategies=self.strategies, **({"model": self.model} if self.model else {}), **({"scan": self.scan} if self.scan else {}))


@dataclass(frozen=True)
class AskedToDecide:
    """The options. ``params``: as JSON; ``strategy``: that of ``--strategy-file`` too."""

    strategy: str
    params: str
    preset: str = ""
    signals: Path | None = None
    model: str = ""
    forecasts: Path | None = None
    scan: str = ""

    def __post_init__(self) -> None:
        if self.scan and (self.strategy or self.signals or self.model or self.forecasts or self.preset or params_of(self.params)):
            raise BadRequest("--scan names its strategies and their parameters; leave --strategy, --params, --preset, --signals, --model and --forecasts out")
        if not self.scan and bool(self.strategy) == bool(self.signals) and not (self.model and not self.signals):
            raise BadRequest("give either --strategy NAME, --strategy-file FILE, --signals FILE or --scan SCAN")
        if self.signals and (self.preset or params_of(self.params)):
            raise BadRequest("--params and --preset are of a strategy, and a table of signals has none; leave them out")
        if self.signals and self.forecasts:
            raise BadRequest("--forecasts are for strategies that decide on them, and a table of signals decides itself; leave one of them out")

    @property
    def of_one_timeframe(self) -> bool:
        """Whether an instrument may come in one timeframe only."""
        return bool(self.signals or self.model or self.forecasts)

    def decides(self, timeframe: str) -> Decides:
        """``timeframe``: of the first series."""
        if self.scan:
            from worker.terminal.scanned import scan_of

            return Decides(*scan_of(self.scan))
        if self.signals:
            return self._signals()
        params = options.with_preset(self.strategy, self.preset, timeframe, self.params)
        source = ForecastSource.named(self.strategy, self.model, self.forecasts)
        filtering = ModelFilter.named(self.model, self.strategy, False) if self.model and not source else None
        if source:
            return Decides([_planned(self.strategy, source.strategy(params, timeframe))], source.spec, table=source.table)
        if filtering:
            return Decides([_planned(filtering.name, filtering.strategy(self.strategy, params))], filtering.spec)
        return Decides([dict(name=self.strategy, params=params_of(params), series=[])])

    def _signals(self) -> Decides:
        from domain.live.signal_rows import SIGNALS

        if self.model:
            ModelFilter.named(self.model, self.strategy, True)      # refuses
        return Decides([dict(name=SIGNALS, params={}, series=[])])


def _planned(name: str, strategy: Any) -> dict[str, Any]:
    from domain.params import values_of

    return dict(name=name, params=values_of(strategy), series=[])
