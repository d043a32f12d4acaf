"""Written strategies: the library with its versions, what a form shows of one while it is written, and the preview."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from domain.errors import BadRequest, UnknownName, unknown
from domain.expressions.functions import FUNCTIONS
from domain.expressions.reading import reading
from domain.features.expression import catalogue, condition_of_text
from domain.params import Param, params_of, values_of
from domain.strategies import STRATEGIES
from domain.strategies.definition import FIELDS, Definition, defined, definition_of
from domain.strategies.written import CONDITIONS, Written
from worker.desk.context import DeskContext, Submitted, key_of, required
from worker.store import Run, Unit
from worker.store.executions import Draft
from worker.store.strategies import StrategyVersion, digest_of

KIND = "strategy_preview"
WRITTEN = "written"
VERSIONED = re.compile(r"(.+)@([0-9]+)")
PREVIEWED = 5_000       # bars at the end of a dataset


@dataclass(frozen=True)
class SavedStrategy:
    """A version of the library, and what it defines."""

    stored: StrategyVersion
    definition: Definition

    @property
    def title(self) -> str:
        return f"{self.stored.name}@{self.stored.version}"

    @property
    def about(self) -> str:
        """Its conditions in one sentence."""
        return sentence_of(self.definition.params)


class Strategies:
    def __init__(self, context: DeskContext) -> None:
        self._context = context

    # -- the library

    def all(self) -> list[SavedStrategy]:
        """The newest version of each, by name; those that are retired are left out."""
        with self._context.store.read() as unit:
            return [_saved(row) for row in unit.strategies.all()]

    def get(self, name: str, version: int = 0) -> SavedStrategy:
        """A version, the newest for 0; ``name`` may be NAME@VERSION."""
        with self._context.store.read() as unit:
            return saved_of(unit, f"{name}@{version}" if version else name)

    def find(self, name: str) -> SavedStrategy | None:
        """The same; None where there is none."""
        try:
            return self.get(name)
        except UnknownName:
            return None

    def versions(self, name: str) -> list[SavedStrategy]:
        """Newest first."""
        with self._context.store.read() as unit:
            rows = unit.strategies.versions(name)
        return [_saved(row) for row in required(rows or None, "strategy of yours named", name)]

    def save(self, content: str | Mapping[str, Any], why: str) -> SavedStrategy:
        """Save JSON, or plain values, as the newest version under its name."""
        definition = definition_of(content, "the strategy") if isinstance(content, str) else defined(content)
        if definition.name in STRATEGIES or VERSIONED.fullmatch(definition.name):
            raise BadRequest(f"{definition.name} is the name of a built-in strategy; save yours under another")
        if not why.strip():
            raise BadRequest("why it is saved is empty; write a few words, which stay with the version")
        with self._context.store.unit() as unit:
            unit.alone_with("written_strategies")
            before = unit.strategies.get(definition.name)
            if before and before.digest == digest_of(definition.text) and not before.retired:
                raise BadRequest(f"the strategy {definition.name} is the same as its version {before.version}; nothing was saved. Change something first")
            saved = unit.strategies.add(definition.name, definition.text, why.strip(), self._context.user, unit.now())
            unit.strategy_drafts.remove(saved.name)     # it is understood now
            unit.audit(self._context.user, "strategy_saved", f"strategy:{saved.name}", name=saved.name, version=saved.version, digest=saved.digest, why=saved.why)
        return SavedStrategy(saved, definition)

    def keep_draft(self, name: str, given: Mapping[str, Any], sentence: str) -> Draft:
        """Keep a strategy that is not understood, with the sentence that says why; it is never run. One of that name is replaced."""
        if not 0 < len(name) <= 128 or not name.isprintable():
            raise BadRequest("the draft has no name, or one that is not 1 to 128 printable letters; give it one")
        with self._context.store.unit() as unit:
            draft = Draft(name, dict(given), sentence, self._context.user, unit.now())
            unit.strategy_drafts.put(draft)
            unit.audit(self._context.user, "strategy_draft_kept", f"strategy_draft:{name}", name=name, sentence=sentence)
        return draft

    def delete_draft(self, name: str) -> Draft:
        """Delete a draft; the audit trail keeps that there was one."""
        draft = required(self.draft(name), "draft", name)
        with self._context.store.unit() as unit:
            unit.strategy_drafts.remove(name)
            unit.audit(self._context.user, "strategy_draft_deleted", f"strategy_draft:{name}", name=name, sentence=draft.sentence)
        return draft

    def draft(self, name: str) -> Draft | None:
        """The draft of that name; None where there is none."""
        return next((each for each in self.drafts() if each.name == name), None)

    def drafts(self) -> list[Draft]:
        """Strategies that are not understood, by name."""
        with self._context.store.read() as unit:
            return unit.strategy_drafts.all()

    def retire(self, name: str, why: str) -> StrategyVersion:
        """Take a strategy off the lists. Its versions and the runs of it stay."""
        if not why.strip():
            raise BadRequest("why it is retired is empty; write a few words, which stay with the version")
        with self._context.store.unit() as unit:
            unit.alone_with("written_strategies")
            row = required(unit.strategies.get(name), "strategy of yours named", name)
            if row.retired:
                raise BadRequest(f"the strategy {name} is off the lists already; save it again to bring it back")
            retired = unit.strategies.add(name, row.text, why.strip(), self._context.user, unit.now(), retired=True)
            unit.audit(self._context.user, "strategy_retired", f"strategy:{name}", name=name, version=retired.version, why=retired.why)
        return retired

    def download(self, name: str, version: int = 0) -> bytes:
        """The JSON of a strategy, as ``--strategy-file`` takes it."""
        saved = self.get(name, version)
        with self._context.store.unit() as unit:
            unit.audit(self._context.user, "downloaded", f"strategy:{saved.stored.name}", what="strategy", form="json", version=saved.stored.version)
        return saved.stored.text.encode()

    # -- while it is written

    def fields(self) -> tuple[Param, ...]:
        """The parameters of the form: conditions, then risk; none of a name."""
        return tuple(replace(param, default="") if param.name in CONDITIONS else param for param in params_of(Written) if param.name != "name")

    def functions(self) -> dict[str, str]:
        """How each function is called -> what it gives."""
        return {f"{function.name}({', '.join(function.takes)})": function.about for function in FUNCTIONS.values()}

    def read(self, text: str, timeframe: str = "") -> tuple[str, str]:
        """A condition in plain words, and what is wrong with it; either is empty."""
        if not text.strip():
            return "", ""
        try:
            return reading(condition_of_text(text, timeframe), catalogue().features), ""
        except BadRequest as error:
            return "", str(error)

    def fault(self, values: Mapping[str, Any]) -> str:
        """What is wrong with the values of a form; empty for nothing."""
        for name in values:
            if name not in FIELDS:
                raise unknown("field of a strategy", name, FIELDS)
        try:
            defined(values)
        except BadRequest as error:
            return str(error)
        return ""

    def submit_preview(self, values: Mapping[str, Any], dataset: str) -> Submitted:
        """What its conditions would have given on the last bars of a dataset, in the strategy's timeframe."""
        definition = defined(values)
        with self._context.store.read() as unit:
            stored = required(unit.datasets.get(dataset), "dataset", dataset)
        timeframe = definition.timeframe or stored.timeframe
        spec = dict(
            datasets=[stored.version], timeframe=timeframe, start=datetime(1700, 1, 1, tzinfo=UTC).isoformat(), end=stored.last_ts.replace(year=stored.last_ts.year + 1, day=1).isoformat(), columns=[],
            strategy=WRITTEN, params=values_of(definition.strategy), bars=PREVIEWED,
        )  # fmt: skip
        return self._context.submit(KIND, f"Preview: {definition.name} · {stored.instrument} {timeframe}", spec, key=key_of(KIND, spec))

    def preview(self, run_id: str) -> Run:
        """What a preview found: ``bars, first, last, conditions`` (how often each was true, false, unknown), ``longs, shorts, exits, latest``."""
        with self._context.store.read() as unit:
            run = unit.runs.get(run_id)
        return required(run if run and run.kind == KIND else None, "preview", run_id)


def meant(context: DeskContext, name: str, params: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """The strategy of the registry that a name means, and its parameters: a name of the library (NAME or NAME@VERSION) is ``written`` with the
    parameters that were saved, ``params`` over them."""
    if name in STRATEGIES:
        return name, dict(params)
    with context.store.read() as unit:
        return WRITTEN, {**saved_of(unit, name).definition.params, **params}


def conditions_at_fault(params: Mapping[str, Any]) -> dict[str, str]:
    """Condition -> what is wrong with it.

    >>> conditions_at_fault(dict(long="clsoe > 1", short="close > 1"))
    {'long': "long, column 1: no column, feature or function named 'clsoe'; did you mean 'close'?"}
    """
    faults = {}
    for name in CONDITIONS:
        try:
            if str(params.get(name, "")).strip():
                condition_of_text(str(params[name]))
        except BadRequest as error:
            faults[name] = f"{name}, {error}"
    return faults


def title_of(strategy: str, params: Mapping[str, Any]) -> str:
    """What people call a strategy: a written one by its own name.

    >>> title_of("breakout", {}), title_of("written", {"name": "dip"}), title_of("written", {})
    ('breakout', 'dip', 'written')
    """
    return str(params.get("name") or strategy) if strategy == WRITTEN else strategy


def saved_of(unit: Unit, name: str) -> SavedStrategy:
    """A version of the library by NAME or NAME@VERSION; the nearest name of all strategies where there is none."""
    match = VERSIONED.fullmatch(name)
    row = unit.strategies.get(match[1], int(match[2])) if match else unit.strategies.get(name)
    if row is None or (row.retired and not match):
        raise unknown("strategy", name, [*STRATEGIES, *(each.name for each in unit.strategies.all())])
    return _saved(row)


def sentence_of(params: Mapping[str, Any]) -> str:
    """Its conditions in plain words.

    >>> sentence_of(dict(long="close > open", short="", exit_long="close < open", exit_short=""))
    'Buys when close is above open. Closes a long when close is below open.'
    """
    verbs = dict(long="Buys", short="Sells", exit_long="Closes a long", exit_short="Closes a short")
    features = catalogue().features
    return " ".join(f"{verbs[name]} when {reading(condition_of_text(params[name]), features)}." for name in CONDITIONS if params[name].strip())


def _saved(row: StrategyVersion) -> SavedStrategy:
    return SavedStrategy(row, definition_of(row.text, f"the strategy {row.name}"))
