"""A judgement in plain values, as it is stored and read by pages."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from domain.compliance.editing import oldest, overridden, weakest
from domain.errors import BadRequest
from worker.jobs.paths import StoredPath

if TYPE_CHECKING:
    from domain.compliance import Judgement, Path, RuleSet, RuleVerdict


def summary_of(judgement: Judgement, rule_set: RuleSet, rules: Mapping[str, Any], stored: StoredPath, path: Path) -> dict[str, Any]:
    """What the first screen shows, and what a list needs."""
    times = judgement.floors["ts"]
    stood = standing(judgement, rule_set, stored, path)
    return dict(
        state=judgement.state, sentence=judgement.sentence, passed_at=_iso(judgement.passed_at), failed_at=_iso(judgement.failed_at),
        first=_iso(times.iloc[0]), last=_iso(times.iloc[-1]), instants=len(times), days=days_until(judgement), currency=path.currency, initial=judgement.initial,
        scaled_from=stored.path.initial if path is not stored.path else None, breaches=len(judgement.breaches), rules=[rule_row(verdict) for verdict in stood],
        rule_set=about(rule_set, rules), path=dict(stored.about),
    )  # fmt: skip


def standing(judgement: Judgement, rule_set: RuleSet, stored: StoredPath, path: Path) -> Sequence[RuleVerdict]:
    """The rules at the end of the path; of one that passed, at that instant, for what comes after it is another account's."""
    from domain.compliance import judge

    if judgement.passed_at is None:
        return judgement.rules
    return judge(path.until(judgement.passed_at.as_unit("ns").value), rule_set, stored.instruments, stored.releases).rules


def about(rule_set: RuleSet, rules: Mapping[str, Any]) -> dict[str, Any]:
    """A rule set in a few words: whose it is, its clock, how far its figures can be trusted, what a person changed."""
    from domain.compliance import preset

    read = oldest(rule_set)
    base = preset(rules["base"], rule_set.phase) if rules["base"] and rules["version"] else None
    return dict(
        name=rules["name"], version=rules["version"], base=rules["base"], title=rule_set.title, firm=rule_set.firm, programme=rule_set.programme, phase=rule_set.phase,
        phases=list(rule_set.phases), confidence=weakest(rule_set), retrieved=read.isoformat() if read else "", day=f"day resets {rule_set.day}", note=rule_set.note,
        overridden=overridden(rule_set, base) if base else [],
    )  # fmt: skip


def rule_row(verdict: RuleVerdict) -> dict[str, Any]:
    """One rule: its figures at the end, the share of its allowance that is used, its first breach."""
    first, rule = verdict.first_breach, verdict.rule
    allowance = verdict.headroom / verdict.share if verdict.share and verdict.headroom is not None else None
    buffer = getattr(rule, "buffer", 0.0) or 0.0
    return dict(
        column=verdict.column, kind=verdict.kind, title=title_of(verdict.column), clause=verdict.clause, state=verdict.state, sentence=verdict.sentence, line=rule.line, goal=rule.goal,
        regulatory=rule.regulatory, unit=rule.unit, floor=verdict.floor, value=verdict.value, headroom=verdict.headroom, used=used_of(verdict),
        buffer=1.0 - buffer / allowance if buffer and allowance else None, breaches=verdict.breaches, failed_at=None if verdict.failed_at is None else _iso(_time(verdict.failed_at)),
        first=None if first is None else dict(ts=_iso(_time(first.ts)), value=_number(first.value), floor=_number(first.floor), effect=first.effect),
    )  # fmt: skip


def used_of(verdict: RuleVerdict) -> float | None:
    """The share of a rule's allowance, or of its limit, that is used at the end; None where it has none, or is a goal to reach."""
    limit = verdict.kind == "consistency" or not verdict.rule.goal
    if verdict.rule.line == "level" or not limit:
        return None
    if verdict.share is not None:
        return max(1.0 - verdict.share, 0.0)
    return verdict.value / verdict.floor if verdict.value is not None and verdict.floor and not verdict.rule.line else None


def _time(ts: int) -> pd.Timestamp:
    return pd.Timestamp(ts, unit="ns", tz="UTC")


def row_of(rule_set: RuleSet, rules: Mapping[str, Any], stored: StoredPath) -> dict[str, Any]:
    """One row of the table of every rule set; one that cannot judge the path says why."""
    facts = about(rule_set, rules)
    named = {name: facts[name] for name in ("name", "title", "phase", "version", "confidence", "retrieved")}
    try:
        path, judgement = stored.judged(rule_set)
    except BadRequest as refusal:
        return named | dict(state="not judged", sentence=str(refusal), days=0, by="", at=None, used=math.nan, breaches=0, needs=str(refusal), regulatory=False, account=rule_set.account, scaled=False)
    failed = judgement.failed_by
    used = [used for verdict in standing(judgement, rule_set, stored, path) if (used := used_of(verdict)) is not None]
    lacking = [f"{title_of(verdict.column)}: {verdict.sentence}" for verdict in judgement.rules if verdict.state == "not judged"]
    return named | dict(
        state="not judged" if len(lacking) == len(judgement.rules) else judgement.state, sentence=judgement.sentence, days=days_until(judgement),
        by="" if failed is None else title_of(failed.column), at=judgement.failed_at, used=1.0 if failed is not None else min(max(used, default=math.nan), 1.0), breaches=len(judgement.breaches),
        needs="; ".join(lacking), regulatory=all(verdict.rule.regulatory for verdict in judgement.rules), account=judgement.initial, scaled=path is not stored.path,
    )  # fmt: skip


def days_until(judgement: Judgement) -> int:
    """Trading days until it passed or failed; all days of one that is open."""
    until = judgement.failed_at if judgement.failed_at is not None else judgement.passed_at
    return len(judgement.days) if until is None else int((judgement.days["start"] <= until).sum())


def title_of(column: str) -> str:
    """
    >>> title_of("max_drawdown"), title_of("news_2")
    ('Max drawdown', 'News 2')
    """
    return column.replace("_", " ").capitalize()


def _iso(at: pd.Timestamp | None) -> str | None:
    return None if at is None else at.isoformat()


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
