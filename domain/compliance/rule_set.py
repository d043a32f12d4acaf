"""A rule set as data: a TOML document of a firm's programme, and the rules of one of its phases."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, time
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import domain.compliance.rules  # noqa: F401  (registers every kind)
from domain.compliance.amount import Amount
from domain.compliance.day import DayClock
from domain.compliance.figure import OWN, Figure, figure_of, warnings_of
from domain.compliance.rule import RULES, Rule
from domain.compliance.toml_text import toml_text
from domain.errors import BadRequest, unknown
from domain.params import Param, checked, params_of
from domain.parsing import text_in, toml_of

PRESETS = Path(__file__).with_name("presets")
ABOUT = (
    "name",
    "title",
    "firm",
    "programme",
    "phase",
    "phases",
    "account",
    "currency",
    "source",
    "retrieved",
    "confidence",
    "note",
)
SPREAD = {"comparator": ("daily", "drawdown"), "lock": ("drawdown",)}  # given once at the top, for these rules
MORE = ("phases", "source", "retrieved", "confidence", "figures")  # in every rule's table, beside its parameters


@dataclass(frozen=True)
class RuleSet:
    """The rules of one phase. ``account`` 0: of any size; ``columns``: a name for each rule, which begins with its kind."""

    name: str
    title: str
    firm: str
    programme: str
    phase: str
    account: float
    currency: str
    day: DayClock
    rules: tuple[Rule, ...]
    figures: Mapping[str, Figure]  # daily.amount -> where it comes from
    phases: tuple[str, ...]
    document: Mapping[str, Any]  # as read, all phases
    note: str = ""

    @property
    def columns(self) -> tuple[str, ...]:
        seen: dict[str, int] = {}
        names = []
        for rule in self.rules:
            seen[rule.kind] = seen.get(rule.kind, 0) + 1
            names.append(rule.kind if seen[rule.kind] == 1 else f"{rule.kind}_{seen[rule.kind]}")
        return tuple(names)

    @property
    def relative(self) -> bool:
        """Are all its amounts shares, so that it fits an account of any size?"""
        return all(value.relative for rule in self.rules for value in vars(rule).values() if isinstance(value, Amount))

    def rule(self, kind: str) -> Rule | None:
        """The first rule of a kind."""
        return next((rule for rule in self.rules if rule.kind == kind), None)

    def value(self, name: str) -> str:
        """A parameter such as ``daily.amount`` in words, as the rule of this phase has it."""
        key, _, parameter = name.partition(".")
        if key == "day":
            return str(getattr(self.day, parameter))
        rule = next(rule for rule in self.rules if key in (rule.key, rule.kind))
        return str(getattr(rule, {text: field for field, text in rule.names.items()}.get(parameter, parameter)))

    def in_phase(self, phase: str) -> RuleSet:
        return rule_set_of(self.document, self.name, phase)

    def warnings(self, today: date) -> list[str]:
        return warnings_of(self.title, dict(self.figures), today)

    def with_value(self, name: str, value: Any, today: date) -> RuleSet:
        """The set with a person's own value for a parameter such as ``daily.amount``; it is shown as such."""
        key, _, parameter = name.partition(".")
        table = self.document.get(key)
        if not isinstance(table, Mapping):
            raise unknown("parameter with one value in the rule set", name, self.figures)
        figures = {
            **table.get("figures", {}),
            parameter: dict(source="own value", retrieved=today.isoformat(), confidence=OWN),
        }
        return rule_set_of(
            {**self.document, key: {**table, parameter: value, "figures": figures}}, self.name, self.phase
        )


def load(text: str, what: str = "the rule set", phase: str = "") -> RuleSet:
    """The rule set that a TOML text describes, in one of its phases; without a name the one that it says.

    Raises BadRequest: no TOML, an unknown key (with the nearest), a missing parameter, a bad value.
    """
    return rule_set_of(toml_of(text, what), what, phase)


def dump(rule_set: RuleSet) -> str:
    """As TOML, which ``load`` reads back."""
    return toml_text({**rule_set.document, "phase": rule_set.phase})


def presets() -> tuple[str, ...]:
    """Names of the rule sets that come with Tidemark."""
    return tuple(sorted(path.stem for path in PRESETS.glob("*.toml")))


@cache
def preset(name: str, phase: str = "") -> RuleSet:
    if name not in presets():
        raise unknown("preset", name, presets())
    return load(text_in(PRESETS / f"{name}.toml"), f"the preset {name}", phase)


def rule_set_of(document: Mapping[str, Any], what: str, phase: str = "") -> RuleSet:
    """The rules of a phase from a parsed document."""
    keys = keys_of()
    for key in document:
        if key not in (*ABOUT, *SPREAD, "day", *keys):
            raise unknown(f"key of {what}", key, [*ABOUT, *SPREAD, "day", *keys])
    phases = _phases(document, what)
    phase = phase or str(document.get("phase", "")) or phases[0]
    if phase not in phases:
        raise unknown(f"phase of {what}", phase, phases)
    default = {name: document.get(name) for name in ("source", "retrieved", "confidence")}
    day, figures = _day(document, what, default)
    chosen = []
    for key, table in _tables(document, keys, what):
        rule, read = _rule(keys[key], key, table, what, phase, phases, default)
        if rule is not None:
            chosen.append(rule)
            figures.update({name: read[name] for name in read if name not in figures})
    if not chosen:
        raise BadRequest(
            f"{what} has no rule in the phase {phase}; give it at least one of {', '.join(sorted({kind.key for kind in keys.values()}))}"
        )
    words = {name: str(document.get(name, "")) for name in ("name", "title", "firm", "programme", "note")}
    words["title"] = words["title"] or words["name"] or what
    return RuleSet(
        **words, phase=phase, account=_account(document, what), currency=str(document.get("currency", "USD")), day=day, rules=tuple(chosen),
        figures=MappingProxyType(figures), phases=phases, document=document,
    )  # fmt: skip


def keys_of() -> dict[str, type[Rule]]:
    """Table of a rule set -> its kind of rule; the name of the kind is taken too."""
    return {**{RULES[kind].kind: RULES[kind] for kind in RULES}, **{RULES[kind].key: RULES[kind] for kind in RULES}}


def _phases(document: Mapping[str, Any], what: str) -> tuple[str, ...]:
    phases = document.get("phases", [document.get("phase", "evaluation")])
    if not isinstance(phases, list) or not phases or not all(isinstance(each, str) and each for each in phases):
        raise BadRequest(f"{what}: phases is {phases!r}; it must be a list of names, in their order")
    return tuple(phases)


def _account(document: Mapping[str, Any], what: str) -> float:
    try:
        return float(checked(Param("account", float, 0.0, 0.0, None, (), "", "", {}, ""), document.get("account", 0.0)))
    except BadRequest as error:
        raise BadRequest(f"{what}: {error}") from None


def _day(document: Mapping[str, Any], what: str, default: Mapping[str, Any]) -> tuple[DayClock, dict[str, Figure]]:
    table = document.get("day")
    if not isinstance(table, Mapping):
        raise BadRequest(
            f'{what} has no [day] with reset and tz; write when its day begins, such as reset = "00:00" and tz = "Europe/Prague"'
        )
    for key in table:
        if key not in ("reset", "tz", *MORE):
            raise unknown(f"parameter of [day] in {what}", key, ("reset", "tz", *MORE))
    if missing := [name for name in ("reset", "tz") if name not in table]:
        raise BadRequest(f"{what} has no day.{missing[0]}; it differs between firms and is not guessed")
    reset = table["reset"]
    try:
        clock = DayClock(f"{reset:%H:%M}" if isinstance(reset, time) else str(reset), str(table["tz"]))
    except BadRequest as error:
        raise BadRequest(f"{what}: {error}") from None
    return clock, _figures("day", table, ("reset", "tz"), default, what)


def _tables(
    document: Mapping[str, Any], keys: Mapping[str, type[Rule]], what: str
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The tables of the rules, in the order of the document; a bare value stands for the main parameter."""
    for key, value in document.items():
        if key not in keys:
            continue
        cls = keys[key]
        for table in (
            value if isinstance(value, list) and value and all(isinstance(each, Mapping) for each in value) else [value]
        ):
            if not isinstance(table, Mapping) or (cls.main_is_table and not set(table) & {cls.main, *MORE}):
                if not cls.main:
                    raise BadRequest(f"{what}: {key} is {table!r}; it must be a table, [{key}]")
                table = {cls.main: table}
            spread = {name: document[name] for name, places in SPREAD.items() if name in document and cls.key in places}
            yield key, {**spread, **table}


def _rule(
    cls: type[Rule],
    key: str,
    table: Mapping[str, Any],
    what: str,
    phase: str,
    phases: tuple[str, ...],
    default: Mapping[str, Any],
) -> tuple[Rule | None, dict[str, Figure]]:
    """The rule in a phase, None where it does not apply there."""
    params = {cls.names.get(p.name, p.name): p for p in params_of(cls)}
    for name in table:
        if name not in params and name not in MORE:
            raise unknown(f"parameter of [{key}] in {what}", name, [*params, *MORE])
    given = {name: _in_phase(value, phase, phases) for name, value in table.items() if name in params}
    for name in table.get("phases", ()):
        if name not in phases:
            raise unknown(f"phase of {what}", name, phases)
    if phase not in table.get("phases", phases) or given.get(cls.main, 0) is ABSENT:
        return None, {}
    for name in cls.requires(given):
        if given.get(name, ABSENT) is ABSENT:
            raise BadRequest(f"{what} has no {key}.{name}; it differs between firms and is not guessed")
    try:
        values = {
            params[name].name: checked(replace(params[name], name=f"{key}.{name}"), value)
            for name, value in given.items()
            if value is not ABSENT
        }
        return cls(**values), _figures(key, table, tuple(given), default, what)
    except BadRequest as error:
        raise BadRequest(f"{what}: {error}") from None


ABSENT = object()


def _in_phase(value: Any, phase: str, phases: tuple[str, ...]) -> Any:
    """A value a phase, or one for all."""
    if isinstance(value, Mapping) and value and set(value) <= set(phases):
        return value.get(phase, ABSENT)
    return f"{value:%H:%M}" if isinstance(value, time) else value


def _figures(
    key: str, table: Mapping[str, Any], names: tuple[str, ...], default: Mapping[str, Any], what: str
) -> dict[str, Figure]:
    """Where each parameter comes from: its own entry in ``figures``, else the rule's, else the set's; own values where nobody says."""
    own = table.get("figures", {})
    for name in own:
        if name not in names:
            raise unknown(f"parameter of [{key}] in {what}", name, names)
    figures = {}
    for name in names:
        entry = {
            **default,
            **{field: table[field] for field in ("source", "retrieved", "confidence") if field in table},
            **own.get(name, {}),
        }
        if any(entry.values()):
            figures[f"{key}.{name}"] = figure_of(
                entry["source"], entry["retrieved"], entry["confidence"], f"{key}.{name} of {what}"
            )
    return figures
