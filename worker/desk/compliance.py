"""Compliance: paths judged by rule sets. Heavy work is a job; this reads what jobs stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd

from domain.errors import BadRequest, unknown
from domain.market import instruments as instrument_table
from worker.code import code_of
from worker.desk.backtests import Backtests
from worker.desk.context import DeskContext, Submitted, key_of, required
from worker.desk.export import csv_of
from worker.desk.judgement_tables import breach_rows, calendar_of, floor_lines, preset_rows, rows_near, sentence_of, word_of
from worker.desk.news_windows import AHEAD, NewsWindows, currencies_of, windows_of
from worker.desk.rule_sets import RuleSetsView
from worker.desk.session_path import Reach, SessionPath, currency_of, reach_of, session_path
from worker.desk.thin import thinned
from worker.store import AccountHistory, Job, Run, Unit
from worker.store.sessions import TradingSession

JUDGEMENT, PRESETS = "judgement", "judged_presets"      # kinds of run
FORM = 1            # of what a judgement stores; raised when it changes, so that results of an earlier form are not read
OLD_CODE = "Computed by an earlier version of Tidemark."
SEARCHED = 200      # latest results of a kind that are searched for earlier ones of a subject
TABLES = {JUDGEMENT: ("floors", "days", "breaches", "curve"), PRESETS: ("table",)}


@dataclass(frozen=True)
class Subject:
    """What is judged. ``kind``: ``run``, ``session`` (``reach``: how far it is known) or ``history`` (an imported account). ``points``: of a history the table of the
    equity that was rebuilt from bars, where there is one: it is judged in place of the balance alone."""

    kind: str
    id: str
    title: str
    synthetic: bool
    currency: str
    instruments: tuple[str, ...] = ()
    points: str = ""
    reach: Reach = Reach()

    @property
    def address(self) -> dict[str, str]:
        return {self.kind: self.id}

    @property
    def spec(self) -> dict[str, str]:
        return dict(kind=self.kind, id=self.id) | (dict(points=self.points) if self.points else {}) | self.reach.spec


@dataclass(frozen=True)
class Judged:
    """A stored result. ``stale``: why it is not the newest, or nothing. ``age``: a warning where the rules were read long ago,
    or nothing; ``sources``: which of their figures are not official."""

    run: Run
    stale: str
    age: str = ""
    sources: tuple[str, ...] = ()

    @cached_property
    def word(self) -> str:
        """passed, failed, open, no breach (a set with nothing to reach), not judged."""
        return word_of(self.run.summary)

    @cached_property
    def sentence(self) -> str:
        return sentence_of(self.run.summary)

    @property
    def complete(self) -> bool:
        """Whether every rule was judged."""
        return all(rule["state"] != "not judged" for rule in self.run.summary["rules"])


class Compliance:
    def __init__(self, context: DeskContext) -> None:
        self._context, self._rule_sets, self._backtests = context, RuleSetsView(context), Backtests(context)

    # -- what can be judged

    def subjects(self) -> list[Subject]:
        """Runs, then sessions, then imported accounts."""
        with self._context.store.read() as unit:
            sessions = [subject for session in unit.sessions.all() if (subject := _of_session(unit, session)) is not None]
            histories, datasets = unit.histories.all(), {dataset.version: dataset.instrument for dataset in unit.datasets.all()}
        return [*(_of_run(run, datasets) for run in self._backtests.latest()), *sessions, *map(_of_history, histories)]

    def subject(self, kind: str, subject_id: str) -> Subject | None:
        """One of them, however old; None where there is none."""
        if kind == "history":
            with self._context.store.read() as unit:
                history = unit.histories.get(subject_id)
            return _of_history(history) if history else None
        if kind == "session":
            with self._context.store.read() as unit:
                session = unit.sessions.get(subject_id)
                return _of_session(unit, session) if session else None
        run = self._backtests.find(subject_id)
        if run is None:
            return None
        with self._context.store.read() as unit:
            used = [unit.datasets.get(version) for version in run.spec["datasets"]]
        return _of_run(run, {dataset.version: dataset.instrument for dataset in used if dataset})

    def session_path(self, name: str) -> SessionPath:
        """The account of a session, over or so far, with its trades."""
        with self._context.store.read() as unit:
            session = required(unit.sessions.get(name), "session", name)
            reach = reach_of(unit, session, unit.sessions.progress(name))
            if reach is None:
                raise BadRequest(f"the session {name} has no equity yet; judge it after its first bar")
            return session_path(unit, name, reach)

    # -- one rule set

    def submit(self, subject: Subject, rules: str, phase: str = "", version: int = 0) -> Submitted:
        """Judge a path by a rule set; an identical request on the same code returns the job that did it."""
        spec = self.spec(subject, rules, phase, version)
        title = f"{self._rule_sets.get(rules, phase, version).title}, {spec['rules']['phase']}: {subject.title}"
        return self._context.submit("judge", title, spec, key=key_of("judge", spec))

    def judged(self, subject: Subject, rules: str, phase: str = "") -> Judged | None:
        """The verdict by the newest version of a rule set; an earlier one where that is not there; None without any."""
        spec = self.spec(subject, rules, phase)
        run, stale = self._newest(JUDGEMENT, "judge", spec, lambda old: (old["name"], old["phase"]) == (spec["rules"]["name"], spec["rules"]["phase"]))
        if run is None:
            return None
        age, sources = self._rule_sets.trust(rules, phase)
        return Judged(run, stale, age, sources)

    def job(self, subject: Subject, rules: str, phase: str = "") -> Job | None:
        """The job of the newest request, where it has not succeeded."""
        return self._unfinished("judge", self.spec(subject, rules, phase))

    # -- every rule set

    def submit_table(self, subject: Subject) -> Submitted:
        """Judge a path by every rule set, each in its first phase."""
        spec = self._table_spec(subject)
        return self._context.submit("judge_presets", f"Every rule set: {subject.title}", spec, key=key_of("judge_presets", spec))

    def table(self, subject: Subject) -> Judged | None:
        run, stale = self._newest(PRESETS, "judge_presets", self._table_spec(subject), lambda old: True)
        return Judged(run, stale) if run else None

    def table_job(self, subject: Subject) -> Job | None:
        return self._unfinished("judge_presets", self._table_spec(subject))

    def table_rows(self, run_id: str) -> pd.DataFrame:
        """A row a rule set, as ``preset_rows`` returns it."""
        return preset_rows(self.frame(run_id, "table"))

    # -- reading a judgement

    def get(self, run_id: str) -> Run:
        with self._context.store.read() as unit:
            return required(unit.runs.get(run_id), "judgement", run_id)

    def curve(self, run_id: str, at: str | None = None, budget: int = 1_400) -> pd.DataFrame:
        """``ts, equity``, thinned so that it keeps its extremes; ``at``: only the days around an instant."""
        return thinned(rows_near(self.frame(run_id, "curve"), at), ("equity",), budget)

    def floor_lines(self, run_id: str, at: str | None = None) -> pd.DataFrame:
        """``ts, floor, value, role``: each floor where it moves."""
        return floor_lines(rows_near(self.frame(run_id, "floors"), at), self.get(run_id).summary["rules"])

    def days(self, run_id: str) -> pd.DataFrame:
        """``day, share, pnl, low, trades, breach, after``, a row a trading day of the rule set."""
        run = self.get(run_id)
        return calendar_of(self.frame(run_id, "days"), run.summary["initial"], run.summary["failed_at"])

    def breaches(self, run_id: str) -> pd.DataFrame:
        """``ts, title, value, floor, unit, sentence, trades``, in their order."""
        return breach_rows(self.frame(run_id, "breaches"))

    def download(self, run_id: str, what: str) -> bytes:
        """A table of a stored result as CSV, in full."""
        run = self.get(run_id)
        if what not in run.frames:
            raise unknown("table of the result", what, run.frames)
        frame = self._context.store.frames.get(run.frames[what])
        with self._context.store.unit() as unit:
            unit.audit(self._context.user, "downloaded", f"run:{run_id}", what=what, form="csv", rows=len(frame))
        return csv_of(frame)

    # -- news

    def windows(self, subject: Subject, rules: str, phase: str = "") -> NewsWindows | None:
        """The news windows of the next week for what a path trades; None where the rule set has no rule of news."""
        rule: Any = self._rule_sets.get(rules, phase).rule("news")
        if rule is None:
            return None
        table = instrument_table(self._context.instruments_file)
        instruments = [table[name] for name in subject.instruments if name in table]
        with self._context.store.read() as unit:
            calendar, now = unit.outside.newest("releases"), unit.now()
        words = ", ".join(currencies_of(instruments)) or "any currency"
        if calendar is None:
            return NewsWindows(pd.DataFrame(), False, None, rule.clause(), words)
        releases = self._context.store.frames.get(calendar.frame)
        return NewsWindows(windows_of(releases, instruments, rule.before, rule.after, rule.impact, now), True, calendar.last_ts, rule.clause(), words, calendar.last_ts < now + AHEAD)

    # -- parts

    def spec(self, subject: Subject, rules: str, phase: str = "", version: int = 0) -> dict[str, Any]:
        """What decides a judgement: the path, the whole text of the rules, the calendar of releases."""
        return dict(form=FORM, path=subject.spec, rules=self._rule_sets.spec(rules, phase, version), releases=self._releases())

    def _table_spec(self, subject: Subject) -> dict[str, Any]:
        return dict(form=FORM, path=subject.spec, rules=[self._rule_sets.spec(row.name) for row in self._rule_sets.all()], releases=self._releases())

    def _releases(self) -> str:
        """The version of the calendar of releases in use, or nothing."""
        with self._context.store.read() as unit:
            calendar = unit.outside.newest("releases")
        return calendar.version if calendar else ""

    def _newest(self, kind: str, job_kind: str, spec: Mapping[str, Any], fits: Any) -> tuple[Run | None, str]:
        """The result of this very request, else the newest of an earlier one and what it differs in."""
        with self._context.store.read() as unit:
            job = unit.jobs.of_key(self._context.keyed(key_of(job_kind, spec)))
            run = unit.runs.get(job.result["run"]) if job and job.state == "done" and job.result else None
            if run is not None:
                return run, ""
            earlier = unit.runs.latest(kind, SEARCHED)
        old = next((run for run in earlier if _same_path(run.spec, spec) and fits(run.spec["rules"])), None)
        return (old, _stale(old.spec, spec)) if old else (None, "")

    def _unfinished(self, kind: str, spec: Mapping[str, Any]) -> Job | None:
        """A job of this request that is open; a failed or cancelled one where it was the last of its kind."""
        with self._context.store.read() as unit:
            job = unit.jobs.of_key(self._context.keyed(key_of(kind, spec)))
            latest = unit.jobs.latest(kinds=(kind,), limit=SEARCHED) if job is None else []
        if job is not None:
            return None if job.state == "done" else job
        digest = key_of(kind, spec)
        return next((each for each in latest if _goes_on(each, spec) or (each.state in ("failed", "cancelled") and key_of(kind, each.spec) == digest)), None)

    def newest(self, kind: str, job_kind: str, spec: Mapping[str, Any]) -> Judged | None:
        """The newest result of a kind on the path and phase of a spec, whatever its further settings; and whether it is older than the rules or the code."""
        with self._context.store.read() as unit:
            runs = unit.runs.latest(kind, SEARCHED)
        run = next((run for run in runs if _same(run.spec, spec)), None)
        if run is None:
            return None
        other = any(run.spec[name] != spec[name] for name in ("path", "rules", "releases") if name in spec)
        stale = _stale(run.spec, spec) if other else "" if run.manifest["code"] == code_of(job_kind) else OLD_CODE
        return Judged(run, stale)

    def newest_job(self, kind: str, spec: Mapping[str, Any]) -> Job | None:
        """The newest job of a kind on the path and phase of a spec; None where it has succeeded."""
        with self._context.store.read() as unit:
            jobs = unit.jobs.latest(kinds=(kind,), limit=SEARCHED)
        job = next((job for job in jobs if _same(job.spec, spec)), None)
        return None if job is None or job.state == "done" else job

    def frame(self, run_id: str, name: str) -> pd.DataFrame:
        """A table of a stored result."""
        run = self.get(run_id)
        if name not in run.frames:
            raise BadRequest(f"{run_id} is of the kind {run.kind.replace('_', ' ')} and has no {name}; choose a judgement")
        return self._context.store.frames.get(run.frames[name])


def _of_run(run: Run, instruments: Mapping[str, str]) -> Subject:
    """A run, with the instruments of its datasets that are still there."""
    names = tuple(instruments[version] for version in run.spec["datasets"] if version in instruments)
    return Subject("run", run.id, run.name or f"{run.id} {run.title}", run.synthetic, str(run.summary["currency"]), names)


def _of_session(unit: Unit, session: TradingSession) -> Subject | None:
    """A session that has an equity path; of one that goes on, so far."""
    reach = reach_of(unit, session, unit.sessions.progress(session.name))
    if reach is None:
        return None
    names = tuple(dict.fromkeys(str(series).split()[0] for series in session.plan.get("series", ())))
    return Subject("session", session.name, f"session {session.name}{', so far' if reach.until else ''}", False, currency_of(session), names, reach=reach)


def _of_history(history: AccountHistory) -> Subject:
    return Subject("history", history.id, f"{history.id} {history.name}", False, history.currency, points=history.frames.get("rebuilt", ""))


def _stale(old: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """Why an earlier result is not the answer to the present request."""
    if old["path"] != now["path"] and now["path"]["kind"] == "session":
        return f"Computed so far, until {pd.Timestamp(old['path']['until']):%Y-%m-%d %H:%M} UTC; the session has gone on since." if old["path"].get("until") else OLD_CODE
    if old["path"] != now["path"]:
        return "Computed before the equity of the account was rebuilt from bars."
    if "rules" not in now:
        return OLD_CODE
    before, after = old["rules"], now["rules"]
    if isinstance(after, list):
        if [rules["text"] for rules in before] != [rules["text"] for rules in after]:
            return "Judged before a rule set was added or changed."
    elif before["version"] != after["version"]:
        return f"Judged by version {before['version']} of the rule set; version {after['version']} is the newest."
    elif before["text"] != after["text"]:
        return "Judged by an earlier text of the rule set."
    if old.get("releases") != now.get("releases"):
        return "Judged with another calendar of releases."
    return OLD_CODE


def _goes_on(job: Job, spec: Mapping[str, Any]) -> bool:
    """Whether a job under way judges the same session up to a moment ago, by the same rules."""
    return bool(job.open and spec["path"].get("until") and _same_path(job.spec, spec) and job.spec["rules"] == spec["rules"])


def _same(old: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    """Whether two specs are of the same path and, where they have rules, of the same rule set and phase."""
    if not _same_path(old, now):
        return False
    return "rules" not in now or (old["rules"]["name"], old["rules"]["phase"]) == (now["rules"]["name"], now["rules"]["phase"])


def _same_path(old: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    """Whether two specs of this form are of the same run or account."""
    before = old.get("path") or {}
    return old.get("form") == now["form"] and (before.get("kind"), before.get("id")) == (now["path"]["kind"], now["path"]["id"])
