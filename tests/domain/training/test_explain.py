"""What a model leans on, told of models whose answers are known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from domain.errors import BadRequest, UnknownName
from domain.models import Samples
from domain.training.explain import boundary, partial_dependence, permutation_importance


@dataclass(frozen=True)
class Known:
    """3 a + b² of the deciding bar, and over windows c of the oldest bar as well."""

    bars: int = 1
    task: str = "number"
    outputs: tuple[str, ...] = ("value",)

    def raw(self, samples: Samples) -> np.ndarray:
        windows = samples.window(self.bars)
        return (3.0 * windows[:, -1, 0] + windows[:, -1, 1] ** 2 + (5.0 * windows[:, 0, 2] if self.bars > 1 else 0.0))[:, None].astype(np.float64)


def drawn(count: int, bars: int = 1) -> Samples:
    matrix = np.random.default_rng(1).standard_normal((count + bars, 4)).astype(np.float32)
    at, zero = np.arange(bars, count + bars), np.zeros(count, dtype=np.int64)
    bare = Samples(matrix, ("a", "b", "c", "d"), at, zero * 0.0, at, at, np.ones(count), zero, zero)
    return Samples(matrix, ("a", "b", "c", "d"), at, Known(bars).raw(bare)[:, 0], at, at, np.ones(count), zero, zero)


@pytest.mark.parametrize("bars", [1, 4])
def test_importance_is_the_loss_that_shuffling_adds(bars):
    """Shuffling an independent column of variance v adds 2 v k² to the squared error of k × it: 18 for a, 4 for b² (variance 2), 50 for c five times."""
    table = permutation_importance([Known(bars)] * 2, [drawn(2_000, bars)] * 2, repeats=3).set_index("column")
    assert table.importance["a"] == pytest.approx(18.0, rel=0.1)
    assert table.importance["b"] == pytest.approx(4.0, rel=0.15)
    assert table.importance["c"] == pytest.approx(50.0 if bars > 1 else 0.0, rel=0.1)
    assert table.importance["d"] == 0.0
    assert list(table.index[:2]) == (["c", "a"] if bars > 1 else ["a", "b"])
    assert (table.loss == "squared error").all() and (table.low <= table.importance).all() and (table.importance <= table.high).all()


def test_the_same_seed_gives_the_same_importance():
    first, again = (permutation_importance([Known()], [drawn(300)], seed=4, repeats=1) for _ in range(2))
    assert first.equals(again)


def test_probabilities_and_quantiles_have_losses_of_their_own():
    samples = drawn(500)

    @dataclass(frozen=True)
    class Chance(Known):
        task: str = "binary"
        outputs: tuple[str, ...] = ("p",)

        def raw(self, samples):
            return 1 / (1 + np.exp(-3.0 * samples.rows()[:, :1].astype(np.float64)))

    @dataclass(frozen=True)
    class Quantiles(Known):
        outputs: tuple[str, ...] = ("q_0.1", "q_0.9")

        def raw(self, samples):
            return samples.rows()[:, :1].astype(np.float64) + np.array([-1.0, 1.0])

    from dataclasses import replace

    binary = permutation_importance([Chance()], [replace(samples, y=(samples.matrix[samples.at, 0] > 0).astype(float), task="binary")])
    assert binary.loss[0] == "log loss" and binary.column[0] == "a" and binary.importance[0] > 0.5
    ranged = permutation_importance([Quantiles()], [replace(samples, y=samples.matrix[samples.at, 0].astype(float))])
    assert ranged.loss[0] == "pinball loss" and ranged.column[0] == "a" and ranged.share[0] > 0


@pytest.mark.parametrize("bars", [1, 4])
def test_partial_dependence_is_the_curve_itself(bars):
    """The mean over samples of 3 a + b² + … at a = v is 3 v + a constant: its slope is 3 everywhere, and the band of the others is as wide anywhere."""
    table = partial_dependence(Known(bars), drawn(400, bars), "a", points=7)
    assert np.diff(table.prediction) / np.diff(table.value) == pytest.approx(3.0, rel=1e-4)
    assert np.ptp(table.high - table.low) < 1e-3
    assert table.value.iloc[0] > -2.6 and len(table) == 7


def test_a_column_of_few_values_is_requested_about_those_alone():
    samples = drawn(100)
    samples.matrix[:, 3] = np.arange(len(samples.matrix)) % 2
    assert partial_dependence(Known(), samples, "d").value.tolist() == [0.0, 1.0]
    samples.matrix[:, 3] = 1.0
    with pytest.raises(BadRequest, match="the column d has 1 different value in these samples"):
        partial_dependence(Known(), samples, "d")


def test_the_boundary_of_two_columns_is_their_sum_on_a_grid():
    table = boundary(Known(), drawn(200), ("a", "b"), points=5, most=50)
    assert len(table) == 25
    assert (table.x0 < table.x).all() and (table.x < table.x1).all() and (table.y0 < table.y).all() and (table.y < table.y1).all()
    wanted = 3.0 * table.x + table.y**2
    assert np.abs(table.prediction - wanted).max() < 1e-5
    with pytest.raises(BadRequest, match="both columns are a"):
        boundary(Known(), drawn(10), ("a", "a"))
    with pytest.raises(UnknownName, match="no column named 'z'"):
        boundary(Known(), drawn(10), ("a", "z"))


def test_each_says_how_far_it_is_and_can_be_stopped():
    for explain in (
        lambda watch: permutation_importance([Known(4)], [drawn(3_000, 4)], repeats=1, watch=watch),
        lambda watch: partial_dependence(Known(4), drawn(3_000, 4), "a", watch=watch),
        lambda watch: boundary(Known(4), drawn(3_000, 4), ("a", "b"), points=4, watch=watch),
    ):
        shares: list[float] = []
        explain(shares.append)
        assert shares == sorted(shares) and shares[-1] == 1.0 and len(shares) > 5

        def stop(share):
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            explain(stop)


@pytest.mark.parametrize(("name", "expected"), [("forest", "p"), ("fakeout", "log-odds of p"), ("prior", "p")])
def test_the_score_that_contributions_add_up_to_is_named_by_what_it_is(name, expected):
    from domain.models import LEARNERS
    from domain.training.explanation import contributions, score_name
    from domain.training.fitted_pipeline import FittedPipeline
    from tests.domain.models.samples import samples

    every = samples(count=300)
    fitted = LEARNERS[name](**dict(trees=3) if name != "prior" else {}).fit(every, every, 0, lambda share, loss=None: None)
    pipeline = FittedPipeline(fitted, name, "win", "binary", (), every.columns, 0)
    assert score_name(pipeline) == expected
    shares = contributions(pipeline, every, ("EURUSD",))
    p = shares["prediction"]
    np.testing.assert_allclose(shares["score"], p if expected == "p" else np.log(p / (1 - p)), atol=1e-9)


def test_a_stop_is_noticed_while_a_model_forecasts():
    """A forest of many trees may take seconds for a batch: the stop does not wait for it."""
    from threading import Event

    ended, received = Event(), []

    @dataclass(frozen=True)
    class Slow(Known):
        def raw(self, samples):
            ended.wait(60)
            return super().raw(samples)

    def stop(share):
        received.append(share)
        if len(received) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        partial_dependence(Slow(), drawn(10), "a", watch=stop)
    assert len(received) == 2
    ended.set()
