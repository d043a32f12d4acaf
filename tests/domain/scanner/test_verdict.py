"""Grades, reasons and proposals, against the sentences in plain Python."""

from __future__ import annotations

import os

import numpy as np
import pytest

from domain.errors import BadRequest
from domain.scanner.criteria import NAMES, Criteria
from domain.scanner.quality import quality, shortfall, side_by_side, trade_statistics
from domain.scanner.reasons import KEYS
from domain.scanner.verdict import Book, Candidates, judge
from tests.domain.scanner import by_hand

CASES = int(os.environ.get("TIDEMARK_CASES", "40"))
EQUITY = 10_000.0
GOOD = np.array([1.0, 1.0, 1.0, -0.5] * 15)     # p 46/62, W 1, L 0.5: Q* 0.5296 before the spread


def candidates(rows, most=250):
    def column(name, kind=float):
        return np.array([row[name] for row in rows], kind)

    spread_before = np.array([by_hand.mean(list(row["spread_at_entries"])) for row in rows])
    p = np.array([np.nan if row["p"] is None else row["p"] for row in rows])
    return Candidates(column("instrument", int), column("side", int), column("ready", bool), side_by_side([row["r"] for row in rows], most), column("spread"), spread_before, column("stop"), column("at_risk"), p)


def row(instrument=0, **changed):
    return dict(instrument=instrument, side=1, ready=True, r=GOOD, spread=1.0, spread_at_entries=[1.0] * 60, stop=20.0, at_risk=50.0, p=None) | changed


def keys(verdicts):
    return [KEYS[k] if k >= 0 else "" for k in verdicts.reason]


def test_the_worked_example_by_hand():
    """60 trades, 45 won 1 R, 15 lost half an R, spread twice as wide as at the entries, the stop 20 spreads away."""
    verdicts = judge(candidates([row(spread=2.0)]), Book(EQUITY, np.eye(1)))
    p = 46 / 62
    s = np.sqrt((45 * (1 - 0.625) ** 2 + 15 * (-0.5 - 0.625) ** 2) / 59)
    assert verdicts.quality.p[0] == pytest.approx(p, abs=1e-15)
    assert verdicts.quality.q[0] == pytest.approx(p * 1 - (1 - p) * 0.5 - s / np.sqrt(60) - 1 / 20, abs=1e-12)
    assert verdicts.es95[0] == pytest.approx(0.5 * 50 / 10_000 * 1_000)     # the three worst of 60 lost half an R each
    assert NAMES[verdicts.grade[0]] == "A" and keys(verdicts) == [""] and verdicts.rank[0] == 1


def test_the_figures_are_those_of_the_sentences():
    rng = np.random.default_rng(5)
    for _ in range(CASES):
        results = [rng.choice([-1.0, 0.0, 2.0, rng.normal()], rng.integers(2, 300)) for _ in range(3)]
        spread, before, stop, p = rng.uniform(1, 3, 3), rng.uniform(1, 3, 3), rng.uniform(5, 50, 3), np.array([np.nan, 0.7, np.nan])
        statistics = trade_statistics(side_by_side(results, 250))
        result = quality(statistics, spread, before, stop, p).q
        tails = shortfall(statistics.tail, np.full(3, 80.0), EQUITY)
        for k, r in enumerate(results):
            classifier = None if np.isnan(p[k]) else p[k]
            assert result[k] == pytest.approx(by_hand.q_star(list(r[-250:]), spread[k], [before[k]], stop[k], classifier), abs=1e-10)
            assert tails[k] == pytest.approx(by_hand.es95(list(r[-250:]), 80.0, EQUITY), abs=1e-10)


def test_reasons_and_proposals_are_those_of_the_sentences():
    rng = np.random.default_rng(11)
    reasons_seen = set()
    for _ in range(CASES):
        rows = [_drawn(rng) for _ in range(int(rng.integers(1, 25)))]
        rho = rng.uniform(-0.5, 0.5, (8, 8))
        rho = np.where(rng.random((8, 8)) < 0.03, np.nan, (rho + rho.T) / 2)
        rho = np.where(np.isnan(rho.T), np.nan, rho)
        positions = [(int(rng.integers(8)), int(rng.choice([-1, 1]))) for _ in range(int(rng.integers(0, 3)))]
        forbidden = set(rng.integers(0, 25, 3).tolist())

        def limit(k, proposed, forbidden=forbidden):
            return "no" if k in forbidden else ""

        verdicts = judge(candidates(rows), Book(EQUITY, rho, positions, limit))
        table = {(a, b): rho[a, b] for a in range(8) for b in range(8)}
        expected, proposed = by_hand.scan(rows, EQUITY, positions, table, limit)
        assert keys(verdicts) == [expected[k] for k in range(len(rows))]
        assert verdicts.proposals == proposed
        reasons_seen.update(expected.values())
    assert reasons_seen == {*KEYS, ""}


def _drawn(rng):
    n = int(rng.choice([10, 39, 40, 120, 300]))
    r = rng.choice([-1.0, rng.choice([1.0, 3.0, 4.0])], n, p=[0.4, 0.6])
    return row(
        int(rng.integers(8)), side=int(rng.choice([-1, 0, 1], p=[0.45, 0.1, 0.45])), ready=bool(rng.random() < 0.95), r=r, spread=rng.uniform(1, 3),
        spread_at_entries=list(rng.uniform(1, 3, 5)), stop=float(rng.choice([np.nan, 10.0, 50.0], p=[0.05, 0.45, 0.5])), at_risk=float(rng.choice([20.0, 99.0, 101.0, np.nan], p=[0.5, 0.25, 0.2, 0.05])),
        p=float(rng.uniform(0.5, 0.9)) if rng.random() < 0.2 else None,
    )  # fmt: skip


def test_equal_ones_are_proposed_in_their_order_and_three_at_most():
    verdicts = judge(candidates([row(k) for k in range(5)]), Book(EQUITY, np.eye(5)))
    assert verdicts.proposals == [0, 1, 2] and keys(verdicts)[3:] == ["rank", "rank"]


def test_the_other_side_of_a_correlated_instrument_is_no_duplicate():
    rho = np.array([[1.0, 0.9], [0.9, 1.0]])
    assert keys(judge(candidates([row(0), row(1)]), Book(EQUITY, rho))) == ["", "correlation"]
    assert keys(judge(candidates([row(0), row(1, side=-1)]), Book(EQUITY, rho))) == ["", ""]
    assert keys(judge(candidates([row(0, side=-1)]), Book(EQUITY, rho, [(1, 1)]))) == [""]
    assert keys(judge(candidates([row(0)]), Book(EQUITY, rho, [(0, 1)]))) == ["correlation"]


def test_an_unknown_correlation_is_not_a_low_one():
    rho = np.array([[1.0, np.nan], [np.nan, 1.0]])
    verdicts = judge(candidates([row(0), row(1)]), Book(EQUITY, rho))
    assert keys(verdicts) == ["", "correlation"] and verdicts.unknown.tolist() == [False, True]


@pytest.mark.parametrize(("trades", "reason"), [(39, "few_trades"), (40, "")])
def test_forty_trades_are_enough(trades, reason):
    r = np.tile([1.0, 1.0, 1.0, 1.0, -0.5], 8)[:trades]
    assert keys(judge(candidates([row(r=r)]), Book(EQUITY, np.eye(1)))) == [reason]


def test_only_the_last_250_trades_count():
    r = np.concatenate([np.full(500, -1.0), np.tile([1.0, 1.0, 1.0, -0.5], 63)[:250]])
    verdicts = judge(candidates([row(r=r)]), Book(EQUITY, np.eye(1)))
    assert verdicts.statistics.n[0] == 250 and keys(verdicts) == [""]


def test_a_shortfall_of_exactly_ten_per_thousand_is_allowed():
    """The worst R are -0.5: money at risk 200 of 10,000 is 10 per 1,000."""
    assert keys(judge(candidates([row(at_risk=200.0), row(1, at_risk=200.1)]), Book(EQUITY, np.eye(2)))) == ["", "es95"]


def test_a_signal_without_a_stop_has_no_grade():
    verdicts = judge(candidates([row(stop=np.nan)]), Book(EQUITY, np.eye(1)))
    assert keys(verdicts) == ["grade"] and verdicts.grade[0] == -1


def test_fewer_trades_looked_at_than_required_are_refused():
    with pytest.raises(BadRequest, match="look at no fewer than are required"):
        Criteria(history=30)
