"""What a set of features tells of what follows on stored bars: the laboratory, as a job."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from domain.analytics import daily_returns, daily_sharpe
from domain.errors import BadRequest
from domain.laboratory import (
    Findings,
    StudyConfig,
    Target,
    Thresholds,
    examine,
    forward_return,
    outcomes,
    rank,
    trade_outcomes,
    within_instruments,
)
from domain.params import build
from worker.jobs import feature_sets, questions
from worker.jobs.base import Commit, JobResult, Work, job
from worker.jobs.feature_sets import FeatureSet, Watch, finite, kept_run
from worker.jobs.keep import trial_of
from worker.jobs.labels import labels
from worker.store import Unit
from worker.store.trials import data_of
from worker.store.tries import count_tries, tried_on, tries_of


@job("examine", limit=7_200, after="compile_features")
def run(spec: Mapping[str, Any], work: Work) -> Commit:
    """``spec``: datasets, timeframe, start, end, columns, target (what ``domain.laboratory.Ahead`` says; for trades a backtest's strategy, params, rules and rates),
    plan, rules; and what ``worker.jobs.labels`` reads of regimes."""
    work.stage("Load bars")
    asked = feature_sets.read(spec, work)
    if not asked.uses:
        raise BadRequest("no feature is chosen; choose a feature set, or write features such as atr(14)")
    looks = tries_of(asked.columns, spec)
    with work.store.look() as unit:
        before = tried_on(unit, spec["datasets"])
    plan, rules = replace(build(StudyConfig, spec["plan"]), tried=max(len(before | looks), spec["plan"]["tried"])), build(Thresholds, spec["rules"])
    work.stage("Compute")
    frame, known = stacked(asked, work.within(0.02, 0.15)), labels(asked, work, work.within(0.15, 0.17))
    target, trial = _target(spec, frame, work)
    work.stage("Analyse")
    findings = examine(frame, asked.columns, target, known.words, plan, rules, work.within(0.25, 0.9))
    work.stage("Store")
    tables = findings.frames() | dict(outcomes=_outcomes(frame, asked.columns, target, plan.quantiles, work.within(0.9, 0.98)))
    frames = {name: work.store.frames.put(table) for name, table in tables.items()} | dict(known.frames)
    told = _told(asked, replace(findings, notes=(*findings.notes, *known.notes)), target, plan, rules, len(before - looks))
    keep = kept_run("examine", asked, work, told, frames, columns=len(asked.uses), tried=plan.tried)
    return lambda unit: _count(unit, keep(unit), spec, work, looks, trial)


def _count(unit: Unit, kept: JobResult, spec: Mapping[str, Any], work: Work, looks: set[str], trial: Mapping[str, Any] | None) -> JobResult:
    """Looks and trials commit with the run that shows them."""
    count_tries(unit, spec["datasets"], looks)
    if trial:
        unit.trials.add([trial], kind="run", data=data_of(spec["datasets"]), job_id=work.job.id, actor=work.job.actor, at=unit.now())
    return kept


def stacked(asked: FeatureSet, watch: Watch) -> pd.DataFrame:
    """Bars and columns of all members, one below the other; ``instrument`` tells them apart where there are several."""
    parts, count = [], len(asked.members)
    for k, member in enumerate(asked.members):
        part = asked.compute(member, lambda share, k=k: watch((k + share) / count))     # type: ignore[misc]
        parts.append(part.assign(instrument=member.name) if count > 1 else part)
    return pd.concat(parts, ignore_index=True) if count > 1 else parts[0]


def _target(spec: Mapping[str, Any], frame: pd.DataFrame, work: Work) -> tuple[Target, Mapping[str, Any] | None]:
    """What is to be foretold; and the line of the ledger of trials, where a strategy was simulated for it."""
    ahead = spec["target"]
    if ahead["target"] == "forward":
        return forward_return(frame, ahead["horizon"], ahead["start"]), None
    work.stage("Simulate")
    from domain.backtest import study

    question = questions.read({**ahead, **{name: spec[name] for name in ("datasets", "timeframe", "start", "end")}}, work)
    strategy = question.strategy()
    made = study.run(question.series, question.rules, strategy, rates=question.rates, watch=work.within(0.17, 0.25))
    daily = daily_returns(made.outcome.equity, question.rules.account.balance, made.market).to_numpy()
    trial = trial_of(ahead, study.spec_of(question.series, question.rules, strategy), strategy, daily_sharpe(daily), len(daily))
    trades = made.outcome.trades
    if not len(trades):
        raise BadRequest(f"{ahead['strategy']} makes no trade on these bars, so there is no outcome to foretell; take a longer span or other parameters")
    return trade_outcomes(frame, trades.assign(instrument=trades["instrument"].astype(str))), trial


def _outcomes(frame: pd.DataFrame, columns: list[str], target: Target, quantiles: int, watch: Watch) -> pd.DataFrame:
    """How the target lies in each quantile of each column."""
    instruments = pd.factorize(frame["instrument"])[0].astype(np.int64) if "instrument" in frame else None
    order, found = rank(target.values).order, []
    for k, name in enumerate(columns):
        watch(k / len(columns))
        values = frame[name].to_numpy(float)
        ranked = rank(values if instruments is None else within_instruments(values, instruments))
        found.append(outcomes(ranked, target.values, quantiles, order).assign(feature=name))
    return pd.concat(found, ignore_index=True)[["feature", *(one for one in found[0] if one != "feature")]]


def _told(asked: FeatureSet, findings: Findings, target: Target, plan: StudyConfig, rules: Thresholds, before: int) -> dict[str, Any]:
    """What lists and the head of a page say."""
    ranking = findings.summary.assign(size=-findings.summary["ic"].abs()).sort_values(["q", "p", "size", "information_q"], na_position="last", kind="stable")
    in_rank, in_any = (ranking[name] <= rules.discovery for name in ("q", "information_q"))
    best, kept = ranking.iloc[0], ranking[ranking["verdict"].isin(("keep", "reserve"))]
    return dict(
        target=dict(name=target.name, unit=target.unit, note=target.note, values=int(np.isfinite(target.values).sum()), overlap=target.overlap, mean=finite(np.nanmean(target.values))),
        tried=dict(all=plan.tried, here=len(asked.uses), before=before), telling=dict(rank=int(in_rank.sum()), information=int(in_any.sum()), any=int((in_rank | in_any).sum())),
        verdicts={word: int((ranking["verdict"] == word).sum()) for word in ("keep", "reserve", "drop")}, proposed=kept["feature"].tolist(), discovery=rules.discovery, confidence=plan.confidence,
        best=dict(feature=best["feature"], ic=finite(best["ic"]), q=finite(best["q"])), strongest=finite(ranking["ic"].abs().max()), drifting=int((findings.drift["drift"] == "strong").sum()),
        clusters=int(findings.redundancy["cluster"].max()), notes=list(findings.notes), members=[dict(instrument=one.name, timeframe=asked.spec["timeframe"], bars=len(one.bars)) for one in asked.members],
    )  # fmt: skip
