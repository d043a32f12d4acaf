"""Networks: what all learners promise stands in the conformance suite; here is what is theirs alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from domain.errors import BadRequest
from domain.models import LEARNERS, Samples
from domain.models.levels import levels_of

COLUMNS, BARS = 3, 8


def drawn(count: int, task: str = "number", seed: int = 0) -> Samples:
    """Labels that lean on the first column: of the bar itself and of the bar three before."""
    draws = np.random.default_rng(seed)
    matrix = draws.standard_normal((count, COLUMNS)).astype(np.float32)
    telling = matrix[:, 0] + np.concatenate([np.zeros(3, dtype=np.float32), matrix[:-3, 0]])
    y = telling + 0.3 * draws.standard_normal(count)
    matrix[draws.random(matrix.shape) < 0.01] = np.nan
    at, zero = np.arange(count), np.zeros(count, dtype=np.int64)
    labels = np.digitize(y, [-0.5, 0.5]).astype(np.float64) if task == "classes" else 0.001 * y + 5.0
    return Samples(matrix, ("a", "b", "c"), at, labels, at, at, np.ones(count), zero, zero, task, ("down", "flat", "up") if task == "classes" else ())


def fitted(name: str, samples: Samples, watch=lambda share, loss=None: None, **params):
    size = dict(epochs=6, batch=64, learning_rate=0.01) | ({} if name == "quantile_network" else dict(bars=BARS, units=8))
    learner = LEARNERS[name](**(size | params))
    cut = int(0.8 * len(samples))
    return learner.fit(samples.take(np.arange(cut)), samples.take(np.arange(cut, len(samples))), 3, watch)


@pytest.mark.parametrize("name", ["lstm", "transformer"])
def test_what_lies_three_bars_back_is_learnt(name):
    samples, fresh = drawn(1_000), drawn(400, seed=9)
    forecast = fitted(name, samples, epochs=15, learning_rate=0.02).predict(fresh.window(BARS))[:, 0]
    assert np.corrcoef(forecast, fresh.y)[0, 1] > 0.85       # the bar's own value alone gives 0.69
    assert abs(forecast.mean() - fresh.y.mean()) < 2e-4


def test_quantiles_rise_and_cover_what_they_say():
    samples, fresh = drawn(2_000), drawn(3_000, seed=9)
    model = fitted("quantile_network", samples, levels="0.1,0.25,0.5,0.75,0.9", epochs=8)
    quantiles = model.predict(fresh.rows())
    assert model.outputs == ("q_0.1", "q_0.25", "q_0.5", "q_0.75", "q_0.9")
    assert (np.diff(quantiles, axis=1) >= 0).all()
    below = (fresh.y[:, None] <= quantiles).mean(axis=0)
    assert np.abs(below - [0.1, 0.25, 0.5, 0.75, 0.9]).max() < 0.05


def test_the_head_beside_is_learnt_and_changes_what_both_share():
    samples = drawn(400, "classes")
    beside = replace(samples, beside={"volatility": drawn(400).y})
    alone, both = fitted("lstm", samples, epochs=1), fitted("lstm", beside, epochs=1)
    assert set(both.network.heads) == {"direction", "volatility"}
    assert alone.outputs == both.outputs == ("p_down", "p_flat", "p_up")
    windows = samples.window(BARS)
    assert np.abs(alone.predict(windows) - both.predict(windows)).max() > 1e-4
    assert float(both.network.heads["volatility"].scale) == pytest.approx(beside.beside["volatility"][:320].std(), rel=1e-4)


def test_missing_labels_of_the_head_beside_count_nothing():
    samples = drawn(400, "classes")
    with np.errstate(all="raise"):
        missing = fitted("lstm", replace(samples, beside={"volatility": np.full(400, np.nan)}), epochs=1)
    assert np.isfinite(missing.predict(samples.window(BARS))).all()


@pytest.mark.parametrize("name", ["lstm", "transformer"])
def test_a_row_of_another_instrument_or_a_later_one_is_not_seen(name):
    """A window that would reach into another instrument is empty there, so what stands there changes nothing; nor does a bar after the deciding one."""
    samples = drawn(300)
    samples = replace(samples, first=np.where(samples.at >= 150, 150, 0))
    model = fitted(name, samples, epochs=1)
    changed = samples.matrix.copy()
    changed[:150] += 10.0
    changed[153:] -= 10.0
    picked = np.array([150, 152])
    before = model.predict(samples.take(picked).window(BARS))
    assert (model.predict(replace(samples, matrix=changed).take(picked).window(BARS)) == before).all()


def test_early_stopping_keeps_the_best_round():
    """With labels of noise the loss on validation grows sooner or later: the fit ends before its passes, with the weights of its lowest loss."""
    samples = drawn(200)
    noise = replace(samples, y=np.random.default_rng(5).standard_normal(200))
    losses: list[float] = []
    model = fitted("quantile_network", noise, lambda share, loss=None: losses.append(loss) if loss is not None else None, epochs=200, patience=3)
    assert len(losses) < 200 and losses[-4] == min(losses)
    tail = noise.take(np.arange(160, 200))
    over = (tail.y[:, None] - model.predict(tail.rows())) / float(model.network.heads["quantiles"].scale)
    levels = np.array([0.1, 0.5, 0.9])
    assert np.maximum(levels * over, (levels - 1) * over).mean() == pytest.approx(min(losses), rel=1e-4)


def test_a_large_batch_goes_through_in_pieces_between_which_a_stop_is_noticed():
    samples = drawn(1_200)
    received: list[float] = []
    fitted("lstm", samples, lambda share, loss=None: received.append(share), epochs=1, batch=960)
    assert len(received) >= 4 and received == sorted(received)

    def stop(share: float, loss: float | None = None) -> None:
        if share > 0:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fitted("lstm", samples, stop, epochs=2, batch=960)


def test_the_larger_a_network_the_fewer_samples_go_through_at_once():
    from domain.models.network.fitting import pieces, products_of

    small = dict(kind="recurrent", bars=60, columns=50, width=32, layers=1)
    assert products_of(small) == 60 * 4 * 32 * (50 + 32)        # four gates of 32, each from 50 columns and 32 states, at 60 bars
    assert products_of(small | dict(layers=2)) == products_of(small) + 60 * 4 * 32 * (32 + 32)
    assert [len(piece) for piece in pieces(np.arange(100), small)] == [68, 32]
    assert {len(piece) for piece in pieces(np.arange(3), dict(kind="recurrent", bars=256, columns=50, width=256, layers=2))} == {1}


def test_a_gpu_that_is_not_there_is_refused_and_the_processor_is_reproducible():
    import torch

    assert fitted("quantile_network", drawn(100), epochs=1, device="cpu").reproducible
    if not torch.cuda.is_available():
        with pytest.raises(BadRequest, match="device is gpu and this computer has none"):
            fitted("quantile_network", drawn(100), epochs=1, device="gpu")
        assert fitted("quantile_network", drawn(100), epochs=1, device="auto").reproducible


def test_rows_of_another_shape_are_refused():
    model = fitted("lstm", drawn(100), epochs=1)
    with pytest.raises(BadRequest, match="rows of 8 × 3 and is given 5 × 3"):
        model.predict(np.zeros((1, 5, 3), dtype=np.float32))


@pytest.mark.parametrize("text", ["", "0.5,0.1", "0,0.5", "0.5,1", "a", "0.1,0.1"])
def test_levels_that_make_no_sense_are_refused(text):
    with pytest.raises(BadRequest, match="rising numbers between 0 and 1"):
        levels_of(text)


def test_width_and_heads_that_do_not_fit_are_refused():
    with pytest.raises(BadRequest, match="units must be a multiple of heads"):
        LEARNERS["transformer"](units=10, heads=4)


def test_a_fit_on_a_gpu_is_marked_wherever_it_goes():
    """The mark is in the learner's files, in the model's manifest and in that of a stack with such a member. Without a GPU a fit bears the mark of one."""
    import json

    import torch

    from domain.models.files import load
    from domain.models.stack import FittedStack
    from domain.training.fitted_pipeline import FittedPipeline
    from domain.training.model_folder import model_files

    samples = drawn(100)
    model = fitted("quantile_network", samples, epochs=1, device="auto")
    if not torch.cuda.is_available():
        model = replace(model, design=model.design | dict(device="cuda", reproducible=False))
    again = load(model.files())
    assert not again.reproducible and (again.predict(samples.rows()) == model.predict(samples.rows())).all()
    manifest = json.loads(model_files(FittedPipeline(model, "quantile_network", "return", "number", (), samples.columns, 0), {})["manifest.json"])
    assert manifest["reproducible"] is False
    assert not FittedStack({"quantile_network": model}, model, "number").reproducible
