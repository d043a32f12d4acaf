"""The verdict on a training in one honest sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from domain.errors import listed
from domain.training.compared import named

WALK = "walk_forward"
ENOUGH = 0.95           # of the deflated Sharpe ratio
LOSSES = dict(brier="Brier loss", pinball="pinball loss")


@dataclass(frozen=True)
class Evidence:
    """``main``: name of the score that is spoken of and its value. ``equity``: of the report, None where samples are no trades. ``dsr``: None where there is none."""

    scheme: str
    learner: str
    rows: int
    control: Mapping[str, Any]
    leak: str
    shuffled: bool
    main: tuple[str, float | None]
    baselines: Sequence[Mapping[str, Any]]
    traded: Mapping[str, Any] | None
    gain: Mapping[str, Any] | None
    paths: Mapping[str, Any] | None
    dsr: float | None
    trials: int
    whole: bool = True


def verdict(evidence: Evidence) -> dict[str, Any]:
    """``state, sentence, reasons``. ``red``: nothing of it can be believed; ``open``: nothing could be judged; ``green``: every check is passed; ``amber``: not."""
    if evidence.leak:
        return dict(state="red", sentence=f"Look-ahead: {evidence.leak}", reasons=[evidence.leak])
    if evidence.control["state"] == "red":
        return dict(state="red", sentence=f"The control failed, so no score here can be believed. {evidence.control['sentence']}", reasons=[evidence.control["sentence"]])
    if not evidence.rows:
        return dict(state="open", sentence="Nothing was tested, so there is nothing to judge.", reasons=[])
    if evidence.shuffled:
        return dict(state="open", sentence=f"Labels were permuted, so there was nothing to learn. {evidence.control['sentence']}", reasons=[])
    against = objections(evidence)
    sentence = _of_trades(evidence) if evidence.traded is not None else _of_forecasts(evidence)
    return dict(state="amber" if against else "green", sentence=sentence, reasons=against)


def objections(evidence: Evidence) -> list[str]:
    """Sentences that speak against believing the model, the gravest first."""
    return [sentence for sentence in (
        _unfinished(evidence), _lost(evidence), _useless(evidence), _luck(evidence), _not_better(evidence),
        "" if evidence.control["state"] == "green" else f"The control is open. {evidence.control['sentence']}",
    ) if sentence]  # fmt: skip


def _unfinished(evidence: Evidence) -> str:
    return "" if evidence.whole else "Partial: not every fold was fitted."


def _lost(evidence: Evidence) -> str:
    if evidence.traded is None:
        return ""
    if not evidence.traded["taken"]:
        return "No signal was taken."
    return "" if evidence.traded["sum_r_taken"] > 0 else "The strategy loses with the filter, too."


def _useless(evidence: Evidence) -> str:
    if evidence.gain is None or evidence.traded is None or not evidence.traded["taken"]:
        return ""
    if evidence.gain["low"] is None:
        return f"Whether the filter helps is open. {evidence.gain['reason']}"
    return "" if evidence.gain["low"] > 0 else f"The filter may be luck: it adds {evidence.gain['gain']:+.3f} R a trade, 95 %: {evidence.gain['low']:+.3f} to {evidence.gain['high']:+.3f}."


def _luck(evidence: Evidence) -> str:
    if evidence.traded is None or not evidence.traded["taken"]:
        return ""
    if evidence.scheme != WALK:
        return "Only a walk-forward can say what would have been earned; these are paths."
    if evidence.dsr is None:
        return "There are too few days for a Sharpe ratio."
    return "" if evidence.dsr >= ENOUGH else f"The deflated Sharpe ratio is {evidence.dsr:.2f} with {_number(evidence.trials, 'trial')}; {ENOUGH} is enough."


def _not_better(evidence: Evidence) -> str:
    left = [_words(row["name"]) for row in evidence.baselines if row["state"] != "better"]
    if not evidence.baselines:
        return "No baseline was compared."
    return f"Not shown to be better than {listed(left, 9)}." if left else ""


def _words(learner: object) -> str:
    """
    >>> _words("no_change")
    'no change'
    """
    return str(learner).replace("_", " ")


def _of_forecasts(evidence: Evidence) -> str:
    """Against the baseline that comes nearest."""
    known = [row for row in evidence.baselines if row["gain"] is not None]
    if not known:
        return f"Whether {_words(evidence.learner)} forecasts better than a baseline is open: {_score(evidence)}, and nothing to compare it with."
    nearest = min(known, key=lambda row: row["low"])
    share = f"{100 * abs(nearest['gain']) / nearest['baseline']:.2g} %" if nearest["baseline"] else f"{abs(nearest['gain']):.3g}"
    days, loss = f"over {_number(nearest['days'], 'day')}", LOSSES.get(nearest["loss"], nearest["loss"])
    if len(named(known, "better")) == len(evidence.baselines):
        return f"Better than every baseline: {share} less {loss} than {_words(nearest['name'])} {days}, which came nearest; {_score(evidence)}."
    word = "worse than" if nearest["state"] == "worse" else "not shown to be better than"
    return f"{_words(evidence.learner).capitalize()} is {word} {_words(nearest['name'])}: {share} {'less' if nearest['gain'] > 0 else 'more'} {loss} {days}; {_score(evidence)}."


def _score(evidence: Evidence) -> str:
    name, value = evidence.main
    return f"{name} {value:.3g} on {_number(evidence.rows, 'row')}" if value is not None else f"no {name} on {_number(evidence.rows, 'row')}"


def _of_trades(evidence: Evidence) -> str:
    traded = evidence.traded or {}
    if not traded["taken"]:
        return f"The filter takes none of {_number(traded['signals'], 'signal')}, so nothing is earned or lost; without it they make {traded['sum_r']:+.1f} R."
    helps = bool(evidence.gain and evidence.gain["low"] is not None and evidence.gain["low"] > 0)
    head = "The filter helps" if helps else "The filter is not shown to help"
    return f"{head}{', but' if helps != _earns(traded) else ', and'} {_result(evidence, traded)}"


def _earns(traded: Mapping[str, Any]) -> bool:
    return bool(traded["sum_r_taken"] > 0)


def _result(evidence: Evidence, traded: Mapping[str, Any]) -> str:
    each = f"{traded['mean_r_taken']:+.3f} against {traded['mean_r']:+.3f} R a trade, on {traded['taken']:,} of {_number(traded['signals'], 'signal')}"
    if evidence.scheme == WALK:
        end = f"would have {'earned' if _earns(traded) else 'lost'} {abs(traded['sum_r_taken']):,.1f} R with it, and {traded['sum_r']:+,.1f} R without: {each}"
        return f"the strategy {'' if _earns(traded) else 'still '}{end}{_deflated(evidence)}."
    with_, without = (evidence.paths or {}).get("sum_r_taken", {}), (evidence.paths or {}).get("sum_r", {})
    spread = f"{with_['low']:+,.1f} to {with_['high']:+,.1f} R over its paths, median {with_['median']:+,.1f}; {without['median']:+,.1f} without" if with_ else each
    return f"the strategy {'gains' if _earns(traded) else 'still loses'}: {spread}. Paths show spread, not what was there to be had: each is trained on later data, too."


def _deflated(evidence: Evidence) -> str:
    return "" if evidence.dsr is None or not _earns(evidence.traded or {}) else f"; deflated Sharpe ratio {evidence.dsr:.2f} with {_number(evidence.trials, 'trial')}"


def _number(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
