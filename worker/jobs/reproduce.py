"""Reproduce a finished backtest from its manifest and compare the bytes of its tables; where they differ, report the first difference and the reasons."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import pandas as pd
import pyarrow as pa

from domain.analytics import METRICS, compare_specs, first_difference
from domain.errors import BadRequest, listed
from domain.formatting import short
from domain.market import content_version
from domain.market.timeframe import Timeframe
from worker.code import manifest_of
from worker.jobs import questions
from worker.jobs.base import Commit, JobResult, Work, job
from worker.jobs.trial_rows import in_words
from worker.model_use import applied_to
from worker.store import Dataset, Filter, Run, Unit
from worker.store.frames import content_hash
from worker.store.outside import named_in

VERDICTS = {
    "same": "The same question on the same code gave the same bytes.",
    "altered": "The same bytes came out, but what is stored of the run was changed since.",
    "different": "Other bytes came out.",
    "impossible": "It cannot be run again.",
}
SHOWN = 6       # changes that a sentence names
_ABSENT = "absent"


@dataclass(frozen=True)
class Reason:
    """``what``: stored, trail, data, question, instruments, code, library, figures, unexplained."""

    what: str
    sentence: str


@dataclass(frozen=True)
class Again:
    """Result of the reproduction. ``now``: hash of each frame; ``parts``: the first difference, in a sentence."""

    now: Mapping[str, str] = field(default_factory=dict)
    changed: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=["path", "a", "b"]))
    code: str = ""
    reasons: tuple[Reason, ...] = ()
    parts: str = ""


@job("reproduce", limit=3_600, after="compile")
def reproduce(spec: Mapping[str, Any], work: Work) -> Commit:
    """``spec``: run. A difference is a result, not a failure of the job."""
    with work.store.read() as unit:
        run = unit.runs.as_stored(spec["run"])
    if run is None:
        raise BadRequest(f"there is no run {spec['run']}; it may have been deleted. Choose one from the list")
    result, detail = reproduced(run, work)

    def commit(unit: Unit) -> JobResult:
        return JobResult(result, "run_reproduced", (f"run:{run.id}",), detail)

    return commit


def reproduced(run: Run, work: Work) -> tuple[dict[str, Any], dict[str, Any]]:
    """The result of the job, and the detail of its audit event: verdict (``same``, ``altered``, ``different``, ``impossible``), sentence,
    reasons, frames (name, then, now, same), difference, code."""
    work.stage("Check stored results")
    with work.store.read() as unit:
        datasets = {dataset.version: dataset for dataset in unit.datasets.all()}
    stored = [*_frames_changed(run, work), *_trail_differs(run, work)]
    missing = [*_data_missing(run, datasets, work), *_outside_missing(run, work)]
    again = Again() if missing else _again(run, work)
    return _keep(run, _verdict(run, stored, missing, again), [*stored, *missing, *again.reasons], again)


def _verdict(run: Run, stored: Sequence[Reason], missing: Sequence[Reason], again: Again) -> str:
    if missing:
        return "impossible"
    if any(again.now[name] != run.frames[name] for name in again.now):
        return "different"
    kinds = {reason.what for reason in again.reasons}
    return "altered" if stored or "figures" in kinds or ("question" in kinds and "code" not in kinds) else "same"


def _keep(run: Run, verdict: str, reasons: Sequence[Reason], again: Again) -> tuple[dict[str, Any], dict[str, Any]]:
    frames = [dict(name=name, then=run.frames[name], now=now, same=now == run.frames[name]) for name, now in again.now.items()]
    sentence = " ".join([VERDICTS[verdict], *(reason.sentence for reason in reasons), *([again.parts] if again.parts else [])])
    detail = dict(verdict=verdict, sentence=sentence, reasons=[asdict(reason) for reason in reasons], frames=frames, difference=again.parts, code=again.code)
    return dict(run=run.id, **detail, changed=again.changed.to_dict("records")), detail


# -- what is stored -----------------------------------------------------------------------------------------------------


def _frames_changed(run: Run, work: Work) -> list[Reason]:
    """Frames that are gone, or that no longer hash to their own name."""
    reasons = []
    for name, stored in run.frames.items():
        frame = _read(work, stored)
        if frame is None:
            reasons.append(Reason("stored", f"The stored {name} ({short(stored)}) are no longer here, or no longer readable."))
        elif (now := content_hash(frame)) != stored:
            reasons.append(Reason("stored", f"The stored {name} are not those that were recorded: they hash to {short(now)}, not to {short(stored)}."))
    return reasons


def _read(work: Work, name: str) -> pd.DataFrame | None:
    try:
        return work.store.frames.as_stored(name)
    except (OSError, pa.ArrowException):
        return None


def _trail_differs(run: Run, work: Work) -> list[Reason]:
    """Compare the run's row with its audit event, which recorded it when it was made."""
    with work.store.read() as unit:
        event = next(iter(unit.trail.page(Filter(entity=f"run:{run.id}", kinds=("run_finished",)), 1)), None)
    if event is None:
        return [Reason("trail", "No audit event records this run.")]
    then = json.loads(event.body)["detail"]
    now = dict(frames=dict(run.frames), code=run.manifest["code"], spec=run.manifest["spec_hash"])
    differ = [row.path for row in compare_specs({key: then.get(key) for key in now}, now).itertuples()]
    return [Reason("trail", f"The run's row is not what the audit trail recorded when it was made: {listed(differ, SHOWN)} differ{'s' if len(differ) == 1 else ''}.")] if differ else []


def _data_missing(run: Run, datasets: Mapping[str, Dataset], work: Work) -> list[Reason]:
    """Versions of the data that are gone, or whose bars are no longer those of the version."""
    named = {source["version"]: f"{source['instrument']} {source['timeframe']}" for source in run.manifest["spec"]["data"]}
    reasons = []
    for version in [*run.spec["datasets"], *run.spec.get("rates", [])]:
        if version not in datasets:
            reasons.append(Reason("data", f"The data version {short(version)} of {named.get(version, 'a conversion rate')} is no longer here. Import the same file again, or ask the question on a newer version."))
        elif (now := _version_of(datasets[version], work)) != version:
            reasons.append(Reason("data", f"The stored bars of {datasets[version].instrument} {datasets[version].timeframe} are no longer version {short(version)}: they hash to {short(now)}."))
    return reasons


def _outside_missing(run: Run, work: Work) -> list[Reason]:
    """Reasons: versions of external data that are deleted, or whose frames were altered."""
    with work.store.read() as unit:
        stored = {version: unit.outside.get(version) for version in sorted(named_in(run.spec))}
    gone = [version for version, outside in stored.items() if outside is None]
    changed = [outside for outside in stored.values() if outside is not None and ((frame := _read(work, outside.frame)) is None or content_hash(frame) != outside.frame)]
    return [Reason("data", f"The external data with version {short(version)} is no longer here. Import the same file again, or ask the question on a newer version.") for version in gone] + [
        Reason("data", f"What is stored of {outside.name} is no longer version {short(outside.version)}.") for outside in changed
    ]


def _version_of(dataset: Dataset, work: Work) -> str:
    bars = _read(work, dataset.frame)
    if bars is None:
        return "nothing"
    return content_version(bars.assign(ts=bars["ts"].dt.as_unit("ns")), dataset.instrument, Timeframe.named(dataset.timeframe), dataset.side)


# -- what comes out now -------------------------------------------------------------------------------------------------


def _again(run: Run, work: Work) -> Again:
    work.stage("Load bars")
    request = questions.read(run.spec, work)
    work.stage("Simulate")
    from domain.backtest import study
    from domain.backtest.buy_and_hold import held_of

    used = applied_to(request, work)
    result = study.run(request.series, request.rules, request.strategy(), request.signals, rates=request.rates, keep=used.keep if used else None, watch=work.within(0.1, 0.8))
    work.stage("Compare")
    tables = {name: in_words(getattr(result.outcome, name)) for name in run.frames if hasattr(result.outcome, name)}
    if "benchmark" in run.frames:
        tables["benchmark"] = in_words(held_of(request.series, request.rules, request.rates).curve)
    now, manifest = {name: content_hash(frame) for name, frame in tables.items()}, manifest_of(questions.named_in(study.spec_of(request.series, request.rules, request.strategy(), run.spec.get("model")), run.spec), run.kind)
    changed = compare_specs(run.manifest["spec"], manifest["spec"])
    differ = [name for name in tables if now[name] != run.frames[name]]
    reasons = [*_question_changed(changed), *_code_changed(run.manifest, manifest)]
    reasons += _figures_changed(run, result.metrics, bool(reasons or differ))
    if differ and not reasons:
        reasons = [Reason("unexplained", "Question, data, code and libraries are the same, so this must not happen. Keep both results and report it.")]
    return Again(now, changed, manifest["code"], tuple(reasons), _parts(run, tables, differ, work))


def _question_changed(changed: pd.DataFrame) -> list[Reason]:
    """Reasons in the spec: changes of the instrument table, and changes of the request."""
    table = changed["path"].astype(str).str.startswith("instruments.")
    groups = [("question", "The question is not the one that was recorded", changed[~table]), ("instruments", "The table of instruments has changed since", changed[table])]
    return [Reason(what, f"{sentence}: {listed((f'{row.path} was {row.a or _ABSENT} and is {row.b or _ABSENT}' for row in rows.itertuples()), SHOWN)}.") for what, sentence, rows in groups if len(rows)]


def _code_changed(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[Reason]:
    code = [Reason("code", f"The code of the engine has changed since: hash {short(then['code'])} then, {short(now['code'])} now.")] if then["code"] != now["code"] else []
    other = [f"{name} {then['libraries'].get(name, 'absent')} then, {version} now" for name, version in now["libraries"].items() if then["libraries"].get(name) != version]
    return code + ([Reason("library", f"{'A library has' if len(other) == 1 else 'Libraries have'} another version: {listed(other, SHOWN)}.")] if other else [])


def _figures_changed(run: Run, metrics: Mapping[str, float | None], explained: bool) -> list[Reason]:
    """Figures that come out otherwise although everything below them is the same were changed where they are stored."""
    then = run.summary["metrics"]
    differ = [f"{METRICS[key].title.lower()} was {then[key]} and is {value}" for key, value in metrics.items() if key in then and then[key] != value]
    return [Reason("figures", f"Figures come out otherwise: {listed(differ, SHOWN)}.")] if differ and not explained else []


def _parts(run: Run, tables: Mapping[str, pd.DataFrame], differ: Sequence[str], work: Work) -> str:
    """Where the first of the frames parts from the stored one; fills before trades before equity."""
    for name in sorted(differ, key=list(tables).index):
        then = _read(work, run.frames[name])
        if then is not None and (difference := first_difference(then, tables[name])):
            return f"In {name}: {_rephrased(difference.sentence, name)}"
    return ""


def _rephrased(sentence: str, name: str) -> str:
    """Rephrases ``first_difference``, which names a first and a second list of fills.

    >>> _rephrased("Fill 1 (EURUSD buy): price is 1.1 in the first and 1.2 in the second.", "trades")
    'Row 1 (EURUSD buy): price is 1.1 in the recorded run and 1.2 in this one.'
    """
    rephrased = sentence.replace("in the first", "in the recorded run").replace("in the second", "in this one")
    return rephrased if name == "fills" else rephrased.replace("Fill ", "Row ").replace(" fills ", " rows ").replace(" fill ", " row ")
