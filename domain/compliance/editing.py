"""Rule sets that a person edits: the parameters of a phase with their sources, changed values, and what differs between two."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import pandas as pd

from domain.compliance.figure import CONFIDENCES, OWN, Figure, figure_of
from domain.compliance.rule import RULES, Rule
from domain.compliance.rule_set import RuleSet, keys_of, rule_set_of
from domain.errors import BadRequest, unknown
from domain.params import Param, checked, params_of

OWN_VALUE = "own value"
SETTINGS = ("buffer",)      # parameters that are a person's own setting, not a figure of the firm
DIFFERENCE = ("figure", "title", "before", "after", "source_before", "source_after", "confidence_before", "confidence_after")


@dataclass(frozen=True)
class Entry:
    """One parameter in the phase of a rule set. ``name``: ``daily.amount``, of a second table ``news[2].before``; ``key``
    and ``place``: its table in the document, and which of several; ``parameter``: its name there. ``rule`` is None for
    the day's clock. ``figure`` is None where no source is recorded."""

    name: str
    key: str
    place: int
    parameter: str
    param: Param
    value: Any
    figure: Figure | None
    rule: Rule | None


@dataclass(frozen=True)
class Change:
    """A new value of an entry, or a new source. What is None stays; a new value without a source is a person's own."""

    value: Any = None
    source: str | None = None
    retrieved: str | None = None
    confidence: str | None = None


def entries(rule_set: RuleSet) -> list[Entry]:
    """Every parameter in the phase of a rule set, in the order of the document."""
    document, kinds = rule_set.document, keys_of()
    rows = list(_day_entries(rule_set))
    tables = [(key, place, table) for key, place, table in _tables(document) if _applies(kinds[key], table, rule_set)]
    for (key, place, table), rule in zip(tables, rule_set.rules, strict=True):
        for param in params_of(type(rule)):
            parameter = rule.names.get(param.name, param.name)
            prefix = key if not place else f"{key}[{place + 1}]"
            figure = _figure(document, table, key, parameter)
            rows.append(Entry(f"{prefix}.{parameter}", key, place, parameter, param, plain_value(getattr(rule, param.name)), figure, rule))
    return rows


def edited(rule_set: RuleSet, changes: Mapping[str, Change], today: date) -> RuleSet:
    """The rule set with changed entries. A value that all phases share is changed in all of them.

    Raises BadRequest for an entry that is not there, and for what ``load`` refuses.
    """
    known = {entry.name: entry for entry in entries(rule_set)}
    document = copy.deepcopy(dict(rule_set.document))
    for name, change in changes.items():
        if name not in known:
            raise unknown("figure of the rule set", name, known)
        _apply(document, known[name], change, rule_set, today)
    return rule_set_of(document, rule_set.name or "the rule set", rule_set.phase)


def with_rule(rule_set: RuleSet, kind: str, today: date) -> RuleSet:
    """The rule set with one more rule of a kind, at the default values, all of them a person's own."""
    cls = RULES[kind]
    document = copy.deepcopy(dict(rule_set.document))
    table = {cls.names.get(param.name, param.name): plain_value(param.default) for param in params_of(cls)}
    new = {**{name: value for name, value in table.items() if value is not None}, **_own(today)}
    there = document.get(cls.key)
    document[cls.key] = new if there is None else [*(there if isinstance(there, list) else [_as_table(cls, there, document)]), new]
    return rule_set_of(document, rule_set.name or "the rule set", rule_set.phase)


def without_rule(rule_set: RuleSet, key: str, place: int = 0) -> RuleSet:
    """The rule set without the rule of a table, in all phases."""
    document = copy.deepcopy(dict(rule_set.document))
    if key not in document or key not in keys_of():
        raise unknown("rule of the rule set", key, [name for name in document if name in keys_of()])
    tables = document[key]
    if isinstance(tables, list) and len(tables) > 1:
        document[key] = [table for number, table in enumerate(tables) if number != place]
    else:
        del document[key]
    return rule_set_of(document, rule_set.name or "the rule set", rule_set.phase)


def differences(before: RuleSet, after: RuleSet) -> pd.DataFrame:
    """What differs between two rule sets, each in its phase: a row a figure, empty where it is not there.

    Columns: ``figure, title, before, after, source_before, source_after, confidence_before, confidence_after``.
    """
    old, new = ({entry.name: entry for entry in entries(rule_set)} for rule_set in (before, after))
    rows = []
    for name in dict.fromkeys([*old, *new]):
        a, b = old.get(name), new.get(name)
        if _stated(a) != _stated(b):
            entry = b or a
            assert entry is not None
            rows.append((name, title_of(entry), _text(a), _text(b), *_of_both(a, b, "source"), *_of_both(a, b, "confidence")))
    for field in ("account", "currency"):
        if getattr(before, field) != getattr(after, field):
            rows.append((field, field.capitalize(), str(getattr(before, field)), str(getattr(after, field)), "", "", "", ""))
    return pd.DataFrame(rows, columns=list(DIFFERENCE))


def overridden(rule_set: RuleSet, base: RuleSet) -> list[str]:
    """Names of the figures whose value is another than in the rule set that it began from, in the same phase; own buffers
    are no figures of the firm."""
    old, new = ({entry.name: entry.value for entry in entries(each) if entry.parameter not in SETTINGS} for each in (base, rule_set))
    return [name for name in dict.fromkeys([*old, *new]) if old.get(name) != new.get(name)]


def weakest(rule_set: RuleSet) -> str:
    """The lowest confidence of any figure; ``own`` where no figure has a source.

    The order is official, secondary, assumed, own.
    """
    ranks = [CONFIDENCES.index(figure.confidence) for name, figure in rule_set.figures.items() if name.partition(".")[2] not in SETTINGS]
    return CONFIDENCES[max(ranks)] if ranks else OWN


def oldest(rule_set: RuleSet) -> date | None:
    """The earliest date on which a figure was read."""
    return min((figure.retrieved for figure in rule_set.figures.values()), default=None)


def title_of(entry: Entry) -> str:
    """The name of an entry for a form: of the rule, and of its parameter."""
    name = entry.param.title or entry.parameter.replace("_", " ").capitalize()
    return name if entry.rule is None else f"{entry.rule.kind.replace('_', ' ').capitalize()}: {name}"


def plain_value(value: Any) -> Any:
    """A value as TOML and forms hold it: words for amounts and locks.

    >>> from domain.compliance.amount import Amount
    >>> plain_value(Amount("5 %")), plain_value(2.0), plain_value(None)
    ('5 % of initial', 2.0, None)
    """
    return value if value is None or isinstance(value, bool | int | float | str | list | Mapping) else str(value)


def _tables(document: Mapping[str, Any]) -> Iterator[tuple[str, int, Mapping[str, Any]]]:
    """The tables of the rules in the order of the document: key, place among those of the same key, table."""
    kinds = keys_of()
    for key, value in document.items():
        if key in kinds:
            several = isinstance(value, list) and bool(value) and all(isinstance(each, Mapping) for each in value)
            for place, table in enumerate(value if several else [value]):
                yield key, place, _as_table(kinds[key], table, document)


def _as_table(cls: type[Rule], table: Any, document: Mapping[str, Any]) -> Mapping[str, Any]:
    """A bare value, or one a phase, stands for the main parameter."""
    phases = set(_phases(document))
    bare = not isinstance(table, Mapping) or (bool(table) and set(table) <= phases)
    return {cls.main: table} if bare else table


def _phases(document: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(document.get("phases", [document.get("phase", "evaluation")]))


def _by_phase(value: Any, phases: tuple[str, ...]) -> bool:
    return isinstance(value, Mapping) and bool(value) and set(value) <= set(phases)


def _applies(cls: type[Rule], table: Mapping[str, Any], rule_set: RuleSet) -> bool:
    main = table.get(cls.main)
    there = rule_set.phase in main if isinstance(main, Mapping) and _by_phase(main, rule_set.phases) else True
    return there and rule_set.phase in table.get("phases", rule_set.phases)


def _day_entries(rule_set: RuleSet) -> Iterator[Entry]:
    for name, title, words in (("reset", "Day begins at", "time of day, HH:MM"), ("tz", "Clock of the day", "IANA zone, MT5 server, or an offset such as UTC+2")):
        param = Param(name, str, "", None, None, (), "", words, {}, title)
        table = rule_set.document.get("day", {})
        yield Entry(f"day.{name}", "day", 0, name, param, getattr(rule_set.day, name), _figure(rule_set.document, table, "day", name), None)


def _figure(document: Mapping[str, Any], table: Mapping[str, Any], key: str, parameter: str) -> Figure | None:
    """Where a parameter comes from: its own entry, else its table's, else the document's; None where it is not given, or is a
    person's own setting."""
    if parameter in SETTINGS or not (parameter in table or parameter in document):
        return None
    fields = ("source", "retrieved", "confidence")
    entry = {name: document.get(name) for name in fields} | {name: table[name] for name in fields if name in table}
    entry |= dict(table.get("figures", {}).get(parameter, {}))
    return figure_of(entry["source"], entry["retrieved"], entry["confidence"], f"{key}.{parameter}") if any(entry.values()) else None


def _apply(document: dict[str, Any], entry: Entry, change: Change, rule_set: RuleSet, today: date) -> None:
    table = _own_table(document, entry)
    if change.value is not None:
        value = plain_value(checked(replace(entry.param, name=entry.name), change.value)) if entry.rule is not None else str(change.value).strip()
        now = table.get(entry.parameter)
        table[entry.parameter] = {**now, rule_set.phase: value} if isinstance(now, Mapping) and _by_phase(now, rule_set.phases) else value
    if entry.parameter not in SETTINGS:
        table["figures"] = {**table.get("figures", {}), entry.parameter: _provenance(entry, change, today)}


def _own_table(document: dict[str, Any], entry: Entry) -> dict[str, Any]:
    """The table of an entry, to be changed in place; a bare value becomes one."""
    stored = document[entry.key]
    if isinstance(stored, list) and all(isinstance(each, Mapping) for each in stored):
        stored[entry.place] = dict(stored[entry.place])
        return stored[entry.place]
    table = dict(stored) if entry.rule is None else dict(_as_table(type(entry.rule), stored, document))
    document[entry.key] = table
    return table


def _provenance(entry: Entry, change: Change, today: date) -> dict[str, str]:
    """The source, date and confidence of a changed entry: as given, else a person's own where the value is new."""
    old, own = entry.figure, _own(today)
    kept = dict(source=old.source, retrieved=old.retrieved.isoformat(), confidence=old.confidence) if old else own
    start = own if change.value is not None and change.source is None and change.confidence is None else kept
    given = dict(source=change.source, retrieved=change.retrieved, confidence=change.confidence)
    provenance = {**start, **{name: value.strip() for name, value in given.items() if value is not None}}
    figure_of(provenance["source"], provenance["retrieved"], provenance["confidence"], entry.name)
    return provenance


def _own(today: date) -> dict[str, str]:
    return dict(source=OWN_VALUE, retrieved=today.isoformat(), confidence=OWN)


def _stated(entry: Entry | None) -> Any:
    return entry and (entry.value, entry.figure)


def _text(entry: Entry | None) -> str:
    return "" if entry is None else str(entry.value)


def _of_both(a: Entry | None, b: Entry | None, field: str) -> tuple[str, str]:
    first, second = (str(getattr(entry.figure, field)) if entry and entry.figure else "" for entry in (a, b))
    return first, second


def check_why(why: str) -> str:
    """A reason for a saved version, without blanks around it.

    >>> check_why(" ")
    Traceback (most recent call last):
    ...
    domain.errors.BadRequest: there is no reason for the change; write in a few words why it is made
    """
    if not why.strip():
        raise BadRequest("there is no reason for the change; write in a few words why it is made")
    return why.strip()[:500]
