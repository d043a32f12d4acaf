"""The gate against look-ahead, on any columns or any strategy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from domain.causality import CUTS, Leak, LookAheadVerdict, check, check_strategy
from domain.errors import BadRequest
from domain.strategies.base import make
from worker.jobs import feature_sets
from worker.jobs.base import Commit, Work, job
from worker.jobs.feature_sets import FeatureSet, Member, Watch, computed, finite, kept_run


@job("gate", limit=3_600)
def run(spec: Mapping[str, Any], work: Work) -> Commit:
    """``spec``: datasets, timeframe, start, end, and columns; or strategy and params. Everything is made once with all bars and again at cuts."""
    work.stage("Load bars")
    asked = feature_sets.read(spec, work)
    if not asked.uses and not spec.get("strategy"):
        raise BadRequest("nothing is chosen to check; choose columns or a strategy")
    work.stage("Check")
    leaks, members = [], []
    for k, member in enumerate(asked.members):
        low, high = (0.05 + 0.9 * edge / len(asked.members) for edge in (k, k + 1))
        verdict = _checked(asked, member, work.within(low, high))
        leaks += [_plain(member.name, leak) for leak in verdict.leaks]
        members.append(dict(instrument=member.name, timeframe=spec["timeframe"], bars=verdict.bars, cuts=len(verdict.cuts), checked=list(verdict.checked), green=verdict.green))
    green = all(one["green"] for one in members)
    summary = dict(green=green, leaks=leaks, members=members)
    return kept_run("gate", asked, work, summary, {}, event="gate_passed" if green else "gate_refused", green=green, leaks=[one["sentence"] for one in leaks][:20])


def _checked(asked: FeatureSet, member: Member, tell: Watch) -> LookAheadVerdict:
    if asked.spec.get("strategy"):
        return check_strategy(member.bars, make(asked.spec["strategy"], asked.spec["params"]), member.context, watch=tell)
    passed = 0

    def made(bars: Any, context: Any) -> Any:
        nonlocal passed
        at, passed = passed, passed + 1
        return computed(bars, asked.uses, context, None, lambda share: tell(min((at + share) / (CUTS + 1), 1.0)))[asked.columns]

    return check(member.bars, made, member.context)


def _plain(instrument: str, leak: Leak) -> dict[str, Any]:
    return dict(instrument=instrument, column=leak.column, bar=leak.bar, ts=leak.ts, size=finite(leak.size), seen=leak.seen, unseen=leak.unseen, cut=leak.cut, bars=leak.bars, sentence=str(leak))
