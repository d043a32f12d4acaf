"""Rule sets: the presets, and those that a person edited, version by version."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd

from domain.compliance.editing import (
    SETTINGS,
    Change,
    Entry,
    check_why,
    differences,
    edited,
    entries,
    oldest,
    overridden,
    title_of,
    weakest,
    with_rule,
    without_rule,
)
from domain.compliance.figure import CONFIDENCES
from domain.compliance.rule import RULES, about
from domain.compliance.rule_set import RuleSet, dump, load, preset, presets
from domain.errors import BadRequest, unknown
from worker.desk.context import DeskContext, required
from worker.desk.export import csv_of
from worker.store.rule_sets import RuleSetVersion, digest_of

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,63}")
OLD_DAYS = 90       # after which a preset must be read again


@dataclass(frozen=True)
class RuleSetRow:
    """A rule set of the lists. ``version`` 0: a preset; ``age``: days since its oldest figure was read, None without a date."""

    name: str
    title: str
    firm: str
    programme: str
    phases: tuple[str, ...]
    account: float
    currency: str
    version: int
    base: str
    confidence: str
    retrieved: date | None
    age: int | None
    overridden: tuple[str, ...]

    @property
    def own(self) -> bool:
        return self.version > 0

    @property
    def old(self) -> bool:
        """Whether it was read so long ago that it must be checked."""
        return self.age is not None and self.age > OLD_DAYS


class RuleSetsView:
    def __init__(self, context: DeskContext) -> None:
        self._context = context

    # -- reading

    def all(self) -> list[RuleSetRow]:
        """Presets first, then a person's own, each by name."""
        today = self._today()
        with self._context.store.read() as unit:
            saved = unit.rule_sets.all()
        return [*(_row(name, preset(name), None, today) for name in presets()), *(_row(row.name, load(row.text, row.name), row, today) for row in saved)]

    def get(self, name: str, phase: str = "", version: int = 0) -> RuleSet:
        """A preset, or the newest version of a saved rule set, in one of its phases."""
        stored = self.stored(name, version)
        return preset(name, phase) if stored is None else load(stored.text, name, phase)

    def row(self, name: str) -> RuleSetRow:
        return _row(name, self.get(name), self.stored(name), self._today())

    def stored(self, name: str, version: int = 0) -> RuleSetVersion | None:
        """The version of a saved rule set; None for a preset."""
        if name in presets():
            if version:
                raise BadRequest(f"{name} is a preset and has no versions; save it under a name of your own to change it")
            return None
        with self._context.store.read() as unit:
            row = unit.rule_sets.get(name, version)
            names = [each.name for each in unit.rule_sets.all()]
        if row is None and version:
            return required(row, "version of the rule set", f"{name} {version}")
        if row is None:
            raise unknown("rule set", name, [*presets(), *names])
        return row

    def spec(self, name: str, phase: str = "", version: int = 0) -> dict[str, Any]:
        """The rule set as a job takes it: with its whole text, so that the result can be made again."""
        stored, rule_set = self.stored(name, version), self.get(name, phase, version)
        base = stored.base if stored else name
        return dict(name=name, version=stored.version if stored else 0, phase=rule_set.phase, base=base, text=stored.text if stored else dump(rule_set))

    def versions(self, name: str) -> list[RuleSetVersion]:
        """Every version of a saved rule set, newest first; none of a preset."""
        with self._context.store.read() as unit:
            return unit.rule_sets.versions(name)

    def entries(self, rule_set: RuleSet) -> list[Entry]:
        """Every figure of a rule set's phase with its parameter, for a form."""
        return entries(rule_set)

    def sources(self, rule_set: RuleSet) -> pd.DataFrame:
        """``name, title, value, source, retrieved, confidence`` of every figure; a person's own settings have none."""
        rows = [dict(name=entry.name, title=title_of(entry), value=str(entry.value), **_sources_of(entry)) for entry in entries(rule_set) if entry.parameter not in SETTINGS]
        return pd.DataFrame(rows, columns=["name", "title", "value", "source", "retrieved", "confidence"])

    def confidences(self) -> tuple[str, ...]:
        """From the most to the least that a figure can be trusted."""
        return CONFIDENCES

    def kinds(self) -> dict[str, str]:
        """Kind of rule -> what it does."""
        return {kind: about(kind) for kind in RULES}

    def trust(self, name: str, phase: str = "") -> tuple[str, tuple[str, ...]]:
        """A warning where the figures were read long ago, or nothing; and a sentence for each kind of figure that is not official."""
        rule_set = self.get(name, phase)
        lines = rule_set.warnings(self._today())
        return (lines[0], tuple(lines[1:])) if self.row(name).old else ("", tuple(lines))

    def text(self, name: str, version: int = 0) -> str:
        """The rule set as TOML."""
        stored = self.stored(name, version)
        return stored.text if stored else dump(preset(name))

    # -- changing

    def edited(self, rule_set: RuleSet, values: Mapping[str, Any], sources: Mapping[str, Mapping[str, str]] | None = None) -> RuleSet:
        """The rule set with these values and sources by the names of its entries, not saved yet. What is as it was stays as it
        was; a new value whose source is left as it was becomes a person's own."""
        known = {entry.name: entry for entry in entries(rule_set)}
        changes: dict[str, Change] = {}
        for name in dict.fromkeys([*values, *(sources or {})]):
            if name not in known:
                raise unknown("figure of the rule set", name, known)
            entry, given = known[name], (sources or {}).get(name, {})
            value = values.get(name)
            moved = value is not None and same_text(value) != same_text(entry.value)
            written = _sources_of(entry)
            other = {key: text for key, text in given.items() if text != written[key]} if given and any(given.values()) else {}
            if moved or other:
                changes[name] = Change(value if moved else None, **(dict(given) if other else {}))
        return edited(rule_set, changes, self._today())

    def with_rule(self, rule_set: RuleSet, kind: str) -> RuleSet:
        return with_rule(rule_set, kind, self._today())

    def without_rule(self, rule_set: RuleSet, key: str, place: int = 0) -> RuleSet:
        return without_rule(rule_set, key, place)

    def save(self, name: str, content: RuleSet | str, why: str, base: str = "") -> RuleSetVersion:
        """Save a rule set, or its TOML, as the newest version under ``name``. ``base``: the preset that it began from."""
        name, why = self._name(name), check_why(why)
        rule_set = load(content, name) if isinstance(content, str) else content
        text = dump(rule_set)
        with self._context.store.unit() as unit:
            unit.alone_with("rule_sets")
            before = unit.rule_sets.get(name)
            if before and before.digest == digest_of(text) and not before.retired:
                raise BadRequest(f"the rule set {name} is the same as its version {before.version}; nothing was saved. Change a figure first")
            if base and base not in presets():
                raise unknown("preset", base, presets())
            base = base or (before.base if before else "") or (rule_set.name if rule_set.name in presets() else "")
            saved = unit.rule_sets.add(name, text, base, why, self._context.user, unit.now())
            old = load(before.text, name, rule_set.phase) if before else preset(base) if base else None
            changed = differences(old, rule_set) if old and old.phase in rule_set.phases else differences(rule_set, rule_set)
            unit.audit(
                self._context.user, "rule_set_saved", f"rule_set:{name}", name=name, version=saved.version, digest=saved.digest, base=base, why=why,
                changed={row.figure: f"{row.before or 'none'} to {row.after or 'none'}" for row in changed.itertuples()},
            )  # fmt: skip
        return saved

    def retire(self, name: str, why: str) -> RuleSetVersion:
        """Take a saved rule set off the lists. Its versions and the results by them stay."""
        why = check_why(why)
        with self._context.store.unit() as unit:
            unit.alone_with("rule_sets")
            row = required(unit.rule_sets.get(name), "rule set of yours", name)
            if row.retired:
                raise BadRequest(f"the rule set {name} is off the lists already; save it again to bring it back")
            retired = unit.rule_sets.add(name, row.text, row.base, why, self._context.user, unit.now(), retired=True)
            unit.audit(self._context.user, "rule_set_retired", f"rule_set:{name}", name=name, version=retired.version, why=why)
        return retired

    # -- comparing

    def difference(self, a: str, b: str, phase: str = "") -> pd.DataFrame:
        """What differs between two rule sets, each by its name, or as ``NAME@VERSION``."""
        first, second = (self.get(*_named(each)) for each in (a, b))
        phase = phase or first.phase
        if phase not in first.phases or phase not in second.phases:
            return differences(first, second)
        return differences(first.in_phase(phase), second.in_phase(phase))

    def download(self, name: str, version: int = 0) -> bytes:
        """The TOML of a rule set."""
        text = self.text(name, version)
        with self._context.store.unit() as unit:
            unit.audit(self._context.user, "downloaded", f"rule_set:{name}", what="rule set", form="toml", version=version)
        return text.encode()

    def download_difference(self, a: str, b: str) -> bytes:
        frame = self.difference(a, b)
        with self._context.store.unit() as unit:
            unit.audit(self._context.user, "downloaded", f"rule_set:{_named(a)[0]}", f"rule_set:{_named(b)[0]}", what="difference of rule sets", form="csv", rows=len(frame))
        return csv_of(frame)

    def _name(self, name: str) -> str:
        name = name.strip()
        if not NAME.fullmatch(name):
            raise BadRequest(f"the name of a rule set is {name[:64]!r}; give it 1 to 64 letters, digits, blanks, points, dashes or underscores")
        if name in presets():
            raise BadRequest(f"{name} is a preset, which stays as it was read; save yours under another name")
        return name

    def _today(self) -> date:
        with self._context.store.read() as unit:
            return unit.now().date()


def same_text(value: Any) -> str:
    """A value as text, so that a form's and a document's can be compared.

    >>> same_text(5) == same_text(5.0), same_text(True), same_text("5 %")
    (True, 'True', '5 %')
    """
    return str(float(value)) if isinstance(value, int | float) and not isinstance(value, bool) else str(value).strip()


def _sources_of(entry: Entry) -> dict[str, str]:
    figure = entry.figure
    return dict(source=figure.source if figure else "", retrieved=figure.retrieved.isoformat() if figure else "", confidence=figure.confidence if figure else "")


def _named(text: str) -> tuple[str, str, int]:
    """
    >>> _named("mine@2"), _named("ftmo-2-step")
    (('mine', '', 2), ('ftmo-2-step', '', 0))
    """
    name, _, version = text.rpartition("@")
    return (name, "", int(version)) if name and version.isdigit() else (text, "", 0)


def _row(name: str, rule_set: RuleSet, stored: RuleSetVersion | None, today: date) -> RuleSetRow:
    read = oldest(rule_set)
    base = stored.base if stored else ""
    start = preset(base) if base else None
    changed = overridden(rule_set, start.in_phase(rule_set.phase)) if start and rule_set.phase in start.phases else []
    return RuleSetRow(
        name, rule_set.title if stored is None or rule_set.title == name else f"{rule_set.title} ({name})", rule_set.firm, rule_set.programme, rule_set.phases, rule_set.account,
        rule_set.currency, stored.version if stored else 0, base, weakest(rule_set), read, (today - read).days if read else None, tuple(changed),
    )  # fmt: skip
