"""Replay of a run: computed again and compared with what its event recorded."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pyarrow as pa

from domain.audit import plain
from domain.audit.replay import Answer, Check, compared
from domain.errors import BadRequest
from worker.jobs.base import JOBS, JobResult, Work
from worker.jobs.replay_stored import Event, entity, gone
from worker.jobs.reproduce import reproduced
from worker.store import Job, Run
from worker.store.frames import content_hash
from worker.store.seals import Altered

ALONE = ("columns", "similar", "gate", "stress", "regimes", "examine", "judge", "judge_presets", "pass_chance", "risk_now")       # kinds of job that compute everything themselves and always the same
OF_REPRODUCTION = {"same": "equal", "altered": "differs", "different": "differs", "impossible": "impossible"}
AS_RECORDED = "as recorded"
OF_THEN = ("seals", "request")      # of an event: the rows that were written, the click or call that submitted the job
INFORMATIVE = ("code", "title", "sentence", "seconds")  # facts of an event that do not decide whether it is equal


class _Rehearsal(Work):
    """The work of an earlier job, done again inside another one, which it reports to."""

    def __init__(self, work: Work, job: Job) -> None:
        super().__init__(work.store, work.settings, replace(job, checkpoint=None))
        self._outer = work

    def stage(self, name: str) -> None:
        self._outer.stage(name)

    def progress(self, share: float, note: str | None = None) -> None:
        self._outer.progress(share, note)


class _Undone(Exception):
    """Rolls a rehearsal's unit of work back: it wrote nothing."""


def of_run(event: Event, work: Work) -> Answer:
    with work.store.read() as unit:
        run = unit.runs.as_stored(entity(event, "run")) if event["kind"] != "run_histories_drawn" else _drawn(event, unit)
        job = unit.jobs.get(run.job_id if run else entity(event, "job"))
    if run is None:
        return gone("run", entity(event, "run"))
    answer = _of_run(event, run, job, work)
    row = Check("row of the run", AS_RECORDED, altered(run.id, work) or AS_RECORDED)
    if row.same:
        return answer
    verdict = answer.verdict if answer.verdict == "impossible" else "differs"
    return replace(answer, verdict=verdict, checks=(row, *answer.checks), notes=(*answer.notes, row.now))


def altered(run_id: str, work: Work) -> str:
    """A sentence where the run's row is not the one that its event seals; else empty."""
    try:
        with work.store.read() as unit:
            unit.runs.get(run_id)
    except Altered as fault:
        text = str(fault)
        return f"{text[:1].upper()}{text[1:].rstrip('.')}."
    return ""


def _of_run(event: Event, run: Run, job: Job | None, work: Work) -> Answer:
    if run.kind == "backtest":
        return _backtest(event, run, work)
    if job is not None and job.kind in ALONE and event["kind"] != "run_reproduced":
        return _again(event, run, job, work)
    return compared(_stored(event, run, work), [f"A run of the kind {run.kind.replace('_', ' ')} is shared by several jobs and is not computed again here; run it again to compare."], equal="unchanged")


def _drawn(event: Event, unit: Any) -> Run | None:
    """Of an event that names the run it was drawn from first, the run that was drawn."""
    names = [name.partition(":")[2] for name in event["entities"] if name.startswith("run:")]
    return unit.runs.as_stored(names[-1]) if names else None


def _backtest(event: Event, run: Run, work: Work) -> Answer:
    result, _ = reproduced(run, work)
    recorded = event["detail"].get("frames", {})
    then = {row["name"]: row["then"] for row in recorded} if isinstance(recorded, list) else recorded
    checks = [Check(row["name"], then.get(row["name"], row["then"]), row["now"]) for row in result["frames"]]
    if result["code"] and "code" in event["detail"]:
        checks.append(Check("code", event["detail"]["code"], result["code"], counts=False))
    notes = tuple(reason["sentence"] for reason in result["reasons"]) + ((result["difference"],) if result["difference"] else ())
    verdict = OF_REPRODUCTION[result["verdict"]]
    if verdict == "equal" and not all(check.same for check in checks if check.counts):
        verdict, notes = "differs", (*notes, "The event recorded other tables than the run has now.")
    return Answer(verdict, tuple(checks), notes)


def _again(event: Event, run: Run, job: Job, work: Work) -> Answer:
    """The job done again and rolled back: its event would say the same."""
    try:
        result = rehearsed(job, work)
    except BadRequest as error:
        return Answer("impossible", (), (str(error)[:1].upper() + str(error)[1:] + ".",))
    then = _flat({name: value for name, value in event["detail"].items() if name not in OF_THEN})
    now = _flat(plain(result.detail))
    checks = [Check("kind of event", event["kind"], result.event)]
    checks += [Check(name.replace("_", " "), then.get(name, ""), now.get(name, ""), counts=name not in INFORMATIVE) for name in sorted({*then, *now})]
    return compared([*checks, *_stored(event, run, work)])


def rehearsed(job: Job, work: Work) -> JobResult:
    """What the job would record if it ended now; nothing of it is kept but tables, which are named by their content."""
    commit = JOBS[job.kind].run(job.spec, _Rehearsal(work, job))
    results: list[JobResult] = []
    try:
        with work.store.unit() as unit:
            results.append(commit(unit))
            raise _Undone
    except _Undone:
        return results[0]


def _stored(event: Event, run: Run, work: Work) -> list[Check]:
    """The stored tables, by the names that the event recorded."""
    recorded = event["detail"].get("frames", dict(run.frames))
    work.stage("Hash the tables")
    return [Check(f"stored {name}", then, _hash(then, work)) for name, then in recorded.items()]


def _hash(name: str, work: Work) -> str:
    try:
        return content_hash(work.store.frames.as_stored(name))
    except (OSError, pa.ArrowException):
        return "nothing"


def _flat(detail: Mapping[str, Any]) -> dict[str, str]:
    """Facts by name, one a table of those that have several; long ones by their hash."""
    flat: dict[str, str] = {}
    for name, value in detail.items():
        if isinstance(value, Mapping):
            flat |= {f"{name} {inner}": _text(each) for inner, each in value.items()}
        else:
            flat[name] = _text(value)
    return flat


def _text(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 64 else hashlib.sha256(text.encode()).hexdigest()
