"""The form of a sweep, walk-forward or search: what to vary, on what, and what it will cost."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import islice, product
from math import prod
from typing import Any

import streamlit as st

from app.kit.figures import THIN, lasted, number, plural
from app.kit.forms import fields
from app.kit.widgets import asked, go, nothing, section
from app.sweeps import request
from app.sweeps.names import ABOUT, KINDS
from app.sweeps.varied import Varied, parameters
from worker.desk import Desk, Question, Refused

SUBMIT = {"sweep": "Run sweep", "walk_forward": "Run walk-forward", "optimise": "Run search"}
LONG = 3_600        # seconds, from which on the form advises
LOOKED_AT = 2_000   # combinations that are looked at before submitting
MOST = 100_000      # combinations, above which the desk answers at once


def kind_of(run: Any = None) -> str:
    """The kind that the address asks for, else that of the run."""
    start = KINDS[run.kind if run is not None else "sweep"]
    asked_for = st.query_params.get("kind", start)
    chosen = st.segmented_control("Kind", list(KINDS.values()), default=asked_for if asked_for in KINDS.values() else start, required=True, key=f"kind-{run.id if run is not None else 'new'}", label_visibility="collapsed")
    if chosen != start:
        st.query_params["kind"] = str(chosen)
    elif "kind" in st.query_params:
        del st.query_params["kind"]
    return next(kind for kind, name in KINDS.items() if name == chosen)


def form(desk: Desk, run: Any = None) -> None:
    """Draw the form; ``run`` is one to start from. Submitting opens the job, or the run that answered the same question before."""
    st.fragment(_form)(desk, run)


def _form(desk: Desk, run: Any) -> None:
    if not desk.data.catalogue():
        return nothing("No bars yet", "A sweep needs bars to run on. Import a file, or make synthetic bars on the Data page.", _import)
    before = run.spec if run else {}
    kind = kind_of(run)
    st.caption(ABOUT[kind])
    key = f"sw-{run.id if run else 'new'}"
    strategy, chosen = request.bars(desk, key, before)
    key = f"{key}-{strategy}"
    asked_for = request.span(desk, key, strategy, chosen, before)
    what, rules = st.tabs(["What to vary", "Costs and risk"], key=f"{key}-tabs")
    with rules:
        changed, profile = request.costs(desk, key, chosen, before)
        asked_for = replace(asked_for, rules=request.merged(asked_for, changed), cost_profile=profile)
    with what:
        varied = parameters(desk, f"{key}-{kind}", kind, strategy, before, asked_for.rules)
    asked_for = replace(asked_for, params=varied.fixed)
    how = _how(desk, f"{key}-{kind}", kind, before, _days(asked_for))
    _send(desk, kind, asked_for if asked_for.datasets else None, varied, how)


def _import() -> None:
    if st.button("Import a file", type="primary"):
        go("data", do="import")


# -- windows and search


def _how(desk: Desk, key: str, kind: str, before: Mapping[str, Any], days: int) -> dict[str, Any]:
    """Windows and objective of a walk-forward, or the search."""
    forms = desk.sweeps.forms()
    if kind == "walk_forward":
        start = dict(before.get("windows", {})) | dict(before.get("objective", {}))
        at_most = dict(in_sample=max(min(365, days // 3), 1), out_of_sample=max(min(90, days // 12), 1))
        section("Windows", "calendar days, and what the best of a window is chosen by")
        return fields(_read_well([*forms["windows"], *forms["objective"]]), key, start or at_most)
    if kind == "optimise":
        section("Search", "the same seed on the same bars tries the same combinations, however many workers share them")
        entered = fields([one for one in _read_well(forms["search"]) if one.name != "second"], key, before.get("search", {}))
        words = ["", *(word for word in desk.sweeps.objectives() if word != entered["first"])]
        at = before.get("search", {}).get("second", "")
        second = st.segmented_control("Second objective", words, default=at if at in words else "", required=True, key=f"{key}-second-{entered['first']}", format_func=lambda word: word or "none", help="With two, the result is a front: those that nothing beats in both.")
        return entered | dict(second=second)
    return {}


def _read_well(params: Sequence[Any]) -> list[Any]:
    return [replace(one, unit="", title=one.title or one.name.capitalize()) if one.unit == one.name else one for one in params]


def _days(ask: Question) -> int:
    return (ask.end - ask.start).days


def _folds(how: Mapping[str, Any], days: int) -> int:
    """About how many, as the data may begin later than the span."""
    room = days - how["in_sample"] - how["out_of_sample"] / 2
    return int(room // (how["step"] or how["out_of_sample"])) + 1 if room >= 0 else 0


# -- the price of it, and sending it off


@st.cache_data(max_entries=64, show_spinner=False)
def _size(_desk: Desk, _question: Question, _grid: Any, about: str) -> tuple[Any, str]:
    try:
        return _desk.sweeps.size(_question, _grid), ""
    except Refused as refusal:
        return None, str(refusal)


def _send(desk: Desk, kind: str, ask: Question | None, varied: Varied, how: Mapping[str, Any]) -> None:
    told, faults = ("Choose bars and a span.", []) if ask is None else (_faults(desk, kind, ask, varied, how))
    for fault in faults:
        st.error(fault[:1].upper() + fault[1:].rstrip(".") + ".", icon=":material/error:")
    with st.container(horizontal=True, vertical_alignment="center"):
        sent = st.button(SUBMIT[kind], type="primary", shortcut="Ctrl+Enter", disabled=ask is None or bool(faults), key=f"send-{kind}")
        st.caption(told)
    if sent and ask is not None:
        _submit(desk, kind, ask, varied, how)


def _faults(desk: Desk, kind: str, ask: Question, varied: Varied, how: Mapping[str, Any]) -> tuple[str, list[str]]:
    """What it comes to in a line, and what stands in the way."""
    faults = [*desk.backtests.faults(ask.strategy, varied.fixed).values(), *varied.faults]
    if not (varied.grid or varied.space):
        faults.append("Nothing is varied. Tick at least one parameter under Vary.")
    if faults:
        return "", faults
    bars = f"{number(desk.backtests.bars_in(ask))} bars"
    if kind == "optimise":
        price = _seconds(desk, ask, [varied.corners()[0]] * int(how["trials"]))
        return f"{plural(how['trials'], 'trial')} · {bars}{_about(desk, price)}", []
    count = prod(len(given) for given in varied.grid.values())
    looked_at = varied.grid if count <= LOOKED_AT or count > MOST else _some(varied.grid, count)
    size, refused = _size(desk, ask, looked_at, _key(ask, varied.grid))
    if size is None:
        return "", [refused]
    if not size.combinations:
        return "", [f"no combination makes a strategy: {next(iter(size.refused), 'the grid is empty')}"]
    left, times = sum(size.refused.values()), 1.0 if looked_at is varied.grid else count / len(looked_at)
    kept = plural(size.combinations, "combination") if looked_at is varied.grid else plural(count, "combination")
    said = [kept + (f" ({'about ' if times > 1 else ''}{left * times:,.0f} left out: {next(iter(size.refused))})" if left else ""), bars]
    seconds = size.seconds * times
    if kind == "walk_forward":
        folds, days = _folds(how, _days(ask)), _days(ask)
        if not folds:
            return "", [f"The span is {days:,} days, and one fold needs {how['in_sample'] + how['out_of_sample'] / 2:,.0f}. Take shorter windows or a longer span."]
        seconds *= folds * how["in_sample"] / max(days, 1)
        said.append(f"about {plural(folds, 'fold')}")
    return " · ".join(said) + _about(desk, seconds), []


def _seconds(desk: Desk, ask: Question, points: list[dict[str, Any]]) -> float:
    size, _ = _size(desk, ask, points, _key(ask, [len(points), points[0]]))
    return size.seconds if size else 0.0


def _some(grid: Mapping[str, Sequence[Any]], count: int) -> list[dict[str, Any]]:
    """Combinations from all over a large grid: each is built to see whether it makes a strategy, which takes time."""
    every = islice(product(*grid.values()), 0, None, count // LOOKED_AT + 1)
    return [dict(zip(grid, point, strict=True)) for point in every]


def _key(ask: Question, grid: Any) -> str:
    return json.dumps([ask.strategy, dict(ask.params), list(ask.datasets), ask.timeframe, str(ask.start), str(ask.end), grid], default=str)


def _about(desk: Desk, seconds: float) -> str:
    workers = max(desk.jobs.pulse().workers, 1)
    share = max(seconds / workers, 1.0)
    said = f" · about {f'{share:.0f}{THIN}s' if share < 60 else lasted(share)} on {plural(workers, 'worker')}"
    return said + (". Coarser steps tell as much about the ground for a fraction of the time." if share > LONG else "")


def _submit(desk: Desk, kind: str, ask: Question, varied: Varied, how: Mapping[str, Any]) -> None:
    ask = _based(desk, ask, varied)
    windows = {name: how[name] for name in ("in_sample", "out_of_sample", "step", "anchored", "embargo") if name in how}
    submitted = asked(
        lambda: desk.sweeps.submit_sweep(ask, varied.grid) if kind == "sweep"
        else desk.sweeps.submit_walk_forward(ask, varied.grid, windows, {name: how[name] for name in ("figure", "fewest_trades")}) if kind == "walk_forward"
        else desk.sweeps.submit_optimise(ask, varied.space, how)
    )  # fmt: skip
    if submitted is None:
        return
    if not submitted.new and submitted.job.state == "done":
        st.toast(f"Exactly this was asked before: run {submitted.job.result['run']}.", icon=":material/info:")
        go("sweeps", run=submitted.job.result["run"])
    go("sweeps", job=submitted.job.id)


def _based(desk: Desk, ask: Question, varied: Varied) -> Question:
    """With values for the varied parameters too that make a strategy together with the fixed ones."""
    for corner in varied.corners():
        if desk.sweeps.size(ask, [corner]).combinations:
            return replace(ask, params={**ask.params, **{name: value for name, value in corner.items() if "." not in name}})
    return ask
