"""What every registered learner keeps."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from domain.errors import BadRequest
from domain.models import LEARNERS, files
from domain.models.parity import parity, probes
from domain.params import params_of
from tests.domain.models.samples import samples

pytestmark = pytest.mark.xdist_group("learners")        # each is fitted once, and torch is loaded once
SMALL = dict(trees=12, patience=4, passes=1, width=4, layers=1, batch=128, bars=4, blocks=2, members="linear,no_change")   # of the parameters that a learner has
TASK = dict(fake="binary", win="binary", above="binary", barrier="classes", direction="classes")
CASES = [(name, task) for name, cls in LEARNERS.items() for task in dict.fromkeys(TASK.get(target, "number") for target in cls.targets)]
COUNT, TRAIN, REST = 500, np.arange(400), np.arange(400, 500)
AT_ONCE = ("prior", "climatology", "no_change", "bins")      # fits that are over before they could be stopped
NAMES = [f"{name}-{task}" for name, task in CASES]


class Stop(Exception):
    """What a person's cancel raises in ``watch``."""


def small(name: str) -> Any:
    has = {param.name for param in params_of(LEARNERS[name])}
    return LEARNERS[name](**{key: value for key, value in SMALL.items() if key in has})


def ignore(share: float, loss: float | None = None) -> None:
    """Nobody watches."""


def fitted_of(name: str, task: str, y: float | None = None, seed: int = 3, watch: Any = ignore) -> Any:
    every = samples(task, COUNT)
    every = every if y is None else replace(every, y=np.full(len(every), y))
    return small(name).fit(every.take(TRAIN), every.take(REST), seed, watch)


class Fits(dict):
    """A fit of each case, made when it is first wanted."""

    def __missing__(self, case: tuple[str, str]) -> Any:
        self[case] = fitted_of(*case)
        return self[case]


@pytest.fixture(scope="module")
def fits() -> Fits:
    return Fits()


def rows_of(fitted: Any, task: str) -> np.ndarray:
    every = samples(task, COUNT)
    return every.rows() if fitted.bars == 1 else every.window(fitted.bars)


@pytest.mark.parametrize("name", LEARNERS)
def test_a_learner_says_what_it_is_and_what_its_parameters_mean(name):
    assert LEARNERS[name].__doc__ and LEARNERS[name].targets
    assert all(param.help for param in params_of(LEARNERS[name]))


@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_outputs_are_named_finite_and_probabilities_add_up(case, fits):
    fitted, rows = fits[case], rows_of(fits[case], case[1])
    values = fitted.predict(rows)
    assert values.shape == (len(rows), len(fitted.outputs)) and values.dtype == np.float64 and np.isfinite(values).all()
    if case[1] == "binary":
        assert fitted.outputs == ("p",)
    if case[1] == "classes":
        assert fitted.outputs == ("p_down", "p_flat", "p_up")
        np.testing.assert_allclose(values.sum(axis=1), 1, atol=1e-6)
    if case[1] != "number":
        assert values.min() >= 0 and values.max() <= 1


@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_the_same_seed_gives_the_same_bytes(case, fits):
    assert fitted_of(*case).files() == fits[case].files()


@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_a_row_gives_the_same_alone_and_among_others(case, fits):
    rows = rows_of(fits[case], case[1])[:40]
    together = fits[case].predict(rows)
    alone = np.concatenate([fits[case].predict(rows[at : at + 1]) for at in range(len(rows))])
    np.testing.assert_allclose(alone, together, rtol=0, atol=0 if fits[case].bars == 1 else 1e-7)


@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_stored_and_loaded_it_gives_the_same_and_writes_the_same(case, fits):
    stored = fits[case].files()
    loaded = files.load(stored)
    rows = rows_of(loaded, case[1])
    np.testing.assert_array_equal(loaded.predict(rows), fits[case].predict(rows))
    assert loaded.files() == stored and loaded.outputs == fits[case].outputs and loaded.bars == fits[case].bars


@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_a_file_with_one_byte_changed_is_refused(case, fits):
    stored = fits[case].files()
    for name, data in stored.items():
        for at in (len(data) // 3, len(data) - 1):
            changed = bytearray(data)
            changed[at] ^= 1
            with pytest.raises(BadRequest):
                files.load({**stored, name: bytes(changed)})
        with pytest.raises(BadRequest):
            files.load({other: stored[other] for other in stored if other != name})


@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_a_column_that_is_nowhere_known_says_nothing(case):
    name, task = case
    every = samples(task, COUNT)
    matrix = every.matrix.copy()
    matrix[:, 2] = np.nan
    every = replace(every, matrix=matrix)
    fitted = small(name).fit(every.take(TRAIN), every.take(REST), 3, ignore)
    rows = (every.rows() if fitted.bars == 1 else every.window(fitted.bars))[:50]
    assert np.isfinite(fitted.predict(rows)).all()


@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_one_label_for_all_is_forecast(case):
    y = dict(binary=1.0, classes=1.0, number=0.25)[case[1]]
    fitted = fitted_of(*case, y=y)
    values = fitted.predict(rows_of(fitted, case[1])[:50])
    expected = dict(binary=[1.0], classes=[0.0, 1.0, 0.0], number=[0.25] * len(fitted.outputs))[case[1]]
    if case == ("no_change", "number") or fitted.bars > 1:
        assert np.isfinite(values).all()
    else:
        np.testing.assert_allclose(values, np.tile(expected, (len(values), 1)), atol=0.02)


@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_what_watch_raises_stops_it(case):
    calls: list[float] = []

    def stop(share: float, loss: float | None = None) -> None:
        calls.append(share)
        if len(calls) == 2 or case[0] in AT_ONCE:
            raise Stop

    with pytest.raises(Stop):
        fitted_of(*case, watch=stop)
    assert all(0 <= share <= 1 for share in calls)


@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_onnx_gives_the_same_on_random_rows_beside_thresholds_and_where_columns_are_unknown(case, fits):
    rows = rows_of(fits[case], case[1])[:200]
    if fits[case].onnx() is None:
        with pytest.raises(BadRequest, match="no ONNX"):
            parity(fits[case], rows)
        return
    difference, holds = parity(fits[case], rows)
    assert holds, difference
    assert fits[case].onnx() == fits[case].onnx()


@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_contributions_add_up_to_the_score(case, fits):
    rows = np.concatenate(list(probes(fits[case], rows_of(fits[case], case[1])[:20])))[:200]
    shares = fits[case].contributions(rows)
    if shares is not None:
        assert shares.shape == (len(rows), rows.shape[-1] + 1)
        np.testing.assert_allclose(shares.sum(axis=1), fits[case].score(rows), rtol=1e-9, atol=1e-9)


CHECKS = [
    test_outputs_are_named_finite_and_probabilities_add_up, test_the_same_seed_gives_the_same_bytes, test_a_row_gives_the_same_alone_and_among_others,
    test_stored_and_loaded_it_gives_the_same_and_writes_the_same, test_a_file_with_one_byte_changed_is_refused, test_a_column_that_is_nowhere_known_says_nothing,
    test_one_label_for_all_is_forecast, test_what_watch_raises_stops_it, test_onnx_gives_the_same_on_random_rows_beside_thresholds_and_where_columns_are_unknown,
    test_contributions_add_up_to_the_score,
]  # fmt: skip
