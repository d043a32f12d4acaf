"""How far a result may be believed: the answers to a few hard questions, and one sentence that never promises."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from domain.analytics.linter import Remark, percent, signed, worst
from domain.analytics.monte_carlo import MonteCarlo
from domain.analytics.significance import Overfitting, Significance
from domain.errors import listed

ANSWERS = ("passed", "doubtful", "failed", "open")


@dataclass(frozen=True)
class Question:
    """One test: what it asks in plain words, its value, and how it went (passed, doubtful, failed; open: not asked yet)."""

    key: str
    title: str
    asks: str
    value: float | None
    unit: str           # as a Metric's
    answer: str
    sentence: str


@dataclass(frozen=True)
class Belief:
    """Everything that speaks for and against a result. ``dataclasses.asdict`` of it is plain JSON."""

    verdict: str                            # one sentence
    level: str                              # one of ANSWERS: the worst that was found
    questions: tuple[Question, ...]
    trades: int
    net_return: float | None                # share
    ambiguous: int                          # bars whose inside decided a result
    band: tuple[float, float] | None        # net return with every ambiguous bar decided pessimistically, optimistically
    significance: Significance | None       # PSR, DSR with the number of trials, minimum track record
    overfitting: Overfitting | None         # PBO of a sweep, where there was one
    monte_carlo: MonteCarlo | None
    stress: tuple[Mapping[str, Any], ...]   # rows handed in: at least title and net_return
    lint: str                               # the worst level of the remarks: none, note, warning, severe


def believe(
    metrics: Mapping[str, float | None],
    *,
    significance: Significance | None = None,
    ambiguous: int = 0,
    band: tuple[float, float] | None = None,
    overfitting: Overfitting | None = None,
    monte_carlo: MonteCarlo | None = None,
    stress: Sequence[Mapping[str, Any]] = (),
    remarks: Sequence[Remark] = (),
) -> Belief:
    """What may be believed of a run, from its figures and from what was found out about them. A pure function.

    A ``stress`` row names at least ``title`` and ``net_return``. A question that was not looked into is ``open`` and never counts as passed.

    >>> believe({"trades": 0.0}).verdict
    'Nothing was traded, so there is nothing to believe.'
    """
    questions = (
        _execution(ambiguous, band), _luck(significance), _selection(significance), _length(significance), _order(monte_carlo),
        _costs(metrics), _stress(stress), _overfitting(overfitting), _remarks(remarks),
    )  # fmt: skip
    level, verdict = _verdict(metrics, questions)
    return Belief(
        verdict=verdict, level=level, questions=questions, trades=int(metrics.get("trades") or 0), net_return=metrics.get("net_return"), ambiguous=ambiguous, band=band,
        significance=significance, overfitting=overfitting, monte_carlo=monte_carlo, stress=tuple(dict(row) for row in stress), lint=worst(list(remarks)),
    )  # fmt: skip


def _verdict(metrics: Mapping[str, float | None], questions: Sequence[Question]) -> tuple[str, str]:
    trades, net = int(metrics.get("trades") or 0), metrics.get("net_return")
    if not trades or net is None:
        return "open", "Nothing was traded, so there is nothing to believe."
    if net <= 0:
        return "failed", f"Loses after costs: net {signed(net)} over {trades:,} trade{'' if trades == 1 else 's'}."
    for answer in ("failed", "doubtful"):
        against = [one for one in questions if one.answer == answer]
        if against:
            more = f" ({len(against) - 1} more speak{'s' if len(against) == 2 else ''} against it.)" if len(against) > 1 else ""
            return answer, f"Positive after costs, but {_lower(against[0].sentence)}{more}"
    left = [one.title.lower() for one in questions if one.answer == "open"]
    if "luck" in left:
        luck = next(one.sentence for one in questions if one.key == "luck")
        return "open", f"Positive after costs, but {_lower(luck)}"
    asked = f"; not asked yet: {listed(left, 9)}" if left else ""
    return "passed", f"Positive after costs, and nothing that was asked speaks against it{asked}. That is evidence about these bars, not a promise about others."


def _execution(ambiguous: int, band: tuple[float, float] | None) -> Question:
    asks = "Does what happened inside bars decide the result?"
    if not ambiguous:
        return Question("execution", "Inside bars", asks, 0.0, "bars", "passed", "No bar left open whether stop or target came first.")
    bars = f"{ambiguous:,} bar{'' if ambiguous == 1 else 's'}"
    if band is None:
        return Question("execution", "Inside bars", asks, float(ambiguous), "bars", "open", f"In {bars} the order of stop and target is unknown; decide them both ways to see what hangs on it.")
    low, high = band
    said = f"with {bars} decided the worse way it nets {signed(low)}, the better way {signed(high)}."
    answer = "failed" if low <= 0 < high else "doubtful" if high - low > abs(low) else "passed"
    return Question("execution", "Inside bars", asks, low, "share", answer, _upper(said))


def _luck(s: Significance | None) -> Question:
    asks = "Could a series without any edge have done this?"
    if s is None:
        return Question("luck", "Luck", asks, None, "share", "open", "Whether luck could have done this was not looked into.")
    if s.psr is None or s.sharpe_year is None:
        return Question("luck", "Luck", asks, None, "share", "open", "There are too few days to measure a Sharpe ratio.")
    said = f"A series without any edge reaches a Sharpe of {s.sharpe_year:.2f} over {s.periods:,} days {_times(1 - s.psr)}."
    return Question("luck", "Luck", asks, s.psr, "share", _graded(s.psr, 0.95, 0.8), said)


def _selection(s: Significance | None) -> Question:
    asks = "Is it more than the best of all that was tried?"
    if s is None or s.dsr is None or s.luck_beats is None or s.sharpe_year is None:
        return Question("selection", "Selection", asks, None, "share", "open", "There are too few days to measure a Sharpe ratio.")
    answer = _graded(s.dsr, 0.95, 0.5)
    if answer == "failed":
        tried = "a single trial" if s.trials == 1 else f"the best of {s.trials:,} trials"
        said = f"{_upper(tried)} without any edge would reach a Sharpe of {s.sharpe_year:.2f} {_times(s.luck_beats)}."
    else:
        said = f"Counting {s.trials:,} trial{'' if s.trials == 1 else 's'}, confidence that it is more than luck is {percent(s.dsr)}."
    return Question("selection", "Selection", asks, s.dsr, "share", answer, said)


def _length(s: Significance | None) -> Question:
    asks = "Is the record long enough for this Sharpe ratio?"
    if s is None or s.sharpe is None:
        return Question("length", "Length", asks, None, "ratio", "open", "There are too few days to measure a Sharpe ratio.")
    if s.minimum_periods is None:
        return Question("length", "Length", asks, None, "ratio", "failed", "At this Sharpe no length of record is enough.")
    said = f"{s.periods:,} days were seen; at this Sharpe {s.minimum_periods:,.0f} are needed for {percent(s.confidence)} confidence."
    return Question("length", "Length", asks, s.periods / s.minimum_periods, "ratio", _graded(s.periods / s.minimum_periods, 1.0, 0.5), said)


def _order(m: MonteCarlo | None) -> Question:
    asks = "Does it hang on a few trades, or on their order?"
    if m is None:
        return Question("order", "Other histories", asks, None, "share", "open", "Other histories of the same trades were not drawn.")
    drawn = "with blocks drawn anew" if m.method == "bootstrap" else "with trades left out at random"
    said = f"{_upper(drawn)}, {percent(m.chance_of_loss)} of {m.paths:,} histories end with a loss."
    return Question("order", "Other histories", asks, m.chance_of_loss, "share", _graded(-m.chance_of_loss, -0.05, -0.2), said)


def _costs(metrics: Mapping[str, float | None]) -> Question:
    asks = "How much dearer may trading be?"
    factor = metrics.get("break_even_factor")
    if factor is None:
        return Question("costs", "Costs", asks, None, "ratio", "open", "No spread was paid, so nothing says how much of it the result bears.")
    return Question("costs", "Costs", asks, factor, "ratio", _graded(factor, 2.0, 1.25), f"Nothing is left once the spread is {factor:.2f} times the one assumed." if factor > 0 else "It loses without any spread too.")


def _stress(rows: Sequence[Mapping[str, Any]]) -> Question:
    asks = "Does it survive worse conditions?"
    judged = [row for row in rows if row.get("net_return") is not None]
    if not judged:
        return Question("stress", "Stress", asks, None, "share", "open", "No worse conditions were tried.")
    lost = [row for row in judged if row["net_return"] <= 0]
    share, low = len(lost) / len(judged), min(judged, key=lambda row: row["net_return"])
    said = f"{len(lost)} of {len(judged)} worse conditions end with a loss; the worst, {low['title']}, nets {signed(low['net_return'])}."
    return Question("stress", "Stress", asks, share, "share", "passed" if not lost else "doubtful" if share <= 0.5 else "failed", said)


def _overfitting(o: Overfitting | None) -> Question:
    asks = "Would choosing the best have paid later?"
    if o is None:
        return Question("overfitting", "Overfitting", asks, None, "share", "open", "It was not chosen from a sweep, or the sweep was not looked at.")
    said = f"The best of {o.columns:,} variants in one half of the time is no better than the median in the other in {percent(o.pbo)} of {o.splits:,} splits."
    return Question("overfitting", "Overfitting", asks, o.pbo, "share", _graded(-o.pbo, -0.2, -0.5), said)


def _remarks(remarks: Sequence[Remark]) -> Question:
    asks = "Is anything odd about how it came about?"
    level = worst(list(remarks))
    answer = {"none": "passed", "note": "passed", "warning": "doubtful", "severe": "failed"}[level]
    said = next((remark.sentence for remark in remarks if remark.level == level), "Nothing odd was found.")
    return Question("remarks", "Remarks", asks, float(sum(remark.level != "note" for remark in remarks)), "ratio", answer, said)


def _graded(value: float, passed: float, doubtful: float) -> str:
    return "passed" if value >= passed else "doubtful" if value >= doubtful else "failed"


def _times(share: float) -> str:
    """
    >>> _times(0.874), _times(0.012), _times(0.001)
    ('87 times in 100', 'once in 100', 'less than once in 100')
    """
    count = round(100 * share)
    return f"{count} times in 100" if count > 1 else "once in 100" if count else "less than once in 100"


def _upper(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]


def _lower(sentence: str) -> str:
    return sentence if sentence[:1].isupper() and sentence[1:2].isupper() else sentence[:1].lower() + sentence[1:]
