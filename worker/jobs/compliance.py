"""Rule sets over a stored path: one rule set in depth, or every rule set in a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from worker.code import manifest_of
from worker.jobs.base import Commit, JobResult, Work, job
from worker.jobs.judged import row_of, summary_of
from worker.jobs.paths import StoredPath, stored_path
from worker.store import Unit


@job("judge", limit=3_600)
def judge_path(spec: Mapping[str, Any], work: Work) -> Commit:
    """``spec``: path (kind and id of a run or an account history), rules (name, version, phase, base, text), and the
    version of the calendar of releases, where there is one."""
    from domain.compliance import load

    work.stage("Load")
    stored = stored_path(spec, work)
    rule_set = load(spec["rules"]["text"], spec["rules"]["name"], spec["rules"]["phase"])
    work.progress(0.2)
    work.stage("Judge")
    path, judgement = stored.judged(rule_set)
    work.progress(0.8)
    work.stage("Store")
    curve = pd.DataFrame(dict(ts=judgement.floors["ts"], equity=path.equity))
    frames = dict(
        curve=work.store.frames.put(curve), floors=work.store.frames.put(judgement.floors),
        days=work.store.frames.put(judgement.days), breaches=work.store.frames.put(judgement.breaches),
    )  # fmt: skip
    summary = summary_of(judgement, rule_set, spec["rules"], stored, path)
    return save_result("judgement", spec, stored, summary, frames, work, rules=f"{spec['rules']['name']} {spec['rules']['version'] or ''}".strip())


@job("judge_presets", limit=3_600)
def judge_presets(spec: Mapping[str, Any], work: Work) -> Commit:
    """``spec``: path, the version of the calendar of releases, and rules: a list of rule sets as for ``judge``."""
    from domain.compliance import load

    work.stage("Load")
    stored = stored_path(spec, work)
    work.stage("Judge")
    rows = []
    for number, rules in enumerate(spec["rules"]):
        work.progress(0.1 + 0.85 * number / len(spec["rules"]), f"{number} of {len(spec['rules'])} rule sets")
        rows.append(row_of(load(rules["text"], rules["name"], rules["phase"]), rules, stored))
    work.stage("Store")
    frames = dict(table=work.store.frames.put(pd.DataFrame(rows)))
    summary = dict(path=stored.about, rule_sets=len(rows), currency=stored.currency, passed=sum(row["state"] == "passed" for row in rows))
    return save_result("judged_presets", spec, stored, summary, frames, work, rules=f"{len(rows)} rule sets")


def save_result(
    kind: str, spec: Mapping[str, Any], stored: StoredPath, summary: Mapping[str, Any], frames: Mapping[str, str], work: Work, event: str = "run_judged", **facts: Any
) -> Commit:  # fmt: skip
    """The commit of a result of any kind: its run, and the event that names what decided it."""
    from worker.desk.context import spec_digest

    decided = {**manifest_of(dict(spec), work.job.kind), "data": stored.data, "spec_hash": spec_digest(spec)}

    def commit(unit: Unit) -> JobResult:
        run_id = unit.runs.add(
            kind=kind, job_id=work.job.id, title=work.job.title, spec=dict(spec), manifest=decided, summary=dict(summary), frames=dict(frames),
            actor=work.job.actor, created_at=unit.now(), example=work.job.example, synthetic=stored.synthetic,
        )  # fmt: skip
        detail = dict(title=work.job.title, run=kind, state=summary.get("state", ""), spec=decided["spec_hash"], code=decided["code"], frames=dict(frames), **facts)
        return JobResult(dict(run=run_id), event, (f"run:{run_id}", *stored.entities, *_rule_sets(spec)), detail)

    return commit


def _rule_sets(spec: Mapping[str, Any]) -> tuple[str, ...]:
    given = spec.get("rules", [])
    rules = given if isinstance(given, list) else [given]
    return tuple(f"rule_set:{each['name']}" for each in rules if each["version"])
