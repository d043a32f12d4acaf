"""The risk of the positions that a run or an imported account had open at an instant."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Any

import pandas as pd

from domain.errors import BadRequest, listed
from domain.market import resample
from domain.market.instrument import Instrument
from domain.market.timeframe import Timeframe
from domain.params import build
from worker.jobs.base import Commit, Work, job
from worker.jobs.compliance import save_result
from worker.jobs.paths import StoredPath, frame_of, run_of, stored_path
from worker.store import Dataset

BACK = timedelta(days=1_500)        # of bars that returns are taken of
FRESH = timedelta(days=5)           # a price is used for so long: a weekend and a holiday may lie between
DAY = 86_400.0      # seconds
ENOUGH = 80                         # bars of each instrument
FRAMES = ("D1", "H4", "H1", "M15", "M5", "M1")      # a return is over the longest of these that has enough bars


@job("risk_now", limit=1_800)
def risk(spec: Mapping[str, Any], work: Work) -> Commit:
    """``spec``: path, at (ISO, UTC), and stresses (values of ``Stresses``)."""
    from domain.risk.market_now import MarketNow, market_now
    from domain.risk.monitor import risk_now
    from domain.risk.stresses import Stresses

    work.stage("Load")
    stored, at = stored_path(spec, work), pd.Timestamp(spec["at"])
    held = open_trades(stored, at)
    names = sorted({str(name) for name in held["instrument"]})
    finest = _bars(stored, names, at, work)
    bars, timeframe = _longest(finest, names, stored.instruments)
    work.stage("Measure")
    prices = {name: float(frame["close"].iloc[-1]) for name, (frame, _) in finest.items()}
    missing = [name for name in names if name not in bars]
    if missing:
        raise BadRequest(f"there are no bars of {listed(missing)} up to {at:%Y-%m-%d %H:%M} UTC; import them to measure the risk of the positions held then")
    positions = _positions(spec, held, at, prices, work, stored.fills)
    market = market_now({name: bars[name] for name in names}, stored.instruments, None) if names else MarketNow(pd.DataFrame(index=[0]), {}, {}, DAY)
    row = int(pd.DatetimeIndex(pd.to_datetime(stored.path.ts, utc=True)).searchsorted(at, side="right")) - 1
    equity = float(stored.path.equity[row])
    now = risk_now(positions, stored.instruments, market, equity, stored.currency, rates_of(prices, stored.instruments, stored.currency), build(Stresses, spec["stresses"]))
    work.stage("Store")
    correlation = now.correlation.rename_axis(index="a", columns="b").stack().rename("correlation").reset_index() if len(now.correlation) else pd.DataFrame(columns=["a", "b", "correlation"])
    tables = dict(exposures=now.exposures, correlation=correlation, contributions=now.contributions, stresses=now.stresses, positions=pd.DataFrame([asdict(position) for position in positions]))
    frames = {name: work.store.frames.put(table) for name, table in tables.items()}
    figures = {name: getattr(now, name) for name in ("equity", "level", "bar", "scenarios", "var_historical", "es_historical", "var_filtered", "es_filtered", "to_stops", "without_stop", "largest", "largest_share")}
    summary = dict(state="", at=spec["at"], positions=len(positions), timeframe=timeframe, currency=stored.currency, path=dict(stored.about), **{name: _finite(value) for name, value in figures.items()})
    return save_result("risk_now", spec, stored, summary, frames, work, "risk_measured", instant=spec["at"])


def open_trades(stored: StoredPath, at: pd.Timestamp) -> pd.DataFrame:
    """The trades of a path that were open at an instant. Raises BadRequest outside the path, and where trades are not known."""
    trades, first, last = stored.path.trades, *(pd.Timestamp(int(ts), unit="ns", tz="UTC") for ts in stored.path.ts[[0, -1]])
    if trades is None:
        raise BadRequest(f"the trades of {stored.about['title']} are not known, so its positions are not; import them with the account")
    if not first <= at <= last:
        raise BadRequest(f"{stored.about['title']} goes from {first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M} UTC, and the instant is {at:%Y-%m-%d %H:%M}; choose one inside")
    return trades[(trades["entry_ts"] <= at) & ~(trades["exit_ts"] <= at)]


def _positions(spec: Mapping[str, Any], held: pd.DataFrame, at: pd.Timestamp, prices: Mapping[str, float], work: Work, fills: pd.DataFrame | None) -> Sequence[Any]:
    """With what is left of each position, where a run or a session has its fills."""
    from domain.risk.positions import open_at

    if spec["path"]["kind"] != "run":
        return open_at(held, at, prices, fills)
    run = run_of(spec["path"]["id"], work)
    return open_at(held, at, prices, frame_of(run, "fills", work) if "fills" in run.frames else None)


def _bars(stored: StoredPath, names: Sequence[str], at: pd.Timestamp, work: Work) -> dict[str, tuple[pd.DataFrame, Timeframe]]:
    """Bars that had closed by an instant, of what is held and of the pairs that convert its money, as they are stored."""
    with work.store.read() as unit:
        catalogue = unit.datasets.all()
    bars = {}
    for name in sorted({*names, *_converting(names, stored.instruments, stored.currency)}):
        dataset = _dataset(name, catalogue, stored, at)
        if dataset is None:
            continue
        timeframe = Timeframe.named(dataset.timeframe)
        frame = _until(work.store.frames.get(dataset.frame, start=at - BACK, end=at), timeframe, at)
        if len(frame):
            bars[name] = frame, timeframe
    return bars


def _longest(bars: Mapping[str, tuple[pd.DataFrame, Timeframe]], names: Sequence[str], instruments: Mapping[str, Instrument]) -> tuple[dict[str, pd.DataFrame], str]:
    """The bars of what is held in the longest timeframe in which each has enough, and its name."""
    held = {name: bars[name] for name in names if name in bars}
    for timeframe in FRAMES:
        target = Timeframe.named(timeframe)
        if any(own > target for _, own in held.values()):
            continue
        longer = {name: resample(frame, own, target, instruments[name].calendar) for name, (frame, own) in held.items()}
        if all(len(frame) >= ENOUGH for frame in longer.values()):
            return longer, timeframe
    return {name: frame for name, (frame, _) in held.items()}, next((str(own) for _, own in held.values()), "")


def _dataset(name: str, catalogue: Sequence[Dataset], stored: StoredPath, at: pd.Timestamp) -> Dataset | None:
    """The path's own dataset of an instrument, else the one with the longest bars that reaches the instant."""
    fits = [dataset for dataset in catalogue if dataset.instrument == name and dataset.first_ts < at <= dataset.last_ts + FRESH and dataset.synthetic == stored.synthetic]
    own = [dataset for dataset in fits if dataset.version in stored.data]
    return next(iter(own), None) or max(fits, key=lambda dataset: Timeframe.named(dataset.timeframe).minutes, default=None)


def _until(bars: pd.DataFrame, timeframe: Timeframe, at: pd.Timestamp) -> pd.DataFrame:
    """The bars that have closed by an instant."""
    bars = bars.assign(ts=bars["ts"].dt.as_unit("ns"))
    return bars[bars["ts"] + timedelta(minutes=timeframe.minutes) <= at].reset_index(drop=True)


def _converting(names: Iterable[str], instruments: Mapping[str, Instrument], currency: str) -> set[str]:
    """Pairs along which quote currencies become the account's: directly, or by way of the dollar."""
    quotes = {instruments[name].quote for name in names if name in instruments} - {currency}
    pairs = {frozenset(pair) for quote in quotes for pair in ((quote, currency), (quote, "USD"), ("USD", currency)) if pair[0] != pair[1]}
    return {name for name, instrument in instruments.items() if instrument.kind == "fx" and frozenset((instrument.base, instrument.quote)) in pairs}


def rates_of(prices: Mapping[str, float], instruments: Mapping[str, Instrument], currency: str) -> dict[str, float]:
    """Account currency per unit of each currency that the prices lead to.

    >>> from domain.market import instruments
    >>> {name: round(rate, 6) for name, rate in rates_of({"USDJPY": 150.0, "EURUSD": 1.2}, instruments(), "USD").items()}
    {'USD': 1.0, 'JPY': 0.006667, 'EUR': 1.2}
    """
    rates = {currency: 1.0}
    for _ in range(2):          # directly, then by way of the dollar
        for name, price in prices.items():
            if name not in instruments:
                continue
            base, quote = instruments[name].base, instruments[name].quote
            if quote in rates:
                rates.setdefault(base, rates[quote] * price)
            elif base in rates:
                rates.setdefault(quote, rates[base] / price)
    return rates


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and value != value else value
