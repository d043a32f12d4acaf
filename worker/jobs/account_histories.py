"""Import of an account's history from elsewhere: a statement as tables that rules are replayed over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from domain.compliance import histories
from domain.market import instruments
from worker.jobs.base import Commit, JobResult, Work, job
from worker.store import Unit
from worker.store.account_histories import version_of


@job("import_history", limit=1_800)
def import_history(spec: Mapping[str, Any], work: Work) -> Commit:
    """``spec``: file, source (the file's own name), format, name, clock, currency and initial (empty or None: as the file says)."""
    work.stage("Read")
    history = _read(spec, work)
    work.stage("Store")
    frames = {name: work.store.frames.put(getattr(history, name)) for name in ("points", "trades", "flows")}
    about = dict(
        version=version_of(frames, history.initial, history.currency), name=spec["name"] or spec["source"], format=spec["format"], source=spec["source"],
        file=spec["file"], account=history.account, company=history.company, currency=history.currency, clock=history.clock, initial=history.initial,
        balance=history.balance, trades=len(history.trades), flows=len(history.flows), first_ts=history.points["ts"].iloc[0].to_pydatetime(),
        last_ts=history.points["ts"].iloc[-1].to_pydatetime(), knows=list(history.knows), findings=[asdict(finding) for finding in history.findings],
        frames=frames, bytes=sum(work.store.frames.size(frame) for frame in frames.values()), actor=work.job.actor, example=work.job.example,
    )  # fmt: skip

    def commit(unit: Unit) -> JobResult:
        stored, new = unit.histories.add(**about, created_at=unit.now())
        detail = dict(
            name=stored.name, version=stored.version, file=spec["file"], source=spec["source"], format=spec["format"], clock=stored.clock, currency=stored.currency,
            initial=stored.initial, balance=stored.balance, trades=stored.trades, flows=stored.flows, findings=[finding.sentence for finding in history.findings],
        )  # fmt: skip
        return JobResult(dict(history=stored.id, new=new), "history_imported" if new else "history_known", (f"history:{stored.id}",), detail)

    return commit


def _read(spec: Mapping[str, Any], work: Work) -> histories.History:
    data = work.settings.data
    limits = histories.HistoryLimits(min(data.max_import_mb * 1_000_000, histories.MAX_BYTES), min(data.max_rows, histories.MAX_ROWS))
    known = instruments(work.settings.instruments_file)
    with work.store.frames.open_file(spec["file"], spec["source"]) as path:
        return histories.read(path, spec["format"], clock=spec["clock"], currency=spec["currency"], initial=spec["initial"], known=known, limits=limits)
