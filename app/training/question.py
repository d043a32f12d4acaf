"""The question to a model: samples and target, learner, data and columns, splits; the form closes into one sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import comb
from typing import Any

import streamlit as st

from app.backtest.form import intrabar_field
from app.backtest.rule_fields import entered_costs, profile_box, rules_start
from app.features import request as bars
from app.features.panels import without_repeats
from app.kit.figures import exact, number, plural, typeset
from app.kit.forms import fields, index_of
from app.kit.rights import allowed
from app.kit.text import literal
from app.kit.widgets import attempt, section
from app.training import tuning
from app.training.addresses import open_view
from worker.desk import Desk, TrainingRequest

ON = {"signals": "On signals", "bars": "On bars"}
ON_HELP = "On signals: each signal of a strategy is simulated alone, with costs; the model learns what became of it. On bars: the model forecasts the price itself."
SCHEMES = {"walk_forward": "Walk-forward", "cpcv": "CPCV"}
SCHEME_HELP = "**Walk-forward** trains on the past and tests on what came next; only it says what would have been earned.\n\n**CPCV** (combinatorial purged cross-validation) tests every block on models that never saw it, before and after; it shows the spread of luck."
FIRST = dict(target="fake", learner="fakeout", strategy="breakout", recipe="vector50")     # what a new form begins with, where it exists
SHARES = {"train": 0.4, "validation": 0.04, "calibration": 0.08, "test": 0.12}     # of the days of short data, for each window
SEED_MOST = 2**31 - 1


def form(desk: Desk, before: TrainingRequest | None, spec: Mapping[str, Any], key: str) -> None:
    """Draw the form; ``before`` and ``spec`` are those of a run to start from. Submitting opens the job, or the identical run."""
    key = f"train-{key}"
    targets = desk.training.targets()
    target, learner, scheme, strategy = _what(desk, key, before, targets)
    form_request = bars.ask(desk, key, spec, recipe=FIRST["recipe"])
    chosen = [dataset for dataset in desk.data.catalogue() if form_request.request and dataset.id in form_request.request.datasets]
    days = (form_request.request.end - form_request.request.start).days if form_request.request else 0
    more = _settings(desk, f"{key}-{target}-{learner}-{scheme}", before, target, learner, scheme, strategy, chosen, spec, days)
    name = st.text_input("Register as", before.register if before else "", max_chars=64, key=f"{key}-register", placeholder="no name: the run is stored, no model is registered", help="A whole run becomes a candidate under this name, on the view Models. It can be registered later, too.", width=380)
    space, how = tuning.ranges(desk, f"{key}-tuning-{learner}", learner)
    with st.container(horizontal=True, vertical_alignment="center"):
        sent = st.button("Train", type="primary", shortcut="Ctrl+Enter", icon=":material/model_training:", **allowed(desk, "training.submit", disabled=not form_request.ready))
        tuned = bool(space) and st.button("Tune", icon=":material/tune:", key=f"{key}-tune", **allowed(desk, "tuning.submit", disabled=not form_request.ready))
        st.caption(_price(form_request, scheme, more["scheme_params"]))
    if (sent or tuned) and form_request.request is not None:
        submitted = form_request.request
        request = TrainingRequest(submitted.datasets, submitted.timeframe, submitted.start, submitted.end, submitted.columns, learner, target, scheme=scheme, strategy=strategy, register=name.strip(), **more)
        if tuned:
            return tuning.submit(desk, request, space, how)
        submit(desk, request)


def submit(desk: Desk, request: TrainingRequest) -> None:
    """Submit, and show the job, or the identical run."""
    show(attempt(lambda: desk.training.submit(request)))


def show(submitted: Any) -> None:
    if submitted is None:
        return
    if not submitted.new and submitted.job.state == "done":
        st.toast(f"Identical question found; showing its result, run {submitted.job.result['run']}.", icon=":material/info:")
        open_view("result", run=str(submitted.job.result["run"]))
    open_view("train", job=submitted.job.id)


def _what(desk: Desk, key: str, before: TrainingRequest | None, targets: Mapping[str, Any]) -> tuple[str, str, str, str]:
    """Target, learner, scheme and strategy, each with a sentence on what it is."""
    start = before.target if before else FIRST["target"]
    on = st.segmented_control("Samples", list(ON), default=targets[start].on if start in targets else "signals", required=True, key=f"{key}-on", format_func=ON.__getitem__, help=ON_HELP)
    a, b, c, d = st.columns(4, vertical_alignment="bottom")
    names = [name for name, choice in targets.items() if choice.on == on]
    target = a.selectbox("Target", names, index=index_of(names, start), key=f"{key}-target-{on}", help="\n\n".join(f"**{name}** {targets[name].about}" for name in names))
    strategy = ""
    if on == "signals":
        every = desk.backtests.strategies()
        strategy = b.selectbox("Strategy", list(every), index=index_of(list(every), (before.strategy if before else "") or FIRST["strategy"]), key=f"{key}-strategy", help="Its signals are the samples, each simulated alone: no margin, no limits, no other position.")
    learners = desk.training.learners(target)
    learner = (c if on == "signals" else b).selectbox("Learner", list(learners), index=index_of(list(learners), before.learner if before else FIRST["learner"]), key=f"{key}-learner-{target}")
    with d if on == "signals" else c:
        scheme = st.segmented_control("Splits", list(desk.training.schemes()), default=before.scheme if before else "walk_forward", required=True, key=f"{key}-scheme", format_func=lambda name: SCHEMES.get(name, name), help=SCHEME_HELP)
    st.caption(f"**{literal(target)}** {literal(typeset(targets[target].about))} **{literal(learner)}** {literal(typeset(learners[learner].about))}")
    return target, learner, str(scheme), strategy


def _settings(desk: Desk, key: str, before: TrainingRequest | None, target: str, learner: str, scheme: str, strategy: str, chosen: list, spec: Mapping[str, Any], days: int) -> dict[str, Any]:
    """The parameter classes of what was chosen, a tab each; those of the run to start from where it chose the same."""
    same = {name: before is not None and getattr(before, name) == value for name, value in dict(target=target, learner=learner, scheme=scheme, strategy=strategy).items()}
    titles = ["Splits", "Learner", "Target", *(["Strategy and costs"] if strategy else []), "Pipeline"]
    tabs = dict(zip(titles, st.tabs(titles, key=f"{key}-tabs"), strict=True))
    entered: dict[str, Any] = {}
    with tabs["Splits"]:
        st.caption("Samples whose spans touch a test block are purged; those that start within the embargo after it are left out.")
        start = before.scheme_params if before and same["scheme"] else windows(desk.training.schemes()[scheme], days) if scheme == "walk_forward" else None
        entered["scheme_params"] = fields(without_repeats(desk.training.schemes()[scheme]), f"{key}-scheme-{days}", start)
    with tabs["Learner"]:
        params = desk.training.learners(target)[learner].params
        entered["params"] = fields(without_repeats(params), f"{key}-learner", before.params if before and same["learner"] else None)
        if not params:
            st.caption("It has no parameters.")
    with tabs["Target"]:
        params = desk.training.target_params(target)
        entered["target_params"] = fields(without_repeats(params), f"{key}-target", before.target_params if before and same["target"] else None)
        if not params:
            st.caption("It has no parameters.")
    if strategy:
        with tabs["Strategy and costs"]:
            entered |= _strategy(desk, f"{key}-{strategy}", before if same["strategy"] else None, strategy, chosen, spec)
    with tabs["Pipeline"]:
        st.caption("Everything here is fitted inside each fold, on its training part alone.")
        entered["options"] = fields(without_repeats(desk.training.options()), f"{key}-options", before.options if before else None)
        a, b, _ = st.columns([1, 1, 2], vertical_alignment="bottom")
        entered["seed"] = a.number_input("Seed", 0, SEED_MOST, before.seed if before else 0, key=f"{key}-seed", help="The same seed, data and code give the same predictions. Another seed is another trial.")
        entered["shuffle_labels"] = b.toggle("Shuffle labels", before.shuffle_labels if before else False, key=f"{key}-shuffle", help="Permutes the labels over the samples: a run that still finds skill leaks. Every run does this on up to three folds anyway.")
    return entered


def _strategy(desk: Desk, key: str, before: TrainingRequest | None, strategy: str, chosen: list, spec: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters of the strategy, and the costs and execution under which its signals are simulated."""
    params = fields(desk.backtests.params(strategy), key, before.strategy_params if before else None)
    start = rules_start(desk, dict(before.rules) if before and before.rules else {})
    section("Costs and execution", "of each signal, simulated alone at the minimum lot")
    profile = profile_box(desk, key, dict(spec))
    first, second = st.columns(4), st.columns(4, vertical_alignment="bottom")
    intrabar = intrabar_field(first[0], key, start)
    reverse = second[2].toggle("Exit on opposite signal", start["execution"]["reverse_on_opposite"], key=f"{key}-reverse", help="A signal against the open position of its tag closes it at the next open.")
    costs = {} if profile else entered_costs(desk, key, chosen, start, (first[1], first[2], first[3], second[0], second[1]))
    if profile:
        first[1].caption(literal(f"Costs of the profile {profile}."))
    rules: dict[str, Any] = dict(execution=dict(intrabar=intrabar, reverse_on_opposite=reverse), **({"costs": costs} if costs else {}))
    return dict(strategy_params=params, rules=rules, cost_profile=profile)


def _price(form_request: bars.FormRequest, scheme: str, params: Mapping[str, Any]) -> str:
    request = form_request.request
    if request is None:
        return form_request.note
    folds = folds_expected(scheme, params, (request.end - request.start).days)
    if folds is None:
        return form_request.note
    if folds == 0:
        return f"{form_request.note} · :orange[:material/warning: the windows are longer than the {number((request.end - request.start).days)} days of the date range: shorten them, or take more bars]"
    return f"{form_request.note} · {'' if scheme == 'cpcv' else 'about '}{plural(folds, 'fold')} · one trial"


def folds_expected(scheme: str, params: Mapping[str, Any], days: int) -> int | None:
    """How many folds a scheme makes of so many days; None where the scheme is not known here.

    >>> folds_expected("cpcv", dict(groups=6, tested=2), 900)
    15
    >>> folds_expected("walk_forward", dict(train=300, validation=30, calibration=30, test=60, step=60), 600)
    4
    >>> folds_expected("walk_forward", dict(train=300, validation=30, calibration=30, test=60, step=60), 400)
    0
    """
    if scheme == "cpcv":
        return comb(int(params["groups"]), int(params["tested"]))
    if scheme != "walk_forward":
        return None
    first = sum(float(params[name]) for name in ("train", "validation", "calibration", "test"))
    step = float(params.get("step") or 0) or float(params["test"])
    return 0 if days < first else int((days - first) // step) + 1


def windows(params: Sequence[Any], days: int) -> dict[str, Any]:
    """The windows that a new form begins with: the defaults, or where the data is too short for three folds of them, shares of it.

    >>> from domain.params import params_of
    >>> from domain.training.splits import WalkForward
    >>> windows(params_of(WalkForward), 4_000), windows(params_of(WalkForward), 725)
    ({}, {'train': 290, 'validation': 29, 'calibration': 58, 'test': 87})
    """
    defaults = {param.name: float(param.default) for param in params if param.name in SHARES}
    if not days or days >= sum(defaults.values()) + 2 * defaults.get("test", 0.0):
        return {}
    return {name: max(int(days * share), 1) for name, share in SHARES.items() if name in defaults}


def sentence(desk: Desk, request: TrainingRequest) -> str:
    """A question in one line: the closed form."""
    catalogue = {dataset.id: dataset.instrument for dataset in desk.data.catalogue()}
    names = ", ".join(catalogue.get(dataset, dataset) for dataset in request.datasets)
    target = f"{request.target} of {request.strategy}" if request.strategy else request.target
    days = f"{request.start:%Y-%m-%d} to {request.end:%Y-%m-%d}"
    scheme = SCHEMES.get(request.scheme, request.scheme).lower() if request.scheme != "cpcv" else f"CPCV({exact(request.scheme_params.get('groups', ''))}, {exact(request.scheme_params.get('tested', ''))})"
    return f"**{literal(request.learner)}** · {literal(target)} · {literal(names)} {literal(request.timeframe)} · {days} · {plural(len(request.columns), 'column')} · {scheme} · seed {request.seed}"


