"""The trial ledger is append-only; an identical request is one trial."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

DATA = ("v1",)


def add(store, *specs: str, strategy: str = "breakout", data: tuple[str, ...] = DATA, sharpe: float | None = 0.1, kind: str = "sweep", days: int = 250) -> None:
    rows = [dict(strategy=strategy, params=f"p{spec}", spec=spec, sharpe=sharpe, days=days) for spec in specs]
    with store.unit() as unit:
        unit.trials.add(rows, kind=kind, datasets=data, job_id="abc", actor="ana", at=unit.now())


def counted(store, data: tuple[str, ...] = DATA, strategy: str = "breakout") -> int:
    with store.read() as unit:
        return unit.trials.count(data, strategy)


def test_the_same_question_twice_is_one_trial(store):
    add(store, "a", "b")
    add(store, "b", "c", kind="run", sharpe=0.2)
    assert counted(store) == 3
    with store.read() as unit:
        assert unit.trials.sharpes(DATA, "breakout") == [0.1, 0.1, 0.2] and len(unit.trials.rows(DATA)) == 4


def test_a_trial_counts_for_every_dataset_that_it_touched_and_for_its_own_strategy(store):
    add(store, "a", "b")
    add(store, "c", strategy="simple_ma")
    add(store, "d", data=("v1", "v2"))
    add(store, "e", data=("v3",))
    assert (counted(store), counted(store, strategy="simple_ma"), counted(store, strategy="")) == (3, 1, 4), "d looked at v1, too"
    assert (counted(store, ("v2",)), counted(store, ("v2", "v1")), counted(store, ("v3", "v2")), counted(store, ("v4",))) == (1, 3, 2, 0)


def test_a_dataset_added_to_the_question_does_not_start_the_count_anew(store):
    add(store, "a", "b", sharpe=0.1)
    add(store, "c", data=("v1", "v2"), sharpe=0.3)
    with store.read() as unit:
        assert unit.trials.sharpes(("v1", "v2"), "breakout") == [0.1, 0.1, 0.3] and [row["spec"] for row in unit.trials.rows(("v1", "v2"))] == ["c"]


def test_a_trial_without_a_sharpe_counts_too(store):
    add(store, "a", sharpe=None)
    add(store, "a", "b", sharpe=0.3)
    with store.read() as unit:
        assert unit.trials.count(DATA, "breakout") == 2 and unit.trials.sharpes(DATA, "breakout") == [0.3, 0.3]


def test_the_spread_of_sharpes_leaves_out_what_is_much_shorter_but_the_count_does_not(store):
    add(store, "a", sharpe=0.1)
    add(store, "b", sharpe=0.2, days=125)
    add(store, "c", sharpe=3.0, days=124)
    with store.read() as unit:
        assert unit.trials.sharpes(DATA, "breakout") == [0.1, 0.2] and unit.trials.count(DATA, "breakout") == 3


@pytest.mark.parametrize("attempt", ["UPDATE trials SET sharpe = 9", "DELETE FROM trials", "DELETE FROM trials WHERE seq = 1", "REPLACE"])
def test_nothing_in_the_ledger_is_changed_or_removed(store, kind, attempt):
    add(store, "a", "b")
    if attempt == "REPLACE":
        attempt = "INSERT OR REPLACE INTO trials SELECT * FROM trials WHERE seq = 1" if kind == "sqlite" else "TRUNCATE trials"
    with pytest.raises(DBAPIError, match="append-only"), store.engine.begin() as connection:
        connection.execute(sa.text(attempt))
    assert counted(store) == 2


def test_trials_of_a_unit_that_fails_are_not_counted(store):
    with pytest.raises(RuntimeError), store.unit() as unit:
        unit.trials.add([dict(strategy="breakout", params="p", spec="s", sharpe=0.0, days=1)], kind="run", datasets=DATA, job_id="a", actor="ana", at=unit.now())
        raise RuntimeError
    assert counted(store) == 0
