"""The best so far of an optimization, from its finished parts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

from worker.desk.sweep_progress import progress_of
from worker.store.chunks import Chunk

START = datetime(2026, 1, 5, tzinfo=UTC)


def part(number: int, result: object, done: int | None, units: int = 10, spec: object = None) -> Chunk:
    return Chunk("j1", number, units, spec, None, {}, result, None if done is None else START + timedelta(seconds=done))


def best(number: int, value: float) -> dict:
    return dict(number=number, value=value, point=dict(lookback=number), figures={})


def job(kind: str, **spec: object) -> SimpleNamespace:
    return SimpleNamespace(kind=kind, spec=spec)


def test_the_best_of_a_grid_search_grows_in_the_order_in_which_parts_are_done():
    parts = [part(0, dict(best=best(3, 1.5)), 9), part(1, dict(best=best(12, 0.5)), 1), part(2, dict(best=None), 5), part(3, None, None)]
    shown = progress_of(job("sweep"), parts)
    assert (shown.done, shown.total, shown.figure, shown.best["number"]) == (30, 40, "sharpe", 3)
    assert shown.curve["number"].tolist() == [10, 20, 30] and shown.curve["best"].tolist() == [0.5, 0.5, 1.5]


def test_of_equal_combinations_the_first_is_the_best():
    shown = progress_of(job("sweep"), [part(0, dict(best=best(7, 1.0)), 2), part(1, dict(best=best(4, 1.0)), 3)])
    assert shown.best["number"] == 4


def test_a_search_shows_each_trial_and_the_first_objective():
    rows = [dict(number=0, values=[0.2, 9.0], figures={}), dict(number=1, values=None, figures={}), dict(number=2, values=[0.1, 9.0], figures={})]
    spec = dict(points=[dict(lookback=k) for k in (10, 20, 30)])
    shown = progress_of(job("optimise", search=dict(first="calmar", trials=64)), [part(0, rows, 1, 3, spec)])
    assert (shown.figure, shown.done, shown.total, shown.best["point"]) == ("calmar", 3, 64, dict(lookback=10))
    assert shown.curve["best"].tolist() == [0.2, 0.2, 0.2]


def test_a_walk_forward_shows_the_best_of_each_fold():
    results = [{"0": best(1, 0.4), "1": best(2, 0.1)}, {"0": best(9, 0.6)}]
    shown = progress_of(job("walk_forward", objective=dict(figure="net")), [part(k, dict(best=each), k) for k, each in enumerate(results)])
    assert shown.figure == "net_return" and [(row["fold"], row["number"]) for row in shown.folds] == [(0, 9), (1, 2)]


def test_nothing_is_finished_at_first():
    shown = progress_of(job("sweep"), [part(0, None, None)])
    assert (shown.done, shown.total, shown.best) == (0, 10, None) and shown.curve.empty
