"""Robustness of a result: a few tests, and one sentence that never promises.

A result that is not above zero is not tested for luck, selection or overfitting: such a test could only praise a loss, so it stays ``open``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from domain.analytics.linter import Remark, number_of, percent, signed, worst
from domain.analytics.monte_carlo import MonteCarlo
from domain.analytics.significance import Overfitting, Significance
from domain.errors import listed

ANSWERS = ("passed", "doubtful", "failed", "open")
FEW_DAYS = "There are too few days to measure a Sharpe ratio."


@dataclass(frozen=True)
class Test:
    """``asks``: what is tested, in plain words; ``answer``: passed, doubtful, failed or open (not evaluated), and why in ``sentence``."""

    __test__ = False    # of a result, not of this code

    key: str
    title: str
    asks: str
    value: float | None
    unit: str           # as a Metric's
    answer: str
    sentence: str


TESTS = {       # key -> title, what it asks, unit of its value
    "execution": ("Intrabar ambiguity", "Does the order of prices inside bars decide the result?", "share"),
    "luck": ("Significance (PSR)", "Could a strategy without any edge have done this?", "share"),
    "selection": ("Multiple testing (DSR)", "Is it better than the best of all trials would be by chance?", "share"),
    "length": ("Track-record length (MinTRL)", "Is the track record long enough for this Sharpe ratio?", "ratio"),
    "order": ("Monte Carlo", "Does it depend on a few trades, or on their order?", "share"),
    "costs": ("Cost sensitivity", "How much higher can costs go?", "ratio"),
    "stress": ("Stress test", "Does it survive worse conditions?", "share"),
    "overfitting": ("Overfitting (PBO)", "Does the best in sample stay good out of sample?", "share"),
    "remarks": ("Warnings", "Are there any warnings?", "ratio"),
}
OF_A_PROFIT = ("luck", "selection", "length", "order", "stress", "overfitting")     # not evaluated for a result that is not above zero


@dataclass(frozen=True)
class Belief:
    """Everything that speaks for and against a result. ``dataclasses.asdict`` of it is plain JSON."""

    verdict: str                            # one sentence
    level: str                              # one of ANSWERS: the worst of the tests
    questions: tuple[Test, ...]
    trades: int
    net_return: float | None                # share
    ambiguous: int                          # bars whose inside decided a result
    band: tuple[float, float] | None        # net return with every ambiguous bar decided pessimistically, optimistically
    significance: Significance | None       # PSR, DSR with the number of trials, minimum track record
    overfitting: Overfitting | None         # PBO of a sweep, where there was one
    monte_carlo: MonteCarlo | None
    stress: tuple[Mapping[str, Any], ...]   # rows of the stress test: at least title and net_return
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
    """The verdict on a run, from its metrics and the results of its robustness tests. A pure function.

    A ``stress`` row names at least ``title`` and ``net_return``. A test that was not run is ``open`` and never counts as passed.

    >>> believe({"trades": 0.0}).verdict
    'Nothing was traded, so there is no result to assess.'
    """
    every = (
        _execution(ambiguous, band), _luck(significance), _selection(significance), _length(significance), _order(monte_carlo),
        _costs(metrics), _stress(stress), _overfitting(overfitting), _remarks(remarks),
    )  # fmt: skip
    tests = tuple(_of_a_profit(test, metrics) for test in every)
    level, verdict = _verdict(metrics, tests)
    return Belief(
        verdict=verdict, level=level, questions=tests, trades=int(metrics.get("trades") or 0), net_return=metrics.get("net_return"), ambiguous=ambiguous, band=band,
        significance=significance, overfitting=overfitting if earns(metrics) else None, monte_carlo=monte_carlo, stress=tuple(dict(row) for row in stress), lint=worst(list(remarks)),
    )  # fmt: skip


def _verdict(metrics: Mapping[str, float | None], tests: Sequence[Test]) -> tuple[str, str]:
    trades, net = int(metrics.get("trades") or 0), metrics.get("net_return")
    if not trades or net is None:
        return "open", "Nothing was traded, so there is no result to assess."
    if net == 0:
        return "failed", f"Breaks even after costs: net 0 over {number_of(trades, 'trade')}, so there is no profit to assess."
    if net < 0:
        return "failed", f"Loses after costs: net {signed(net)} over {number_of(trades, 'trade')}."
    for answer, word in (("failed", "failed"), ("doubtful", "is doubtful")):
        against = [test for test in tests if test.answer == answer]
        if against:
            more = len(against) - 1
            rest = f"; {more} further check{'' if more == 1 else 's'} {word if more == 1 else word.replace('is', 'are')}" if more else ""
            return answer, f"Profitable after costs, but {_lower(against[0].sentence).rstrip('.')}{rest}."
    luck = next(test for test in tests if test.key == "luck")
    if luck.answer == "open":
        return "open", f"Profitable after costs, but {_lower(luck.sentence)}"
    left = [test.title for test in tests if test.answer == "open"]
    missing = f"; not evaluated: {listed(left, 9)}" if left else ""
    return "passed", f"Profitable after costs, and no check speaks against it{missing}. That is evidence about these bars, not a promise about others."


def _test(key: str, value: float | None, answer: str, sentence: str, unit: str = "") -> Test:
    title, asks, usual = TESTS[key]
    return Test(key, title, asks, value, unit or usual, answer, sentence)


def earns(metrics: Mapping[str, float | None]) -> bool:
    """Whether anything was left after costs."""
    return (metrics.get("net_return") or 0.0) > 0


def _of_a_profit(test: Test, metrics: Mapping[str, float | None]) -> Test:
    """The same; not evaluated where it could only praise a loss."""
    if test.key not in OF_A_PROFIT or earns(metrics):
        return test
    return _test(test.key, None, "open", "Not evaluated: the run earns nothing after costs.")


def _execution(ambiguous: int, band: tuple[float, float] | None) -> Test:
    if not ambiguous:
        return _test("execution", 0.0, "passed", "No bar left open whether stop or target came first.", "bars")
    bars = number_of(ambiguous, "bar")
    if band is None:
        return _test("execution", float(ambiguous), "open", f"In {bars} the order of stop and target is unknown; run it with both intrabar settings to see the range.", "bars")
    low, high = band
    answer = "failed" if low <= 0 < high else "doubtful" if high - low > abs(low) else "passed"
    return _test("execution", low, answer, f"With {bars} decided pessimistically it nets {signed(low)}, optimistically {signed(high)}.")


def _luck(s: Significance | None) -> Test:
    if s is None:
        return _test("luck", None, "open", "Whether luck could have done this was not evaluated.")
    if s.psr is None or s.sharpe_year is None:
        return _test("luck", None, "open", FEW_DAYS)
    if s.sharpe_year <= 0:
        return _test("luck", s.psr, "failed", _not_above_zero(s.sharpe_year))
    sentence = f"A zero-edge strategy would reach this Sharpe ({s.sharpe_year:.2f} over {s.periods:,} days) with {chance(1 - s.psr)} probability."
    return _test("luck", s.psr, _graded(s.psr, 0.95, 0.8), sentence)


def _selection(s: Significance | None) -> Test:
    if s is None or s.dsr is None or s.luck_beats is None or s.sharpe_year is None:
        return _test("selection", None, "open", FEW_DAYS)
    if s.sharpe_year <= 0:
        return _test("selection", s.dsr, "failed", _not_above_zero(s.sharpe_year))
    answer = _graded(s.dsr, 0.95, 0.5)
    if answer == "failed":
        tried = "A single zero-edge trial" if s.trials == 1 else f"The best of {s.trials:,} zero-edge trials"
        return _test("selection", s.dsr, answer, f"{tried} would reach this Sharpe ({s.sharpe_year:.2f}) with {chance(s.luck_beats)} probability.")
    return _test("selection", s.dsr, answer, f"With {number_of(s.trials, 'trial')} counted, the probability that the true Sharpe is above what luck reaches is {percent(s.dsr)}.")


def _not_above_zero(sharpe: float) -> str:
    return f"The Sharpe ratio is not above zero ({sharpe:.2f})."


def _length(s: Significance | None) -> Test:
    if s is None or s.sharpe is None:
        return _test("length", None, "open", FEW_DAYS)
    if s.minimum_periods is None:
        return _test("length", None, "failed", "At this Sharpe no track record is long enough.")
    sentence = f"The record has {s.periods:,} days; at this Sharpe {s.minimum_periods:,.0f} are needed for {percent(s.confidence)} confidence."
    return _test("length", s.periods / s.minimum_periods, _graded(s.periods / s.minimum_periods, 1.0, 0.5), sentence)


def _order(m: MonteCarlo | None) -> Test:
    if m is None:
        return _test("order", None, "open", "No Monte Carlo paths were drawn.")
    drawn = "resampled in blocks" if m.method == "bootstrap" else "with trades left out at random"
    return _test("order", m.chance_of_loss, _graded(-m.chance_of_loss, -0.05, -0.2), f"{percent(m.chance_of_loss)} of {m.paths:,} paths, {drawn}, end with a loss.")


def _costs(metrics: Mapping[str, float | None]) -> Test:
    factor = metrics.get("break_even_factor")
    if factor is None:
        return _test("costs", None, "open", "No spread was paid, so the break-even spread is unknown.")
    sentence = f"Break-even at {factor:.2f} times the spread paid." if factor > 0 else "It loses at zero spread too."
    return _test("costs", factor, _graded(factor, 2.0, 1.25), sentence)


def _stress(rows: Sequence[Mapping[str, Any]]) -> Test:
    tested = [row for row in rows if row.get("net_return") is not None]
    if not tested:
        return _test("stress", None, "open", "No stress test was run.")
    lost = [row for row in tested if row["net_return"] <= 0]
    share, low = len(lost) / len(tested), min(tested, key=lambda row: row["net_return"])
    sentence = f"{len(lost)} of {len(tested)} scenarios end with a loss; the worst, {low['title']}, nets {signed(low['net_return'])}."
    return _test("stress", share, "passed" if not lost else "doubtful" if share <= 0.5 else "failed", sentence)


def _overfitting(o: Overfitting | None) -> Test:
    if o is None:
        return _test("overfitting", None, "open", "No grid search of this strategy on these bars has been evaluated.")
    sentence = f"The best of {o.columns:,} variants in one half of the time is no better than the median in the other in {percent(o.pbo)} of {o.splits:,} splits."
    return _test("overfitting", o.pbo, _graded(-o.pbo, -0.2, -0.5), sentence)


def _remarks(remarks: Sequence[Remark]) -> Test:
    level = worst(list(remarks))
    answer = {"none": "passed", "note": "passed", "warning": "doubtful", "severe": "failed"}[level]
    sentence = next((remark.sentence for remark in remarks if remark.level == level), "There are no warnings.")
    return _test("remarks", float(sum(remark.level != "note" for remark in remarks)), answer, sentence)


def _graded(value: float, passed: float, doubtful: float) -> str:
    return "passed" if value >= passed else "doubtful" if value >= doubtful else "failed"


def chance(share: float) -> str:
    """
    >>> chance(0.294), chance(0.004), chance(1e-9), chance(1.0)
    ('29 %', '0.4 %', 'less than 0.1 %', 'more than 99.9 %')
    """
    return "less than 0.1 %" if share < 0.001 else "more than 99.9 %" if share > 0.999 else percent(share)


def _lower(sentence: str) -> str:
    """A sentence continued after a comma; names keep their capital."""
    return sentence if sentence[1:2].isupper() else sentence[:1].lower() + sentence[1:]
