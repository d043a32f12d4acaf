"""Stress tests: one backtest again under higher costs, delayed fills and other intrabar orders."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from domain.errors import unknown
from worker.jobs import questions
from worker.jobs.base import Commit, Work, job
from worker.jobs.sweeps import save_result


@job("stress", limit=3_600, after="compile")
def run(spec: Mapping[str, Any], work: Work) -> Commit:
    """``spec``: a backtest's, and ``scenarios``: their names, empty for all. Not a search, so it adds nothing to the trials."""
    from domain.backtest.stress import SCENARIOS, stress

    for name in spec.get("scenarios", ()):
        if name not in SCENARIOS:
            raise unknown("scenario", name, SCENARIOS)
    work.stage("Load bars")
    request = questions.read(spec, work)
    work.stage("Simulate")
    names = ["base", *(name for name in spec.get("scenarios") or SCENARIOS if name != "base")]
    stressed = stress(request.series, request.rules, request.strategy(), request.rates, names, work.within(0.1, 0.95))
    frames = dict(table=work.store.frames.put(stressed.table), curves=work.store.frames.put(stressed.curves))
    definitions = {name: SCENARIOS[name].definition for name in names}
    rows = [{key: (None if value != value else value) for key, value in row.items()} for row in stressed.table.to_dict("records")]
    summary = dict(history=request.history(), scenarios=rows, definitions=definitions, currency=request.rules.account.currency, balance=request.rules.account.balance)
    return save_result(request, work, "stress", summary, frames, scenarios=len(names))
