"""Import of an account's history from elsewhere: a statement as tables that rules are replayed over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from domain.compliance import histories
from domain.compliance.histories.history import path_of
from domain.compliance.histories.marks import MarketBars
from domain.compliance.histories.rebuilt import rebuilt
from domain.errors import BadRequest
from domain.market import instruments
from domain.market.timeframe import Timeframe
from worker.jobs.base import Commit, JobResult, Work, job
from worker.store import Unit
from worker.store.account_histories import version_of


@job("import_history", limit=1_800)
def import_history(spec: Mapping[str, Any], work: Work) -> Commit:
    """``spec``: file, source (the file's own name), format, name, clock, currency and initial (empty or None: as the
    file says)."""
    work.stage("Read")
    history = _read(spec, work)
    work.stage("Store")
    frames = {name: work.store.frames.put(getattr(history, name)) for name in ("points", "trades", "flows", "legs")}
    about = dict(
        version=version_of(frames, history.initial, history.currency),
        name=spec["name"] or spec["source"],
        format=spec["format"],
        source=spec["source"],
        file=spec["file"],
        account=history.account,
        company=history.company,
        currency=history.currency,
        clock=history.clock,
        initial=history.initial,
        balance=history.balance,
        trades=len(history.trades),
        flows=len(history.flows),
        first_ts=history.points["ts"].iloc[0].to_pydatetime(),
        last_ts=history.points["ts"].iloc[-1].to_pydatetime(),
        knows=list(history.knows),
        findings=[asdict(finding) for finding in history.findings],
        frames=frames,
        bytes=sum(work.store.frames.size(frame) for frame in frames.values()),
        actor=work.job.actor,
        example=work.job.example,
    )

    def commit(unit: Unit) -> JobResult:
        stored, new = unit.histories.add(**about, created_at=unit.now())
        detail = dict(
            name=stored.name,
            version=stored.version,
            file=spec["file"],
            source=spec["source"],
            format=spec["format"],
            clock=stored.clock,
            currency=stored.currency,
            initial=stored.initial,
            balance=stored.balance,
            trades=stored.trades,
            flows=stored.flows,
            findings=[finding.sentence for finding in history.findings],
        )
        return JobResult(
            dict(history=stored.id, new=new),
            "history_imported" if new else "history_unchanged",
            (f"history:{stored.id}",),
            detail,
        )

    return commit


@job("rebuild_history", limit=1_800)
def rebuild_history(spec: Mapping[str, Any], work: Work) -> Commit:
    """``spec``: history (id), version, datasets: instrument -> version of the bars that its trades are marked on."""
    work.stage("Load bars")
    with work.store.read() as unit:
        stored = unit.histories.get(spec["history"])
        datasets = {name: unit.datasets.get(version) for name, version in spec["datasets"].items()}
    if stored is None or any(dataset is None for dataset in datasets.values()):
        raise BadRequest("the history or the bars are no longer here; rebuild it again")
    frames, known = work.store.frames, instruments(work.settings.instruments_file)
    points, legs, flows = (frames.get(stored.frames[name]) for name in ("points", "legs", "flows"))
    market: dict[str, MarketBars] = {}
    for name, dataset in datasets.items():
        work.progress(0.5 * len(market) / max(len(datasets), 1), name)
        market[name] = _bars(dataset, name, known, frames, legs[legs["instrument"] == name])
    work.stage("Mark open trades")
    result = rebuilt(points, legs, flows, stored.initial, stored.currency, market)
    path_of(result.points, None, flows, stored.initial, stored.currency)  # refuses what cannot be judged
    frame = frames.put(result.points)

    def commit(unit: Unit) -> JobResult:
        unit.histories.rebuilt(stored.id, frame, asdict(result.finding))
        entities = (f"history:{stored.id}", *(f"dataset:{dataset.id}" for dataset in datasets.values() if dataset))
        detail = dict(
            name=stored.name,
            version=stored.version,
            frame=frame,
            datasets=dict(spec["datasets"]),
            rows=len(result.points),
            sentence=result.finding.sentence,
        )
        return JobResult(dict(history=stored.id, rows=len(result.points)), "history_rebuilt", entities, detail)

    return commit


def _bars(dataset: Any, name: str, known: Mapping[str, Any], frames: Any, legs: Any) -> MarketBars:
    """The bars around the trades of one instrument."""
    timeframe, last = Timeframe.named(dataset.timeframe), legs["exit_ts"].max()
    start = (legs["entry_ts"].min() - timedelta(minutes=timeframe.minutes)).to_pydatetime()
    end = None if legs["exit_ts"].isna().any() else (last + timedelta(minutes=timeframe.minutes)).to_pydatetime()
    columns = ["ts", "open", "high", "low", "close", *(["spread"] if dataset.spread is not None else [])]
    return MarketBars(frames.get(dataset.frame, columns, start, end), timeframe.minutes, dataset.side, known[name])


def _read(spec: Mapping[str, Any], work: Work) -> histories.History:
    data = work.settings.data
    limits = histories.HistoryLimits(
        min(data.max_import_mb * 1_000_000, histories.MAX_BYTES),
        min(data.max_rows, histories.MAX_ROWS),
        work.within(0.0, 0.9),
    )
    known = instruments(work.settings.instruments_file)
    with work.store.frames.open_file(spec["file"], spec["source"]) as path:
        return histories.read(
            path,
            spec["format"],
            clock=spec["clock"],
            currency=spec["currency"],
            initial=spec["initial"],
            known=known,
            limits=limits,
        )
