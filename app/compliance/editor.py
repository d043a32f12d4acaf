"""The editor of rule sets: a form per rule from its parameters, the source of each figure, and why it was changed."""

from __future__ import annotations

from functools import partial
from itertools import groupby
from typing import Any

import pandas as pd
import streamlit as st

from app.compliance.pickers import Choice
from app.compliance.verdict import reservations, trust_of_row
from app.compliance.versions import versions
from app.kit.figures import plural, typeset
from app.kit.forms import WIDE, field, label
from app.kit.rights import allowed
from app.kit.rule_sets import phased
from app.kit.spool import content
from app.kit.text import literal
from app.kit.widgets import attempt, download, go, nothing, section
from worker.desk import Desk

PLAIN = (int, float, bool, str)


def editor(desk: Desk, choice: Choice) -> None:
    """Draw the chosen rule set with every figure, its versions, and the way in and out as TOML."""
    if choice.rules is None:
        nothing("No rule set", "Import one as TOML.", lambda: None)
        return _bring(desk, choice)
    row = choice.rules
    rule_set = desk.rule_sets.get(row.name, choice.phase)
    _head(desk, choice)
    _form(desk, choice, rule_set)
    if row.own:
        _rules(desk, choice, rule_set)
    versions(desk, choice)
    _bring(desk, choice)


def _head(desk: Desk, choice: Choice) -> None:
    row = choice.rules
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        st.header(literal(phased(row, choice.phase)), anchor=False, width="content")
        trust_of_row(row)
        st.space("stretch")
        download("TOML", f"{row.name}.toml", "application/toml", partial(desk.rule_sets.download, row.name), f"toml-{row.name}-{row.version}")
        if row.own and st.button("Retire…", icon=":material/archive:", type="tertiary", **allowed(desk, "rule_sets.retire")):
            _retire(desk, row)
    about = "A preset stays as it was read; saving makes a rule set of yours." if not row.own else f"Version {row.version}" + (f", begun from {row.base}." if row.base else ".")
    st.caption(literal(about))
    reservations(*desk.rule_sets.trust(row.name, choice.phase))


def _form(desk: Desk, choice: Choice, rule_set: Any) -> None:
    row, key = choice.rules, f"{choice.rules.name}-{choice.rules.version}-{choice.phase}"
    entries, sources = desk.rule_sets.entries(rule_set), desk.rule_sets.sources(rule_set)
    with st.form(f"rules-{key}", border=False):
        values: dict[str, Any] = {}
        for name, group in groupby(entries, key=lambda entry: (entry.key, entry.place)):
            values |= _rule(list(group), key, name)
        section("Sources", "each figure keeps where it stands, when it was read, and how far it can be trusted")
        table = _sources(desk, sources, key)
        a, b = st.columns([1, 2], gap="medium")
        saved = a.text_input("Save as", row.name if row.own else f"my {row.name}", max_chars=64, key=f"name-{key}")
        why = b.text_input("Reason", max_chars=500, placeholder="The firm changed its daily loss", key=f"why-{key}")
        with st.container(horizontal=True, vertical_alignment="center"):
            sent = st.form_submit_button("Save version", type="primary", icon=":material/save:", **allowed(desk, "rule_sets.save"))
            st.caption("Results by earlier versions stay and are marked as older.")
    if sent:
        written = {str(line.name): dict(source=line.source or "", retrieved=line.retrieved or "", confidence=line.confidence or "") for line in table.itertuples(index=False)}
        version = attempt(lambda: desk.rule_sets.save(saved, desk.rule_sets.edited(rule_set, values, written), why, row.base or ("" if row.own else row.name)))
        if version is not None:
            go("compliance", **{**choice.address, "rules": version.name}, view="rules")


def _rule(entries: list[Any], key: str, name: tuple[str, int]) -> dict[str, Any]:
    """The fields of one rule, four a row."""
    first, values = entries[0], {}
    if first.rule is None:
        section("Day", "when a trading day begins, on which clock")
    else:
        kind = first.rule.kind.replace("_", " ").capitalize()
        section(kind if not name[1] else f"{kind} {name[1] + 1}", first.rule.clause())
    for start in range(0, len(entries), WIDE):
        for column, entry in zip(st.columns(WIDE, vertical_alignment="bottom"), entries[start : start + WIDE], strict=False):
            with column:
                values[entry.name] = _field(entry, f"{key}-{entry.name}")
    return values


def _field(entry: Any, key: str) -> Any:
    """A field by the type of its parameter; amounts and locks are words, such as ``5 % of initial``."""
    if entry.param.type in PLAIN and not isinstance(entry.value, list):
        return field(entry.param, key, entry.value)
    text = st.text_input(label(entry.param.name, entry.param.unit, entry.param.title), _written(entry.value), key=key, help=typeset(entry.param.help) or None)
    return text if text.strip() or entry.value is not None else None


def _written(value: Any) -> str:
    return "" if value is None else ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _sources(desk: Desk, sources: pd.DataFrame, key: str) -> pd.DataFrame:
    config = st.column_config
    columns = {
        "title": config.TextColumn("Figure", width=210, disabled=True), "value": config.TextColumn("Now", width=110, disabled=True), "source": config.TextColumn("Source", width=300),
        "retrieved": config.TextColumn("Read on", width=88, validate=r"^(\d{4}-\d{2}-\d{2})?$", help="The day on which the source was read, like 2026-01-31."),
        "confidence": config.SelectboxColumn("Confidence", width=100, options=list(desk.rule_sets.confidences()), help="official: the firm's own page; secondary; assumed; own: a person's own value."),
    }  # fmt: skip
    return st.data_editor(sources, hide_index=True, column_config=columns, column_order=list(columns), key=f"sources-{key}", row_height=28, num_rows="fixed")


def _rules(desk: Desk, choice: Choice, rule_set: Any) -> None:
    """Add a rule to a rule set of one's own, or remove one."""
    row, kinds = choice.rules, desk.rule_sets.kinds()
    tables = list(dict.fromkeys((entry.key, entry.place, entry.rule.kind) for entry in desk.rule_sets.entries(rule_set) if entry.rule is not None))
    with st.container(horizontal=True):
        with st.popover("Add rule…", icon=":material/add:"), st.form(f"add-{row.name}", border=False):
            kind = st.selectbox("Kind of rule", list(kinds), format_func=lambda kind: kind.replace("_", " ").capitalize(), help="It begins with its default values, each of them your own.")
            why = st.text_input("Reason", max_chars=500)
            if st.form_submit_button("Add rule", type="primary", **allowed(desk, "rule_sets.save")):
                _saved(desk, choice, lambda: desk.rule_sets.save(row.name, desk.rule_sets.with_rule(rule_set, kind), why, row.base))
        if len(tables) > 1:
            with st.popover("Remove rule…", icon=":material/remove:"), st.form(f"remove-{row.name}", border=False):
                table = st.selectbox("Rule", tables, format_func=lambda table: table[2].replace("_", " ").capitalize() + (f" {table[1] + 1}" if table[1] else ""), help="From all phases.")
                why = st.text_input("Reason", max_chars=500)
                if st.form_submit_button("Remove rule", type="primary", **allowed(desk, "rule_sets.save")):
                    _saved(desk, choice, lambda: desk.rule_sets.save(row.name, desk.rule_sets.without_rule(rule_set, table[0], table[1]), why, row.base))


def _saved(desk: Desk, choice: Choice, act: Any) -> None:
    if attempt(act) is not None:
        go("compliance", **choice.address, view="rules")


def _bring(desk: Desk, choice: Choice) -> None:
    """A rule set from a TOML file."""
    with st.expander("Import a rule set as TOML", icon=":material/upload:"), st.form("import-rules", border=False, clear_on_submit=False):
        file = st.file_uploader("TOML", type=["toml"], max_upload_size=1, label_visibility="collapsed")
        a, b = st.columns([1, 2], gap="medium")
        name = a.text_input("Save as", max_chars=64, key="import-rules-name")
        why = b.text_input("Reason", max_chars=500, key="import-rules-why")
        if st.form_submit_button("Import", **allowed(desk, "rule_sets.save")) and file is not None:
            version = attempt(lambda: desk.rule_sets.save(name, content(file).decode("utf-8", "replace"), why))
            if version is not None:
                go("compliance", **{**choice.address, "rules": version.name, "phase": ""}, view="rules")


@st.dialog("Retire rule set")
def _retire(desk: Desk, row: Any) -> None:
    st.write(literal(f"{row.name} leaves the lists. Its {plural(row.version, 'version')} and the results by them stay."))
    with st.form("retire", border=False):
        why = st.text_input("Reason", max_chars=500)
        if st.form_submit_button("Retire rule set", type="primary", **allowed(desk, "rule_sets.retire")) and attempt(lambda: desk.rule_sets.retire(row.name, why)) is not None:
            go("compliance", view="rules")
