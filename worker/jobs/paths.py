"""Paths that rule sets are replayed over, as the spec of a job names them: of runs, and of imported account histories."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa

from domain.errors import BadRequest
from domain.market import instruments
from domain.market.instrument import Instrument
from worker.jobs.base import Work
from worker.store import Run

if TYPE_CHECKING:
    from domain.compliance import Judgement, Path, RuleSet


@dataclass(frozen=True)
class StoredPath:
    """A path with what is known of it. ``about``: kind, id and title; ``data``: versions of the datasets behind it."""

    path: Path
    about: Mapping[str, str]
    currency: str
    data: list[str]
    entities: tuple[str, ...]
    synthetic: bool
    instruments: Mapping[str, Instrument]
    releases: pd.DataFrame | None
    fills: pd.DataFrame | None = None       # of a session

    def judged(self, rule_set: RuleSet) -> tuple[Path, Judgement]:
        """The path on the rule set's account, and the verdict on it."""
        from domain.compliance import judge

        path = self.on_account(rule_set)
        return path, judge(path, rule_set, self.instruments, self.releases)

    def on_account(self, rule_set: RuleSet) -> Path:
        """The path in proportion, where a rule set has amounts of money for an account of another size."""
        from domain.compliance.account import fitted

        if rule_set.currency != self.currency and not rule_set.relative:
            raise BadRequest(f"{self.about['title']} is an account in {self.currency}, and the rules of {rule_set.title} are money in {rule_set.currency}; save a version of them in {self.currency}")
        return fitted(self.path, rule_set)[0]


def stored_path(spec: Mapping[str, Any], work: Work) -> StoredPath:
    """``spec``: path (kind ``run``, ``session`` or ``history``, id; of a history ``points``, the table of its rebuilt equity; of a session that goes on ``until``), and releases: the version of the calendar, or nothing."""
    reader = {"run": _of_run, "session": _of_session, "history": _of_history}.get(spec["path"]["kind"])
    if reader is None:
        raise BadRequest(f"{spec['path']['kind']!r} is no kind of path; choose a run, a session or an imported account history")
    return reader(spec, work)


def _of_run(spec: Mapping[str, Any], work: Work) -> StoredPath:
    from domain.compliance import path_of

    run = run_of(spec["path"]["id"], work)
    equity, trades = frame_of(run, "equity", work), frame_of(run, "trades", work)
    currency = str(run.summary["currency"])
    path = path_of(equity, trades, float(run.summary["balance"]), currency)
    about = dict(kind="run", id=run.id, title=run.name or run.title)
    return StoredPath(
        path, about, currency, list(run.manifest.get("data", [])), (f"run:{run.id}",), run.synthetic, instruments(work.settings.instruments_file),
        releases_of(spec.get("releases", ""), work),
    )  # fmt: skip


def _of_session(spec: Mapping[str, Any], work: Work) -> StoredPath:
    """Of a session, over or until the instant that the spec names: its account, at a broker as it was looked at there, and its trades."""
    from worker.desk.session_path import Reach, session_path

    name = spec["path"]["id"]
    with work.store.read() as unit:
        read = session_path(unit, name, Reach.of(spec["path"]))
    path, about = read.path(), dict(kind="session", id=name, title=name) | (dict(note=read.note) if read.note else {})
    return StoredPath(
        path, about, path.currency, [], (f"session:{name}",), False, instruments(work.settings.instruments_file), releases_of(spec.get("releases", ""), work), read.fills,
    )  # fmt: skip


def _of_history(spec: Mapping[str, Any], work: Work) -> StoredPath:
    from domain.compliance.gaps import refuse_gaps
    from domain.compliance.histories.history import path_of

    with work.store.read() as unit:
        history = unit.histories.get(spec["path"]["id"])
    if history is None:
        raise BadRequest(f"there is no account history {spec['path']['id']}; it may have been deleted. Choose one from the list, or import it again")
    points = work.store.frames.get(spec["path"].get("points") or history.frames["points"])
    trades, flows = (work.store.frames.get(history.frames[name]) for name in ("trades", "flows"))
    path = path_of(points, trades if "trades" in history.knows else None, flows, history.initial, history.currency)
    rebuilt = ["The equity was rebuilt from bars of this workspace."] if spec["path"].get("points") else []
    about = dict(kind="history", id=history.id, title=history.name, note=" ".join([*rebuilt, *(refuse_gaps(path, allowed=True) if path.floating else ())]))
    return StoredPath(
        path, about, history.currency, [], (f"history:{history.id}",), False, instruments(work.settings.instruments_file), releases_of(spec.get("releases", ""), work),
    )  # fmt: skip


def run_of(run_id: str, work: Work) -> Run:
    with work.store.read() as unit:
        run = unit.runs.get(run_id)
    if run is None:
        raise BadRequest(f"there is no run {run_id}; it may have been deleted. Choose one from the list")
    if "equity" not in run.frames:
        raise BadRequest(f"run {run_id} is of the kind {run.kind.replace('_', ' ')} and has no equity; choose a backtest")
    return run


def frame_of(run: Run, name: str, work: Work) -> pd.DataFrame:
    try:
        return work.store.frames.get(run.frames[name])
    except (OSError, pa.ArrowException):
        raise BadRequest(f"the {name} of run {run.id} is no longer stored, or no longer readable. Reproduce the run to see whether it comes out again") from None


def releases_of(version: str, work: Work) -> pd.DataFrame | None:
    """The calendar of releases of a version; None where the workspace had none."""
    if not version:
        return None
    with work.store.read() as unit:
        calendar = unit.outside.get(version)
    if calendar is None:
        raise BadRequest(f"the calendar of releases with version {version[:8]}… is no longer here; submit the judgement again, or import it")
    return work.store.frames.get(calendar.frame)
