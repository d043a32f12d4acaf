import numpy as np
import pytest

from domain.errors import UnknownName
from domain.training.weights import DAY, uniqueness, weights_of


def slow(first, last):
    covering = lambda bar: sum(a <= bar <= b for a, b in zip(first, last, strict=True))      # noqa: E731
    return [np.mean([1 / covering(bar) for bar in range(a, b + 1)]) for a, b in zip(first, last, strict=True)]


@pytest.mark.parametrize("seed", range(3))
def test_uniqueness_is_the_mean_share_of_each_bar(seed):
    rng = np.random.default_rng(seed)
    first = rng.integers(0, 50, 40)
    last = first + rng.integers(0, 9, 40)
    assert uniqueness(first, last) == pytest.approx(slow(first, last), abs=1e-12)


def test_the_example_of_five_eighths_and_a_span_alone():
    assert uniqueness(np.array([1, 2, 9]), np.array([4, 5, 9])).tolist() == [0.625, 0.625, 1.0]
    assert not len(uniqueness(np.zeros(0, int), np.zeros(0, int)))


def test_weights_come_from_training_alone_with_mean_one():
    unique, start = np.array([0.25, 0.75, 9.0]), np.array([0, 10, 99]) * DAY
    assert weights_of(np.array([0, 1]), unique, start).tolist() == [0.5, 1.5]
    assert weights_of(np.array([0, 1]), unique, start, by="equal").tolist() == [1.0, 1.0]
    aged = weights_of(np.array([0, 1]), unique, start, half_life=5.0, by="equal")       # ten days are two half-lives
    assert aged == pytest.approx([0.4, 1.6])
    with pytest.raises(UnknownName, match="no weight named 'unique'"):
        weights_of(np.array([0]), unique, start, by="unique")
