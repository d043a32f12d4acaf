"""Learners beside the plain call of their library, memory of a large fit, and single rows through ONNX."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from benchmarks.growth import own_peak
from benchmarks.timing import Row, median
from domain.models import LEARNERS, Samples
from domain.models.boosting import Boosting, parameters, some_lightgbm
from domain.models.levels import levels_of
from domain.models.served import Served

COLUMNS, WINDOW = 50, 60
PLAIN = 1.15            # × the library's own call
LARGE, MEMORY = 734_000, 1.5e9
TREES, LINES = 20e-6, 150e-6    # seconds a row: trees at the 99th percentile, sequences at the median
FITS = {"fakeout": dict(trees=50), "forest": dict(trees=20), "quantiles": dict(trees=30), "quantile_forest": dict(trees=10), "quantile_network": dict(epochs=1), "lstm": dict(epochs=1, bars=20), "transformer": dict(epochs=1, bars=20)}


def rows() -> Iterator[Row]:
    yield from plain_rows()
    for name in FITS:
        peak = _peak(name)
        yield Row(f"{name}: memory of a process that fits {LARGE:,} × {COLUMNS}, at its peak", None, goal=f"≤ {MEMORY / 1e9:g} GB", holds=peak <= MEMORY, figure=f"{peak / 1e9:.2f} GB")
    yield from single_rows()


# -- beside the library's own call


def plain_rows() -> Iterator[Row]:
    for name, what, count, ours, theirs in beside():
        mine, plain = paired(ours, theirs)
        yield Row(f"{name}: fit of {count:,} × {COLUMNS}, {what}", mine, "the plain call", mine / plain, f"≤ {PLAIN} ×", mine <= PLAIN * plain)


def paired(ours: Callable[[], object], theirs: Callable[[], object], times: int = 3) -> tuple[float, float]:
    """Medians of both, taken in turns, so that what else runs weighs on both alike."""
    turns = [(median(ours, 1, 0), median(theirs, 1, 0)) for _ in range(times + 1)][1:]
    return tuple(np.median(turns, axis=0))


def beside() -> Iterator[tuple[str, str, int, Callable[[], object], Callable[[], object]]]:
    """Name, size, samples, our fit and the plain one, with the same parameters and threads."""
    binary, number, few = drawn(50_000, "binary"), drawn(50_000, "number"), without_gaps(drawn(20_000, "number"))
    some = drawn(20_000, "binary")
    yield "fakeout", "100 trees", len(binary), lambda: fitted("fakeout", binary, trees=100, patience=0), lambda: _lightgbm(binary, "fakeout", ["binary"], 100)
    yield "quantiles", "3 × 50 trees", len(number), lambda: fitted("quantiles", number, trees=50, patience=0), lambda: _lightgbm(number, "quantiles", [f"quantile {level}" for level in levels_of(LEARNERS["quantiles"]().levels)], 50)
    yield "forest", "20 trees", len(some), lambda: fitted("forest", some, trees=20), lambda: _forest(some, 20)
    yield "quantile_forest", "20 trees, no gaps", len(few), lambda: fitted("quantile_forest", few, trees=20), lambda: _quantile_forest(few, 20)
    short = drawn(4_000, "number")
    yield "lstm", f"windows of {WINDOW}, 1 × 32, 1 epoch", len(short), lambda: fitted("lstm", short, bars=WINDOW, epochs=1, patience=0, device="cpu"), lambda: _torch(short)


def fitted(name: str, samples: Samples, **params: Any) -> Any:
    empty = samples.take(np.arange(0))
    return LEARNERS[name](**params).fit(samples, empty, 1, lambda share, loss=None: None)


def _lightgbm(samples: Samples, learner: str, objectives: list[str], trees: int) -> object:
    library, chosen = some_lightgbm(), LEARNERS[learner]()
    params = parameters(Boosting(trees, chosen.learning_rate, chosen.leaves, chosen.min_leaf, chosen.columns_share, chosen.rows_share, chosen.l2, 0), 1)
    data = library.Dataset(samples.rows(), label=samples.y, weight=samples.weight)
    return [library.train(params | dict(objective=kind, alpha=float(level[0]) if level else 0.9), data, num_boost_round=trees) for kind, *level in map(str.split, objectives)]


def _forest(samples: Samples, trees: int) -> object:
    from sklearn.ensemble import RandomForestClassifier

    return RandomForestClassifier(trees, class_weight="balanced", min_samples_leaf=LEARNERS["forest"]().min_leaf, random_state=1).fit(samples.rows(), samples.y)


def _quantile_forest(samples: Samples, trees: int) -> object:
    from quantile_forest import RandomForestQuantileRegressor

    chosen = LEARNERS["quantile_forest"]()
    return RandomForestQuantileRegressor(trees, min_samples_leaf=chosen.min_leaf, max_features=chosen.columns_share, random_state=1).fit(samples.rows(), samples.y)


def _torch(samples: Samples) -> object:
    """The usual loop, over windows that are all there at once."""
    import torch

    torch.set_num_threads(1)
    windows, y = torch.from_numpy(np.nan_to_num(samples.window(WINDOW))), torch.from_numpy(samples.y.astype(np.float32))
    lstm, line = torch.nn.LSTM(COLUMNS, 32, batch_first=True), torch.nn.Linear(32, 1)
    steps = torch.optim.AdamW([*lstm.parameters(), *line.parameters()], lr=0.002)
    for rows in torch.randperm(len(y)).split(256):
        steps.zero_grad()
        ((line(lstm(windows[rows])[0][:, -1])[:, 0] - y[rows]) ** 2).mean().backward()
        torch.nn.utils.clip_grad_norm_(lstm.parameters(), 1.0)
        steps.step()
    with torch.no_grad():       # as a fit looks at its loss once an epoch
        for rows in torch.arange(len(y)).split(256):
            line(lstm(windows[rows])[0][:, -1])
    return lstm


def drawn(count: int, task: str) -> Samples:
    """Columns of noise of which the first tells something, some values missing."""
    draws = np.random.default_rng(1)
    matrix = draws.standard_normal((count, COLUMNS), dtype=np.float32)
    noise = draws.standard_normal(count)
    matrix[draws.integers(0, count, count), draws.integers(0, COLUMNS, count)] = np.nan
    score = np.nan_to_num(matrix[:, 0]) + 2.0 * noise
    at, zero = np.arange(count), np.zeros(count, dtype=np.int64)
    names = tuple(f"column_{number}" for number in range(COLUMNS))
    return Samples(matrix, names, at, (score > 0).astype(np.float64) if task == "binary" else score, at, at, np.ones(count), zero, zero, "binary" if task == "binary" else "number")


def without_gaps(samples: Samples) -> Samples:
    """The same rows for both, where the library's own call takes no NaN: a tree that allows for gaps tries each split both ways, and costs a fifth more."""
    return replace(samples, matrix=np.nan_to_num(samples.matrix))


# -- memory


def _peak(name: str) -> float:
    process = subprocess.run([sys.executable, "-m", "benchmarks.training", name], capture_output=True, text=True, check=True)
    return float(process.stdout.split()[-1])


def _large(name: str) -> None:
    samples = drawn(LARGE, "binary" if name in ("fakeout", "forest") else "number")
    cut = int(0.9 * LARGE)
    learner = LEARNERS[name](**FITS[name])
    every = learner.fit(samples.take(np.arange(cut)), samples.take(np.arange(cut, LARGE)), 1, lambda share, loss=None: None)
    assert every.outputs
    print(own_peak())


# -- one row


def single_rows() -> Iterator[Row]:
    binary, number = drawn(20_000, "binary"), drawn(3_000, "number")
    for name, params in {"fakeout": dict(trees=300, patience=0), "forest": dict(trees=100), "quantiles": dict(trees=LEARNERS["quantiles"]().trees, patience=0)}.items():
        samples = binary if name != "quantiles" else drawn(20_000, "number")
        model = fitted(name, samples, **params)
        ways = {"through ONNX": Served(model.onnx(), len(model.outputs)).predict} | ({"by itself": model.predict} if name == "quantiles" else {})
        for way, predict in ways.items():
            times = one_row(predict, model.bars, samples)
            slowest = float(np.quantile(times, 0.99))
            yield Row(f"{name} ({_options_text(params)}): one row {way}, 99th percentile; median {1e6 * np.median(times):.0f} µs", None, goal=f"≤ {1e6 * TREES:.0f} µs", holds=slowest <= TREES, figure=f"{1e6 * slowest:.0f} µs")
    for name, params in (("lstm", dict(layers=1, units=32)), ("lstm", dict(layers=2, units=64)), ("transformer", {})):
        model = fitted(name, number, bars=WINDOW, epochs=1, device="cpu", **params)
        times = one_row(Served(model.onnx(), len(model.outputs)).predict, model.bars, number)
        middle = float(np.median(times))
        yield Row(f"{name} ({_options_text(params) or 'as by default'}, {WINDOW} bars): one row through ONNX, median", None, goal=f"≤ {1e6 * LINES:.0f} µs", holds=middle <= LINES, figure=f"{1e6 * middle:.0f} µs")


def one_row(predict: Callable[[np.ndarray], object], bars: int, samples: Samples, times: int = 2_000) -> np.ndarray:
    """Seconds of each of ``times`` rows, one at a time."""
    some = samples.take(np.arange(100, 100 + 64))
    rows = (some.rows() if bars == 1 else some.window(bars)).copy()
    elapsed = np.empty(times)
    for number in range(times + 100):
        row = rows[number % 64 : number % 64 + 1]
        began = time.perf_counter()
        predict(row)
        elapsed[max(number - 100, 0)] = time.perf_counter() - began
    return elapsed


def _options_text(params: dict[str, Any]) -> str:
    return ", ".join(f"{key} {value}" for key, value in params.items() if key != "patience")


if __name__ == "__main__":
    _large(sys.argv[1])
