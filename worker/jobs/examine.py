"""Analysis of how well a set of features predicts a target on stored bars, as a job."""

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
from worker.jobs.feature_sets import FeatureSet, Watch, finite, save_run
from worker.jobs.labels import labels
from worker.jobs.trial_rows import trial_of
from worker.store import Unit
from worker.store.tries import count_tries, tried_on, tries_of


@job("examine", limit=7_200, after="compile_features")
def run(spec: Mapping[str, Any], work: Work) -> Commit:
    """``spec``: datasets, timeframe, start, end, columns, target (what ``domain.laboratory.Ahead`` says; for trades a backtest's strategy, params, rules and rates),
    plan, rules; and what ``worker.jobs.labels`` reads of regimes."""
    work.stage("Load bars")
    feature_set = feature_sets.read(spec, work)
    if not feature_set.uses:
        raise BadRequest("no feature is chosen; choose a feature set, or write features such as atr(14)")
    tries = tries_of(feature_set.columns, spec)
    with work.store.read() as unit:
        before = tried_on(unit, spec["datasets"])
    plan, rules = replace(build(StudyConfig, spec["plan"]), tried=max(len(before | tries), spec["plan"]["tried"])), build(Thresholds, spec["rules"])
    work.stage("Compute")
    frame, labelled = stacked(feature_set, work.within(0.02, 0.15)), labels(feature_set, work, work.within(0.15, 0.17))
    target, trial = _target(spec, frame, work)
    work.stage("Analyse")
    findings = examine(frame, feature_set.columns, target, labelled.words, plan, rules, work.within(0.25, 0.9))
    work.stage("Store")
    tables = findings.frames() | dict(outcomes=_outcomes(frame, feature_set.columns, target, plan.quantiles, work.within(0.9, 0.98)))
    frames = {name: work.store.frames.put(table) for name, table in tables.items()} | dict(labelled.frames)
    summary = _summary(feature_set, replace(findings, notes=(*findings.notes, *labelled.notes)), target, plan, rules, len(before - tries))
    commit = save_run("examine", feature_set, work, summary, frames, columns=len(feature_set.uses), tried=plan.tried)
    return lambda unit: _count(unit, commit(unit), spec, work, tries, trial)


def _count(unit: Unit, result: JobResult, spec: Mapping[str, Any], work: Work, tries: set[str], trial: Mapping[str, Any] | None) -> JobResult:
    """Tests and trials commit with the run."""
    count_tries(unit, spec["datasets"], tries)
    if trial:
        unit.trials.add([trial], kind="run", datasets=spec["datasets"], job_id=work.job.id, actor=work.job.actor, at=unit.now())
    return result


def stacked(feature_set: FeatureSet, watch: Watch) -> pd.DataFrame:
    """Bars and columns of all members, one below the other; the column ``instrument`` is added where there are several."""
    parts, count = [], len(feature_set.members)
    for k, member in enumerate(feature_set.members):
        part = feature_set.compute(member, lambda share, k=k: watch((k + share) / count))     # type: ignore[misc]
        parts.append(part.assign(instrument=member.name) if count > 1 else part)
    return pd.concat(parts, ignore_index=True) if count > 1 else parts[0]


def _target(spec: Mapping[str, Any], frame: pd.DataFrame, work: Work) -> tuple[Target, Mapping[str, Any] | None]:
    """The target; and the row of the trial ledger where a strategy was simulated for it."""
    ahead = spec["target"]
    if ahead["target"] == "forward":
        return forward_return(frame, ahead["horizon"], ahead["start"]), None
    work.stage("Simulate")
    from domain.backtest import study

    request = questions.read({**ahead, **{name: spec[name] for name in ("datasets", "timeframe", "start", "end")}}, work)
    strategy = request.strategy()
    result = study.run(request.series, request.rules, strategy, rates=request.rates, watch=work.within(0.17, 0.25))
    daily = daily_returns(result.outcome.equity, request.rules.account.balance, result.market).to_numpy()
    trial = trial_of(ahead, study.spec_of(request.series, request.rules, strategy), strategy, daily_sharpe(daily), len(daily))
    trades = result.outcome.trades
    if not len(trades):
        raise BadRequest(f"{ahead['strategy']} makes no trade on these bars, so there is no outcome to predict; use a longer date range or other parameters")
    return trade_outcomes(frame, trades.assign(instrument=trades["instrument"].astype(str))), trial


def _outcomes(frame: pd.DataFrame, columns: list[str], target: Target, quantiles: int, watch: Watch) -> pd.DataFrame:
    """Distribution of the target in each quantile of each column."""
    instruments = pd.factorize(frame["instrument"])[0].astype(np.int64) if "instrument" in frame else None
    order, parts = rank(target.values).order, []
    for k, name in enumerate(columns):
        watch(k / len(columns))
        values = frame[name].to_numpy(float)
        ranked = rank(values if instruments is None else within_instruments(values, instruments))
        parts.append(outcomes(ranked, target.values, quantiles, order).assign(feature=name))
    return pd.concat(parts, ignore_index=True)[["feature", *(column for column in parts[0] if column != "feature")]]


def _summary(feature_set: FeatureSet, findings: Findings, target: Target, plan: StudyConfig, rules: Thresholds, before: int) -> dict[str, Any]:
    """The summary that lists and pages show."""
    ranking = findings.summary.assign(size=-findings.summary["ic"].abs()).sort_values(["q", "p", "size", "information_q"], na_position="last", kind="stable")
    in_rank, in_any = (ranking[name] <= rules.discovery for name in ("q", "information_q"))
    best, selected = ranking.iloc[0], ranking[ranking["verdict"].isin(("keep", "reserve"))]
    return dict(
        target=dict(name=target.name, unit=target.unit, note=target.note, values=int(np.isfinite(target.values).sum()), overlap=target.overlap, mean=finite(np.nanmean(target.values))),
        tried=dict(all=plan.tried, here=len(feature_set.uses), before=before), telling=dict(rank=int(in_rank.sum()), information=int(in_any.sum()), any=int((in_rank | in_any).sum())),
        verdicts={word: int((ranking["verdict"] == word).sum()) for word in ("keep", "reserve", "drop")}, proposed=selected["feature"].tolist(), discovery=rules.discovery, confidence=plan.confidence,
        best=dict(feature=best["feature"], ic=finite(best["ic"]), q=finite(best["q"])), strongest=finite(ranking["ic"].abs().max()), drifting=int((findings.drift["drift"] == "strong").sum()),
        clusters=int(findings.redundancy["cluster"].max()), notes=list(findings.notes), members=[dict(instrument=member.name, timeframe=feature_set.spec["timeframe"], bars=len(member.bars)) for member in feature_set.members],
    )  # fmt: skip
