"""The form of a grid search, walk-forward or Bayesian search: what to vary, on which data, and how long it takes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import islice, product
from math import prod
from typing import Any

import streamlit as st

from app.kit.address import address_value, missing
from app.kit.figures import THIN, lasted, number, plural, typeset
from app.kit.forms import choice, fields
from app.kit.rights import allowed
from app.kit.widgets import attempt, go, nothing, section
from app.sweeps import request
from app.sweeps.names import ABOUT, ALIASES, KINDS
from app.sweeps.ranges import windows_for
from app.sweeps.varied import Varied, parameters
from worker.desk import BacktestRequest, Desk, Refused

SUBMIT = {"sweep": "Run grid search", "walk_forward": "Run walk-forward", "optimise": "Run search"}
LONG = 3_600        # seconds, from which on the form advises
SAMPLED = 2_000     # combinations that are checked before submitting
MOST = 100_000      # combinations, above which the desk refuses at once


def kind_of(run: Any = None) -> str:
    """The kind in the address, else that of the run."""
    start = KINDS[run.kind if run is not None else "sweep"]
    wanted = address_value("kind") or start
    kind = ALIASES.get(wanted, wanted)
    if kind not in KINDS.values():
        missing("kind of optimization", wanted, "Choose one below.")
    chosen = st.segmented_control("Kind", list(KINDS.values()), default=kind if kind in KINDS.values() else start, required=True, key=f"kind-{run.id if run is not None else 'new'}", label_visibility="collapsed")
    if chosen != start:
        st.query_params["kind"] = str(chosen)
    elif "kind" in st.query_params:
        del st.query_params["kind"]
    return next(key for key, name in KINDS.items() if name == chosen)


def form(desk: Desk, run: Any = None) -> None:
    """Draw the form; ``run`` is one to start from. Submitting opens the job, or the identical run."""
    st.fragment(_form)(desk, run)


def _form(desk: Desk, run: Any) -> None:
    if not desk.data.catalogue():
        return nothing("No data yet", "An optimization needs prices. Import a file, or generate synthetic ones on the Data page.", _import)
    before = desk.sweeps.spec_in_pips(run.spec) if run else {}
    kind = kind_of(run)
    st.caption(ABOUT[kind])
    key = f"sw-{run.id if run else 'new'}"
    strategy, chosen = request.bars(desk, key, before)
    key = f"{key}-{strategy}"
    backtest_request = request.span(desk, key, strategy, chosen, before)
    what, rules = st.tabs(["Parameters", "Costs and risk"], key=f"{key}-tabs")
    with rules:
        changed, profile = request.costs(desk, key, chosen, before)
        backtest_request = replace(backtest_request, rules=request.merged(backtest_request, changed), cost_profile=profile)
    with what:
        varied = parameters(desk, f"{key}-{kind}", kind, strategy, before, backtest_request.rules)
    backtest_request = replace(backtest_request, params=varied.fixed)
    how = _how(desk, f"{key}-{kind}", kind, before, _days(backtest_request))
    _send(desk, kind, backtest_request if backtest_request.datasets else None, varied, how)


def _import() -> None:
    if st.button("Import a file", type="primary"):
        go("data", do="import")


# -- windows and search


def _how(desk: Desk, key: str, kind: str, before: Mapping[str, Any], days: int) -> dict[str, Any]:
    """Windows and objective of a walk-forward, or the search."""
    forms = desk.sweeps.forms()
    if kind == "walk_forward":
        start = dict(before.get("windows", {})) | dict(before.get("objective", {}))
        section("Windows", "calendar days, and the objective by which the best of a window is chosen")
        return fields(_without_repeats([*forms["windows"], *forms["objective"]]), key, start or windows_for(days))
    if kind == "optimise":
        section("Search", "the same seed on the same data tries the same combinations, whatever the number of workers")
        entered = fields([param for param in _without_repeats(forms["search"]) if param.name != "second"], key, before.get("search", {}))
        words = ["", *(word for word in desk.sweeps.objectives() if word != entered["first"])]
        at = before.get("search", {}).get("second", "")
        second = st.segmented_control("Second objective", words, default=at if at in words else "", required=True, key=f"{key}-second-{entered['first']}", format_func=lambda word: choice(word) if word else "none", help="With two objectives, the result is a Pareto front.")
        return entered | dict(second=second)
    return {}


def _without_repeats(params: Sequence[Any]) -> list[Any]:
    return [replace(param, unit="", title=param.title or param.name.capitalize()) if param.unit == param.name else param for param in params]


def _days(ask: BacktestRequest) -> int:
    return (ask.end - ask.start).days


def _folds(how: Mapping[str, Any], days: int) -> int:
    """Approximate number of folds, as the data may begin later than the date range."""
    rest = days - how["in_sample"] - how["out_of_sample"] / 2
    return int(rest // (how["step"] or how["out_of_sample"])) + 1 if rest >= 0 else 0


# -- size and submission


@st.cache_data(max_entries=64, show_spinner=False)
def _size(_desk: Desk, _question: BacktestRequest, _grid: Any, about: str) -> tuple[Any, str]:
    try:
        return _desk.sweeps.size(_question, _grid), ""
    except Refused as refusal:
        return None, str(refusal)


def _send(desk: Desk, kind: str, ask: BacktestRequest | None, varied: Varied, how: Mapping[str, Any]) -> None:
    note, faults = ("Choose data and a date range.", []) if ask is None else (_faults(desk, kind, ask, varied, how))
    for fault in faults:
        st.error(typeset(fault), icon=":material/error:")
    with st.container(horizontal=True, vertical_alignment="center"):
        sent = st.button(SUBMIT[kind], type="primary", shortcut="Ctrl+Enter", key=f"send-{kind}", **allowed(desk, "sweeps.submit_sweep", disabled=ask is None or bool(faults)))
        st.caption(note)
    if sent and ask is not None:
        _submit(desk, kind, ask, varied, how)


def _faults(desk: Desk, kind: str, ask: BacktestRequest, varied: Varied, how: Mapping[str, Any]) -> tuple[str, list[str]]:
    """The size of the request in a line, and its errors."""
    faults = [*desk.backtests.faults(ask.strategy, varied.fixed).values(), *varied.faults]
    if not (varied.grid or varied.space):
        faults.append("No parameter is varied. Select at least one under Vary.")
    if faults:
        return "", faults
    bars = f"{number(desk.backtests.bars_in(ask))} bars"
    if kind == "optimise":
        price = _seconds(desk, ask, [varied.corners()[0]] * int(how["trials"]))
        return f"{plural(how['trials'], 'trial')} · {bars}{_about(desk, price)}", []
    count = prod(len(given) for given in varied.grid.values())
    sampled = varied.grid if count <= SAMPLED or count > MOST else _some(varied.grid, count)
    size, refused = _size(desk, ask, sampled, _key(ask, varied.grid))
    if size is None:
        return "", [refused]
    if not size.combinations:
        return "", [f"no combination is feasible: {next(iter(size.refused), 'the grid is empty')}"]
    left, times = sum(size.refused.values()), 1.0 if sampled is varied.grid else count / len(sampled)
    counted = plural(size.combinations, "combination") if sampled is varied.grid else plural(count, "combination")
    parts = [counted + (f" ({'about ' if times > 1 else ''}{left * times:,.0f} infeasible: {next(iter(size.refused))})" if left else ""), bars]
    seconds = size.seconds * times
    if kind == "walk_forward":
        folds, days = _folds(how, _days(ask)), _days(ask)
        if not folds:
            return "", [f"The date range is {days:,} days, and one fold needs {how['in_sample'] + how['out_of_sample'] / 2:,.0f}. Use shorter windows or a longer date range."]
        seconds *= folds * how["in_sample"] / max(days, 1)
        parts.append(f"about {plural(folds, 'fold')}")
    return " · ".join(parts) + _about(desk, seconds), []


def _seconds(desk: Desk, ask: BacktestRequest, points: list[dict[str, Any]]) -> float:
    size, _ = _size(desk, ask, points, _key(ask, [len(points), points[0]]))
    return size.seconds if size else 0.0


def _some(grid: Mapping[str, Sequence[Any]], count: int) -> list[dict[str, Any]]:
    """A sample of combinations from all over a large grid: checking whether each is feasible takes time."""
    every = islice(product(*grid.values()), 0, None, count // SAMPLED + 1)
    return [dict(zip(grid, point, strict=True)) for point in every]


def _key(ask: BacktestRequest, grid: Any) -> str:
    return json.dumps([ask.strategy, dict(ask.params), list(ask.datasets), ask.timeframe, str(ask.start), str(ask.end), grid], default=str)


def _about(desk: Desk, seconds: float) -> str:
    workers = max(desk.jobs.pulse().workers, 1)
    share = max(seconds / workers, 1.0)
    text = f" · about {f'{share:.0f}{THIN}s' if share < 60 else lasted(share)} on {plural(workers, 'worker')}"
    return text + (". Coarser steps show the same landscape in a fraction of the time." if share > LONG else "")


def _submit(desk: Desk, kind: str, ask: BacktestRequest, varied: Varied, how: Mapping[str, Any]) -> None:
    ask = _based(desk, ask, varied)
    windows = {name: how[name] for name in ("in_sample", "out_of_sample", "step", "anchored", "embargo") if name in how}
    submitted = attempt(
        lambda: desk.sweeps.submit_sweep(ask, varied.grid) if kind == "sweep"
        else desk.sweeps.submit_walk_forward(ask, varied.grid, windows, {name: how[name] for name in ("figure", "fewest_trades")}) if kind == "walk_forward"
        else desk.sweeps.submit_optimise(ask, varied.space, how)
    )  # fmt: skip
    if submitted is None:
        return
    if not submitted.new and submitted.job.state == "done":
        st.toast(f"Identical run found; showing its result, run {submitted.job.result['run']}.", icon=":material/info:")
        go("sweeps", run=submitted.job.result["run"])
    go("sweeps", job=submitted.job.id)


def _based(desk: Desk, ask: BacktestRequest, varied: Varied) -> BacktestRequest:
    """The request with values for the varied parameters, too, that are feasible together with the fixed ones."""
    for corner in varied.corners():
        if desk.sweeps.size(ask, [corner]).combinations:
            return replace(ask, params={**ask.params, **{name: value for name, value in corner.items() if "." not in name}})
    return ask
