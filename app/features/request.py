"""Data and features: the fields that every view of the page shares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st

from app.backtest import form as backtest
from app.features.missing import lacking
from app.kit.figures import number, plural, typeset
from app.kit.forms import index_of
from app.kit.text import literal
from worker.desk import Desk, FeatureRequest

OWN = "custom"          # in place of the name of a feature set
START = "basic"         # the feature set that a new form begins with


@dataclass(frozen=True)
class FormRequest:
    """The request, None while it is incomplete; its errors, already shown; and a note on its size."""

    request: FeatureRequest | None
    faults: tuple[str, ...] = ()
    note: str = ""

    @property
    def ready(self) -> bool:
        return self.request is not None and not self.faults


def ask(desk: Desk, key: str, before: Mapping[str, Any], with_columns: bool = True, recipe: str = START) -> FormRequest:
    """Draw the fields; ``before`` is the spec of a run to start from, ``recipe`` the set to start from without one."""
    chosen, frame, days = _bars(desk, key, before)
    columns, faults = _columns(desk, key, before, frame, recipe) if with_columns else ([], ())
    if not chosen or not isinstance(days, tuple) or len(days) != 2:
        return FormRequest(None, faults, "Choose data and a date range.")
    feature_request = FeatureRequest([dataset.id for dataset in chosen], frame, *backtest.whole_days(*days), columns)
    if with_columns:
        lacking(desk, feature_request, key)
    about = f"{number(desk.features.bars_in(feature_request))} bars"
    if with_columns and not columns:
        return FormRequest(None, faults, "Choose a feature set, or add features.")
    return FormRequest(feature_request, faults, f"{plural(len(columns), 'feature')} · {about}" if with_columns else about)


def _bars(desk: Desk, key: str, before: Mapping[str, Any]) -> tuple[list[Any], str, Any]:
    datasets = desk.data.catalogue()
    a, b, c = st.columns([2, 1, 1])
    chosen = a.multiselect("Data", datasets, backtest.bars_before(datasets, dict(before)), key=f"{key}-bars", format_func=backtest.bars_name, help="One dataset per instrument. With several, features of other markets use the closes of all of them.")
    return chosen, *backtest.frame_and_span(desk, key, chosen, dict(before), b, c)


def _columns(desk: Desk, key: str, before: Mapping[str, Any], frame: str, recipe: str) -> tuple[list[str], tuple[str, ...]]:
    """The chosen features, and the errors of those that cannot be parsed."""
    recipes = {feature_set.name: feature_set for feature_set in desk.features.recipes()}
    previous = list(before.get("columns", []))
    named = next((name for name, feature_set in recipes.items() if previous and list(feature_set.columns) == previous), OWN if previous else recipe)
    a, b = st.columns([1, 3])
    options = [OWN, *recipes]
    name = a.selectbox("Feature set", options, index=index_of(options, named), key=f"{key}-recipe", format_func=lambda option: f"{option} · {len(recipes[option].columns)}" if option in recipes else option, help="Features to start from; any may be removed, and others added.")
    start = list(recipes[name].columns) if name in recipes else previous
    every = list(dict.fromkeys([*start, *(feature.written for feature in desk.features.catalogue())]))
    columns = b.multiselect("Features", every, start, key=f"{key}-columns-{name}", accept_new_options=True, filter_mode="contains", select_all=False, wrap=True, placeholder="atr(14), rsi(window=7), atr(14)@H1", help="A feature's name, its parameters in brackets, and @H1 for a longer timeframe. Type one that is not in the list and press Enter.")
    faults = tuple(desk.features.faults(columns, frame).values())
    for fault in faults:
        b.markdown(f":small[:red[{literal(typeset(fault))}]]")
    return list(columns), faults
