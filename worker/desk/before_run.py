"""What a backtest will cost and take, before it is run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from domain.compiled_folder import is_compiled
from domain.market import Instrument, instrument
from domain.trading.cost_preview import CostPreview, cost_preview, latest_rate
from domain.trading.costs import Costs
from worker.desk.backtests import BacktestRequest, Backtests
from worker.desk.context import DeskContext, required
from worker.store import Dataset, Job

RECENT = 40             # finished jobs that are measured
QUOTE_AGE = timedelta(days=14)      # a price is looked for so far before the end of the period


@dataclass(frozen=True)
class Estimate:
    """``seconds`` of a run by ``jobs`` earlier ones here; None where there is none. ``compiling``: what comes before it, in a sentence; empty where nothing does."""

    bars: int
    seconds: float | None
    jobs: int
    compiling: str


class BeforeRun:
    def __init__(self, context: DeskContext) -> None:
        self._context, self._backtests = context, Backtests(context)

    def costs(self, request: BacktestRequest) -> list[CostPreview]:
        """The costs of one lot of each instrument under the request's own rules."""
        with self._context.store.read() as unit:
            used = [required(unit.datasets.get(name), "dataset", name) for name in request.datasets]
            profile = required(unit.cost_profiles.get(request.cost_profile), "cost profile", request.cost_profile) if request.cost_profile else None
            catalogue = unit.datasets.all()
        rules = self._backtests.rules_with(request, [self._instrument(dataset) for dataset in used], profile)
        account = rules["account"].currency
        versions = self._backtests.rates_of(used, catalogue, account) if used else []
        mids = dict(pair for dataset in [*(each for each in catalogue if each.version in versions), *used] for pair in self._mid(dataset, request.end))
        return [self._preview(dataset, rules["costs"], account, mids) for dataset in used]

    def estimate(self, request: BacktestRequest) -> Estimate:
        """How long the request will take, by what finished backtests of this workspace took, those of the same strategy first."""
        bars = self._backtests.bars_in(request)
        with self._context.store.read() as unit:
            done = unit.jobs.latest(("done",), ("backtest",))[:RECENT]
            compiling = next(iter(unit.jobs.latest(("running", "queued"), ("compile",))), None)
            datasets = {dataset.version: dataset for dataset in unit.datasets.all()}
        measured = [(job, _bars(self._backtests, job, datasets)) for job in done if job.started_at and job.ended_at]
        same = [(bars_, _seconds(job)) for job, bars_ in measured if bars_ and job.spec["strategy"] == request.strategy]
        every = same or [(bars_, _seconds(job)) for job, bars_ in measured if bars_]
        return Estimate(bars, seconds_for(bars, every), len(every), _compiling(compiling))

    def _preview(self, dataset: Dataset, costs: Costs, account: str, mids: Mapping[tuple[str, str], float]) -> CostPreview:
        traded = self._instrument(dataset)
        price = mids.get((traded.base, traded.quote), float("nan"))
        return cost_preview(traded, costs, dataset.side, price, latest_rate(traded.quote, account, mids), dataset.spread)

    def _mid(self, dataset: Dataset, end: datetime) -> list[tuple[tuple[str, str], float]]:
        """The pair and the last mid of a dataset before the end of the period; nothing where it has no bar near it."""
        until = min(end, dataset.last_ts + timedelta(minutes=1))
        bars = self._context.store.frames.get(dataset.frame, ["ts", "close"], start=until - QUOTE_AGE, end=until)
        traded = self._instrument(dataset)
        half = 0.5 * (traded.spread if dataset.spread is None else dataset.spread) if dataset.side == "bid" else 0.0
        return [] if bars.empty else [((traded.base, traded.quote), float(bars["close"].iloc[-1]) + half)]

    def _instrument(self, dataset: Dataset) -> Instrument:
        return instrument(dataset.instrument, self._context.instruments_file)


def seconds_for(bars: int, earlier: Sequence[tuple[int, float]]) -> float | None:
    """The seconds of a run of so many bars by ``earlier`` ones (bars, seconds): a line through them, with what every run takes at least as its start; of one size
    in proportion, and never less than the quickest.

    >>> seconds_for(200, [(100, 2.0), (300, 4.0)]), seconds_for(50, [(100, 2.0)]), seconds_for(400, [(100, 2.0)]), seconds_for(5, [])
    (3.0, 2.0, 8.0, None)
    """
    if not earlier:
        return None
    sizes, seconds = (np.array(column, float) for column in zip(*earlier, strict=True))
    if np.unique(sizes).size > 1:
        slope, start = np.polyfit(sizes, seconds, 1)
        if slope > 0:
            return round(max(float(start) + float(slope) * bars, float(seconds.min())), 3)
    middle, typical = float(np.median(sizes)), float(np.median(seconds))
    return max(typical * bars / middle, float(seconds.min()))


def _seconds(job: Job) -> float:
    """What the job took, without compilation."""
    whole = (job.ended_at - job.started_at).total_seconds() if job.started_at and job.ended_at else 0.0
    ends = [float(at) for _, at in job.stages[1:]] + [whole]
    return whole - sum(end - float(at) for (name, at), end in zip(job.stages, ends, strict=True) if name == "Compile")


def _bars(backtests: Backtests, job: Job, datasets: dict[str, Dataset]) -> int:
    spec = job.spec
    used = [datasets[version].id for version in spec["datasets"] if version in datasets]
    if len(used) < len(spec["datasets"]):
        return 0
    start, end = (datetime.fromisoformat(spec[edge]) for edge in ("start", "end"))
    return backtests.bars_in(BacktestRequest(spec["strategy"], {}, used, spec["timeframe"], start, end, {}))


def _compiling(job: Job | None) -> str:
    if job is not None:
        left = job.note.rpartition(", ")[2]
        return "the engine is being compiled first" + (f", {left}" if left.endswith(" left") else "")
    return "" if is_compiled("backtest") else "the engine is compiled first, once on this machine; that takes some fifteen seconds, longer on a busy machine"
