"""Look-ahead check of columns or of a strategy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from domain.causality import CUTS, Leak, LookAheadVerdict, check, check_strategy
from domain.errors import BadRequest
from domain.strategies.base import make
from worker.jobs import feature_sets
from worker.jobs.base import Commit, Work, job
from worker.jobs.feature_sets import FeatureSet, Member, Watch, computed, finite, save_run


@job("gate", limit=3_600)
def run(spec: Mapping[str, Any], work: Work) -> Commit:
    """``spec``: datasets, timeframe, start, end, and columns; or strategy and params. Everything is computed on all bars and again on truncated bars."""
    work.stage("Load bars")
    feature_set = feature_sets.read(spec, work)
    if not feature_set.uses and not spec.get("strategy"):
        raise BadRequest("nothing is chosen to check; choose columns or a strategy")
    work.stage("Check")
    leaks, members = [], []
    for k, member in enumerate(feature_set.members):
        low, high = (0.05 + 0.9 * edge / len(feature_set.members) for edge in (k, k + 1))
        verdict = _checked(feature_set, member, work.within(low, high))
        leaks += [_plain(member.name, leak) for leak in verdict.leaks]
        members.append(dict(instrument=member.name, timeframe=spec["timeframe"], bars=verdict.bars, cuts=len(verdict.cuts), checked=list(verdict.checked), green=verdict.green))
    green = all(member["green"] for member in members)
    summary = dict(green=green, leaks=leaks, members=members)
    return save_run("gate", feature_set, work, summary, {}, event="gate_passed" if green else "gate_refused", green=green, leaks=[leak["sentence"] for leak in leaks][:20])


def _checked(feature_set: FeatureSet, member: Member, progress: Watch) -> LookAheadVerdict:
    if feature_set.spec.get("strategy"):
        return check_strategy(member.bars, make(feature_set.spec["strategy"], feature_set.spec["params"]), member.context, watch=progress)
    passed = 0

    def columns_until(bars: Any, context: Any) -> Any:
        nonlocal passed
        at, passed = passed, passed + 1
        return computed(bars, feature_set.uses, context, None, lambda share: progress(min((at + share) / (CUTS + 1), 1.0)))[feature_set.columns]

    return check(member.bars, columns_until, member.context)


def _plain(instrument: str, leak: Leak) -> dict[str, Any]:
    return dict(instrument=instrument, column=leak.column, bar=leak.bar, ts=leak.ts, size=finite(leak.size), seen=leak.seen, unseen=leak.unseen, cut=leak.cut, bars=leak.bars, sentence=str(leak))
