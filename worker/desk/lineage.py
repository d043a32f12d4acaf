"""By what something was decided: data, features, parameters, rules, limits, code and results, each by hash."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from domain.audit import canonical, plain
from domain.errors import BadRequest
from domain.params import build, params_of
from domain.risk import Limits
from domain.strategies import STRATEGIES
from domain.strategies.base import Strategy
from worker.desk.events import Event
from worker.store import Dataset, Job, Run
from worker.store.former_names import both_named

HASH = 64               # letters of a SHA-256
OFF = ("correlation_days", "day_reset", "flatten", "spike_window")      # settings of limits that are no limits themselves


@dataclass(frozen=True)
class Fact:
    """``what`` decided, as ``value`` in words and by ``hash``; ``recorded``: the hash that an event recorded, where it did."""

    what: str
    value: str
    hash: str = ""
    recorded: str = ""

    @property
    def differs(self) -> bool:
        return bool(self.recorded) and self.recorded != self.hash


def hash_of(value: Any) -> str:
    """SHA-256 of the canonical JSON of a value."""
    return hashlib.sha256(canonical(plain(value))).hexdigest()


def of_run(run: Run, event: Event | None) -> list[Fact]:
    """Everything that decided a run, and its results; beside what its event recorded when it was made."""
    manifest, detail = run.manifest, event.detail if event else {}
    spec = manifest.get("spec", {})
    facts = [Fact("Data", f"{source['instrument']} {source['timeframe']}, {source['bars']:,} bars", source["version"]) for source in spec.get("data", [])]
    strategy = spec.get("strategy")
    if isinstance(strategy, str):       # of a training
        facts += _request_facts(spec)
    elif strategy:
        facts.append(Fact("Strategy", strategy["name"]))
        facts.append(Fact("Parameters", ", ".join(f"{name} {value}" for name, value in strategy["params"].items()), hash_of(strategy["params"])))
        facts += _features(run.spec)
    if "columns" in spec:
        facts.append(Fact("Features", f"{len(spec['columns']):,} columns", hash_of(spec["columns"])))
    if spec.get("model"):
        facts.append(Fact("Model", f"{spec['model']['name']}@{spec['model']['version']}", spec["model"]["hash"]))
    facts += [Fact(title, _rule_words(spec[name]), hash_of(spec[name])) for name, title in (("sizing", "Sizing"), ("costs", "Costs"), ("execution", "Execution"), ("account", "Account")) if name in spec]
    if "limits" in spec:
        facts.append(Fact("Limits", _limit_words(spec["limits"]), hash_of(spec["limits"])))
    facts.append(Fact("All settings", "", manifest.get("spec_hash", ""), str(detail.get("spec", ""))))
    facts.append(Fact("Code", "engine", manifest.get("code", ""), str(detail.get("code", ""))))
    facts.append(Fact("Libraries", ", ".join(f"{name} {version}" for name, version in manifest.get("libraries", {}).items()), hash_of(manifest.get("libraries", {}))))
    recorded = detail.get("frames", {})
    recorded = recorded if isinstance(recorded, Mapping) else {}
    return facts + [Fact("Result", name, stored, str(recorded.get(name, ""))) for name, stored in run.frames.items()]


def _request_facts(spec: Mapping[str, Any]) -> list[Fact]:
    """The question of a training."""
    named = [(title, spec.get(name, ""), spec.get(params, {})) for title, name, params in (("Learner", "learner", "learner_params"), ("Target", "target", "target_params"), ("Split", "scheme", "scheme_params"), ("Strategy", "strategy", "strategy_params"))]
    return [Fact(title, f"{name}: {', '.join(f'{key} {value}' for key, value in params.items())}", hash_of(params)) for title, name, params in named if name] + [Fact("Seed", str(spec.get("seed", "")))]


def of_dataset(dataset: Dataset, event: Event | None) -> list[Fact]:
    origin = dataset.provenance
    model = [Fact("Model", f"{origin['model']}, seed {origin['seed']}", hash_of(origin.get("params", {})))] if "model" in origin else []
    file = [Fact("File", str(origin.get("name", dataset.source)), str(origin["file"]))] if isinstance(origin.get("file"), str) and len(origin["file"]) == HASH else []
    download = [Fact("Download", download_sentence(origin) + (f", from the local double at {origin['double']}" if origin["double"] else ""), hash_of(origin.get("covered", [])))] if "vendor" in origin else []
    before = origin.get("appended_to", {})
    file += [Fact("Appended to", f"{before['bars']:,} bars until {str(before['last'])[:10]}", str(before["version"]))] if before else []
    repairs = [Fact("Repairs", "rows dropped or merged", dataset.ledger)] if dataset.ledger else []
    return [
        Fact("Data", f"{dataset.instrument} {dataset.timeframe}, {dataset.bars:,} bars", dataset.version, str(event.detail.get("version", "")) if event else ""),
        Fact("Source", dataset.source), Fact("Clock", dataset.clock), *model, *file, *download, *repairs,
    ]  # fmt: skip


def download_sentence(origin: Mapping[str, Any]) -> str:
    """What was requested of the vendor, and as of when; datasets of earlier releases name the span ``asked``.

    >>> download_sentence(dict(symbol="EURUSD", asked=["2024-01-01", "2024-02-01"], at="2024-03-01"))
    'EURUSD from 2024-01-01 to 2024-02-01, as of 2024-03-01'
    """
    first, last = both_named(origin)["requested"]
    return f"{origin['symbol']} from {first} to {last}, as of {origin['at']}"


def of_job(job: Job, event: Event | None) -> list[Fact]:
    outcome = job.state if not job.error else f"{job.state}: {job.error.get('sentence', '')}"
    return [
        Fact("Kind", job.kind.replace("_", " ")), Fact("Settings", "", hash_of(job.spec), str(event.detail.get("spec", "")) if event else ""),
        Fact("Attempts", str(job.epoch)), Fact("Outcome", outcome),
    ]  # fmt: skip


def of_events(events: Sequence[Event]) -> list[Fact]:
    """Of an entity that only events tell of: every hash that they name, newest last, each once."""
    facts: dict[tuple[str, str], Fact] = {}
    for event in events:
        for name, value in _hashes(event.detail):
            facts.setdefault((name, value), Fact(name, event.words, value))
    return list(facts.values())


def _hashes(detail: Mapping[str, Any], before: str = "") -> list[tuple[str, str]]:
    hashes = []
    for name, value in detail.items():
        title = f"{before} {name}".strip().replace("_", " ").capitalize()
        if isinstance(value, Mapping):
            hashes += _hashes(value, title)
        elif isinstance(value, str) and len(value) == HASH and all(letter in "0123456789abcdef" for letter in value):
            hashes.append((title, value))
    return hashes


def _features(spec: Mapping[str, Any]) -> list[Fact]:
    """The columns that the strategy reads at its parameters; nothing where the strategy is no longer there."""
    if spec.get("strategy") not in STRATEGIES:
        return []
    try:
        strategy: Strategy = build(STRATEGIES[spec["strategy"]], spec.get("params", {}))
    except BadRequest:
        return []
    columns = [use.column for use in strategy.features()]
    return [Fact("Features", ", ".join(columns), hash_of(columns))] if columns else []


def _rule_words(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in list(values.items())[:2] if not isinstance(value, Mapping))


def _limit_words(values: Mapping[str, Any]) -> str:
    """
    >>> _limit_words({"max_leverage": "30.0", "daily_loss": "0.05", "max_positions": 0, "blackout": ""})
    '2: max leverage 30.0, daily loss 0.05'
    """
    names = {param.name for param in params_of(Limits)} - set(OFF)
    active = {name: value for name, value in values.items() if name in names and value not in (0, "", "0", "0.0", None, False)}
    return f"{len(active)}: " + ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in active.items()) if active else "none"
