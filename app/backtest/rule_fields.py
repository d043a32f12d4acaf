"""The fields of costs, position sizing and risk limits, as every form has them."""

from __future__ import annotations

from typing import Any

import streamlit as st

from app.kit.figures import number
from app.kit.forms import fields, index_of
from app.kit.rule_sets import phased
from app.kit.text import literal
from worker.desk import Desk

SIZERS: dict[str, tuple[str, float, float, str | tuple[str, ...], str]] = {      # kind -> label, factor of the shown over the stored value, first value, prefix of its own parameters, help
    "fraction_at_risk": ("Risk per trade, % of equity", 100.0, 0.5, "", "Share of equity lost if the stop is hit."),
    "fixed_lots": ("Lots per trade", 1.0, 1.0, "", "The same number of lots for every trade."),
    "notional": ("Notional, % of equity", 100.0, 100.0, "", "Position notional as % of equity; 100 % is unlevered."),
    "kelly": ("Fraction of Kelly, %", 100.0, 25.0, "kelly_", "Fraction of the full-Kelly bet, estimated from recent closed trades."),
    "volatility": ("Volatility target, % p.a.", 100.0, 10.0, "volatility_", "Annualised volatility of equity that one position alone may cause."),
    "kelly_entropy": ("Fraction of Kelly, %", 100.0, 25.0, ("kelly_", "entropy_"), "Fraction of the full-Kelly bet, times 1 − λ × the entropy of the win rate: nearly nothing where the record is a coin's."),
    "1 % a day": ("Volatility target, % p.a.", 100.0, 16.15, "volatility_", "1 % a day is 16.15 % a year: 0.01 × √260.9 trading days."),
}
SIZING = {"fraction_at_risk": "Risk %", "fixed_lots": "Fixed lots", "notional": "% of equity", "kelly": "Fractional Kelly", "volatility": "Volatility target", "kelly_entropy": "Kelly with entropy", "1 % a day": "Volatility 1 % a day"}
STOPS = {"signal": "Of the strategy", "volatility": "Volatility: 0.8 ATR, 1.5 R and 2.4 R"}
STORED = {"1 % a day": "volatility"}        # a preset of the form -> the sizer that it is
RULES = ("account", "costs", "execution", "sizing", "limits")
LIMITS_HELP = "Rules that reject or shrink an order, or halt the account: leverage, positions, daily loss, drawdown, spread spikes, no-trade windows."
SLIPPAGE = {"fixed": "Slippage, pips", "atr": "Slippage, × ATR", "random": "Slippage up to, pips"}
OWN_NUMBERS = "Enter below"
NO_MODEL = "No model"
RULE_SET_HELP = "Orders are refused whose worst case does not fit the headroom above its floors."


def rules_start(desk: Desk, before: dict) -> dict[str, Any]:
    """The values that the fields start with: the run's own rules, else the settings of the form."""
    if before:
        return desk.backtests.form_start() | {name: dict(before[name]) for name in RULES if name in before} | dict(own=True, slippage_pips=0.0)
    return desk.backtests.form_start() | dict(own=False)


def is_limited(desk: Desk, start: dict) -> bool:
    return any(start["limits"].get(param.name) for param in desk.backtests.rule_params("limits") if not param.default)


def rule_set_box(desk: Desk, key: str, before: dict, more: str = "") -> tuple[str, str]:
    """Name and phase of the rule set whose floors orders keep clear of; both empty for none. ``more``: what else it does here, for the help."""
    titles = {("", ""): "None"} | {(row.name, phase): phased(row, phase) for row in desk.rule_sets.all() for phase in row.phases}
    gate = before.get("gate") or {}
    chosen: tuple[str, str] = st.selectbox("Rule set to keep", list(titles), index=index_of(list(titles), (gate.get("name", ""), gate.get("phase", ""))), key=f"{key}-rule-set", format_func=titles.__getitem__, help=" ".join((RULE_SET_HELP, more)).strip())
    return chosen


def profile_box(desk: Desk, key: str, before: dict) -> str:
    """The name of the chosen cost profile; empty: costs are entered. Nothing is drawn while there is no profile."""
    names = [profile.name for profile in desk.cost_profiles.list()]
    if not names:
        return ""
    last = before.get("cost_profile", {}).get("name")
    chosen = st.selectbox("Cost profile", [OWN_NUMBERS, *names], index=index_of([OWN_NUMBERS, *names], last), key=f"{key}-profile", width=240, help="Spread, slippage, commission and swap saved under a name (tidemark costs save). The run keeps the numbers, whatever becomes of the profile.")
    return "" if chosen == OWN_NUMBERS else chosen


def model_box(desk: Desk, key: str, strategy: str, before: dict) -> Any:
    """The chosen model, which filters the signals; None for none. Nothing is drawn while no model was trained on the strategy."""
    versions = desk.models.of_strategy(strategy)
    if not versions:
        return None
    titles = [NO_MODEL, *(version.title for version in versions)]
    named = before.get("model") or {}
    last = f"{named.get('name')}@{named.get('version')}"
    stages = {version.title: f"{version.title}, {version.stage.stage}" for version in versions}
    chosen = st.selectbox("Model", titles, index=index_of(titles, last), key=f"{key}-model-{strategy}", width=240, format_func=lambda title: stages.get(title, title), help="Filters the strategy's signals. Up to its last label only its walk-forward decides, never what it was trained on.")
    version = next((version for version in versions if version.title == chosen), None)
    if version and version.badge:
        st.badge("Weak evidence", color="orange", help=literal(version.badge))
    return version


def costs_fields(desk: Desk, key: str, chosen: list, start: dict, sizer: str = "", profile: str = "") -> dict[str, dict[str, Any]]:
    """Costs, sizing and the exit on an opposite signal; ``sizer`` "": that of ``start``. A profile replaces the
    costs."""
    sizer = sizer or start["sizing"]["kind"]
    a, b, c, d = st.columns(4)
    size = _size(a, key, sizer, start["sizing"])
    long, short_, last = st.columns([1, 1, 2], vertical_alignment="bottom")
    costs = {} if profile else entered_costs(desk, key, chosen, start, (b, c, d, long, short_))
    if profile:
        b.caption(f"Costs of the profile {profile}.")
    reverse = last.toggle("Exit on opposite signal", start["execution"]["reverse_on_opposite"], key=f"{key}-reverse", help="A signal against the open position of its tag closes it at the next open.")
    stops = last.selectbox("Stops and targets", list(STOPS), index=index_of(list(STOPS), start["execution"].get("stops")), key=f"{key}-stops", format_func=STOPS.__getitem__, help="Volatility: stop 0.8 × ATR(14) from the close, half out at 1.5 R and half at 2.4 R, in the place of each signal's own.")
    sizing = dict(kind=STORED.get(sizer, sizer), value=size, **_own(desk, key, sizer, start["sizing"]))
    return dict(costs=costs, sizing=sizing, execution=dict(reverse_on_opposite=reverse, stops=stops))


def _size(column: Any, key: str, kind: str, start: dict) -> float:
    text, scale, first, _, about = SIZERS[kind]
    value = float(start["value"]) * scale if kind == start["kind"] else first
    return column.number_input(text, 0.001, 1e6, value, 0.1 if value < 20 else 1.0, key=f"{key}-size-{kind}", format="%g", help=about) / scale


def _own(desk: Desk, key: str, kind: str, start: dict) -> dict[str, Any]:
    """The parameters of the chosen sizer."""
    params = [param for param in desk.backtests.rule_params("sizing") if SIZERS[kind][3] and param.name.startswith(SIZERS[kind][3])]
    return fields(params, key, start)


def entered_costs(desk: Desk, key: str, chosen: list, start: dict, columns: tuple[Any, ...]) -> dict[str, Any]:
    """The entered costs: spread and slippage in pips of each instrument; costs of single instruments in ``start``
    stay."""
    costs = desk.backtests.costs_in_pips(start["costs"] if start["own"] else start["costs"] | dict(slippage=0.0, slippage_kind="fixed"), [dataset.instrument for dataset in chosen])
    costs |= {} if start["own"] else dict(slippage=start["slippage_pips"])
    b, c, d, e, f = columns
    used = [desk.data.instruments()[dataset.instrument] for dataset in chosen]
    spread = b.number_input("Spread, pips", 0.0, 1_000.0, costs["spread"], 0.1, key=f"{key}-spread", placeholder=spread_used(chosen, used), help="For bars without a spread, in pips of each instrument. Empty: the data's own spread where it has one, else the instrument's default.")
    slippage = c.number_input(SLIPPAGE[costs["slippage_kind"]], 0.0, 1_000.0, costs["slippage"], 0.1, key=f"{key}-slip", format="%g", help="Adverse, at market and stop fills; in pips of each instrument.")
    commission = d.number_input(f"Commission per lot per side, {start['account']['currency']}", 0.0, 1e6, float(costs["commission_per_lot"]), 0.5, key=f"{key}-commission", format="%g", help="Booked at each fill.")
    quoted = " or ".join(dict.fromkeys(instrument.quote for instrument in used)) or "quote"
    long = e.number_input(f"Swap long, {quoted}/lot/night", -1e6, 1e6, costs["swap_long"], 0.1, key=f"{key}-swap-long", placeholder=own_value([instrument.swap_long for instrument in used], 2), help="Quote currency; negative is paid. Empty: the instrument's.")
    short_ = f.number_input(f"Swap short, {quoted}/lot/night", -1e6, 1e6, costs["swap_short"], 0.1, key=f"{key}-swap-short", placeholder=own_value([instrument.swap_short for instrument in used], 2), help="Quote currency; negative is paid. Empty: the instrument's.")
    own = {name: values for name, values in costs["instruments"].items() if name in {dataset.instrument for dataset in chosen}}
    if own:
        st.caption("Costs of single instruments: " + "; ".join(f"{name} {', '.join(f'{key.replace(chr(95), chr(32))} {value:g}' for key, value in values.items())}" for name, values in own.items()))
    return dict(unit="pips", spread=spread, slippage=slippage, slippage_kind=costs["slippage_kind"], commission_per_lot=commission, swap_long=long, swap_short=short_, instruments=own)


def own_value(values: list[float], places: int) -> str:
    """The placeholder of an empty field: the number that applies then.

    >>> own_value([0.0], 2), own_value([1.3, 1.6], 1), own_value([], 1)
    ("0.00, the instrument's", "1.3 and 1.6, the instruments'", "the instrument's")
    """
    texts = list(dict.fromkeys(number(value, places) for value in values))
    if not texts:
        return "the instrument's"
    return f"{texts[0]}, the instrument's" if len(texts) == 1 else f"{', '.join(texts[:-1])} and {texts[-1]}, the instruments'"


def spread_used(chosen: list, used: list) -> str:
    """The placeholder of the spread, pips: the data's median where the data has one, else the instrument's default."""
    texts = [f"{number((instrument.spread if dataset.spread is None else dataset.spread) / instrument.pip, 1)}{'' if dataset.spread is None else ', from data'}" for dataset, instrument in zip(chosen, used, strict=True)]
    if len(set(texts)) != 1 or (len(texts) != 1 and chosen[0].spread is None):
        return ", ".join(texts)[:40] or "the instrument's"
    return texts[0] if chosen[0].spread is not None else own_value([used[0].spread / used[0].pip], 1)
